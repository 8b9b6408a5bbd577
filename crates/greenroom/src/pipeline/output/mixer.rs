//! The scene that is shown, and the one that fades in.

use std::sync::Arc;
use std::time::{Duration, Instant};

use greenroom_device::Wake;
use greenroom_frame::{Colour, Frame, FrameShape, PackedPicture, PixelFormat, SizePx, fade};
use greenroom_scene::{MattedFrame, Scene, SceneError};

use super::commands::{OutputCommands, SceneChange};

/// Time of a cross-fade: seen as a change and not as a jump, over before anyone waits for it.
const FADE: Duration = Duration::from_millis(300);
/// After so long without a frame nobody remembers the old scene: the new one is there at once.
const LONG_AGO: Duration = Duration::from_secs(1);

/// Composes frames, and changes the scene between them.
pub(super) struct SceneMixer {
    scene: Scene,
    incoming: Option<Incoming>,
    canvas: Frame,
    /// When the frame was captured that the canvas shows, if the last frame was composed on it.
    canvas_of: Option<Instant>,
    incoming_canvas: Frame,
    commands: Option<(Arc<OutputCommands>, Wake)>,
    last: Option<Instant>,
    told: Option<FrameShape>,
}

struct Incoming {
    scene: Scene,
    begun_at: Instant,
}

impl SceneMixer {
    pub(super) fn new(scene: Scene) -> Self {
        let blank = || {
            Frame::new(PixelFormat::I420, SizePx::new(2, 2), Colour::WEBCAM)
                .expect("two by two is a size")
        };
        let (canvas, incoming_canvas) = (blank(), blank());
        let (incoming, canvas_of, commands, last, told) = (None, None, None, None, None);
        Self { scene, incoming, canvas, canvas_of, incoming_canvas, commands, last, told }
    }

    /// From now on scenes come through `commands`; `scenes_bell` rings when some go out there.
    pub(super) fn follow(&mut self, commands: Arc<OutputCommands>, scenes_bell: Wake) {
        self.commands = Some((commands, scenes_bell));
    }

    /// The picture was interrupted: something else was shown. With the next frame, whatever was asked for by then is
    /// there at once, without a fade from what was shown before.
    pub(super) fn interrupt(&mut self) {
        self.last = None;
    }

    /// What was composed last.
    pub(super) fn canvas_mut(&mut self) -> &mut Frame {
        &mut self.canvas
    }

    /// Takes up what was asked for; then the frame is [composed](Self::compose), or what
    /// [another mixer](Self::shows_the_same_as) composed of it is shown.
    pub(super) fn begin(&mut self, matted: &MattedFrame<'_>) {
        let now = matted.frame.captured_at();
        self.take_change(now);
        self.go_on();
        self.tell_shape(matted.frame.shape());
        self.last = Some(now);
    }

    /// Whether its canvas shows the frame of `now` as `other`, which has [begun](Self::begin) it, would compose it.
    pub(super) fn shows_the_same_as(&self, other: &Self, now: Instant) -> bool {
        self.canvas_of == Some(now) && self.shows_the_scene_of(other)
    }

    /// Whether `other` would show the same of a frame that both were given.
    pub(super) fn shows_the_scene_of(&self, other: &Self) -> bool {
        self.incoming.is_none()
            && other.incoming.is_none()
            && self.scene.shows_the_same_as(&other.scene)
    }

    /// Goes on as if what `other` composed had been composed here.
    pub(super) fn go_on_as(&mut self, other: &Self) {
        self.scene.go_on_as(&other.scene);
    }

    /// The person before the background, in the camera's own format and colour.
    ///
    /// # Errors
    /// When it cannot be composed: the canvas must not be shown.
    pub(super) fn compose(&mut self, matted: &MattedFrame<'_>) -> Result<(), SceneError> {
        self.canvas_of = None;
        self.compose_on_canvas(matted)?;
        self.canvas_of = Some(matted.frame.captured_at());
        Ok(())
    }

