//! The thread "scenes": waits for requests and for files that change, makes scenes, sends them.

use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::bail;
use greenroom_device::{ClipSource, FileStamp, FileWatch, Wake, wait_readable};
use greenroom_scene::{BackgroundSpec, Keep, SceneSpec, Site};

use super::director::{OUTPUT, Replied, SceneRequest, lock};
use super::make::build;
use super::reload::Reload;
use super::words::files_of;
use super::{SceneBook, SceneWords};
use crate::config::ConfigFile;
use crate::pipeline::Cues;
use crate::pipeline::faults::{self, Fault};
use crate::status::SceneStatus;

/// Time for which files are not listened to after something was heard: whoever writes a log beside
/// a background wakes us a few times a second at first, then once.
const DEAF: [Duration; 2] = [Duration::from_millis(80), Duration::from_secs(1)];

/// See [`DEAF`].
#[derive(Debug, Default)]
pub(super) struct Deaf {
    until: Option<Instant>,
    time: Duration,
}

/// What was told last of what cannot be shown, and of the configuration: one line an event.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    scene: Option<String>,
    config: Option<String>,
}

/// What the thread owns.
pub(super) struct Hand {
    pub(super) book: SceneBook,
    pub(super) site: Site,
    pub(super) cues: Arc<Cues>,
    pub(super) config: Option<PathBuf>,
    pub(super) watch: Option<FileWatch>,
    pub(super) deaf: Deaf,
    /// What is wanted and could not be shown yet: tried again when a file of it changes, until
    /// another background or scene is asked for.
    pub(super) wanted: Option<SceneBook>,
    /// The files of the scene that is shown.
    pub(super) files: Vec<PathBuf>,
    /// The files as they were when they were read last.
    pub(super) stamps: BTreeMap<PathBuf, Option<FileStamp>>,
    /// What stands behind now.
    pub(super) background: BackgroundSpec,
    pub(super) reload: Reload,
    pub(super) complaints: Complaints,
    pub(super) asked: Receiver<(SceneRequest, Replied)>,
    pub(super) bell: Wake,
    pub(super) stop: Wake,
    pub(super) status: Arc<Mutex<SceneStatus>>,
}

impl Hand {
    /// `spec` is shown already.
    pub(super) fn begin(&mut self, spec: &SceneSpec, trouble: Option<String>) {
        self.files = files_of(spec);
        self.stamp();
        self.set_watch(&[]);
        self.tell_status(spec);
        lock(&self.status).trouble = trouble;
    }

    pub(super) fn run(&mut self) {
        while !self.wait() {
            self.cues.backstage().clear();
            self.cues.tidy();
            if let Some(shape) = self.cues.other_shape(OUTPUT) {
                tracing::debug!(size = %shape.size, format = %shape.format, "scene: made anew");
                self.site.shape = shape;
                self.show_or_complain(true);
            }
            if faults::strike(Fault::ScenesPanic) {
                panic!("the scenes thread panics, as a test wants");
            }
            let now = Instant::now();
            self.listen(now);
            let due = self.reload.due(now);
            self.follow_files(&due);
            self.bell.clear();
            while let Ok((request, replied)) = self.asked.try_recv() {
                self.serve(request, replied);
            }
        }
        self.cues.tidy();
    }

    /// Waits for whatever comes first; true at the end.
    fn wait(&self) -> bool {
        let stop = self.stop.as_fd();
        let watch = self.watch.as_ref().filter(|_| self.deaf.until.is_none());
        let watch = watch.map_or(stop, AsFd::as_fd);
        let fds = [stop, self.bell.as_fd(), self.cues.backstage().as_fd(), watch];
        let due = self.reload.deadline().into_iter().chain(self.deaf.until).min();
        let patience = due.map(|due| due.saturating_duration_since(Instant::now()));
        wait_readable(&fds, patience) & 1 != 0
    }

