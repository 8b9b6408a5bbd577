use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::rc::Rc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::{spawn_local, yield_now};
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::answer::{Ends, ServerState, answer};
use super::connection_state::{Connection, ConnectionState, Entry, Phase, Place, Table};
use super::refusal::Refusal;

/// How often connections are looked through for those whose time is over.
const TICK: Duration = Duration::from_millis(250);
/// Time in which nobody is let in after the system had no descriptor left.
const ACCEPT_AGAIN: Duration = Duration::from_millis(500);
/// Bytes of a head, and of an answer that hyper keeps ready.
const BUFFER_BYTES: usize = 64 << 10;
/// Clients at once that are told that there is no room; more are let go without a word.
const MOST_TURNED_AWAY: usize = 32;

/// Lets clients in until `stopped`.
pub(super) async fn serve(
    state: Rc<ServerState>,
    listener: TcpListener,
    mut stopped: oneshot::Receiver<()>,
) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!("the listener cannot be waited for: {error}"),
    };
    let (mut table, mut turned_away) = (Table::default(), Table::default());
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        // Without connections nothing is looked after, and nothing wakes.
        let someone = table.count() + turned_away.count() > 0;
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = tick.tick(), if someone => {
                table.end_overdue(&state.limits, |peer, what| {
                    let what = format!("it took too long for {what}");
                    // Between two requests everybody may leave.
                    match what.ends_with("the next request") {
                        true => tracing::debug!("{peer}: {what}"),
                        false => state.refusal_log.about(peer, &what),
                    }
                });
                turned_away.end_overdue(&state.limits, |_, _| {});
                continue;
            }
            _ = &mut stopped => return,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Of the connection (it left before it was let in), or no descriptor is left.
                tracing::warn!("a client could not be let in: {error}");
                sleep(ACCEPT_AGAIN).await;
                continue;
            }
        };
        let peer_ip = peer.ip().to_canonical();
        let refusal = match table.place_for(peer_ip, &state.limits) {
            Place::Free => None,
            Place::AllTaken => Some(Refusal::Full(state.limits.connections)),
            Place::ShareTaken(share) => Some(Refusal::ShareTaken(share)),
        };
        match refusal {
            None => {
                table.add(let_in(&state, stream, peer, peer_ip));
                // In a rush each has its request read before it is judged by the next one's arrival.
                yield_now().await;
            }
            Some(refusal) => {
                state.refusal_log.about(peer_ip, &refusal.to_string());
                if turned_away.count() < MOST_TURNED_AWAY {
                    turned_away.add(turn_away(&refusal, stream, peer_ip));
                }
            }
        }
    }
}

fn let_in(state: &Rc<ServerState>, stream: TcpStream, peer: SocketAddr, peer_ip: IpAddr) -> Entry {
    let connection_state = ConnectionState::new();
    tracing::debug!("{peer}: connected");
    // A connection that does not tell where it came in is held to be this machine's.
    let local = stream.local_addr().map_or(Ipv4Addr::LOCALHOST.into(), |local| local.ip());
    let ends = Ends { peer: peer_ip, local };
    let connection = talk(Rc::clone(state), stream, peer, ends, connection_state.clone());
    Entry { peer: peer_ip, connection_state, task: spawn_local(connection).abort_handle() }
}

/// One connection's requests, one after the other.
async fn talk(
    state: Rc<ServerState>,
    stream: TcpStream,
    peer: SocketAddr,
    ends: Ends,
    connection_state: ConnectionState,
) {
    // The last piece of an answer waits for nothing.
    let _ = stream.set_nodelay(true);
    let connection = Connection { stream, connection_state: connection_state.clone() };
    let service = {
        let connection_state = connection_state.clone();
        service_fn(move |request| {
            answer(Rc::clone(&state), ends, connection_state.clone(), request)
        })
    };
    let connection = http1::Builder::new()
        // A client may close its sending side behind its last request.
        .half_close(true)
        // The times are kept by `ConnectionState`.
        .header_read_timeout(None)
        .max_buf_size(BUFFER_BYTES)
        .serve_connection(TokioIo::new(connection), service);
    match connection.without_shutdown().await {
        Ok(parts) => {
            let stream = parts.io.into_inner().stream;
            if connection_state.is_farewell() {
                farewell(stream).await;
            }
            tracing::debug!("{peer}: done");
        }
        Err(error) => tracing::debug!("{peer}: ended: {error}"),
    }
}

/// Closes our side and throws away what still comes: closed at once, the system would tell the
/// client of an error, and our answer would be lost with it. [`ConnectionState`] ends this after a while.
async fn farewell(mut stream: TcpStream) {
    if stream.shutdown().await.is_err() {
        return;
    }
    let mut bin = vec![0; 16 << 10];
    while stream.read(&mut bin).await.is_ok_and(|read| read > 0) {}
}

/// Tells a client that there is no room, whatever it asks for.
fn turn_away(refusal: &Refusal, mut stream: TcpStream, peer: IpAddr) -> Entry {
    let sentence = format!("{refusal}\n");
    let words = format!(
        "HTTP/1.1 {}\r\ncontent-type: text/plain; charset=utf-8\r\nretry-after: 1\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{sentence}",
        refusal.status(),
        sentence.len()
    );
    let connection_state = ConnectionState::new();
    connection_state.enter(Phase::Farewell);
    let task = spawn_local(async move {
        if stream.write_all(words.as_bytes()).await.is_ok() {
            farewell(stream).await;
        }
    });
    Entry { peer, connection_state, task: task.abort_handle() }
}
