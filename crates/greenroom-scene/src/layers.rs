use greenroom_frame::{Backdrop, Frame, FrameError, FrameView, MatteView, unpack};

use crate::MattedFrame;

/// The copy of a picture that is changed; none until something changes it.
#[derive(Debug)]
struct Copied<'a> {
    frame: &'a mut Frame,
    is_made: bool,
}

impl<'a> Copied<'a> {
    fn new(frame: &'a mut Frame) -> Self {
        Self { frame, is_made: false }
    }

    fn view(&self) -> Option<FrameView<'_>> {
        self.is_made.then(|| self.frame.view())
    }

    /// The copy, which `make` makes when it is first asked for.
    fn edit(
        &mut self,
        make: impl FnOnce(&mut Frame) -> Result<(), FrameError>,
    ) -> Result<&mut Frame, FrameError> {
        if !self.is_made {
            make(self.frame)?;
            self.is_made = true;
        }
        Ok(self.frame)
    }
}

/// One picture of a frame under work: borrowed until something changes it.
#[derive(Debug)]
pub struct Layer<'a> {
    seen: FrameView<'a>,
    own: Copied<'a>,
}

impl<'a> Layer<'a> {
    fn new(seen: FrameView<'a>, own: &'a mut Frame) -> Self {
        Self { seen, own: Copied::new(own) }
    }

    /// The picture as it is now.
    pub fn view(&self) -> FrameView<'_> {
        self.own.view().unwrap_or(self.seen)
    }

    /// Whether an effect has changed it.
    pub(crate) fn is_changed(&self) -> bool {
        self.own.is_made
    }

    /// The picture as it was before any effect.
    pub(crate) fn original(&self) -> FrameView<'a> {
        self.seen
    }

    /// The picture, to be changed. The first call of a frame copies it (1.4 MB at 1280x720 4:2:0,
    /// about 0.1 ms).
    ///
    /// # Errors
    /// [`FrameError::BadSize`].
    pub fn edit(&mut self) -> Result<&mut Frame, FrameError> {
        self.own.edit(|own| unpack(self.seen, own))
    }
}

/// What stands behind the person, under work: borrowed until something changes it.
#[derive(Debug)]
pub struct BackgroundLayer<'a> {
    seen: Backdrop<'a>,
    own: Copied<'a>,
}

impl<'a> BackgroundLayer<'a> {
    fn new(seen: Backdrop<'a>, own: &'a mut Frame) -> Self {
        Self { seen, own: Copied::new(own) }
    }

    /// What is seen of it now.
    pub fn backdrop(&self) -> Backdrop<'_> {
        self.own.view().map_or(self.seen, Into::into)
    }

    /// Whether an effect has changed it.
    pub(crate) fn is_changed(&self) -> bool {
        self.own.is_made
    }

    /// All of it as a picture, to be looked at. One that is worked out where it is seen is worked out whole.
    ///
    /// # Errors
    /// [`FrameError::BadSize`].
    pub(crate) fn picture(&mut self) -> Result<FrameView<'_>, FrameError> {
        match self.seen {
            Backdrop::Picture(picture) if !self.own.is_made => Ok(picture),
            _ => Ok(self.edit()?.view()),
        }
    }

    /// The picture, to be changed. The first call of a frame copies it, as that of [`Layer::edit`].
    ///
    /// # Errors
    /// [`FrameError::BadSize`].
    pub fn edit(&mut self) -> Result<&mut Frame, FrameError> {
        self.own.edit(|own| self.seen.copy_to(own))
    }
}

/// What a frame is put together from, before it is: all of one shape.
#[derive(Debug)]
pub struct Layers<'a> {
    /// The camera's picture; of it only what the matte covers will be seen.
    pub person: Layer<'a>,
    /// What stands behind.
    pub background: BackgroundLayer<'a>,
    /// Alpha at luma size.
    pub luma_alpha: Layer<'a>,
    /// Alpha at the size of the chroma planes. Who changes one alpha changes both.
    pub chroma_alpha: Layer<'a>,
    /// Whether the background is the camera's own picture, with the person in it: who hides the
    /// person must hide that one, too.
    pub background_is_room: bool,
}

impl Layers<'_> {
    /// The matte as it is now.
    ///
    /// # Errors
    /// When an effect left the layers with sizes that do not fit.
    pub fn matte(&self) -> Result<MatteView<'_>, FrameError> {
        MatteView::new(self.person.view(), self.luma_alpha.view(), self.chroma_alpha.view())
    }
}

/// Where layers that are changed live from frame to frame: each grows to a frame's size when it is
/// first needed.
#[derive(Debug)]
pub(crate) struct Workspace([Frame; 4]);

impl Workspace {
    pub(crate) fn new() -> Self {
        use greenroom_frame::{Colour, PixelFormat, SizePx};
        let one_pixel = || Frame::new(PixelFormat::Grey, SizePx::new(1, 1), Colour::WEBCAM);
        Self(std::array::from_fn(|_| one_pixel().expect("one pixel is a size")))
    }

    /// The layers of one frame.
    pub(crate) fn layers<'a>(
        &'a mut self,
        matted: &MattedFrame<'a>,
        background: Backdrop<'a>,
    ) -> Layers<'a> {
        let [person, behind, luma, chroma] = &mut self.0;
        Layers {
            person: Layer::new(matted.frame, person),
            background: BackgroundLayer::new(background, behind),
            luma_alpha: Layer::new(matted.matte.luma(), luma),
            chroma_alpha: Layer::new(matted.matte.chroma(), chroma),
            background_is_room: match background {
                Backdrop::Picture(picture) => std::ptr::eq(matted.frame.bytes(), picture.bytes()),
                Backdrop::Scaled(_) => false,
            },
        }
    }
}