    /// Takes in what happened to files, but for a while after something did; and before a file is
    /// looked at, since it may have been written to meanwhile.
    fn listen(&mut self, now: Instant) {
        let is_due = self.reload.deadline().is_some_and(|due| due <= now);
        if !is_due && self.deaf.until.is_some_and(|until| now < until) {
            return;
        }
        self.deaf.until = None;
        let Some(watch) = &mut self.watch else { return };
        if wait_readable(&[watch.as_fd()], Some(Duration::ZERO)) == 0 {
            self.deaf.time = Duration::ZERO;
            return;
        }
        let mut changes = watch.changes();
        let uncertain = std::mem::take(&mut changes.uncertain);
        for path in
            uncertain.iter().filter(|path| self.stamps.get(*path) == Some(&FileStamp::of(path)))
        {
            changes.changed.remove(path);
        }
        let [shortest, longest] = DEAF;
        // Twice as long each time that nothing of ours was among it.
        self.deaf.time = match changes.changed.is_empty() {
            true => (2 * self.deaf.time).clamp(shortest, longest),
            false => shortest,
        };
        self.deaf.until = Some(now + self.deaf.time);
        self.reload.hear(&changes, now);
    }

    fn serve(&mut self, request: SceneRequest, replied: Replied) {
        let done = match request {
            SceneRequest::Change(words) => {
                // What is not talked of goes on as it is, a video from where it is.
                let background = words.background.is_none() && words.fit.is_none();
                let keep =
                    Keep { background, foreground: background && words.foreground.is_none() };
                let done = self.attempt(keep, |book| {
                    book.change(&words);
                    Ok(())
                });
                if done.is_ok() {
                    // Who changes an effect still waits for the background.
                    match &mut self.wanted {
                        Some(wanted) if words.background.is_none() => wanted.change(&words),
                        wanted => *wanted = None,
                    }
                }
                done
            }
            SceneRequest::GoTo(name) => self.turn_to(|book| Ok(book.go_to(&name)?)),
            SceneRequest::Next => self.go_on(),
        };
        self.set_watch(&[]);
        replied(done.map_err(|error| format!("{error:#}")));
    }

    fn go_on(&mut self) -> anyhow::Result<()> {
        if self.book.clone().go_on() {
            return self.turn_to(|book| {
                book.go_on();
                Ok(())
            });
        }
        if !self.background.is_slideshow() {
            bail!("there is no other scene and no slideshow; write scenes into the configuration");
        }
        self.cues.next_picture(OUTPUT);
        Ok(())
    }

    /// Turns to another scene; what the one before waited for is not waited for any more.
    fn turn_to(
        &mut self,
        turn: impl FnOnce(&mut SceneBook) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.attempt(Keep::default(), turn)?;
        self.wanted = None;
        Ok(())
    }

    /// Turns the page; if that cannot be shown, turns back.
    fn attempt(
        &mut self,
        keep: Keep,
        turn: impl FnOnce(&mut SceneBook) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let before = self.book.clone();
        let done = turn(&mut self.book).and_then(|()| self.show(keep, false));
        match &done {
            Ok(()) => tracing::info!("scene: {}", lock(&self.status)),
            Err(_) => self.book = before,
        }
        done
    }

    /// Makes the scene and sends it to the output.
    fn show(&mut self, keep: Keep, cut: bool) -> anyhow::Result<()> {
        let words = self.book.words();
        let spec = match keep.background {
            // Its file may be gone or broken by now: it is not looked at.
            true => {
                let others = SceneWords { background: None, ..words.clone() }.check()?;
                SceneSpec { background: self.background.clone(), ..others }
            }
            false => words.check()?,
        };
        self.book.check_anonymous(&spec)?;
        // Watched from before they are read.
        let shown = std::mem::replace(&mut self.files, files_of(&spec));
        self.stamp();
        self.set_watch(&shown);
        let scene = match build(&spec, keep, self.site) {
            Ok(scene) => scene,
            Err(error) => {
                self.files = shown;
                self.set_watch(&[]);
                return Err(error);
            }
        };
        self.cues.change(OUTPUT, scene, cut);
        self.complaints.scene = None;
        self.set_watch(&[]);
        self.tell_status(&spec);
        Ok(())
    }

    /// Nobody asked: what cannot be shown is told in the log, once.
    fn show_or_complain(&mut self, cut: bool) {
        if let Err(error) = self.show(Keep::default(), cut) {
            self.complain(format!("{error:#}"));
        }
    }

    fn complain(&mut self, sentence: String) {
        if self.complaints.scene.as_ref() != Some(&sentence) {
            tracing::warn!("scene: {sentence}; what was shown before stays");
            lock(&self.status).trouble = Some(sentence.clone());
            self.complaints.scene = Some(sentence);
        }
    }

