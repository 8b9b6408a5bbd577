//! What logind tells on the system bus (org.freedesktop.login1(5)).

use std::convert::Infallible;
use std::io;

use rustix::process::getuid;
use zbus::blocking::fdo::DBusProxy;
use zbus::blocking::{Connection, MessageIterator};
use zbus::message::Type;
use zbus::zvariant::{ObjectPath, OwnedFd, OwnedObjectPath, OwnedValue};
use zbus::{Address, MatchRule, Message};

use crate::bus::connect;

const SERVICE: &str = "org.freedesktop.login1";
const MANAGER_PATH: &str = "/org/freedesktop/login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";
const SESSION: &str = "org.freedesktop.login1.Session";
/// What is answered in place of what is not there.
const ABSENT: [&str; 5] = [
    "org.freedesktop.DBus.Error.NameHasNoOwner",
    "org.freedesktop.DBus.Error.ServiceUnknown",
    "org.freedesktop.DBus.Error.Spawn.ServiceNotFound",
    "org.freedesktop.DBus.Error.UnknownObject",
    "org.freedesktop.login1.NoSuchSession",
];

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
        let connection = connect(&Address::system()?)?;
        let messages = MessageIterator::from(&connection);
        let bus = DBusProxy::new(&connection)?;
        for rule in heard()? {
            bus.add_match_rule(rule)?;
        }
        Ok(Self { connection, messages, delay: None })
    }

    /// Tells what happens for as long as the bus is there. A signal is a hint only, as any program may send one: what is so
    /// is asked. One that says that the machine goes to sleep is believed: there is no time.
    ///
    /// # Errors
    /// When the bus is not there any more, or logind does not answer.
    pub(super) fn follow(mut self, mut tell: impl FnMut(News)) -> zbus::Result<Infallible> {
        tell(News::Locked(self.is_locked()?));
        tell(News::Sleeps(self.sleeps()?));
        self.delay_sleep();
        while let Some(message) = self.messages.next() {
            let message = message?;
            if message.message_type() != Type::Signal {
                continue;
            }
            match message.header().member().map(|name| name.as_str()) {
                Some("PrepareForSleep") => match message.body().deserialize::<bool>() {
                    Ok(true) => {
                        tell(News::Sleeps(true));
                        // Hidden: it may.
                        self.delay = None;
                    }
                    Ok(false) if !self.sleeps()? => {
                        tell(News::Sleeps(false));
                        self.delay_sleep();
                    }
                    _ => {}
                },
                Some("NameOwnerChanged") => {
                    // A logind that was started anew has forgotten that a session is locked: that goes on to hold.
                    if self.is_locked()? {
                        tell(News::Locked(true));
                    }
                    tell(News::Sleeps(self.sleeps()?));
                    self.delay_sleep();
                }
                Some("PropertiesChanged" | "SessionNew" | "SessionRemoved") => {
                    tell(News::Locked(self.is_locked()?));
                }
                _ => {}
            }
        }
        Err(io::Error::from(io::ErrorKind::ConnectionReset).into())
    }

    /// Whether a session of this user at a seat is locked. Where there is no logind, none is.
    ///
    /// # Errors
    /// When logind does not answer, or wrongly.
    pub(super) fn is_locked(&self) -> zbus::Result<bool> {
        let Some(sessions) = present(self.manager("ListSessions", &()))? else { return Ok(false) };
        let sessions: Vec<Listed> = sessions.body().deserialize()?;
        let ours = getuid().as_raw();
        for (_, user, _, seat, path) in sessions {
            if user == ours
                && !seat.is_empty()
                && present(self.property::<bool>(&path, SESSION, "LockedHint"))? == Some(true)
                && present(self.property::<String>(&path, SESSION, "State"))?
                    .is_some_and(|state| state != "closing")
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the machine is about to go to sleep. Where there is no logind, it is not.
    fn sleeps(&self) -> zbus::Result<bool> {
        let path = ObjectPath::from_static_str_unchecked(MANAGER_PATH);
        Ok(present(self.property::<bool>(&path, MANAGER, "PreparingForSleep"))? == Some(true))
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

    fn property<T>(&self, path: &ObjectPath<'_>, of: &str, name: &str) -> zbus::Result<T>
    where
        T: TryFrom<OwnedValue>,
        zbus::Error: From<T::Error>,
    {
        let properties = Some("org.freedesktop.DBus.Properties");
        let asked = &(of, name);
        let reply = self.connection.call_method(Some(SERVICE), path, properties, "Get", asked)?;
        Ok(T::try_from(reply.body().deserialize::<OwnedValue>()?)?)
    }
}

/// `None` where there is no logind, or no such session any more.
fn present<T>(answer: zbus::Result<T>) -> zbus::Result<Option<T>> {
    match answer {
        Err(zbus::Error::MethodError(name, ..)) if ABSENT.contains(&name.as_str()) => Ok(None),
        answer => answer.map(Some),
    }
}
