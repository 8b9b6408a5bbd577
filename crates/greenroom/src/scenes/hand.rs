//! The thread "scenes": waits for requests and for files that change, makes scenes, sends them.

use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use anyhow::{Context, anyhow, bail};
use greenroom_device::{FileWatch, Wake, wait_readable};
use greenroom_scene::{BackgroundSpec, Keep, Scene, SceneSpec, Site};

use super::director::{Replied, SceneRequest, lock};
use super::reload::Reload;
use super::words::files_of;
use super::{SceneBook, SceneWords};
use crate::config::ConfigFile;
use crate::pipeline::Cues;
use crate::snapshot;
use crate::status::SceneStatus;

/// The only output there is, so far, that scenes are changed on.
const OUTPUT: usize = 0;

/// Makes the scene that the book is open at.
///
/// # Errors
/// One sentence when its words make no sense or a file is not what it should be.
pub fn make_scene(book: &SceneBook, site: Site) -> anyhow::Result<(SceneSpec, Scene)> {
    let spec = book.words().check()?;
    let scene = build(&spec, Keep::default(), site)?;
    Ok((spec, scene))
}

fn build(spec: &SceneSpec, keep: Keep, site: Site) -> anyhow::Result<Scene> {
    // Decoders of other people's formats: a panic in one is no reason to fall.
    let made = catch_unwind(AssertUnwindSafe(|| spec.build_but(keep, site)));
    Ok(made.map_err(|_| anyhow!("greenroom failed over this scene, which is our bug"))??)
}

/// What the thread owns.
pub(super) struct Hand {
    pub(super) book: SceneBook,
    pub(super) site: Site,
    pub(super) cues: Arc<Cues>,
    pub(super) config: Option<PathBuf>,
    pub(super) watch: Option<FileWatch>,
    /// The files of the scene that is shown.
    pub(super) files: Vec<PathBuf>,
    /// What stands behind now.
    pub(super) background: BackgroundSpec,
    pub(super) reload: Reload,
    /// What was told last of files that cannot be shown: one line an event.
    pub(super) complaint: Option<String>,
    pub(super) asked: Receiver<(SceneRequest, Replied)>,
    pub(super) bell: Wake,
    pub(super) stop: Wake,
    pub(super) status: Arc<Mutex<SceneStatus>>,
}

impl Hand {
    /// `spec` is shown already.
    pub(super) fn begin(&mut self, spec: &SceneSpec) {
        self.watch_files(spec);
        self.tell_status(spec);
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
            let now = Instant::now();
            if let Some(watch) = &mut self.watch {
                let changes = watch.changes();
                self.reload.hear(&changes, now);
            }
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
        let watch = self.watch.as_ref().map_or(stop, AsFd::as_fd);
        let fds = [stop, self.bell.as_fd(), self.cues.backstage().as_fd(), watch];
        let due = self.reload.deadline();
        let patience = due.map(|due| due.saturating_duration_since(Instant::now()));
        wait_readable(&fds, patience) & 1 != 0
    }

    fn serve(&mut self, request: SceneRequest, replied: Replied) {
        tracing::debug!(?request, "scenes");
        let done = match request {
            SceneRequest::Change(words) => {
                // What is not talked of goes on as it is, a video from where it is.
                let background = words.background.is_none() && words.fit.is_none();
                let keep =
                    Keep { background, foreground: background && words.foreground.is_none() };
                self.attempt(keep, |book| {
                    book.change(&words);
                    Ok(())
                })
            }
            SceneRequest::GoTo(name) => {
                self.attempt(Keep::default(), |book| Ok(book.go_to(&name)?))
            }
            SceneRequest::Next => self.go_on(),
            SceneRequest::Pause | SceneRequest::Resume => {
                let paused = request == SceneRequest::Pause;
                if self.cues.is_paused() != paused {
                    tracing::info!("scene: {}", if paused { "paused" } else { "on air again" });
                }
                self.cues.pause(paused);
                lock(&self.status).paused = paused;
                Ok(())
            }
            SceneRequest::Snapshot(path) => {
                return snapshot::take(self.cues.snapshot(OUTPUT), path, replied);
            }
        };
        replied(done.map_err(|error| format!("{error:#}")));
    }

    fn go_on(&mut self) -> anyhow::Result<()> {
        if self.book.clone().go_on() {
            return self.attempt(Keep::default(), |book| {
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
        let scene = build(&spec, keep, self.site)?;
        self.cues.change(OUTPUT, scene, cut);
        self.complaint = None;
        self.watch_files(&spec);
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
        if self.complaint.as_ref() != Some(&sentence) {
            tracing::warn!("scene: {sentence}; what was shown before stays");
            lock(&self.status).trouble = Some(sentence.clone());
            self.complaint = Some(sentence);
        }
    }

    /// Files changed and came to rest.
    fn follow_files(&mut self, due: &[PathBuf]) {
        let is_config = |path: &PathBuf| self.config.as_ref() == Some(path);
        let (config, others): (Vec<_>, Vec<_>) = due.iter().partition(|path| is_config(path));
        let mut is_new = !others.is_empty();
        let before = self.book.clone();
        if let Some(path) = config.first() {
            match ConfigFile::read(path).context("the configuration") {
                Ok(config) => {
                    self.book.take_over(config.scenes);
                    is_new |= self.book.words() != before.words();
                }
                Err(error) => self.complain(format!("{error:#}")),
            }
        }
        if is_new {
            match self.show(Keep::default(), false) {
                Ok(()) => tracing::info!("scene: {}", lock(&self.status)),
                Err(error) => {
                    self.book = before;
                    self.complain(format!("{error:#}"));
                }
            }
        } else if !config.is_empty() && self.complaint.is_none() {
            tracing::info!("scene: the configuration was read again; what is shown stays");
        }
        if !due.is_empty() {
            // Links may lead elsewhere now.
            self.set_watch();
        }
    }

    fn watch_files(&mut self, spec: &SceneSpec) {
        self.files = files_of(spec);
        self.set_watch();
    }

    fn set_watch(&mut self) {
        let paths: Vec<PathBuf> = self.files.iter().chain(&self.config).cloned().collect();
        self.reload.keep(&paths);
        if let Some(watch) = &mut self.watch {
            watch.set(&paths);
        }
    }

    fn tell_status(&mut self, spec: &SceneSpec) {
        self.background = spec.background.clone();
        *lock(&self.status) = SceneStatus {
            name: self.book.name().map(str::to_owned),
            background: spec.background.to_string(),
            foreground: spec.foreground.as_ref().map(ToString::to_string),
            effects: spec.effects.iter().map(ToString::to_string).collect(),
            framing: spec.framing.to_string(),
            paused: self.cues.is_paused(),
            trouble: None,
        };
    }
}
