//! The thread "scenes" and the outputs: what is sent to them, and what is told of it.

use greenroom_scene::{BackgroundSpec, Reuse, Scene, SceneSpec};

use super::SceneLibrary;
use super::make::{Wanted, blurred_room, build};
use super::options::{background_text, files_of, fit_text};
use super::pending::{Change, Target, Wish};
use super::privacy::check_privacy;
use super::worker::{ALL, SceneWorker};
use crate::lock::lock;
use crate::status::SceneStatus;

impl SceneWorker {
    /// Sends a scene to the output: `loaded`, if its media had to be.
    ///
    /// # Errors
    /// When it cannot be made; what was shown before stays.
    pub(super) fn show(&mut self, target: Target, loaded: Option<Scene>) -> anyhow::Result<()> {
        let Target { library, spec, reuse, cut, .. } = target;
        // The rest may have been changed since the media began to be loaded.
        let reuse = if loaded.is_some() { ALL } else { reuse };
        let (people, scene_format) = (library.people(), self.scene_format);
        let wanted = Wanted { spec: &spec, people, reuse, scene_format, screens: None };
        let mut scene = build(wanted, None)?;
        if let Some(mut loaded) = loaded {
            scene.take_over(&mut loaded);
        }
        self.commands.change(self.output, scene, cut);
        self.library = library;
        self.files = files_of(&spec);
        self.reported.scene = None;
        self.set_watch();
        self.tell_status(&spec);
        Ok(())
    }

    pub(super) fn complain(&mut self, sentence: &str) {
        if self.reported.scene.as_deref() != Some(sentence) {
            tracing::warn!("{}: {sentence}; what was shown before stays", self.label);
            lock(&self.status).trouble = Some(sentence.to_owned());
            self.commands.changes().ring();
            self.reported.scene = Some(sentence.to_owned());
        }
    }

    /// Frames of another shape come: what is shown is made anew for them. If it would hide too little
    /// of them, the blurred room takes its place.
    pub(super) fn make_anew(&mut self) {
        let mut library = self.library.clone();
        let privacy = |library: &SceneLibrary| {
            let spec = library.options().check().ok()?;
            check_privacy(&spec, library.people(), self.scene_format.shape.size.height_px).err()
        };
        if let Some(error) = privacy(&library) {
            tracing::warn!("{}: {error}; the blurred room is shown instead", self.label);
            library.change(&blurred_room());
        }
        let change = Change::Follow(Box::new(library));
        self.take_up(Wish { change, reuse: Reuse::default(), cut: true, asked_by: Vec::new() });
    }

    /// Whether a screen is shown, or is to be.
    pub(super) fn wants_screen(&self) -> bool {
        let pending = self.pending.as_ref().map(|pending| &pending.target.spec.background);
        pending.into_iter().chain([&self.background]).any(|it| *it == BackgroundSpec::Screen)
    }

    /// Tells why the screen that is shown, or is to be, is not there; or that it is by now.
    pub(super) fn tell_trouble_with_screen(&mut self) {
        let trouble = if self.wants_screen() { self.screens.trouble() } else { None };
        let before = std::mem::replace(&mut self.reported.screen, trouble.clone());
        if before == trouble {
            return;
        }
        let mut status = lock(&self.status);
        if trouble.is_some() || status.trouble == before {
            status.trouble = trouble.or_else(|| self.reported.config.clone());
        }
        drop(status);
        self.commands.changes().ring();
    }

    pub(super) fn tell_status(&mut self, spec: &SceneSpec) {
        self.background = spec.background.clone();
        self.foreground = spec.foreground.clone();
        let height_px = self.scene_format.shape.size.height_px;
        let warning = check_privacy(spec, self.library.people(), height_px).ok().flatten();
        if let Some(warning) =
            warning.as_ref().filter(|new| Some(*new) != self.reported.warning.as_ref())
        {
            tracing::warn!("{}: {warning}", self.label);
        }
        self.reported.warning.clone_from(&warning);
        *lock(&self.status) = SceneStatus {
            name: self.library.name().map(str::to_owned),
            background: background_text(&spec.background),
            foreground: spec.foreground.as_ref().map(ToString::to_string),
            effects: spec.effects.iter().map(ToString::to_string).collect(),
            framing: spec.framing.to_string(),
            look: spec.look.to_string(),
            fit: fit_text(spec.fit).to_owned(),
            // A configuration that cannot be read is not mended by a change.
            trouble: self.reported.config.clone().or_else(|| self.reported.screen.clone()),
            warning,
        };
        self.commands.changes().ring();
    }
}
