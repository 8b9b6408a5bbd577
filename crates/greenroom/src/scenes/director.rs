use std::path::PathBuf;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use greenroom_device::{FileWatch, Wake};
use greenroom_scene::{SceneSpec, Site};

use super::hand::Hand;
use super::reload::Reload;
use super::{SceneBook, SceneWords};
use crate::pipeline::Cues;
use crate::status::SceneStatus;

/// What can be asked of the scenes on air.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SceneRequest {
    /// Lay these words over what is shown.
    Change(SceneWords),
    /// Show the scene of this name.
    GoTo(String),
    /// Show the next scene, or without others the next picture of a slideshow.
    Next,
    /// Show the placeholder and close the camera.
    Pause,
    /// End the pause.
    Resume,
    /// Write what is shown into a picture file.
    Snapshot(PathBuf),
}

/// Told what came of a request: nothing, or one sentence.
pub type Replied = Box<dyn FnOnce(Result<(), String>) + Send>;

/// How long the end waits for a scene that is just being made.
const STOP_PATIENCE: Duration = Duration::from_millis(500);

/// The thread "scenes". Dropping it ends the thread.
pub struct Director {
    requests: Sender<(SceneRequest, Replied)>,
    bell: Wake,
    stop: Wake,
    ended: Wake,
    status: Arc<Mutex<SceneStatus>>,
    thread: Option<JoinHandle<()>>,
}

/// Asks a [`Director`]; outlives it without harm.
#[derive(Clone)]
pub struct DirectorHandle {
    requests: Sender<(SceneRequest, Replied)>,
    bell: Wake,
    status: Arc<Mutex<SceneStatus>>,
}

impl Director {
    /// Changes scenes through `cues`, from now on: when asked, when a file of `spec` (what `book`
    /// says, and is shown) changes, when the configuration does.
    ///
    /// # Errors
    /// When the system has no thread or descriptor left.
    pub fn start(
        book: SceneBook,
        spec: &SceneSpec,
        site: Site,
        cues: Arc<Cues>,
        config: Option<PathBuf>,
    ) -> std::io::Result<Self> {
        let (requests, asked) = mpsc::channel();
        let (bell, stop, ended) = (Wake::new()?, Wake::new()?, Wake::new()?);
        let status = Arc::default();
        let watch = FileWatch::new().map_err(|error| {
            tracing::warn!("{error}; a background that is replaced is not noticed");
        });
        let mut hand = Hand {
            book,
            site,
            cues,
            config,
            watch: watch.ok(),
            files: Vec::new(),
            background: spec.background.clone(),
            reload: Reload::default(),
            complaint: None,
            asked,
            bell: bell.clone(),
            stop: stop.clone(),
            status: Arc::clone(&status),
        };
        hand.begin(spec);
        let bell_at_end = ended.clone();
        let thread = thread::Builder::new().name("scenes".into()).spawn(move || {
            hand.run();
            bell_at_end.ring();
        })?;
        Ok(Self { requests, bell, stop, ended, status, thread: Some(thread) })
    }

    /// For those who ask.
    pub fn handle(&self) -> DirectorHandle {
        let (requests, bell) = (self.requests.clone(), self.bell.clone());
        DirectorHandle { requests, bell, status: Arc::clone(&self.status) }
    }
}

impl DirectorHandle {
    /// Asks; `replied` is called when it is done, soon or (for media) after seconds.
    pub fn ask(&self, request: SceneRequest, replied: Replied) {
        match self.requests.send((request, replied)) {
            Ok(()) => self.bell.ring(),
            Err(mpsc::SendError((_, replied))) => {
                replied(Err("greenroom is about to end; start it again".to_owned()));
            }
        }
    }

    /// What is shown.
    pub fn status(&self) -> SceneStatus {
        lock(&self.status).clone()
    }
}

impl Drop for Director {
    fn drop(&mut self) {
        self.stop.ring();
        // A file that takes long to open is not waited for: nothing of it is shown any more.
        if Wake::wait([&self.ended], Some(STOP_PATIENCE))
            && let Some(thread) = self.thread.take()
        {
            let _ = thread.join();
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Plain data: every state between two assignments is a state.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
