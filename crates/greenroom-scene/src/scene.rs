use greenroom_device::Wake;
use greenroom_frame::{BackdropId, Compositor, Frame, PackedPicture, Rgb8};

use crate::effect::{Effect, EffectSpec, Target};
use crate::framing::{Framing, FramingSpec};
use crate::layers::Workspace;
use crate::light::{Look, LookSpec};
use crate::moment::{Clock, Moment};
use crate::scene_format::SceneFormat;
use crate::{Background, BackgroundSpec, Fit, Foreground, ForegroundSpec, MattedFrame, SceneError};

/// What one output shows, in the words of whoever wants it, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct SceneSpec {
    /// What stands behind the person.
    pub background: BackgroundSpec,
    /// How a picture or video behind is fitted.
    pub fit: Fit,
    /// What stands before the person.
    pub foreground: Option<ForegroundSpec>,
    /// What is done to person, background and the whole, in this order.
    pub effects: Vec<EffectSpec>,
    /// Which part of the camera's picture is used.
    pub framing: FramingSpec,
    /// How the person is lit by what is behind, where that has a light of its own.
    pub look: LookSpec,
    /// What chance is made of; the same seed gives the same pictures.
    pub seed: u64,
}

impl Default for SceneSpec {
    /// The room out of focus, and nothing else.
    fn default() -> Self {
        Self {
            background: BackgroundSpec::default(),
            fit: Fit::default(),
            foreground: None,
            effects: Vec::new(),
            framing: FramingSpec::default(),
            look: LookSpec::default(),
            seed: 0,
        }
    }
}

/// Parts of a scene that are taken over from the one before, as they are: a video plays on, and a
/// file that is gone by now goes on being shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reuse {
    /// What stands behind.
    pub background: bool,
    /// What stands before.
    pub foreground: bool,
}

/// A scene that is ready: everything it shows is loaded, but for what it is to
/// [take over](Self::take_over).
pub struct Scene {
    spec: SceneSpec,
    scene_format: SceneFormat,
    reuse: Reuse,
    clock: Clock,
    framing: Framing,
    background: Box<dyn Background>,
    /// What is done to the layers before they are put together, then to the whole.
    on_layers: Vec<Effect>,
    on_whole: Vec<Effect>,
    foreground: Option<Foreground>,
    look: Option<Look>,
    /// Identifies the background, if that [stands still](Background::is_still).
    backdrop_id: BackdropId,
    compositor: Compositor,
    workspace: Workspace,
}

/// What a frame is composed into.
enum ComposeInto<'a> {
    Canvas(&'a mut Frame),
    Packed(&'a mut PackedPicture),
}

impl SceneSpec {
    /// Makes the scene: files are opened and decoded here, whole, before anything uses them. May
    /// take seconds.
    ///
    /// # Errors
    /// When a file is not what it should be: one sentence.
    pub fn build(&self, scene_format: SceneFormat) -> Result<Scene, SceneError> {
        self.build_but(Reuse::default(), scene_format, None)
    }

    /// Whether making it but for what is kept reads files or addresses: that may take long.
    pub fn needs_files(&self, reuse: Reuse) -> bool {
        !reuse.background && self.background.needs_files()
            || !reuse.foreground && self.foreground.is_some()
    }

    /// Makes the scene but for what is to be kept of the one before, which must have been made of
    /// the same words; until it has [taken that over](Scene::take_over), there is black. Given up
    /// when `cancel` rings: a video at once, a picture when it is decoded.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn build_but(
        &self,
        reuse: Reuse,
        scene_format: SceneFormat,
        cancel: Option<&Wake>,
    ) -> Result<Scene, SceneError> {
        let black = BackgroundSpec::Colour(Rgb8 { r: 0, g: 0, b: 0 });
        let background = if reuse.background { &black } else { &self.background };
        let background = background.build_until(self.fit, scene_format, cancel)?;
        self.build_before(background, reuse, scene_format)
    }

    /// As [`build_but`](Self::build_but), before a background that others have made of the same words.
    ///
    /// # Errors
    /// As for `build_but`.
    pub fn build_before(
        &self,
        background: Box<dyn Background>,
        reuse: Reuse,
        scene_format: SceneFormat,
    ) -> Result<Scene, SceneError> {
        let foreground = self.foreground.as_ref().filter(|_| !reuse.foreground);
        let foreground = foreground.map(|spec| Foreground::open(spec, scene_format));
        let (on_whole, on_layers): (Vec<_>, Vec<_>) = self
            .effects
            .iter()
            .map(EffectSpec::build)
            .partition(|effect| matches!(effect, Effect::Picture(Target::All, _)));
        Ok(Scene {
            spec: self.clone(),
            scene_format,
            reuse,
            clock: Clock::new(self.seed),
            framing: Framing::new(self.framing),
            background,
            on_layers,
            on_whole,
            foreground: foreground.transpose()?,
            look: Look::new(self.look).filter(|_| self.background.lights_the_person()),
            backdrop_id: BackdropId::unique(),
            compositor: Compositor::default(),
            workspace: Workspace::new(),
        })
    }
}

impl Scene {
    /// What it was made for.
    pub fn scene_format(&self) -> SceneFormat {
        self.scene_format
    }

