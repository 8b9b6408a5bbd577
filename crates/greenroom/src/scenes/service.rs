use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use greenroom_device::Wake;

use super::PauseMark;
use super::loader::Loader;
use super::pause::PauseReplies;
use super::reload::Reload;
use super::replied::{Needs, Replied};
use super::reported::Reported;
use super::request::{FilesInUse, FirstScene, SceneRequest};
use super::thread::SceneThread;
use super::watch_backoff::WatchBackoff;
use super::worker::SceneWorker;
use crate::lock::lock;
use crate::pipeline::{PipelineCommands, Reason};
use crate::pipewire::Screens;
use crate::same_file::would_replace;
use crate::snapshot;
use crate::status::SceneStatus;

/// Time after a panic before the thread goes on, so that one that comes each time costs little.
const AFTER_A_PANIC: Duration = Duration::from_millis(500);

/// How long the end waits for a scene that is just being made without files.
const STOP_PATIENCE: Duration = Duration::from_millis(500);

/// The thread "scenes". Dropping it ends the thread.
pub struct SceneService {
    handle: SceneHandle,
    stop: Wake,
    ended: Wake,
    thread: Option<JoinHandle<()>>,
}

/// Asks a [`SceneService`]; outlives it without harm.
#[derive(Clone)]
pub struct SceneHandle {
    requests: Sender<(usize, SceneRequest, Replied)>,
    bell: Wake,
    commands: Arc<PipelineCommands>,
    outputs: Arc<[OutputScene]>,
    mark: PauseMark,
    pauses: Arc<PauseReplies>,
}

/// What others may know of the scene of an output.
struct OutputScene {
    status: Arc<Mutex<SceneStatus>>,
    /// The files that are read for it, or may be.
    read: Arc<Mutex<Vec<PathBuf>>>,
}

impl SceneService {
    /// Changes scenes through `commands`, from now on: when asked, when a file of a first scene, which is shown, changes, when
    /// the configuration does. `scenes` are those of the outputs by their names, in the order of `commands`; `files` are those
    /// of the rest of the run, `mark` is kept while a pause is on, `screens` have been asked for those of the first scenes.
    ///
    /// # Errors
    /// When the system has no thread or descriptor left.
    pub fn start(
        scenes: Vec<(String, FirstScene)>,
        commands: Arc<PipelineCommands>,
        config: Option<&Path>,
        files: &FilesInUse,
        mark: PauseMark,
        screens: &Screens,
    ) -> std::io::Result<Self> {
        let (requests, asked) = mpsc::channel();
        let (bell, stop, ended) = (Wake::new()?, Wake::new()?, Wake::new()?);
        let outputs = scenes.iter().map(|_| OutputScene {
            status: Arc::default(),
            read: Arc::new(Mutex::new(files.read.clone())),
        });
        let outputs: Arc<[OutputScene]> = outputs.collect();
        let (ours, config) = (Arc::clone(&commands), config.map(Path::to_owned));
        let is_alone = scenes.len() == 1;
        let worker = |(output, (name, first)): (usize, (String, FirstScene))| {
            let FirstScene { library, wanted, trouble, spec, scene_format, watch } = first;
            let mut worker = SceneWorker {
                output,
                label: if is_alone { "scene".to_owned() } else { format!("scene of {name}") },
                library,
                scene_format,
                commands: Arc::clone(&ours),
                config: config.clone(),
                watch,
                backoff: WatchBackoff::default(),
                wanted,
                files: Vec::new(),
                fixed_files: files.clone(),
                read: Arc::clone(&outputs[output].read),
                stamps: BTreeMap::new(),
                background: spec.background.clone(),
                foreground: spec.foreground.clone(),
                pending: None,
                loader: Loader::new(bell.clone(), screens.clone()),
                screens: screens.clone(),
                reload: Reload::default(),
                reported: Reported::default(),
                status: Arc::clone(&outputs[output].status),
            };
            worker.begin(&spec, trouble);
            worker
        };
        let mut thread = SceneThread {
            outputs: scenes.into_iter().enumerate().map(worker).collect(),
            commands: Arc::clone(&commands),
            asked,
            bell: bell.clone(),
            screens: screens.clone(),
            stop: stop.clone(),
        };
        let bell_at_end = ended.clone();
        let thread = thread::Builder::new().name("scenes".into()).spawn(move || {
            // What is shown goes on whatever fails here, and so must the way to change it. Who asked is told.
            while catch_unwind(AssertUnwindSafe(|| thread.run())).is_err() {
                tracing::error!("scene: a part of greenroom failed; what was shown before stays");
                if Wake::wait([&thread.stop], Some(AFTER_A_PANIC)) {
                    break;
                }
            }
            bell_at_end.ring();
        })?;
        let pauses = Arc::default();
        let handle = SceneHandle { requests, bell, commands, outputs, mark, pauses };
        Ok(Self { handle, stop, ended, thread: Some(thread) })
    }

