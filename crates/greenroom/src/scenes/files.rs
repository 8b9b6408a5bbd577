//! The thread "scenes" and files: the configuration and what is shown are looked at again when they
//! change.

use std::collections::BTreeSet;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use greenroom_device::{FileStamp, wait_readable};
use greenroom_scene::Reuse;

use super::options::files_of;
use super::pending::{Change, Wish};
use super::worker::SceneWorker;
use crate::config::ConfigFile;
use crate::lock::lock;

impl SceneWorker {
    /// Takes in what happened to files, but for a while after something did; and before a file is
    /// looked at, since it may have been written to meanwhile.
    pub(super) fn listen(&mut self, now: Instant) {
        let is_due = self.reload.deadline().is_some_and(|due| due <= now);
        if !is_due && self.backoff.ignores(now) {
            return;
        }
        self.backoff.listen();
        let Some(watch) = &mut self.watch else { return };
        if wait_readable(&[watch.as_fd()], Some(Duration::ZERO)) == 0 {
            self.backoff.end();
            return;
        }
        let mut changes = watch.changes();
        let uncertain = std::mem::take(&mut changes.uncertain);
        for path in
            uncertain.iter().filter(|path| self.stamps.get(*path) == Some(&FileStamp::of(path)))
        {
            changes.changed.remove(path);
        }
        self.backoff.restart(!changes.changed.is_empty(), now);
        self.reload.hear(&changes, now);
    }

    /// Files changed and came to rest.
    pub(super) fn follow_files(&mut self, due: &[PathBuf]) {
        if due.is_empty() {
            return;
        }
        let before = self.library.clone();
        if let Some(config) = self.config.clone().filter(|config| due.contains(config)) {
            self.read_config(&config);
        }
        if let Some(wanted) = self.wanted.clone() {
            let paths = wanted.options().paths();
            if due.iter().any(|path| paths.contains(path)) {
                self.library.show_as(&wanted);
            }
        }
        let (is_same, is_of_scene) = (
            self.library.options() == before.options(),
            due.iter().any(|path| self.files.contains(path)),
        );
        // What is being loaded was read too early.
        let loading = self.pending.as_ref().map(|pending| files_of(&pending.target.spec));
        if loading.unwrap_or_default().iter().any(|path| due.contains(path)) {
            self.loader.give_up();
        }
        if is_of_scene || !is_same {
            let library = self.library.clone();
            if !is_same {
                // The scenes are the new ones; what is shown is what was until it is loaded.
                self.library.show_as(&before);
            }
            // A foreground that is replaced is no reason for a video behind to begin again.
            let background = is_same
                && self.background.file().is_none_or(|file| !due.iter().any(|path| path == file));
            self.take_up(Wish {
                change: Change::Follow(Box::new(library)),
                reuse: Reuse { background, foreground: false },
                cut: false,
                asked_by: Vec::new(),
            });
        }
        // Links may lead elsewhere now.
        self.set_watch();
    }

    /// Remembers what these files are, just before they are read.
    pub(super) fn stamp(&mut self, files: &[PathBuf]) {
        self.stamps.extend(files.iter().map(|path| (path.clone(), FileStamp::of(path))));
    }

    fn read_config(&mut self, path: &Path) {
        let now = FileStamp::of(path);
        let before = self.stamps.insert(path.to_owned(), now);
        // Its folder was made, say. There may be no configuration; one that must be there was read.
        if now.is_none() {
            if before.flatten().is_some() {
                let path = path.display();
                tracing::info!("{}: {path} is gone; what was shown before stays", self.label);
            }
            return;
        }
        match ConfigFile::read(path) {
            Ok(config) => {
                self.library.take_over(config.scenes.clone());
                self.tell_trouble_with_config(None);
                // Keep waiting for the wanted scene, unless it came from the configuration and has
                // been removed there.
                self.wanted = self.wanted.take().and_then(|mut wanted| {
                    let was_named = wanted.name().is_some();
                    wanted.take_over(config.scenes);
                    let is_gone = was_named && wanted.name().is_none();
                    (!is_gone && wanted.options() != self.library.options()).then_some(wanted)
                });
                tracing::info!("{}: the configuration was read again", self.label);
            }
            Err(error) => {
                let sentence = error.to_string();
                if self.reported.config.as_ref() != Some(&sentence) {
                    tracing::warn!("{}: {sentence}; what was shown before stays", self.label);
                    self.tell_trouble_with_config(Some(sentence));
                }
            }
        }
    }

    /// The configuration cannot be read, or can be again. What is told of a change that is not shown stays.
    fn tell_trouble_with_config(&mut self, trouble: Option<String>) {
        let before = std::mem::replace(&mut self.reported.config, trouble.clone());
        let mut status = lock(&self.status);
        if trouble.is_some() || status.trouble == before {
            status.trouble = trouble.or_else(|| self.reported.screen.clone());
        }
        drop(status);
        self.commands.changes().ring();
    }

    /// Listens for the files that are shown, loaded or wanted, and for the configuration.
    pub(super) fn set_watch(&mut self) {
        let wanted =
            self.wanted.as_ref().map(|wanted| wanted.options().paths()).unwrap_or_default();
        let loading = self.pending.as_ref().map(|pending| files_of(&pending.target.spec));
        let loading = loading.unwrap_or_default();
        let paths = self.files.iter().chain(&self.config).chain(&wanted).chain(&loading);
        let paths: Vec<PathBuf> = paths.cloned().collect();
        self.reload.keep(&paths);
        let read = self.fixed_files.read.iter().chain(&paths).cloned().chain(self.library.files());
        *lock(&self.read) = read.collect();
        self.stamps.retain(|path, _| paths.contains(path));
        if let Some(watch) = &mut self.watch {
            watch.set(&paths);
            self.look_for_missed();
        }
    }

    /// A folder that was made just now was not watched yet: what came into it since its files were looked at for the last
    /// time, nobody has told.
    fn look_for_missed(&mut self) {
        let mut missed = BTreeSet::new();
        for (path, stamp) in &mut self.stamps {
            // Of what is gone, what was shown before stays.
            if let Some(now) = FileStamp::of(path)
                && stamp.replace(now) != Some(now)
            {
                missed.insert(path.clone());
            }
        }
        self.reload.find(missed, Instant::now());
    }
}
