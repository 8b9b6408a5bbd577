//! The desktop's portal for screens (org.freedesktop.portal.ScreenCast): its picker asks the user.

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread;

use zbus::blocking::fdo::DBusProxy;
use zbus::blocking::{Connection, MessageIterator};
use zbus::message::Type;
use zbus::zvariant::{self, ObjectPath, OwnedObjectPath, OwnedValue, Value};
use zbus::{Address, MatchRule, Message};

use super::hub::Hub;
use super::{ASKING, token};
use crate::bus::{connect, has_threads};
use crate::pipewire::portal::{PATH, REQUEST, SERVICE};

const SCREEN_CAST: &str = "org.freedesktop.portal.ScreenCast";
const SESSION: &str = "org.freedesktop.portal.Session";

/// Kinds of sources, by their bits.
const MONITOR_OR_WINDOW: u32 = 1 | 2;
/// The pointer is part of the picture.
const POINTER_EMBEDDED: u32 = 2;
/// Until the user takes it back.
const PERSIST: u32 = 2;
/// From this version on there are tokens.
const VERSION_WITH_TOKENS: u32 = 4;

/// What the names of the portal's own errors begin with.
const PORTAL_ERROR: &str = "org.freedesktop.portal.Error.";

/// Why there is no screen. Every text is one sentence with the next step to take.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum ScreenError {
    /// The user has said no.
    #[error("no screen was chosen; to choose one: greenroom set background screen")]
    NotChosen,
    /// The picker has failed.
    #[error(
        "your desktop has shown no picker or given no screen; to try again: greenroom set background screen"
    )]
    NoPicker,
    /// The desktop or the user has ended it.
    #[error(
        "your desktop has ended the sharing of the screen; to choose one again: greenroom set background screen"
    )]
    Revoked,
    /// The portal or the session bus has gone.
    #[error(
        "the desktop's portal has ended, and the picture of the screen with it; to choose one again: greenroom set \
         background screen"
    )]
    PortalGone,
    /// There is no portal, or it has no screens.
    #[error(
        "the desktop's portal shows no screens ({0}); install xdg-desktop-portal with the backend of your desktop, or choose \
         another background"
    )]
    Missing(String),
    /// The portal hangs, or is about to start.
    #[error("the desktop's portal does not answer; to try again: greenroom set background screen")]
    NoAnswer,
    /// What was kept of the last time means nothing to the portal.
    #[error(
        "the desktop's portal does not know the screen of the last time ({0}); to choose one: greenroom set background screen"
    )]
    TokenRefused(String),
}

impl From<zbus::Error> for ScreenError {
    fn from(error: zbus::Error) -> Self {
        match error {
            zbus::Error::InputOutput(error) if error.kind() == io::ErrorKind::TimedOut => {
                Self::NoAnswer
            }
            zbus::Error::InputOutput(_) => Self::PortalGone,
            error => Self::Missing(error.to_string()),
        }
    }
}

/// Asks the user in a thread of its own, which then tells when the screen is shown no more. `may_restore` takes what was
/// chosen the last time without asking, if the user has allowed that.
pub(super) fn ask(hub: &Arc<Hub>, id: u64, may_restore: bool) {
    let refuse = |why: &str| hub.refuse(id, ScreenError::Missing(why.to_owned()));
    if !has_threads() {
        return refuse("the system has no thread left");
    }
    let ours = Arc::clone(hub);
    let run = move || {
        let token = if may_restore { token::read() } else { None };
        let begun = match Session::begin(&ours, id, token) {
            // It may be that of another portal. The user is asked.
            Err(ScreenError::TokenRefused(why)) => {
                tracing::debug!("screen: {why}; without what was kept");
                token::keep(None);
                Session::begin(&ours, id, None)
            }
            begun => begun,
        };
        let (session, remote) = match begun {
            Ok(begun) => begun,
            Err(error) => return ours.refuse(id, error),
        };
        if !ours.grant(id, session.connection.clone(), remote) {
            return;
        }
        let error = session.wait_for_end();
        ours.end(id, &error.to_string());
    };
    if let Err(error) = thread::Builder::new().name("portal".into()).spawn(run) {
        refuse(&error.to_string());
    }
}

