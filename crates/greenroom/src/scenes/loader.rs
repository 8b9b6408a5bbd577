//! Loads scenes beside the thread "scenes", one at a time.

use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use anyhow::{Context, anyhow};
use greenroom_device::Wake;
use greenroom_matte::People;
use greenroom_scene::{BackgroundSpec, Fit, ForegroundSpec, Reuse, Scene, SceneFormat, SceneSpec};
use greenroom_scene::{SceneError, wait_for_readers};

use super::make::{Wanted, build};
use crate::pipewire::{Ask, Screens};

/// Videos and slideshows that are being read when another is opened, at most: one is shown, one fades
/// in, and one waits for that.
const MOST_READERS: usize = 3;
/// Time for those that are not wanted any more to end.
const READERS_PATIENCE: Duration = Duration::from_secs(10);

/// What is read from files or addresses for a scene; two loads of the same are the same.
#[derive(Debug, Clone, PartialEq)]
struct Media {
    background: Option<(BackgroundSpec, Fit)>,
    foreground: Option<Option<ForegroundSpec>>,
    scene_format: SceneFormat,
}

impl Media {
    fn of(spec: &SceneSpec, reuse: Reuse, scene_format: SceneFormat) -> Self {
        Self {
            background: (!reuse.background).then(|| (spec.background.clone(), spec.fit)),
            foreground: (!reuse.foreground).then(|| spec.foreground.clone()),
            scene_format,
        }
    }
}

/// Loads one scene at a time. What is not wanted any more is given up; the next one begins when that
/// has ended.
pub(super) struct Loader {
    running: Option<Running>,
    done: (Sender<anyhow::Result<Scene>>, Receiver<anyhow::Result<Scene>>),
    /// Rings when a load has ended.
    bell: Wake,
    screens: Screens,
}

struct Running {
    media: Media,
    cancel: Wake,
    is_wanted: bool,
}

impl Loader {
    pub(super) fn new(bell: Wake, screens: Screens) -> Self {
        Self { running: None, done: mpsc::channel(), bell, screens }
    }

    /// Has the media of `spec` loaded, a screen asked for as `ask` says: goes on with what is being loaded if that is the same, else
    /// gives it up and begins when it has ended (when this is called again).
    ///
    /// # Errors
    /// When the system has no thread or descriptor left.
    pub(super) fn want(
        &mut self,
        spec: &SceneSpec,
        people: People,
        reuse: Reuse,
        scene_format: SceneFormat,
        ask: Ask,
    ) -> anyhow::Result<()> {
        let media = Media::of(spec, reuse, scene_format);
        match &self.running {
            Some(running) if running.is_wanted && running.media == media => return Ok(()),
            Some(_) => {
                self.give_up();
                return Ok(());
            }
            None => {}
        }
        let cancel = Wake::new().context("loading the scene")?;
        let (spec, given_up, screens) = (spec.clone(), cancel.clone(), self.screens.clone());
        let (done, bell) = (self.done.0.clone(), self.bell.clone());
        let load = move || {
            let screens = Some((&screens, ask));
            let wanted = Wanted { spec: &spec, people, reuse, scene_format, screens };
            let loaded = load(wanted, &given_up);
            // Whoever wanted it may have ended.
            let _ = done.send(loaded);
            bell.ring();
        };
        thread::Builder::new().name("loader".into()).spawn(load).context("loading the scene")?;
        self.running = Some(Running { media, cancel, is_wanted: true });
        Ok(())
    }

    /// Gives up what is being loaded.
    pub(super) fn give_up(&mut self) {
        if let Some(running) = &mut self.running {
            running.is_wanted = false;
            running.cancel.ring();
        }
    }

    /// Whether nothing is being loaded.
    pub(super) fn is_idle(&self) -> bool {
        self.running.is_none()
    }

    /// What was loaded, if it is wanted still.
    pub(super) fn take(&mut self) -> Option<anyhow::Result<Scene>> {
        let loaded = self.done.1.try_recv().ok()?;
        let running = self.running.take()?;
        running.is_wanted.then_some(loaded)
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        self.give_up();
    }
}

fn load(wanted: Wanted<'_>, cancel: &Wake) -> anyhow::Result<Scene> {
    if !wait_for_readers(MOST_READERS, READERS_PATIENCE, cancel) {
        if cancel.is_ringing() {
            return Err(SceneError::Cancelled.into());
        }
        return Err(anyhow!(
            "{MOST_READERS} videos or slideshows are still ending; ask again in a moment"
        ));
    }
    build(wanted, Some(cancel))
}