    fn compose_on_canvas(&mut self, matted: &MattedFrame<'_>) -> Result<(), SceneError> {
        let now = matted.frame.captured_at();
        let Some(mut incoming) = self.incoming.take() else {
            return self.scene.compose(matted, &mut self.canvas);
        };
        let passed = now.saturating_duration_since(incoming.begun_at);
        let share = passed.as_secs_f32() / FADE.as_secs_f32();
        if let Err(error) = incoming.scene.compose(matted, &mut self.incoming_canvas) {
            // It may hide what the one before shows: that does not come back.
            let old = std::mem::replace(&mut self.scene, incoming.scene);
            self.retire(old);
            return Err(error);
        }
        let old = if share < 1.0 { self.scene.compose(matted, &mut self.canvas) } else { Ok(()) };
        // Pictures of two shapes (one is turned) do not mix, and an old scene that fails is over.
        if share < 1.0 && old.is_ok() && self.canvas.shape() == self.incoming_canvas.shape() {
            fade(&mut self.canvas, self.incoming_canvas.view(), weight(share))?;
            self.incoming = Some(incoming);
        } else {
            std::mem::swap(&mut self.canvas, &mut self.incoming_canvas);
            let old = std::mem::replace(&mut self.scene, incoming.scene);
            self.retire(old);
        }
        Ok(())
    }

    /// Whether a frame can be [composed packed](Self::compose_packed): one scene is shown, and it is [meant to be](Scene::composes_packed).
    pub(super) fn composes_packed(&self) -> bool {
        self.incoming.is_none() && self.scene.composes_packed()
    }

    /// As [`compose`](Self::compose), but into `packed`, of the frame's size, and not on the canvas.
    ///
    /// # Errors
    /// When it cannot be composed: `packed` must not be shown.
    pub(super) fn compose_packed(
        &mut self,
        matted: &MattedFrame<'_>,
        packed: &mut PackedPicture,
    ) -> Result<(), SceneError> {
        self.canvas_of = None;
        self.scene.compose_packed(matted, packed)
    }

    /// Takes up the scene that was sent, unless another is still fading in: that one is finished
    /// first, so that no picture jumps.
    fn take_change(&mut self, now: Instant) {
        let Some((commands, _)) = &self.commands else { return };
        let was_idle = self.last.is_none_or(|last| now.saturating_duration_since(last) > LONG_AGO);
        if self.incoming.is_some() && !was_idle {
            return;
        }
        if was_idle && let Some(incoming) = self.incoming.take() {
            let old = std::mem::replace(&mut self.scene, incoming.scene);
            self.retire(old);
            return self.take_change(now);
        }
        let Some(SceneChange { mut scene, cut }) = commands.take_change() else { return };
        self.told = None;
        let is_cut = cut || was_idle || scene.reuses_background();
        scene.take_over(&mut self.scene);
        if is_cut {
            let old = std::mem::replace(&mut self.scene, scene);
            self.retire(old);
        } else {
            self.incoming = Some(Incoming { scene, begun_at: now });
        }
    }

    /// Goes on to the next picture of a slideshow, in the scene that was asked for last.
    fn go_on(&mut self) {
        if self.commands.as_ref().is_some_and(|(commands, _)| commands.takes_next_picture()) {
            let newest = self.incoming.as_mut().map(|incoming| &mut incoming.scene);
            newest.unwrap_or(&mut self.scene).next_picture();
        }
    }

    /// Has the scene made anew for frames of the shape that comes.
    fn tell_shape(&mut self, shape: FrameShape) {
        let Some((commands, scenes_bell)) = &self.commands else { return };
        let newest = self.incoming.as_ref().map_or(&self.scene, |incoming| &incoming.scene);
        if newest.scene_format().shape != shape && self.told != Some(shape) {
            self.told = Some(shape);
            commands.tell_shape(shape);
            scenes_bell.ring();
        }
    }

    /// A scene may end threads and a child when it is dropped: not here.
    fn retire(&self, scene: Scene) {
        if let Some((commands, scenes_bell)) = &self.commands {
            commands.retire(scene);
            scenes_bell.ring();
        }
    }
}

