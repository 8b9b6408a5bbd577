//! What is shown on one output, and what is to be.
//!
//! What needs no file is shown at once. What does is loaded on the thread "loader", one at a time:
//! a newer request gives up what it leaves nothing of, and is laid over what it leaves something of.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::bail;
use greenroom_device::{FileStamp, FileWatch};
use greenroom_scene::{BackgroundSpec, ForegroundSpec, Reuse, Scene, SceneFormat, SceneSpec};

use super::loader::Loader;
use super::options::{background_text, files_of};
use super::pending::{Change, Pending, Target, Wish};
use super::privacy::check_privacy;
use super::reload::Reload;
use super::replied::Replied;
use super::reported::Reported;
use super::request::{FilesInUse, SceneRequest};
use super::watch_backoff::WatchBackoff;
use super::{SceneLibrary, SceneOptions};
use crate::lock::lock;
use crate::pipeline::PipelineCommands;
use crate::pipewire::{Ask, Screens};
use crate::same_file::would_replace;
use crate::status::SceneStatus;

/// What is shown on one output, and what is to be.
pub(super) struct SceneWorker {
    /// Its number.
    pub(super) output: usize,
    /// How its scene is called in the log.
    pub(super) label: String,
    pub(super) library: SceneLibrary,
    pub(super) scene_format: SceneFormat,
    pub(super) commands: Arc<PipelineCommands>,
    pub(super) config: Option<PathBuf>,
    pub(super) watch: Option<FileWatch>,
    pub(super) backoff: WatchBackoff,
    /// What is wanted and could not be shown yet: tried again when a file of it changes, until
    /// another background or scene is asked for.
    pub(super) wanted: Option<SceneLibrary>,
    /// The files of the scene that is shown.
    pub(super) files: Vec<PathBuf>,
    /// Those of the rest of the run.
    pub(super) fixed_files: FilesInUse,
    /// Both, and what else may be shown: for those who would write there.
    pub(super) read: Arc<Mutex<Vec<PathBuf>>>,
    /// The files as they were when they were read last.
    pub(super) stamps: BTreeMap<PathBuf, Option<FileStamp>>,
    /// What stands behind and before the person now.
    pub(super) background: BackgroundSpec,
    pub(super) foreground: Option<ForegroundSpec>,
    /// What is being loaded, and for whom.
    pub(super) pending: Option<Pending>,
    pub(super) loader: Loader,
    pub(super) screens: Screens,
    pub(super) reload: Reload,
    pub(super) reported: Reported,
    pub(super) status: Arc<Mutex<SceneStatus>>,
}

/// What is told of a request that a newer one leaves nothing of.
const OVERTAKEN: &str = "a newer request took the place of this one before it was loaded; ask again if it is still wanted";
/// What would be told of a request whose asker has gone.
const ABANDONED: &str = "whoever asked has gone";
/// How often it is looked whether they are still there.
const ASKERS_INTERVAL: Duration = Duration::from_millis(500);
/// Background and foreground go on as they are.
pub(super) const ALL: Reuse = Reuse { background: true, foreground: true };

impl SceneWorker {
    /// `spec` is shown already.
    pub(super) fn begin(&mut self, spec: &SceneSpec, trouble: Option<String>) {
        self.files = files_of(spec);
        let files = self.files.iter().chain(&self.config).cloned().collect::<Vec<_>>();
        self.stamp(&files);
        self.set_watch();
        self.tell_status(spec);
        lock(&self.status).trouble = trouble;
    }

