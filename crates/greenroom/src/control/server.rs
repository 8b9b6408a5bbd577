use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use greenroom_device::{Wake, wait_readable};
use rustix::io::Errno;

use super::connected::{Client, MAX_CLIENTS, too_many_clients};
use super::replies::Replies;
use super::service::{RequestHandler, Service, StreamSources};
use super::socket::Socket;
use super::subscriber::event_line;
use super::{ControlError, EventReceiver};
use crate::faults::{self, Fault};
use crate::protocol::Reply;

/// Further places, used when all [`MAX_CLIENTS`] wait for replies. Only `pause` is accepted there, so that the user can
/// always hide the picture.
const PAUSE_PLACES: usize = 4;
/// How long no connection is accepted after the system had no descriptor left.
const ACCEPT_RETRY: Duration = Duration::from_secs(1);
/// How long the thread rests after a panic, so that a panic that recurs costs little processor time.
const PANIC_DELAY: Duration = Duration::from_millis(100);
/// Number of descriptors that are polled in addition to the clients.
const FIXED: usize = 4;

/// The control socket and the thread "control" that serves it. Dropping it ends the thread and removes the socket.
#[derive(Debug)]
pub struct Server {
    stop: Wake,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens at `path` and passes requests to `handler`, which must not block; it may keep the
    /// [`Replier`](super::Replier) and reply later. Each client gets its replies in the order of its requests.
    ///
    /// # Errors
    /// [`ControlError::AlreadyRunning`], or when the socket cannot be made.
    pub fn start(path: &Path, handler: RequestHandler) -> Result<Self, ControlError> {
        Claim::of(path)?.serve(handler, None)
    }
}

/// A listening control socket that is not served yet: connected clients wait. Only one process can hold the socket of a
/// path, so the holder knows that no other greenroom runs there.
#[derive(Debug)]
pub struct Claim {
    socket: Socket,
    path: PathBuf,
}

impl Claim {
    /// Listens at `path`.
    ///
    /// # Errors
    /// [`ControlError::AlreadyRunning`], or when the socket cannot be made.
    pub fn of(path: &Path) -> Result<Self, ControlError> {
        Ok(Self { socket: Socket::listen(path)?, path: path.to_owned() })
    }

