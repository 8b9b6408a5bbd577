use std::path::PathBuf;
use std::time::Instant;

use greenroom_device::SinkMode;
use greenroom_frame::{Frame, FrameError, FrameScaler, FrameView, PackedPicture, pack};
use greenroom_scene::{MattedFrame, Scene, SceneError, placeholder, user_placeholder};

use super::mixer::SceneMixer;
use crate::pipeline::PlaceholderReason;

/// Makes the pictures of one output in the form that its sink takes: composed frames and
/// placeholders.
pub struct Painter {
    mode: SinkMode,
    mixer: SceneMixer,
    scaled: Frame,
    scaler: FrameScaler,
    packed: PackedPicture,
    /// The user's placeholder, as it was read for the first mode.
    own_placeholder: Option<Frame>,
    /// The placeholder that was painted last, packed, and its text.
    calm: (String, Frame),
}

impl Painter {
    /// Paints `scene` for a sink of `mode`.
    ///
    /// # Errors
    /// When the mode's size is none.
    pub fn new(mode: SinkMode, scene: Scene) -> Result<Self, FrameError> {
        let calm = packed_placeholder(mode, None, &PlaceholderReason::Off.to_string())?;
        Ok(Self {
            mode,
            mixer: SceneMixer::new(scene),
            scaled: Frame::new(mode.format, mode.size, mode.colour)?,
            scaler: FrameScaler::default(),
            packed: PackedPicture::new(mode.format, mode.size, mode.colour)?,
            own_placeholder: None,
            calm: (PlaceholderReason::Off.to_string(), calm),
        })
    }

    /// Shows a picture of the user's instead of our placeholders. It is read here, and never again.
    #[must_use]
    pub fn with_placeholder(mut self, picture: Option<PathBuf>) -> Self {
        let SinkMode { size, colour, .. } = self.mode;
        self.own_placeholder =
            picture.and_then(|path| match user_placeholder(&path, size, colour) {
                Ok(frame) => Some(frame),
                Err(error) => {
                    tracing::warn!("placeholder: {error}; showing greenroom's own");
                    None
                }
            });
        self.calm.0.clear();
        self
    }

    /// From now on for a sink of `mode`.
    ///
    /// # Errors
    /// When the mode's size is none.
    pub fn set_mode(&mut self, mode: SinkMode) -> Result<(), FrameError> {
        if mode != self.mode {
            self.packed = PackedPicture::new(mode.format, mode.size, mode.colour)?;
            self.mode = mode;
            self.calm.0.clear();
        }
        Ok(())
    }

    /// Where its scenes come from and go to.
    pub(super) fn mixer_mut(&mut self) -> &mut SceneMixer {
        &mut self.mixer
    }

    /// What it paints for.
    pub fn mode(&self) -> SinkMode {
        self.mode
    }