    /// Whether what is composed of a frame is the same for both, once this one has [gone on as](Self::go_on_as) the
    /// other: nothing in it has a time of its own.
    pub fn shows_the_same_as(&self, other: &Scene) -> bool {
        let is_whole = |scene: &Scene| scene.reuse == Reuse::default();
        !self.spec.background.plays()
            && (self.scene_format, &self.spec) == (other.scene_format, &other.spec)
            && is_whole(self)
            && is_whole(other)
    }

    /// Goes on with the time and the framing of `other`, which [shows the same](Self::shows_the_same_as).
    pub fn go_on_as(&mut self, other: &Scene) {
        self.clock = other.clock.clone();
        self.framing.go_on_from(&other.framing);
    }

    /// Whether its background is to be taken over: then it is no sight of its own.
    pub fn reuses_background(&self) -> bool {
        self.reuse.background
    }

    /// Takes what is to be kept out of `old`, which must not be shown any more if that is its
    /// background; goes on with its time and, where that is wanted alike, its framing.
    pub fn take_over(&mut self, old: &mut Scene) {
        if self.reuse.background {
            std::mem::swap(&mut self.background, &mut old.background);
            self.look.iter_mut().for_each(Look::forget_background);
            self.backdrop_id = BackdropId::unique();
        }
        if self.reuse.foreground {
            std::mem::swap(&mut self.foreground, &mut old.foreground);
        }
        // What the old one had yet to take over itself is still to be taken over.
        self.reuse.background &= old.reuse.background;
        self.reuse.foreground &= old.reuse.foreground;
        self.clock = old.clock.clone();
        if self.spec.framing == old.spec.framing {
            self.framing.go_on_from(&old.framing);
        }
    }

    /// Composes one frame into `canvas`, which becomes a picture of the frame's format, colour and
    /// time, and of its size unless an effect turns the picture.
    ///
    /// # Errors
    /// When a part cannot be made, or frame and matte do not belong together. `canvas` must then
    /// not be shown.
    pub fn compose(
        &mut self,
        matted: &MattedFrame<'_>,
        canvas: &mut Frame,
    ) -> Result<(), SceneError> {
        let moment = self.draw(matted, ComposeInto::Canvas(canvas))?;
        if let Some(foreground) = &mut self.foreground {
            foreground.draw(canvas)?;
        }
        for effect in &mut self.on_whole {
            effect.apply_to_whole(canvas, &moment)?;
        }
        Ok(())
    }

    /// Whether frames should be [composed packed](Self::compose_packed): nothing is done to the whole picture, and the background stands
    /// still, so that most of it need not be drawn again. (One sweep over all of a picture takes longer than two: before the blur, the
    /// output's thread takes 1.04 to 1.13 of the time.)
    pub fn composes_packed(&self) -> bool {
        self.foreground.is_none() && self.on_whole.is_empty() && self.background.is_still()
    }

    /// Composes one frame [packed](greenroom_frame::pack) into `packed`, a picture of the frame's size, without a canvas: in one sweep.
    ///
    /// # Errors
    /// As [`compose`](Self::compose), and as `pack`.
    pub fn compose_packed(
        &mut self,
        matted: &MattedFrame<'_>,
        packed: &mut PackedPicture,
    ) -> Result<(), SceneError> {
        self.draw(matted, ComposeInto::Packed(packed)).map(drop)
    }

    fn draw(
        &mut self,
        matted: &MattedFrame<'_>,
        into: ComposeInto<'_>,
    ) -> Result<Moment, SceneError> {
        let moment = self.clock.tick(matted.frame.captured_at());
        let matted = self.framing.frame(matted, &moment)?;
        let is_still = self.background.is_still();
        let behind = self.background.behind(&matted, &moment)?;
        let mut layers = self.workspace.layers(&matted, behind);
        // Before the room itself, the room's colour in the edge is right.
        let mut edge = matted.matte.edge().filter(|_| !layers.background_is_room);
        if edge.is_some() && self.on_layers.iter().any(Effect::sees_the_person) {
            self.compositor.unmix(layers.person.edit()?, matted.matte)?;
            edge = None;
        }
        for effect in &mut self.on_layers {
            effect.apply_to_layers(&mut layers, &moment)?;
        }
        let look = self.look.as_mut().filter(|_| !layers.background_is_room);
        let is_still = is_still && !layers.background.is_changed();
        let light = look.map(|look| look.light(&mut layers, is_still, &moment)).transpose()?;
        let (person, behind) = (layers.person.view(), layers.background.backdrop());
        let has_other_alpha = layers.luma_alpha.is_changed() || layers.chroma_alpha.is_changed();
        let blocks = matted.matte.blocks().filter(|_| !has_other_alpha);
        let matte = layers.matte()?.with_edge(edge).with_blocks(blocks);
        match into {
            ComposeInto::Canvas(canvas) => {
                self.compositor.compose(person, behind, matte, light, canvas)?
            }
            ComposeInto::Packed(packed) => {
                let behind = (behind, is_still.then_some(self.backdrop_id));
                self.compositor.compose_packed(person, behind, matte, light, packed)?;
            }
        }
        Ok(moment)
    }

    /// Goes on to the next picture of a slideshow; `false` if there is none.
    pub fn next_picture(&mut self) -> bool {
        self.background.next_picture()
    }
}

#[cfg(test)]
mod tests;
