use std::path::PathBuf;
use std::time::Instant;

use greenroom_device::SinkMode;
use greenroom_frame::{Frame, FrameError, FrameScaler, FrameView, pack};
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
    packed: Frame,
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
        let blank = || Frame::new(mode.format, mode.size, mode.colour);
        let calm = packed_placeholder(mode, None, &PlaceholderReason::Off.to_string())?;
        Ok(Self {
            mode,
            mixer: SceneMixer::new(scene),
            scaled: blank()?,
            scaler: FrameScaler::default(),
            packed: blank()?,
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
            self.packed = Frame::new(mode.format, mode.size, mode.colour)?;
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

    /// First stage of a frame: the person before the background, in the camera's own format, size
    /// and colour.
    ///
    /// # Errors
    /// When it cannot be composed.
    pub fn compose(&mut self, matted: &MattedFrame<'_>) -> Result<(), SceneError> {
        self.mixer.begin(matted);
        self.mixer.compose(matted)
    }

    /// Second stage: the canvas in the sink's size, colour and format.
    ///
    /// # Errors
    /// When no kernel does the conversion.
    pub fn fit(&mut self) -> Result<FrameView<'_>, FrameError> {
        self.fit_canvas(None, |_| ())
    }

    /// Both stages, with the canvas of the first of `others` that has composed the same of this frame, if there is one.
    ///
    /// # Errors
    /// Those of both.
    pub fn compose_with<'a>(
        &mut self,
        matted: &MattedFrame<'_>,
        mut others: impl Iterator<Item = &'a mut Self>,
    ) -> Result<Composed<'a>, SceneError> {
        self.mixer.begin(matted);
        let now = matted.frame.captured_at();
        let Some(other) = others.find(|other| other.mixer.shows_the_same_as(&self.mixer, now))
        else {
            self.mixer.compose(matted)?;
            return Ok(Composed(None));
        };
        self.mixer.go_on_as(&other.mixer);
        Ok(Composed(Some(other.mixer.canvas_mut())))
    }

    /// [`fit`](Self::fit) of what [`compose_with`](Self::compose_with) gave. `look` sees it before it is packed, as planes.
    ///
    /// # Errors
    /// As `fit`.
    pub fn fit_composed(
        &mut self,
        composed: Composed<'_>,
        look: impl FnOnce(FrameView<'_>),
    ) -> Result<FrameView<'_>, FrameError> {
        self.fit_canvas(composed.0, look)
    }

    fn fit_canvas(
        &mut self,
        others: Option<&mut Frame>,
        look: impl FnOnce(FrameView<'_>),
    ) -> Result<FrameView<'_>, FrameError> {
        let mode = self.mode;
        let canvas = others.unwrap_or_else(|| self.mixer.canvas_mut());
        let fitted = if canvas.size() == mode.size {
            canvas
        } else {
            let middle = canvas.view().middle_of_shape(mode.size);
            self.scaler.scale(middle, mode.size, &mut self.scaled)?;
            &mut self.scaled
        };
        look(fitted.view());
        self.packed.set_captured_at(fitted.captured_at());
        pack(fitted.view(), &mut self.packed.view_mut())?;
        Ok(self.packed.view())
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
        Ok(Composed(None))
    }
}

/// Whose canvas a frame was composed on: another painter's, or its own.
pub struct Composed<'a>(Option<&'a mut Frame>);

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
