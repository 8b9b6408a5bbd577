use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use greenroom_device::{FileWatch, Wake};
use greenroom_scene::{SceneSpec, Site};

use super::files::{Reported, WatchBackoff};
use super::loader::Loader;
use super::reload::Reload;
use super::worker::SceneWorker;
use super::{SceneBook, SceneWords};
use crate::pipeline::Cues;
use crate::snapshot;
use crate::status::SceneStatus;

/// The only output there is, so far, that scenes are changed on.
pub(super) const OUTPUT: usize = 0;

/// What is shown first, and the watch over its files that was set before they were read.
pub struct FirstScene {
    /// Open at what is shown.
    pub(super) book: SceneBook,
    /// What was asked for, if it cannot be shown yet.
    pub(super) wanted: Option<SceneBook>,
    /// Why not.
    pub(super) trouble: Option<String>,
    pub(super) spec: SceneSpec,
    pub(super) site: Site,
    pub(super) watch: Option<FileWatch>,
}

/// What can be asked of the scenes on air.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SceneRequest {
    /// Lay these words over what is shown.
    Change(SceneWords),
    /// Show the scene of this name.
    GoTo(String),
    /// Show the next scene, or without others the next picture of a slideshow.
    Next,
}

/// Whoever asked: told what came of a request, nothing or one sentence.
pub struct Replied {
    tell: Box<dyn FnOnce(Result<(), String>) + Send>,
    is_abandoned: Box<dyn Fn() -> bool + Send>,
}

impl Replied {
    /// `is_abandoned` says whether whoever asked has given up waiting for `tell`.
    pub fn new(
        tell: impl FnOnce(Result<(), String>) + Send + 'static,
        is_abandoned: impl Fn() -> bool + Send + 'static,
    ) -> Self {
        Self { tell: Box::new(tell), is_abandoned: Box::new(is_abandoned) }
    }

    /// Tells what came of the request.
    pub fn tell(self, done: Result<(), String>) {
        (self.tell)(done);
    }

    /// Whether whoever asked has gone without waiting for the answer: then it is not to be done.
    pub fn is_abandoned(&self) -> bool {
        (self.is_abandoned)()
    }
}

/// How long the end waits for a scene that is just being made without files.
const STOP_PATIENCE: Duration = Duration::from_millis(500);

/// The thread "scenes". Dropping it ends the thread.
pub struct Director {
    requests: Sender<(SceneRequest, Replied)>,
    bell: Wake,
    stop: Wake,
    ended: Wake,
    cues: Arc<Cues>,
    status: Arc<Mutex<SceneStatus>>,
    thread: Option<JoinHandle<()>>,
}

/// Asks a [`Director`]; outlives it without harm.
#[derive(Clone)]
pub struct DirectorHandle {
    requests: Sender<(SceneRequest, Replied)>,
    bell: Wake,
    cues: Arc<Cues>,
    status: Arc<Mutex<SceneStatus>>,
}

impl Director {
    /// Changes scenes through `cues`, from now on: when asked, when a file of the first scene, which
    /// is shown, changes, when the configuration does.
    ///
    /// # Errors
    /// When the system has no thread or descriptor left.
    pub fn start(
        FirstScene { book, wanted, trouble, spec, site, watch }: FirstScene,
        cues: Arc<Cues>,
        config: Option<PathBuf>,
    ) -> std::io::Result<Self> {
        let (requests, asked) = mpsc::channel();
        let ours = Arc::clone(&cues);
        let (bell, stop, ended) = (Wake::new()?, Wake::new()?, Wake::new()?);
        let status = Arc::default();
        let mut worker = SceneWorker {
            book,
            site,
            cues,
            config,
            watch,
            backoff: WatchBackoff::default(),
            wanted,
            files: Vec::new(),
            stamps: BTreeMap::new(),
            background: spec.background.clone(),
            foreground: spec.foreground.clone(),
            pending: None,
            loader: Loader::new(bell.clone()),
            reload: Reload::default(),
            reported: Reported::default(),
            asked,
            bell: bell.clone(),
            stop: stop.clone(),
            status: Arc::clone(&status),
        };
        worker.begin(&spec, trouble);
        let bell_at_end = ended.clone();
        let thread = thread::Builder::new().name("scenes".into()).spawn(move || {
            worker.run();
            bell_at_end.ring();
        })?;
        Ok(Self { requests, bell, stop, ended, cues: ours, status, thread: Some(thread) })
    }

    /// For those who ask.
    pub fn handle(&self) -> DirectorHandle {
        let (requests, bell) = (self.requests.clone(), self.bell.clone());
        let (cues, status) = (Arc::clone(&self.cues), Arc::clone(&self.status));
        DirectorHandle { requests, bell, cues, status }
    }
}

impl DirectorHandle {
    /// Asks; `replied` is called when it is done, soon or (for media) after seconds.
    pub fn ask(&self, request: SceneRequest, replied: Replied) {
        match self.requests.send((request, replied)) {
            Ok(()) => self.bell.ring(),
            Err(mpsc::SendError((_, replied))) => {
                replied.tell(Err("greenroom is about to end; start it again".to_owned()));
            }
        }
    }

    /// Shows the placeholder and closes the camera, or ends that; at once, whatever is being loaded.
    pub fn pause(&self, paused: bool) {
        if self.cues.is_paused() != paused {
            tracing::info!("scene: {}", if paused { "paused" } else { "on air again" });
        }
        self.cues.pause(paused);
    }

    /// Writes what is shown into the picture file `path`, also while something is being loaded.
    pub fn snapshot(&self, path: PathBuf, replied: Replied) {
        snapshot::take(|| self.cues.snapshot(OUTPUT), path, replied);
    }

    /// What is shown.
    pub fn status(&self) -> SceneStatus {
        SceneStatus { paused: self.cues.is_paused(), ..lock(&self.status).clone() }
    }
}

impl Drop for Director {
    fn drop(&mut self) {
        self.stop.ring();
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