    /// The path of the socket.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Starts to serve clients; see [`Server::start`]. `streams` are the sources of events and previews; without
    /// them, both are refused.
    ///
    /// # Errors
    /// When the system has no thread or descriptor left.
    pub fn serve(
        self,
        handler: RequestHandler,
        streams: Option<StreamSources>,
    ) -> Result<Server, ControlError> {
        let Self { socket, path } = self;
        let unusable = |why: io::Error| ControlError::Unusable { path: path.clone(), why };
        let stop = Wake::new().map_err(unusable)?;
        let mut server = ControlThread {
            socket,
            stop: stop.clone(),
            clients: Vec::new(),
            next_client: 0,
            accept_paused_until: None,
            spare: stop.as_fd().try_clone_to_owned().ok(),
            has_postponed_accept: false,
            replies: Replies::new().map_err(unusable)?,
            service: Service::new(handler, streams),
        };
        let thread = thread::Builder::new().name("control".into()).spawn(move || server.run());
        tracing::debug!("control: listening at {}", path.display());
        Ok(Server { stop, thread: Some(thread.map_err(unusable)?) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.ring();
        // The thread has caught and logged its panics.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// The state of the thread "control".
struct ControlThread {
    socket: Socket,
    stop: Wake,
    clients: Vec<Client>,
    /// The number of the next client.
    next_client: u64,
    replies: Replies,
    /// No connection is accepted before this time.
    accept_paused_until: Option<Instant>,
    /// A reserved descriptor, which is closed to accept one more client when the process has no descriptor left.
    spare: Option<OwnedFd>,
    /// A new connection was not accepted in the last turn, so that connected clients were served first.
    has_postponed_accept: bool,
    service: Service,
}

impl ControlThread {
    fn run(&mut self) {
        while !self.stop.is_ringing() {
            // After a panic the thread goes on, so that a pause stays possible; only the present connections are
            // closed.
            if catch_unwind(AssertUnwindSafe(|| self.turn())).is_err() {
                self.clients.clear();
                tracing::error!(
                    "control: greenroom failed while it served clients; their connections were closed"
                );
                Wake::wait([&self.stop], Some(PANIC_DELAY));
            }
        }
    }

    fn turn(&mut self) {
        let ready = self.wait();
        if self.stop.is_ringing() {
            return;
        }
        if faults::strike(Fault::ControlPanic) {
            panic!("the control thread panics, as a test wants");
        }
        let now = Instant::now();
        // Clients come before new connections: the bits of `ready` refer to the clients at the time of the wait.
        let mut place = FIXED - 1;
        let (service, replies) = (&mut self.service, &self.replies);
        self.clients.retain_mut(|client| {
            place += 1;
            if client.accepts_input() && ready & 1 << place != 0 {
                client.read_requests(now, service, replies);
            }
            client.is_in_time(now)
        });
        self.replies.bell.clear();
        while let Ok((id, reply)) = self.replies.arrived.try_recv() {
            let client = self.clients.iter_mut().find(|client| client.number == id.client);
            // The client may have disconnected.
            if let Some(client) = client {
                client.add_reply(id.request, reply);
            }
        }
        self.send_events(now);
        self.clients.iter_mut().for_each(Client::check_disconnected);
        self.clients.retain(Client::stays_open);
        self.count_subscribers();
        if self.accept_paused_until.is_none() && ready & 0b10 != 0 {
            self.accept();
        }
        if self.spare.is_none() {
            self.spare = self.stop.as_fd().try_clone_to_owned().ok();
        }
    }

    /// Sends new events and due numbers to the subscribers.
    fn send_events(&mut self, now: Instant) {
        let subscriptions = &self.service.subscriptions;
        let Some(receiver) = subscriptions.receiver() else { return };
        if receiver.bell().is_ringing() {
            for event in receiver.take() {
                let line = event_line(&event);
                self.clients.iter_mut().for_each(|client| client.send_event(&event, &line));
            }
        }
        self.clients.iter_mut().for_each(|client| client.send_due_numbers(now, subscriptions));
    }

    /// Updates the number of subscribers, and stops receiving events when there are none.
    fn count_subscribers(&mut self) {
        let subscribers = self.clients.iter().filter(|client| client.is_subscriber()).count();
        self.service.subscribers = subscribers;
        if subscribers == 0 {
            self.service.subscriptions.end();
        }
    }

    /// Waits until a descriptor is readable. Returns one bit for each: 0 is the stop bell, 1 the listener, 2 replies,
    /// 3 events; the clients follow in their order.
    fn wait(&mut self) -> u64 {
        let now = Instant::now();
        self.accept_paused_until = self.accept_paused_until.filter(|until| *until > now);
        let deadlines = self.clients.iter().filter_map(Client::deadline);
        let deadline = deadlines.chain(self.accept_paused_until).min();
        let timeout = deadline.map(|deadline| deadline.saturating_duration_since(now));
        // The stop bell takes the place of each descriptor that must not wake the thread now.
        let listener = match self.accept_paused_until {
            Some(_) => self.stop.as_fd(),
            None => self.socket.listener.as_fd(),
        };
        let events = self.service.subscriptions.receiver().map(EventReceiver::bell);
        let events = events.unwrap_or(&self.stop).as_fd();
        let fixed: [BorrowedFd<'_>; FIXED] =
            [self.stop.as_fd(), listener, self.replies.bell.as_fd(), events];
        let clients = self.clients.iter().map(|client| match client.accepts_input() {
            true => client.stream.as_fd(),
            false => self.stop.as_fd(),
        });
        let fds: Vec<BorrowedFd<'_>> = fixed.into_iter().chain(clients).collect();
        wait_readable(&fds, timeout)
    }

    /// Accepts one connection. If all places are taken, the idlest client is disconnected first.
    fn accept(&mut self) {
        let is_full = self.clients.len() >= MAX_CLIENTS && !self.disconnect_idlest();
        // Read the clients' pending data first, for one turn: some of them may be about to disconnect.
        if is_full && !self.has_postponed_accept && self.clients.iter().any(Client::has_input) {
            self.has_postponed_accept = true;
            return;
        }
        self.has_postponed_accept = false;
        let accepted = match self.socket.listener.accept() {
            // No descriptor is left: the spare one is used, so that a pause gets through.
            Err(error) if is_out_of_descriptors(&error) => {
                self.disconnect_idlest();
                self.spare = None;
                self.socket.listener.accept()
            }
            accepted => accepted,
        };
        match accepted {
            Ok((stream, _)) => self.add_client(stream),
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock
                | io::ErrorKind::Interrupted
                | io::ErrorKind::ConnectionAborted => {}
                _ => {
                    tracing::warn!("control: cannot accept a connection: {error}");
                    self.accept_paused_until = Some(Instant::now() + ACCEPT_RETRY);
                }
            },
        }
    }

    fn add_client(&mut self, stream: UnixStream) {
        match Client::new(stream, self.next_client) {
            Ok(mut client) if self.clients.len() >= MAX_CLIENTS + PAUSE_PLACES => {
                client.send_reply(&Reply::Error(too_many_clients()));
            }
            Ok(mut client) => {
                client.may_only_pause = self.clients.len() >= MAX_CLIENTS;
                self.next_client += 1;
                self.clients.push(client);
            }
            Err(why) => tracing::warn!("control: refused a connection: {why}"),
        }
    }

    /// Disconnects the client that has been idle for the longest time. Returns `false` if no client is idle.
    fn disconnect_idlest(&mut self) -> bool {
        let idle = self.clients.iter().enumerate().filter(|(_, client)| client.is_idle());
        let Some((place, _)) = idle.min_by_key(|(_, client)| client.last_input_at) else {
            return false;
        };
        let mut client = self.clients.remove(place);
        let sentence = format!(
            "another program needs the place of this connection, which has been idle for the longest time \
             of all {MAX_CLIENTS}; connect again"
        );
        client.send_reply(&Reply::Error(sentence));
        true
    }
}

/// Whether this process or the whole system has no descriptor left.
fn is_out_of_descriptors(error: &io::Error) -> bool {
    let codes = [Errno::MFILE, Errno::NFILE].map(Errno::raw_os_error);
    error.raw_os_error().is_some_and(|code| codes.contains(&code))
}