/// Weight of the new scene: eased at both ends (smoothstep).
fn weight(share: f32) -> u8 {
    let share = share.clamp(0.0, 1.0);
    (share * share * (3.0 - 2.0 * share) * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use greenroom_frame::{MatteView, Yuv8};
    use greenroom_scene::{Pace, SceneFormat, SceneSpec};

    const SIZE: SizePx = SizePx::new(64, 36);
    const SHAPE: FrameShape =
        FrameShape { format: PixelFormat::I420, size: SIZE, colour: Colour::WEBCAM };

    fn scene(rgb: &str) -> Scene {
        let spec = SceneSpec { background: rgb.parse().unwrap(), ..SceneSpec::default() };
        spec.build(SceneFormat { shape: SHAPE, pace: Pace::Live }).unwrap()
    }

    /// Luma of the canvas at each of these milliseconds; nobody is in the picture.
    struct MixerTest {
        mixer: SceneMixer,
        commands: Arc<OutputCommands>,
        scenes_bell: Wake,
        start: Instant,
    }

    impl MixerTest {
        fn new() -> Self {
            let (commands, scenes_bell) =
                (Arc::new(OutputCommands::for_tests()), Wake::new().unwrap());
            let mut mixer = SceneMixer::new(scene("#000000"));
            mixer.follow(Arc::clone(&commands), scenes_bell.clone());
            Self { mixer, commands, scenes_bell, start: Instant::now() }
        }

        fn luma_at(&mut self, ms: u64) -> u8 {
            let grey = |size| {
                let mut alpha = Frame::new(PixelFormat::Grey, size, Colour::JPEG).unwrap();
                alpha.fill(Yuv8 { y: 0, u: 0, v: 0 });
                alpha
            };
            let mut frame = Frame::new(SHAPE.format, SIZE, SHAPE.colour).unwrap();
            frame.set_captured_at(self.start + Duration::from_millis(ms));
            let (luma, chroma) = (grey(SIZE), grey(SizePx::new(32, 18)));
            let matte = MatteView::new(frame.view(), luma.view(), chroma.view()).unwrap();
            let matted = MattedFrame { frame: frame.view(), matte };
            self.mixer.begin(&matted);
            self.mixer.compose(&matted).unwrap();
            self.mixer.canvas_mut().view().plane(0).row(0)[0]
        }

        fn send(&self, rgb: &str, cut: bool) {
            self.commands.change(scene(rgb), cut);
        }
    }

    #[test]
    fn a_new_scene_fades_in_and_the_old_one_is_retired() {
        let mut test = MixerTest::new();
        assert_eq!(test.luma_at(0), 16);
        test.send("#ffffff", false);
        let seen = [33, 133, 183, 233, 333, 366].map(|ms| test.luma_at(ms));
        assert!(seen.is_sorted() && seen[0] == 16 && seen[2] > 100 && seen[2] < 160, "{seen:?}");
        assert_eq!(seen[4..], [235, 235]);
        assert!(test.scenes_bell.is_ringing());
    }

    #[test]
    fn changes_one_behind_the_other_never_jump() {
        let mut test = MixerTest::new();
        test.luma_at(0);
        let (mut last, mut largest) = (16, 0);
        for step in 1..100 {
            if step % 4 == 0 {
                test.send(["#ffffff", "#000000", "#808080"][step % 3], false);
            }
            let now = test.luma_at(step as u64 * 33);
            largest = largest.max(now.abs_diff(last));
            last = now;
        }
        // Smoothstep's steepest step of 33 in 300 ms is a sixth of the way.
        assert!(largest > 5 && largest <= 219 / 5, "{largest}");
    }

    #[test]
    fn across_an_interruption_nothing_fades() {
        let mut test = MixerTest::new();
        test.luma_at(0);
        test.mixer.interrupt();
        test.send("#ffffff", false);
        assert_eq!(test.luma_at(33), 235);
        // In mid-fade, and with another that was asked for meanwhile.
        test.send("#000000", false);
        test.luma_at(66);
        assert!((17..235).contains(&test.luma_at(200)));
        test.mixer.interrupt();
        assert_eq!(test.luma_at(233), 16);
        test.send("#ffffff", false);
        test.luma_at(266);
        test.luma_at(400);
        test.mixer.interrupt();
        test.send("#808080", false);
        assert!((120..130).contains(&test.luma_at(433)));
    }

    #[test]
    fn after_a_long_pause_or_when_told_the_new_one_is_there_at_once() {
        let mut test = MixerTest::new();
        test.luma_at(0);
        test.send("#ffffff", true);
        assert_eq!(test.luma_at(33), 235);
        test.send("#000000", false);
        assert_eq!(test.luma_at(5000), 16);
        // In mid-fade, too.
        test.send("#ffffff", false);
        assert_eq!(test.luma_at(5033), 16);
        assert_eq!(test.luma_at(9000), 235);
    }
}
