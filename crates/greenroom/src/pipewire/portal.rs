//! The desktop's portal (xdg-desktop-portal), which asks the user whether a program may have the cameras, and lets it see them
//! on PipeWire. Programs in a sandbox have no other way.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use greenroom_device::DeviceError;
use zbus::blocking::{Connection, MessageIterator, Proxy};
use zbus::message::Type;
use zbus::zvariant::{self, OwnedObjectPath, OwnedValue, Value};
use zbus::{Address, MatchRule};

use crate::bus::{connect, has_threads};

pub(super) const SERVICE: &str = "org.freedesktop.portal.Desktop";
pub(super) const PATH: &str = "/org/freedesktop/portal/desktop";
const CAMERA: &str = "org.freedesktop.portal.Camera";
pub(super) const REQUEST: &str = "org.freedesktop.portal.Request";
/// How long a camera that is to be opened waits for the answer before the placeholder says what it waits for: where the user
/// was asked before, the portal answers at once.
const PATIENCE: Duration = Duration::from_millis(500);

/// What the portal has answered.
type Answer = Result<OwnedFd, PortalError>;

/// Why there is no camera from the portal. Every text is one sentence with the next step to take.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PortalError {
    /// The user has said no, now or once.
    #[error(
        "you have not allowed greenroom the camera; allow it in the settings of your desktop, or forget the refusal with: \
         flatpak permission-remove devices camera"
    )]
    Denied,
    /// The user has not answered yet.
    #[error("your desktop asks whether greenroom may use the camera; answer it there")]
    Asking,
    /// There is no portal, or it has no cameras.
    #[error(
        "the desktop's portal gives no camera ({0}); install xdg-desktop-portal with the backend of your desktop, or take \
         --camera pipewire"
    )]
    Missing(String),
}

impl From<PortalError> for DeviceError {
    fn from(error: PortalError) -> Self {
        DeviceError::Elsewhere(Box::new(error))
    }
}

/// Whether this program is in a sandbox, where cameras come from the portal alone.
pub fn is_sandboxed() -> bool {
    Path::new("/.flatpak-info").exists()
}

/// Gets connections to PipeWire on which the cameras can be seen.
#[derive(Debug, Default)]
pub struct CameraPortal {
    /// The answer that is waited for.
    asked: Option<Receiver<Answer>>,
    /// The last answer was no: not asked again for the same call.
    is_denied: bool,
}

impl CameraPortal {
    /// A connection, if the user allows the camera.
    ///
    /// # Errors
    /// [`PortalError`], also while the user has not answered.
    pub fn connection(&mut self) -> Result<OwnedFd, PortalError> {
        if self.is_denied {
            return Err(PortalError::Denied);
        }
        let asked = match self.asked.take() {
            Some(asked) => asked,
            None => ask()?,
        };
        match asked.recv_timeout(PATIENCE) {
            Err(RecvTimeoutError::Timeout) => {
                self.asked = Some(asked);
                Err(PortalError::Asking)
            }
            Err(RecvTimeoutError::Disconnected) => {
                Err(PortalError::Missing("it was not asked".to_owned()))
            }
            Ok(answer) => {
                self.is_denied = matches!(answer, Err(PortalError::Denied));
                answer
            }
        }
    }

    /// The call is over: the next one may ask again.
    pub fn rest(&mut self) {
        self.is_denied = false;
    }
}

/// Asks in a thread: the user may take any time.
fn ask() -> Result<Receiver<Answer>, PortalError> {
    let (sends, asked) = channel();
    let missing = |why: String| PortalError::Missing(why);
    if !has_threads() {
        return Err(missing("the system has no thread left".to_owned()));
    }
    let thread = thread::Builder::new().name("portal".into()).spawn(move || {
        // Whoever asked may have ended meanwhile.
        let _ = sends.send(access());
    });
    thread.map(|_| asked).map_err(|error| missing(error.to_string()))
}

fn access() -> Answer {
    let failed = |error: zbus::Error| PortalError::Missing(error.to_string());
    let connection = Address::session().and_then(|address| connect(&address)).map_err(failed)?;
    allowed(&connection).map_err(failed)?.then_some(()).ok_or(PortalError::Denied)?;
    let portal = Proxy::new(&connection, SERVICE, PATH, CAMERA).map_err(failed)?;
    let options: HashMap<&str, Value<'_>> = HashMap::new();
    let fd: zvariant::OwnedFd = portal.call("OpenPipeWireRemote", &(options,)).map_err(failed)?;
    Ok(fd.into())
}

/// Has the portal ask the user, and waits for the answer, as long as it takes.
fn allowed(connection: &Connection) -> zbus::Result<bool> {
    let token = format!("greenroom{}", std::process::id());
    let rule = MatchRule::builder().msg_type(Type::Signal).interface(REQUEST)?;
    let rule = rule.member("Response")?.build();
    // Before it is asked: the answer may be there before the call returns.
    let signals = MessageIterator::for_match_rule(rule, connection, Some(8))?;
    let portal = Proxy::new(connection, SERVICE, PATH, CAMERA)?;
    let options = HashMap::from([("handle_token", Value::from(token))]);
    let request: OwnedObjectPath = portal.call("AccessCamera", &(options,))?;
    for signal in signals {
        let signal = signal?;
        if signal.header().path().is_some_and(|path| *path == request.as_ref()) {
            let (answer, _): (u32, HashMap<String, OwnedValue>) = signal.body().deserialize()?;
            return Ok(answer == 0);
        }
    }
    Err(zbus::Error::Failure("the session bus has gone".to_owned()))
}
