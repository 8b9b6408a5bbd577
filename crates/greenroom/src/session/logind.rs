//! What logind tells on the system bus (org.freedesktop.login1(5)).

use std::convert::Infallible;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::time::Duration;

use rustix::process::getuid;
use zbus::address::Transport;
use zbus::address::transport::UnixSocket;
use zbus::blocking::connection::Builder;
use zbus::blocking::fdo::DBusProxy;
use zbus::blocking::{Connection, MessageIterator};
use zbus::message::Type;
use zbus::zvariant::{OwnedFd, OwnedObjectPath, OwnedValue};
use zbus::{Address, MatchRule, Message};

const SERVICE: &str = "org.freedesktop.login1";
const MANAGER_PATH: &str = "/org/freedesktop/login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";
const SESSION: &str = "org.freedesktop.login1.Session";
/// Messages that may wait while an answer is waited for, which would not come if there were more.
const MOST_QUEUED: usize = 1024;
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// Whether the session is locked; also when that is no news.
    Locked(bool),
    /// The machine is about to go to sleep, or has woken up. It goes when this was heeded.
    Sleeps(bool),
}

/// A connection that hears of the session.
pub(super) struct Logind {
    connection: Connection,
    messages: MessageIterator,
    /// While it is open, a sleep waits (for five seconds at the most).
    delay: Option<OwnedFd>,
}

/// The signals that are of interest.
fn heard() -> zbus::Result<[MatchRule<'static>; 3]> {
    let signal = || MatchRule::builder().msg_type(Type::Signal);
    let changed = signal().sender(SERVICE)?.member("PropertiesChanged")?.add_arg(SESSION)?;
    // It may come later, or be started anew.
    let owner = signal().sender("org.freedesktop.DBus")?.member("NameOwnerChanged")?;
    let of_manager = signal().sender(SERVICE)?.interface(MANAGER)?;
    Ok([changed.build(), of_manager.build(), owner.add_arg(SERVICE)?.build()])
}

/// Id, user, name of the user, seat, path.
type Listed = (String, u32, String, String, OwnedObjectPath);

impl Logind {
    /// Connects to the system bus.
    ///
    /// # Errors
    /// When it is not there.
    pub(super) fn connect() -> zbus::Result<Self> {
        // zbus would start a thread to connect, and others, where there is nothing to connect to.
        let stream = match Address::system()?.transport() {
            Transport::Unix(unix) => match unix.path() {
                UnixSocket::File(path) => UnixStream::connect(path)?,
                UnixSocket::Abstract(name) => {
                    UnixStream::connect_addr(&SocketAddr::from_abstract_name(name.as_bytes())?)?
                }
                _ => return Err(zbus::Error::Unsupported),
            },
            _ => return Err(zbus::Error::Unsupported),
        };
        let connection = Builder::async_io_unix_stream(stream).method_timeout(PATIENCE);
        let connection = connection.max_queued(MOST_QUEUED).build()?;
        let messages = MessageIterator::from(&connection);
        let bus = DBusProxy::new(&connection)?;
        for rule in heard()? {
            bus.add_match_rule(rule)?;
        }
        let mut logind = Self { connection, messages, delay: None };
        logind.delay_sleep();
        Ok(logind)
    }

    /// Tells what happens for as long as the bus is there.
    ///
    /// # Errors
    /// When it is not any more.
    pub(super) fn follow(mut self, mut tell: impl FnMut(News)) -> zbus::Result<Infallible> {
        self.tell_lock(&mut tell);
        while let Some(message) = self.messages.next() {
            let message = message?;
            if message.message_type() != Type::Signal {
                continue;
            }
            match message.header().member().map(|name| name.as_str()) {
                Some("PrepareForSleep") => {
                    let sleeps: bool = message.body().deserialize()?;
                    tell(News::Sleeps(sleeps));
                    match sleeps {
                        // Hidden: it may.
                        true => self.delay = None,
                        false => self.delay_sleep(),
                    }
                }
                Some("NameOwnerChanged") => {
                    self.delay_sleep();
                    self.tell_lock(&mut tell);
                }
                Some("PropertiesChanged" | "SessionNew" | "SessionRemoved") => {
                    self.tell_lock(&mut tell);
                }
                _ => {}
            }
        }
        Err(io::Error::from(io::ErrorKind::ConnectionReset).into())
    }

    /// Tells whether a session of this user at a seat is locked. Where logind does not answer, what was known goes on to
    /// hold.
    fn tell_lock(&self, tell: &mut impl FnMut(News)) {
        match self.is_locked() {
            Ok(is_locked) => tell(News::Locked(is_locked)),
            Err(error) => tracing::debug!("session: {error}"),
        }
    }

    /// Whether a session of this user at a seat is locked.
    ///
    /// # Errors
    /// When logind does not answer, or wrongly.
    pub(super) fn is_locked(&self) -> zbus::Result<bool> {
        let sessions: Vec<Listed> = self.manager("ListSessions", &())?.body().deserialize()?;
        let ours = getuid().as_raw();
        for (_, user, _, seat, path) in sessions {
            if user == ours
                && !seat.is_empty()
                && self.property::<bool>(&path, "LockedHint")?
                && self.property::<String>(&path, "State")? != "closing"
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Has the next sleep wait until the picture is hidden. Without, it is hidden all the same, perhaps a moment late.
    fn delay_sleep(&mut self) {
        let why = ("sleep", "greenroom", "hides you before the machine sleeps", "delay");
        let reply = self.manager("Inhibit", &why);
        let delay = reply.and_then(|reply| reply.body().deserialize::<OwnedFd>());
        self.delay = delay.inspect_err(|error| tracing::debug!("session: {error}")).ok();
    }

    fn manager<B>(&self, method: &str, body: &B) -> zbus::Result<Message>
    where
        B: serde::Serialize + zbus::zvariant::DynamicType,
    {
        self.connection.call_method(Some(SERVICE), MANAGER_PATH, Some(MANAGER), method, body)
    }

    fn property<T>(&self, path: &OwnedObjectPath, name: &str) -> zbus::Result<T>
    where
        T: TryFrom<OwnedValue>,
        zbus::Error: From<T::Error>,
    {
        let properties = Some("org.freedesktop.DBus.Properties");
        let asked = &(SESSION, name);
        let reply = self.connection.call_method(Some(SERVICE), path, properties, "Get", asked)?;
        Ok(T::try_from(reply.body().deserialize::<OwnedValue>()?)?)
    }
}