/// A session of the portal, which lasts as long as its connection.
struct Session {
    connection: Connection,
    messages: MessageIterator,
    path: OwnedObjectPath,
}

type Options<'a> = HashMap<&'a str, Value<'a>>;
type Results = HashMap<String, OwnedValue>;

impl Session {
    /// Asks, and waits for the answer, as long as the user takes: the screen's node, on a connection to PipeWire.
    fn begin(
        hub: &Hub,
        id: u64,
        token: Option<String>,
    ) -> Result<(Self, (OwnedFd, u32)), ScreenError> {
        let no_bus = |error: zbus::Error| ScreenError::Missing(error.to_string());
        let connection =
            Address::session().and_then(|address| connect(&address)).map_err(no_bus)?;
        if !hub.asks_over(id, &connection) {
            return Err(ScreenError::NotChosen);
        }
        let messages = MessageIterator::from(&connection);
        let bus = DBusProxy::new(&connection)?;
        for rule in heard()? {
            bus.add_match_rule(rule).map_err(zbus::Error::from)?;
        }
        let path = OwnedObjectPath::try_from("/").map_err(|error| no_bus(error.into()))?;
        let mut session = Self { connection, messages, path };
        let version = session.property("version")?;
        let kinds = session.property("AvailableSourceTypes")? & MONITOR_OR_WINDOW;
        if kinds == 0 {
            return Err(ScreenError::Missing("it offers neither monitors nor windows".to_owned()));
        }
        session.create()?;
        session.select(version, kinds, token)?;
        tracing::info!("screen: {ASKING} (unless you have allowed it before)");
        let (node_id, restore_token) = session.start()?;
        // A token is good for one time.
        token::keep(restore_token.as_deref());
        let options: Options<'_> = HashMap::new();
        let remote = session.call("OpenPipeWireRemote", &(&session.path, options))?;
        let remote: zvariant::OwnedFd = remote.body().deserialize()?;
        Ok((session, (remote.into(), node_id)))
    }

    fn create(&mut self) -> Result<(), ScreenError> {
        let session = format!("greenroom{}", std::process::id());
        let results = self.request("CreateSession", |_, mut options| {
            options.insert("session_handle_token", session.into());
            (options,)
        })?;
        // Its type was a mistake that stays.
        let path = match results.get("session_handle").map(|value| &**value) {
            Some(Value::Str(path)) => ObjectPath::try_from(path.to_string()).ok(),
            Some(Value::ObjectPath(path)) => Some(path.to_owned()),
            _ => None,
        };
        self.path = path.ok_or(ScreenError::NoPicker)?.to_owned().into();
        Ok(())
    }

    fn select(
        &mut self,
        version: u32,
        kinds: u32,
        token: Option<String>,
    ) -> Result<(), ScreenError> {
        let pointers = self.property("AvailableCursorModes").unwrap_or(0);
        let token = token.filter(|_| version >= VERSION_WITH_TOKENS);
        let has_token = token.is_some();
        let selected = self.request("SelectSources", |session, mut options| {
            options.insert("types", kinds.into());
            options.insert("multiple", false.into());
            if pointers & POINTER_EMBEDDED != 0 {
                options.insert("cursor_mode", POINTER_EMBEDDED.into());
            }
            if version >= VERSION_WITH_TOKENS {
                options.insert("persist_mode", PERSIST.into());
                options.extend(token.map(|token| ("restore_token", token.into())));
            }
            (session, options)
        });
        match selected {
            Err(ScreenError::Missing(why)) if has_token && why.starts_with(PORTAL_ERROR) => {
                Err(ScreenError::TokenRefused(why))
            }
            selected => selected.map(drop),
        }
    }

    /// The number of the node that shows the screen, and what lets it be shown again.
    fn start(&mut self) -> Result<(u32, Option<String>), ScreenError> {
        let results =
            self.request("Start", |session, options| (session, String::new(), options))?;
        let token = match results.get("restore_token").map(|value| &**value) {
            Some(Value::Str(token)) => Some(token.to_string()),
            _ => None,
        };
        Ok((first_node(&results).ok_or(ScreenError::NoPicker)?, token))
    }