    /// Readable when something happened to files, unless that is not to be listened to now.
    pub(super) fn watch_fd(&self) -> Option<BorrowedFd<'_>> {
        self.watch.as_ref().filter(|_| self.backoff.until().is_none()).map(AsFd::as_fd)
    }

    /// When it has something to do at the latest.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let is_awaited = self.pending.as_ref().is_some_and(Pending::is_awaited);
        let check = is_awaited.then(|| Instant::now() + ASKERS_INTERVAL);
        self.reload.deadline().into_iter().chain(self.backoff.until()).chain(check).min()
    }

    /// Gives up what is being loaded when all who asked have gone: the user may look at a picker for minutes.
    pub(super) fn give_up_abandoned(&mut self) {
        let is_abandoned = |pending: &mut Pending| pending.wishes.iter().all(Wish::is_abandoned);
        if let Some(Pending { wishes, target }) = self.pending.take_if(is_abandoned) {
            let background = background_text(&target.spec.background);
            tracing::info!("{}: whoever asked for {background} has gone", self.label);
            self.loader.give_up();
            wishes.into_iter().for_each(|wish| wish.reply(&Err(ABANDONED.to_owned())));
            self.set_watch();
        }
    }

    /// Frames of another shape may have come.
    pub(super) fn follow_shape(&mut self) {
        if let Some(shape) = self.commands.other_shape(self.output) {
            tracing::debug!(size = %shape.size, format = %shape.format, "{}: made anew", self.label);
            self.scene_format.shape = shape;
            self.make_anew();
        }
    }

    pub(super) fn serve(&mut self, request: SceneRequest, replied: Replied) {
        let (change, reuse) = match request {
            SceneRequest::Change(options) => {
                // What is not talked of goes on as it is, a video from where it is.
                let background = options.background.is_none() && options.fit.is_none();
                let reuse = Reuse { background, foreground: options.foreground.is_none() };
                (Change::Options(options), reuse)
            }
            SceneRequest::GoTo(name) => (Change::Scene(name), Reuse::default()),
            SceneRequest::Next => match self.next_scene() {
                Some(name) => (Change::Scene(name), Reuse::default()),
                None => {
                    let done = self.next_picture();
                    return replied.tell(done.map_err(|error| format!("{error:#}")));
                }
            },
        };
        self.take_up(Wish { change, reuse, cut: false, asked_by: vec![replied] });
    }

    /// The scene behind the one that is shown, or is to be shown.
    fn next_scene(&self) -> Option<String> {
        let pending = self.pending.as_ref().map(|pending| &pending.target.library);
        let mut library = pending.unwrap_or(&self.library).clone();
        if !library.go_on() {
            return None;
        }
        library.name().map(str::to_owned)
    }

    fn next_picture(&self) -> anyhow::Result<()> {
        if !self.background.is_slideshow() {
            bail!("there is no other scene and no slideshow; write scenes into the configuration");
        }
        self.commands.next_picture(self.output);
        Ok(())
    }

    /// What `wishes` come to, one after the other, over what is shown.
    ///
    /// # Errors
    /// When that cannot be, or may not be shown.
    fn target<'a>(&self, wishes: impl IntoIterator<Item = &'a Wish>) -> anyhow::Result<Target> {
        let mut library = self.library.clone();
        let (mut reuse, mut cut, mut ask) = (ALL, true, Ask::Never);
        for wish in wishes {
            ask = ask.max(wish.change.ask(&self.background));
            wish.change.apply(&mut library)?;
            reuse.background &= wish.reuse.background;
            reuse.foreground &= wish.reuse.foreground;
            cut &= wish.cut;
        }
        // The files of what is kept may be gone or broken by now: they are not looked at.
        let mut options = library.options().clone();
        let kept = SceneOptions::default();
        if reuse.background {
            options.background = kept.background;
        }
        if reuse.foreground {
            options.foreground = kept.foreground;
        }
        let mut spec = options.check()?;
        if reuse.background {
            spec.background = self.background.clone();
        }
        if reuse.foreground {
            spec.foreground = self.foreground.clone();
        }
        let files = files_of(&spec);
        let mut recordings = self.fixed_files.recordings.iter();
        if let Some(recording) = recordings.find(|recording| would_replace(recording, &files)) {
            bail!("{} is being recorded; show another file", recording.display());
        }
        check_privacy(&spec, library.people(), self.scene_format.shape.size.height_px)?;
        Ok(Target { library, spec, reuse, cut, ask })
    }

    /// Takes up a change: makes it at once if it needs no file, else has it loaded. What it leaves
    /// nothing of is given up.
    pub(super) fn take_up(&mut self, mut wish: Wish) {
        let before = self.pending.take();
        let waiting = before.as_ref().map_or(&[][..], |pending| &pending.wishes[..]);
        let rest = || waiting.iter().filter(|older| !wish.change.overtakes(&older.change));
        let target = match wish.follows_files() {
            true => self.target([&wish].into_iter().chain(rest())),
            false => self.target(rest().chain([&wish])),
        };
        let alone =
            self.target([&wish]).ok().filter(|target| !target.spec.needs_files(target.reuse));
        let is_alone = rest().next().is_none();
        let mut target = match target {
            Ok(target) => target,
            Err(error) => {
                self.pending = before;
                return self.refuse(vec![wish], &error);
            }
        };
        // What needs no file waits for nobody, and is made again after what does.
        if let Some(alone) = alone.filter(|_| !is_alone && target.spec.needs_files(target.reuse)) {
            let done = self.show(alone, None);
            let done = done.map_err(|error| format!("{error:#}"));
            wish.asked_by.drain(..).for_each(|replied| replied.tell(done.clone()));
            wish.reuse = ALL;
            if done.is_err() {
                self.pending = before;
                return;
            }
            tracing::info!("{}: {}", self.label, lock(&self.status));
            self.lay_over_wanted(&wish.change);
        }
        let mut wishes = Vec::new();
        for mut older in before.into_iter().flat_map(|pending| pending.wishes) {
            if !wish.change.overtakes(&older.change) {
                wishes.push(older);
                continue;
            }
            if wish.follows_files() {
                wish.reuse.background &= older.reuse.background;
                wish.reuse.foreground &= older.reuse.foreground;
            }
            if wish.change == older.change {
                wish.asked_by.append(&mut older.asked_by);
            } else {
                older.reply(&Err(OVERTAKEN.to_owned()));
            }
        }
        let place = if wish.follows_files() { 0 } else { wishes.len() };
        wishes.insert(place, wish);
        // Over what is shown by now.
        match self.target(&wishes) {
            Ok(again) => target = again,
            Err(error) => return self.refuse(wishes, &error),
        }
        if target.spec.needs_files(target.reuse) {
            self.pending = Some(Pending { wishes, target });
            self.load();
        } else {
            self.loader.give_up();
            let done = self.show(target, None);
            self.settle(wishes, done);
        }
    }

    /// Has what is pending loaded.
    pub(super) fn load(&mut self) {
        let Some(files) = self.pending.as_ref().map(|pending| files_of(&pending.target.spec))
        else {
            return;
        };
        // Watched from before they are read.
        self.stamp(&files);
        self.set_watch();
        let Some(pending) = self.pending.take() else { return };
        let Target { library, spec, reuse, ask, .. } = &pending.target;
        match self.loader.want(spec, library.people(), *reuse, self.scene_format, *ask) {
            Ok(()) => self.pending = Some(pending),
            Err(error) => self.refuse(pending.wishes, &error),
        }
    }

    /// Shows what was loaded; not for those who have gone: they were told that nothing came of it.
    pub(super) fn take_loaded(&mut self, loaded: anyhow::Result<Scene>) {
        let Some(Pending { wishes, target }) = self.pending.take() else { return };
        if wishes.iter().any(Wish::is_abandoned) {
            let background = background_text(&target.spec.background);
            tracing::info!("{}: whoever asked for {background} has gone", self.label);
            let (gone, rest): (Vec<_>, Vec<_>) = wishes.into_iter().partition(Wish::is_abandoned);
            gone.into_iter().for_each(|wish| wish.reply(&Err(ABANDONED.to_owned())));
            rest.into_iter().for_each(|wish| self.take_up(wish));
            return self.set_watch();
        }
        let done = loaded.and_then(|scene| self.show(target, Some(scene)));
        self.settle(wishes, done);
    }

    /// Tells everybody what came of their wishes, and remembers what is waited for.
    fn settle(&mut self, wishes: Vec<Wish>, done: anyhow::Result<()>) {
        if let Err(error) = done {
            return self.refuse(wishes, &error);
        }
        tracing::info!("{}: {}", self.label, lock(&self.status));
        for wish in wishes {
            self.lay_over_wanted(&wish.change);
            wish.reply(&Ok(()));
        }
        self.set_watch();
    }

    /// What is waited for once a change is shown.
    fn lay_over_wanted(&mut self, change: &Change) {
        match (change, &mut self.wanted) {
            // Who changes an effect still waits for the background.
            (Change::Options(options), Some(wanted)) if options.background.is_none() => {
                wanted.change(options);
            }
            (Change::Follow(_), wanted) => {
                drop(wanted.take_if(|wanted| wanted.options() == self.library.options()));
            }
            (_, wanted) => *wanted = None,
        }
    }

    /// What was shown before stays.
    fn refuse(&mut self, wishes: Vec<Wish>, error: &anyhow::Error) {
        let sentence = format!("{error:#}");
        if self.pending.is_none() {
            self.loader.give_up();
        }
        for wish in wishes {
            if let Change::Follow(library) = &wish.change {
                // Nobody asked: it is told in the log, and tried again when a file of it changes.
                if library.options() != self.library.options() && self.wanted.is_none() {
                    self.wanted = Some((**library).clone());
                }
                self.complain(&sentence);
            }
            wish.reply(&Err(sentence.clone()));
        }
        self.set_watch();
    }
}
