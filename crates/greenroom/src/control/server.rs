use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use greenroom_device::{Wake, wait_readable};
use rustix::io::Errno;

use super::connected::{Client, MAX_CLIENTS, too_many};
use super::service::{Answerer, Service, StreamSources};
use super::socket::Socket;
use super::subscriber::line_of;
use super::tickets::Replies;
use super::{ControlError, EventReceiver};
use crate::faults::{self, Fault};
use crate::protocol::Reply;

/// Places more for when all of those wait for replies: they are for a pause and nothing else, so that there
/// is always a way to hide.
const PAUSE_PLACES: usize = 4;
/// Time in which nobody is let in after the system had no descriptor left: it would have none in
/// the next microsecond either.
const ACCEPT_AGAIN: Duration = Duration::from_secs(1);
/// Time after a panic before anybody is listened to again, so that one that comes each time costs little.
const AFTER_A_PANIC: Duration = Duration::from_millis(100);
/// Descriptors that are waited for beside the clients.
const FIXED: usize = 4;

/// The control socket and the thread "control" that answers at it. Dropping it ends the thread and
/// removes the socket.
#[derive(Debug)]
pub struct Server {
    stop: Wake,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens at `path` and hands requests to `answer`, which must not take long: what does is
    /// replied to later. Each client gets its replies in the order of its requests. While nobody
    /// asks, the thread sleeps.
    ///
    /// # Errors
    /// [`ControlError::AlreadyRunning`], or when the socket cannot be made.
    pub fn start(path: &Path, answer: Answerer) -> Result<Self, ControlError> {
        Claim::of(path)?.serve(answer, None)
    }
}