    /// First stage of a frame: the person before the background. Where nothing needs the whole picture, this is all that there is to
    /// do: it is composed in the form that the sink takes.
    ///
    /// # Errors
    /// When it cannot be composed.
    pub fn compose(&mut self, matted: &MattedFrame<'_>) -> Result<Composed<'static>, SceneError> {
        self.mixer.begin(matted);
        self.compose_begun(matted, false)
    }

    /// The same, with the canvas of the first of `others` that has composed the same of this frame, if there is one. With
    /// `needs_canvas` it is composed on a canvas, in the camera's own format, size and colour, which others may take in turn, and
    /// which [`fit`](Self::fit) lets be looked at.
    ///
    /// # Errors
    /// As `compose`.
    pub fn compose_with<'a>(
        &mut self,
        matted: &MattedFrame<'_>,
        mut others: impl Iterator<Item = &'a mut Self>,
        needs_canvas: bool,
    ) -> Result<Composed<'a>, SceneError> {
        self.mixer.begin(matted);
        let now = matted.frame.captured_at();
        let Some(other) = others.find(|other| other.mixer.shows_the_same_as(&self.mixer, now))
        else {
            return self.compose_begun(matted, needs_canvas);
        };
        self.mixer.go_on_as(&other.mixer);
        Ok(Composed::OnAnothers(other.mixer.canvas_mut()))
    }

    fn compose_begun(
        &mut self,
        matted: &MattedFrame<'_>,
        needs_canvas: bool,
    ) -> Result<Composed<'static>, SceneError> {
        if needs_canvas || matted.frame.size() != self.mode.size || !self.mixer.composes_packed() {
            self.mixer.compose(matted)?;
            return Ok(Composed::OnCanvas);
        }
        self.mixer.compose_packed(matted, &mut self.packed)?;
        Ok(Composed::Packed)
    }

    /// Second stage: what was composed in the sink's size, colour and format. `look` sees the canvas at the sink's size, if there is one.
    ///
    /// # Errors
    /// When no kernel does the conversion.
    pub fn fit(
        &mut self,
        composed: Composed<'_>,
        look: impl FnOnce(FrameView<'_>),
    ) -> Result<FrameView<'_>, FrameError> {
        let mode = self.mode;
        let canvas = match composed {
            Composed::Packed => return Ok(self.packed.view()),
            Composed::OnCanvas => self.mixer.canvas_mut(),
            Composed::OnAnothers(canvas) => canvas,
        };
        let fitted = if canvas.size() == mode.size {
            canvas
        } else {
            let middle = canvas.view().middle_of_shape(mode.size);
            self.scaler.scale(middle, mode.size, &mut self.scaled)?;
            &mut self.scaled
        };
        look(fitted.view());
        self.packed.set_captured_at(fitted.captured_at());
        pack(fitted.view(), &mut self.packed.frame_mut().view_mut())?;
        Ok(self.packed.view())
    }

    /// Whether `other` shows the same scene, so that it may take this painter's canvas.
    pub fn shares_canvas_with(&self, other: &Self) -> bool {
        self.mixer.shows_the_scene_of(&other.mixer)
    }

    /// What [`fit`](Self::fit) gave last.
    pub(super) fn last_picture(&self) -> FrameView<'_> {
        self.packed.view()
    }

    /// The placeholder for `placeholder_reason`. Painted when the text changes, else the one from before. Scenes do not fade across
    /// it.
    ///
    /// # Errors
    /// When no kernel does the conversion.
    pub fn placeholder(
        &mut self,
        placeholder_reason: &PlaceholderReason,
    ) -> Result<FrameView<'_>, FrameError> {
        self.mixer.interrupt();
        // On the user's picture there is no text that could change.
        let text = match self.own_placeholder {
            Some(_) => OWN.to_owned(),
            None => placeholder_reason.to_string(),
        };
        if self.calm.0 != text {
            let frame = packed_placeholder(self.mode, self.own_placeholder.as_ref(), &text)?;
            self.calm = (text, frame);
        }
        self.calm.1.set_captured_at(Instant::now());
        Ok(self.calm.1.view())
    }

    /// A deliberate leak, for the test of the test that looks for leaks.
    #[cfg(feature = "faults")]
    pub(super) fn leak(
        &mut self,
        matted: &MattedFrame<'_>,
    ) -> Result<Composed<'static>, FrameError> {
        greenroom_frame::unpack(matted.frame, self.mixer.canvas_mut())?;
        Ok(Composed::OnCanvas)
    }
}

/// What a frame was composed on.
pub enum Composed<'a> {
    /// The packed picture that the sink takes.
    Packed,
    /// The painter's own canvas.
    OnCanvas,
    /// The canvas of another painter.
    OnAnothers(&'a mut Frame),
}

/// What stands for the text of the user's placeholder.
const OWN: &str = "the user's";

fn packed_placeholder(
    mode: SinkMode,
    own: Option<&Frame>,
    text: &str,
) -> Result<Frame, FrameError> {
    let mut packed = Frame::new(mode.format, mode.size, mode.colour)?;
    let Some(own) = own else {
        let calm = placeholder(mode.size, mode.colour, text)?;
        pack(calm.view(), &mut packed.view_mut())?;
        return Ok(packed);
    };
    let mut fitted = own.clone();
    if own.size() != mode.size {
        let middle = own.view().middle_of_shape(mode.size);
        FrameScaler::default().scale(middle, mode.size, &mut fitted)?;
    }
    pack(fitted.view(), &mut packed.view_mut())?;
    Ok(packed)
}

#[cfg(test)]
mod tests;