    fn property(&self, name: &str) -> Result<u32, ScreenError> {
        let properties = Some("org.freedesktop.DBus.Properties");
        let (to, body) = (Some(SERVICE), (SCREEN_CAST, name));
        let reply = self.connection.call_method(to, PATH, properties, "Get", &body)?;
        let value: OwnedValue = reply.body().deserialize()?;
        u32::try_from(value).map_err(|error| zbus::Error::from(error).into())
    }

    fn call<B>(&self, method: &str, body: &B) -> Result<Message, ScreenError>
    where
        B: serde::Serialize + zvariant::DynamicType,
    {
        Ok(self.connection.call_method(Some(SERVICE), PATH, Some(SCREEN_CAST), method, body)?)
    }

    /// Calls a method that answers with a signal, and waits for that.
    fn request<B>(
        &mut self,
        method: &str,
        body: impl FnOnce(OwnedObjectPath, Options<'static>) -> B,
    ) -> Result<Results, ScreenError>
    where
        B: serde::Serialize + zvariant::DynamicType,
    {
        let token = format!("greenroom{}{method}", std::process::id());
        let body = body(self.path.clone(), HashMap::from([("handle_token", token.into())]));
        let request: OwnedObjectPath = self.call(method, &body)?.body().deserialize()?;
        while let Some(message) = self.messages.next() {
            let message = message?;
            match self.told(&message) {
                Some(Told::Response) if is_from(&message, &request) => {
                    let (answer, results): (u32, Results) = message.body().deserialize()?;
                    return match answer {
                        0 => Ok(results),
                        1 => Err(ScreenError::NotChosen),
                        _ => Err(ScreenError::NoPicker),
                    };
                }
                Some(Told::Closed) => return Err(ScreenError::Revoked),
                Some(Told::PortalGone) => return Err(ScreenError::PortalGone),
                Some(Told::Response) | None => {}
            }
        }
        Err(ScreenError::PortalGone)
    }

    /// Waits until the screen is shown no more: why.
    fn wait_for_end(mut self) -> ScreenError {
        while let Some(Ok(message)) = self.messages.next() {
            match self.told(&message) {
                Some(Told::Closed) => {
                    // It would bring back what was just ended.
                    token::keep(None);
                    return ScreenError::Revoked;
                }
                Some(Told::PortalGone) => return ScreenError::PortalGone,
                Some(Told::Response) | None => {}
            }
        }
        ScreenError::PortalGone
    }

    fn told(&self, message: &Message) -> Option<Told> {
        if message.message_type() != Type::Signal {
            return None;
        }
        let header = message.header();
        match header.member()?.as_str() {
            "Response" => Some(Told::Response),
            "Closed" => is_from(message, &self.path).then_some(Told::Closed),
            "NameOwnerChanged" => {
                let (_, _, now): (String, String, String) = message.body().deserialize().ok()?;
                now.is_empty().then_some(Told::PortalGone)
            }
            _ => None,
        }
    }
}

/// What a signal says.
enum Told {
    Response,
    /// The session is over.
    Closed,
    PortalGone,
}

fn is_from(message: &Message, path: &ObjectPath<'_>) -> bool {
    message.header().path().is_some_and(|from| from == path)
}

/// The signals that are of interest.
fn heard() -> zbus::Result<[MatchRule<'static>; 3]> {
    let signal = || MatchRule::builder().msg_type(Type::Signal);
    let answers = signal().sender(SERVICE)?.interface(REQUEST)?.member("Response")?;
    let ends = signal().sender(SERVICE)?.interface(SESSION)?.member("Closed")?;
    let owner = signal().sender("org.freedesktop.DBus")?.member("NameOwnerChanged")?;
    Ok([answers.build(), ends.build(), owner.add_arg(SERVICE)?.build()])
}

/// The node of the first of the streams, which are numbers with details: only one was asked for.
fn first_node(results: &Results) -> Option<u32> {
    let Value::Array(streams) = &**results.get("streams")? else { return None };
    let Value::Structure(stream) = streams.inner().first()? else { return None };
    match stream.fields().first()? {
        Value::U32(node_id) => Some(*node_id),
        _ => None,
    }
}