/// A control socket that is ours, at which nobody answers yet: who asks waits. Nobody else can have
/// it, so that who has it knows that no other greenroom runs.
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

    /// Where it listens.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Answers from now on: see [`Server::start`]. Clients can have what `streams` gives.
    ///
    /// # Errors
    /// When the system has no thread or descriptor left.
    pub fn serve(
        self,
        answer: Answerer,
        streams: Option<StreamSources>,
    ) -> Result<Server, ControlError> {
        let Self { socket, path } = self;
        let unusable = |why: io::Error| ControlError::Unusable { path: path.clone(), why };
        let stop = Wake::new().map_err(unusable)?;
        let mut waiter = Waiter {
            socket,
            stop: stop.clone(),
            clients: Vec::new(),
            clients_so_far: 0,
            closed_until: None,
            spare: stop.as_fd().try_clone_to_owned().ok(),
            is_postponed: false,
            replies: Replies::new().map_err(unusable)?,
            service: Service::new(answer, streams),
        };
        let thread = thread::Builder::new().name("control".into()).spawn(move || waiter.run());
        tracing::debug!("control: listens at {}", path.display());
        Ok(Server { stop, thread: Some(thread.map_err(unusable)?) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.ring();
        // Its panics were caught and told of.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// What the thread owns.
struct Waiter {
    socket: Socket,
    stop: Wake,
    clients: Vec<Client>,
    clients_so_far: u64,
    replies: Replies,
    /// Nobody is let in before that.
    closed_until: Option<Instant>,
    /// A descriptor that is given up for one more client where the process has no other left.
    spare: Option<OwnedFd>,
    /// Somebody who wants to be let in was passed over in the last turn.
    is_postponed: bool,
    service: Service,
}

impl Waiter {
    fn run(&mut self) {
        while !self.stop.is_ringing() {
            // A pause must be possible whatever fails here: only those who are connected now are lost.
            if catch_unwind(AssertUnwindSafe(|| self.turn())).is_err() {
                self.clients.clear();
                tracing::error!("control: a part of greenroom failed; its clients were let go");
                Wake::wait([&self.stop], Some(AFTER_A_PANIC));
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
        // Clients first: their places in the answer are those of before anyone was let in.
        let mut place = FIXED - 1;
        let (service, replies) = (&mut self.service, &self.replies);
        self.clients.retain_mut(|client| {
            place += 1;
            if client.takes_more() && ready & 1 << place != 0 {
                client.serve(now, service, replies);
            }
            client.is_in_time(now)
        });
        self.replies.bell.clear();
        while let Ok((ticket, reply)) = self.replies.arrived.try_recv() {
            let asker = self.clients.iter_mut().find(|client| client.number == ticket.client);
            // Who asked may have gone.
            if let Some(client) = asker {
                client.settle(ticket.request, reply);
            }
        }
        self.send_events(now);
        self.clients.iter_mut().for_each(Client::look_whether_it_reads);
        self.clients.retain(Client::stays);
        self.count_subscribers();
        if self.closed_until.is_none() && ready & 0b10 != 0 {
            self.let_in();
        }
        if self.spare.is_none() {
            self.spare = self.stop.as_fd().try_clone_to_owned().ok();
        }
    }

    /// Sends what has happened to those who listen.
    fn send_events(&mut self, now: Instant) {
        let subscriptions = &self.service.subscriptions;
        let Some(receiver) = subscriptions.receiver() else { return };
        if receiver.bell().is_ringing() {
            for event in receiver.take() {
                let line = line_of(&event);
                self.clients.iter_mut().for_each(|client| client.tell(&event, &line));
            }
        }
        self.clients.iter_mut().for_each(|client| client.tell_numbers(now, subscriptions));
    }

    /// Without subscribers nothing is listened to.
    fn count_subscribers(&mut self) {
        let subscribers = self.clients.iter().filter(|client| client.is_subscriber()).count();
        self.service.subscribers = subscribers;
        if subscribers == 0 {
            self.service.subscriptions.end();
        }
    }

    /// Waits; bit 0 is the stop bell, bit 1 the listener, bit 2 replies, bit 3 events, then the clients in their
    /// order.
    fn wait(&mut self) -> u64 {
        let now = Instant::now();
        self.closed_until = self.closed_until.filter(|until| *until > now);
        let deadlines = self.clients.iter().filter_map(Client::deadline);
        let deadline = deadlines.chain(self.closed_until).min();
        let patience = deadline.map(|deadline| deadline.saturating_duration_since(now));
        // A listener that must not be heard is not listened to: the bell stands in.
        let listener = match self.closed_until {
            Some(_) => self.stop.as_fd(),
            None => self.socket.listener.as_fd(),
        };
        let events = self.service.subscriptions.receiver().map(EventReceiver::bell);
        let events = events.unwrap_or(&self.stop).as_fd();
        let fixed: [BorrowedFd<'_>; FIXED] =
            [self.stop.as_fd(), listener, self.replies.bell.as_fd(), events];
        let clients = self.clients.iter().map(|client| match client.takes_more() {
            true => client.stream.as_fd(),
            false => self.stop.as_fd(),
        });
        let fds: Vec<BorrowedFd<'_>> = fixed.into_iter().chain(clients).collect();
        wait_readable(&fds, patience)
    }

    fn let_in(&mut self) {
        let is_full = self.clients.len() >= MAX_CLIENTS && !self.let_the_idlest_go();
        // What they have sent comes first, for one turn: some may be about to go by themselves.
        if is_full && !self.is_postponed && self.clients.iter().any(Client::has_sent) {
            self.is_postponed = true;
            return;
        }
        self.is_postponed = false;
        let accepted = match self.socket.listener.accept() {
            // No descriptor is left: the spare one, so that a pause gets through.
            Err(error) if is_out_of_descriptors(&error) => {
                self.let_the_idlest_go();
                self.spare = None;
                self.socket.listener.accept()
            }
            accepted => accepted,
        };
        match accepted {
            Ok((stream, _)) => self.take_in(stream),
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock
                | io::ErrorKind::Interrupted
                | io::ErrorKind::ConnectionAborted => {}
                _ => {
                    tracing::warn!("control: nobody can be let in now: {error}");
                    self.closed_until = Some(Instant::now() + ACCEPT_AGAIN);
                }
            },
        }
    }

    fn take_in(&mut self, stream: UnixStream) {
        match Client::new(stream, self.clients_so_far) {
            Ok(mut client) if self.clients.len() >= MAX_CLIENTS + PAUSE_PLACES => {
                client.say(&Reply::Error(too_many()));
            }
            Ok(mut client) => {
                client.may_only_pause = self.clients.len() >= MAX_CLIENTS;
                self.clients_so_far += 1;
                self.clients.push(client);
            }
            Err(why) => tracing::warn!("control: somebody was turned away: {why}"),
        }
    }

    /// Lets go of the client that has asked nothing for the longest time. `false` if each waits for a reply,
    /// or has sent what was not read yet.
    fn let_the_idlest_go(&mut self) -> bool {
        let idle = self.clients.iter().enumerate().filter(|(_, client)| client.is_idle());
        let Some((place, _)) = idle.min_by_key(|(_, client)| client.heard_at) else { return false };
        let mut client = self.clients.remove(place);
        let others = format!(
            "another program needs the place of this connection, which asked nothing for the longest \
             time of all {MAX_CLIENTS}; connect again"
        );
        client.say(&Reply::Error(others));
        true
    }
}

/// Neither this process nor the system has a descriptor left.
fn is_out_of_descriptors(error: &io::Error) -> bool {
    let codes = [Errno::MFILE, Errno::NFILE].map(Errno::raw_os_error);
    error.raw_os_error().is_some_and(|code| codes.contains(&code))
}