    /// For those who ask.
    pub fn handle(&self) -> SceneHandle {
        self.handle.clone()
    }
}

impl SceneHandle {
    /// Asks for a change on the output of this name, or on all; `replied` is called when it is done, soon or (for
    /// media) after seconds.
    pub fn ask(&self, output: Option<&str>, request: SceneRequest, replied: Replied) {
        if let SceneRequest::Change(options) = &request
            && options.clone().located_in(Path::new("/")) != *options
        {
            return replied.tell(Err(format!("a file is named by a {NOT_WHOLE}")));
        }
        let outputs = match self.commands.numbers_of(output) {
            Ok(outputs) => outputs,
            Err(sentence) => return replied.tell(Err(sentence)),
        };
        // On some there may be nothing to go on to.
        let needs = if request == SceneRequest::Next { Needs::One } else { Needs::All };
        let parts = replied.in_parts(outputs.len(), needs);
        for (output, replied) in outputs.zip(parts) {
            let sent = self.requests.send((output, request.clone(), replied));
            if let Err(mpsc::SendError((_, _, replied))) = sent {
                replied.tell(Err("greenroom is about to end; start it again".to_owned()));
            }
        }
        self.bell.ring();
    }

    /// Shows the placeholder and closes the camera, at once, whatever is being loaded. `replied` is told when it is
    /// shown.
    pub fn pause(&self, replied: Replied) {
        let shown = self.begin_pause();
        self.reply_when(shown, replied);
    }

    /// Whether there is a pause.
    pub fn is_paused(&self) -> bool {
        self.commands.reasons().contains(Reason::Pause)
    }

    /// As [`pause`](Self::pause); what comes back is told when it is shown.
    pub fn begin_pause(&self) -> Receiver<()> {
        let was_paused = self.is_paused();
        let shown = self.commands.hide(Reason::Pause);
        self.mark.set();
        if !was_paused {
            tracing::info!("scene: paused");
        }
        shown
    }

    /// `replied` is told when a pause is `shown`.
    pub fn reply_when(&self, shown: Receiver<()>, replied: Replied) {
        self.pauses.add(shown, replied);
    }

    /// Ends the pause, if there is one, and nothing else.
    pub fn end_pause(&self) {
        self.mark.clear();
        if self.commands.reasons().contains(Reason::Pause) {
            self.commands.end_hiding(Reason::Pause);
            tracing::info!("scene: on air again");
        }
    }

    /// Ends the pause; without one, the next reason that a user may end ([`Reasons::ended_by_resume`]).
    ///
    /// [`Reasons::ended_by_resume`]: crate::pipeline::Reasons::ended_by_resume
    pub fn resume(&self) {
        match self.commands.reasons().ended_by_resume() {
            Some(Reason::Pause) | None => self.end_pause(),
            Some(reason) => self.commands.end_hiding(reason),
        }
    }

    /// Writes what is shown on the output of this name, or on the first, into the picture file `path`, also while something
    /// is being loaded.
    pub fn snapshot(&self, output: Option<&str>, path: PathBuf, replied: Replied) {
        let output = match self.commands.numbers_of(output) {
            Ok(outputs) => outputs.start,
            Err(sentence) => return replied.tell(Err(sentence)),
        };
        if !path.is_absolute() {
            return replied.tell(Err(format!("{} is a {NOT_WHOLE}", path.display())));
        }
        if self.outputs.iter().any(|output| would_replace(&path, &lock(&output.read))) {
            let path = path.display();
            let sentence =
                format!("{path} is read by this greenroom; give the snapshot another name");
            return replied.tell(Err(sentence));
        }
        snapshot::take(path, || self.commands.snapshot(output), replied);
    }

    /// What is shown on each output, in their order.
    pub fn status(&self) -> Vec<SceneStatus> {
        self.outputs.iter().map(|output| lock(&output.status).clone()).collect()
    }
}

/// Behind "a " or "is a ".
pub(crate) const NOT_WHOLE: &str = "path that does not begin with /, and greenroom does not know from where it is meant; \
                         write the whole path";

impl Drop for SceneService {
    fn drop(&mut self) {
        self.stop.ring();
        if Wake::wait([&self.ended], Some(STOP_PATIENCE))
            && let Some(thread) = self.thread.take()
        {
            let _ = thread.join();
        }
    }
}