    /// Files changed and came to rest.
    fn follow_files(&mut self, due: &[PathBuf]) {
        if due.is_empty() {
            return;
        }
        let before = self.book.clone();
        if let Some(config) = self.config.clone().filter(|config| due.contains(config)) {
            self.read_config(&config);
        }
        let is_of_scene = due.iter().any(|path| self.files.contains(path));
        let is_of_wanted = self.wanted.as_ref().is_some_and(|wanted| {
            let paths = wanted.words().paths();
            due.iter().any(|path| paths.contains(path))
        });
        if let Some(wanted) = self.wanted.clone().filter(|_| is_of_wanted) {
            self.book.show_as(&wanted);
        }
        if is_of_scene || self.book.words() != before.words() {
            // A foreground that is replaced is no reason for a video behind to begin again.
            let background = self.book.words() == before.words()
                && self.background.file().is_none_or(|file| !due.iter().any(|path| path == file));
            match self.show(Keep { background, foreground: false }, false) {
                Ok(()) => {
                    self.wanted.take_if(|wanted| wanted.words() == self.book.words());
                    tracing::info!("scene: {}", lock(&self.status));
                }
                Err(error) => {
                    // The scenes are the new ones; what is shown is what was.
                    if self.book.words() != before.words() && self.wanted.is_none() {
                        self.wanted = Some(self.book.clone());
                    }
                    self.book.show_as(&before);
                    self.complain(format!("{error:#}"));
                }
            }
        }
        // Links may lead elsewhere now.
        self.set_watch(&[]);
    }

    /// Remembers what the files are, just before they are read.
    fn stamp(&mut self) {
        let stamps = self.files.iter().map(|path| (path.clone(), FileStamp::of(path)));
        self.stamps = stamps.collect();
        if let Some(config) = &self.config {
            self.stamps.insert(config.clone(), FileStamp::of(config));
        }
    }

    fn read_config(&mut self, path: &Path) {
        self.stamps.insert(path.to_owned(), FileStamp::of(path));
        match ConfigFile::read(path) {
            Ok(config) => {
                self.book.take_over(config.scenes.clone());
                self.complaints.config = None;
                // Waited for on, unless it was the configuration's and is its no more.
                self.wanted = self.wanted.take().and_then(|mut wanted| {
                    let was_named = wanted.name().is_some();
                    wanted.take_over(config.scenes);
                    let is_gone = was_named && wanted.name().is_none();
                    (!is_gone && wanted.words() != self.book.words()).then_some(wanted)
                });
                tracing::info!("scene: the configuration was read again");
            }
            Err(error) => {
                let sentence = error.to_string();
                if self.complaints.config.as_ref() != Some(&sentence) {
                    tracing::warn!("scene: {sentence}; what was shown before stays");
                    self.complaints.config = Some(sentence);
                }
            }
        }
    }

    /// Listens for the files that are shown or wanted, and `also` for others.
    fn set_watch(&mut self, also: &[PathBuf]) {
        let wanted = self.wanted.as_ref().map(|wanted| wanted.words().paths()).unwrap_or_default();
        let paths = self.files.iter().chain(&self.config).chain(&wanted).chain(also);
        let paths: Vec<PathBuf> = paths.cloned().collect();
        self.reload.keep(&paths);
        if let Some(watch) = &mut self.watch {
            watch.set(&paths);
        }
    }

    fn tell_status(&mut self, spec: &SceneSpec) {
        self.background = spec.background.clone();
        *lock(&self.status) = SceneStatus {
            name: self.book.name().map(str::to_owned),
            background: told(&spec.background),
            foreground: spec.foreground.as_ref().map(ToString::to_string),
            effects: spec.effects.iter().map(ToString::to_string).collect(),
            framing: spec.framing.to_string(),
            paused: self.cues.is_paused(),
            trouble: None,
        };
    }
}

/// A background in words, without the password of an address: logs are shown around.
fn told(background: &BackgroundSpec) -> String {
    match background {
        BackgroundSpec::Video(source @ ClipSource::Url(_)) => source.to_string(),
        other => other.to_string(),
    }
}
