use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use greenroom_device::{FileWatch, Wake};
use greenroom_scene::{SceneSpec, Site};

use super::files::{Reported, WatchBackoff};
use super::loader::Loader;
use super::reload::Reload;
use super::worker::SceneWorker;
use super::{PauseMark, SceneBook, SceneWords};
use crate::pipeline::Cues;
use crate::same_file::would_replace;
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

/// Files of the whole run.
#[derive(Debug, Clone, Default)]
pub struct FilesInUse {
    /// What is recorded into: shown, it would be lost at the end.
    pub recording: Option<PathBuf>,
    /// What is read: no snapshot takes its place.
    pub read: Vec<PathBuf>,
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

/// How long a request for a pause waits until the placeholder is shown: a reader of an output may stand still, and
/// a slow machine may be at a frame.
pub const PAUSE_PATIENCE: Duration = Duration::from_secs(5);

/// Time after a panic before the thread goes on, so that one that comes each time costs little.
const AFTER_A_PANIC: Duration = Duration::from_millis(500);

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
    files: Arc<Mutex<FilesInUse>>,
    mark: PauseMark,
    thread: Option<JoinHandle<()>>,
}

/// Asks a [`Director`]; outlives it without harm.
#[derive(Clone)]
pub struct DirectorHandle {
    requests: Sender<(SceneRequest, Replied)>,
    bell: Wake,
    cues: Arc<Cues>,
    status: Arc<Mutex<SceneStatus>>,
    files: Arc<Mutex<FilesInUse>>,
    mark: PauseMark,
}

impl Director {
    /// Changes scenes through `cues`, from now on: when asked, when a file of the first scene, which
    /// is shown, changes, when the configuration does. `files` are those of the rest of the run, `mark` is kept while
    /// a pause is on.
    ///
    /// # Errors
    /// When the system has no thread or descriptor left.
    pub fn start(
        FirstScene { book, wanted, trouble, spec, site, watch }: FirstScene,
        cues: Arc<Cues>,
        config: Option<PathBuf>,
        files: FilesInUse,
        mark: PauseMark,
    ) -> std::io::Result<Self> {
        let (requests, asked) = mpsc::channel();
        let ours = Arc::clone(&cues);
        let (bell, stop, ended) = (Wake::new()?, Wake::new()?, Wake::new()?);
        let status = Arc::default();
        let in_use = Arc::new(Mutex::new(files.clone()));
        let mut worker = SceneWorker {
            book,
            site,
            cues,
            config,
            watch,
            backoff: WatchBackoff::default(),
            wanted,
            files: Vec::new(),
            fixed_files: files,
            in_use: Arc::clone(&in_use),
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
            // What is shown goes on whatever fails here, and so must the way to change it. Who asked is told.
            while catch_unwind(AssertUnwindSafe(|| worker.run())).is_err() {
                tracing::error!("scene: a part of greenroom failed; what was shown before stays");
                if Wake::wait([&worker.stop], Some(AFTER_A_PANIC)) {
                    break;
                }
            }
            bell_at_end.ring();
        })?;
        let thread = Some(thread);
        Ok(Self { requests, bell, stop, ended, cues: ours, status, files: in_use, mark, thread })
    }

    /// For those who ask.
    pub fn handle(&self) -> DirectorHandle {
        let (requests, bell) = (self.requests.clone(), self.bell.clone());
        let (cues, status) = (Arc::clone(&self.cues), Arc::clone(&self.status));
        let (files, mark) = (Arc::clone(&self.files), self.mark.clone());
        DirectorHandle { requests, bell, cues, status, files, mark }
    }
}

impl DirectorHandle {
    /// Asks; `replied` is called when it is done, soon or (for media) after seconds.
    pub fn ask(&self, request: SceneRequest, replied: Replied) {
        if let SceneRequest::Change(words) = &request
            && words.clone().located_in(Path::new("/")) != *words
        {
            return replied.tell(Err(format!("a file is named by a {NOT_WHOLE}")));
        }
        match self.requests.send((request, replied)) {
            Ok(()) => self.bell.ring(),
            Err(mpsc::SendError((_, replied))) => {
                replied.tell(Err("greenroom is about to end; start it again".to_owned()));
            }
        }
    }

    /// Shows the placeholder and closes the camera, at once, whatever is being loaded. `replied` is told when it is
    /// shown.
    pub fn pause(&self, replied: Replied) {
        let was_paused = self.cues.is_paused();
        let (tell, told) = mpsc::channel();
        self.cues.pause(Box::new(move || {
            // Who waits may have given up.
            let _ = tell.send(());
        }));
        self.mark.set();
        if !was_paused {
            tracing::info!("scene: paused");
        }
        let (hand_over, handed_over) = mpsc::channel::<(Receiver<()>, Replied)>();
        let waits = thread::Builder::new().name("pause".into()).spawn(move || {
            if let Ok((told, replied)) = handed_over.recv() {
                wait_for_pause(&told, replied);
            }
        });
        match waits {
            Ok(_) => {
                // It waits for this.
                let _ = hand_over.send((told, replied));
            }
            // No thread is left: then everyone who asks waits.
            Err(_) => wait_for_pause(&told, replied),
        }
    }

    /// Ends the pause.
    pub fn resume(&self) {
        let was_paused = self.cues.is_paused();
        self.mark.clear();
        self.cues.resume();
        if was_paused {
            tracing::info!("scene: on air again");
        }
    }

    /// Writes what is shown into the picture file `path`, also while something is being loaded.
    pub fn snapshot(&self, path: PathBuf, replied: Replied) {
        if !path.is_absolute() {
            return replied.tell(Err(format!("{} is a {NOT_WHOLE}", path.display())));
        }
        if would_replace(&path, &lock(&self.files).read) {
            let path = path.display();
            let sentence =
                format!("{path} is read by this greenroom; give the snapshot another name");
            return replied.tell(Err(sentence));
        }
        snapshot::take(path, || self.cues.snapshot(OUTPUT), replied);
    }

    /// What is shown.
    pub fn status(&self) -> SceneStatus {
        SceneStatus { paused: self.cues.is_paused(), ..lock(&self.status).clone() }
    }
}

fn wait_for_pause(told: &Receiver<()>, replied: Replied) {
    replied.tell(told.recv_timeout(PAUSE_PATIENCE).map_err(|_| NOT_PAUSED_YET.to_owned()));
}

const NOT_PAUSED_YET: &str = "the pause is on and nothing new is shown, but an output takes no placeholder \
                              now: the last picture may stand there; end the program that reads it";
const NOT_WHOLE: &str = "path that does not begin with /, and greenroom does not know from where it is meant; \
                         write the whole path";

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
