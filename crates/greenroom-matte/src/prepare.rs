use greenroom_frame::{Chroma, Colour, Frame, FrameView, PixelFormat, PlaneScaler, SizePx};

use crate::yuv::{self, Channel};
use crate::{InputTensor, Isa, Layout, MatteError, ModelDescription};

/// Fills a model's input straight from a planar picture: each plane is scaled to the input's size
/// (the whole frame is stretched to it, as MediaPipe does), and only there becomes RGB, with the
/// picture's own matrix and range. Nothing at full size but the planes is touched, once.
#[derive(Debug)]
pub struct Preparer {
    isa: Isa,
    model: ModelDescription,
    scalers: Option<Scalers>,
    /// Y, U and V at the input's size, a grey picture each.
    planes: [Frame; 3],
    /// One channel, on its way into an interleaved tensor.
    channel: Vec<f32>,
}

/// Tables for one kind of picture.
#[derive(Debug)]
struct Scalers {
    format: PixelFormat,
    size: SizePx,
    luma: PlaneScaler,
    chroma: Option<PlaneScaler>,
}

/// The chroma of a grey picture.
const NO_COLOUR: u8 = 128;

impl Scalers {
    fn new(format: PixelFormat, size: SizePx, to: SizePx) -> Result<Self, MatteError> {
        let chroma = match format.chroma() {
            Chroma::None => None,
            chroma => Some(PlaneScaler::new(chroma.plane_size(size), to)?),
        };
        Ok(Self { format, size, luma: PlaneScaler::new(size, to)?, chroma })
    }
}

impl Preparer {
    /// A preparer for `model`.
    ///
    /// # Errors
    /// [`MatteError::Frame`] if the model's input is not a usable picture size.
    pub fn new(model: &ModelDescription, isa: Isa) -> Result<Self, MatteError> {
        let plane = Frame::new(PixelFormat::Grey, model.input_size, Colour::JPEG)?;
        let channel = match model.layout {
            Layout::Nchw => Vec::new(),
            Layout::Nhwc => vec![0.0; plane.bytes().len()],
        };
        let planes = [plane.clone(), plane.clone(), plane];
        Ok(Self { isa, model: model.clone(), scalers: None, planes, channel })
    }

    /// Makes `tensor` the model's input for `frame`. Asks for memory only when the frame's size or
    /// format is another than the last one's.
    ///
    /// # Errors
    /// [`MatteError::UnsupportedFrame`] if `frame` is not planar, [`MatteError::WrongShape`] if
    /// `tensor` was made for another model, [`MatteError::Frame`] if a chroma plane has no sample.
    pub fn prepare(
        &mut self,
        frame: &FrameView<'_>,
        tensor: &mut InputTensor,
    ) -> Result<(), MatteError> {
        if !frame.format().is_planar() {
            return Err(MatteError::UnsupportedFrame { format: frame.format() });
        }
        if (tensor.size(), tensor.layout()) != (self.model.input_size, self.model.layout) {
            return Err(MatteError::WrongShape {
                what: "the input tensor",
                have: format!("{} {:?}", tensor.size(), tensor.layout()),
                want: format!("{} {:?}", self.model.input_size, self.model.layout),
            });
        }
        self.scale_planes(frame)?;
        self.convert(frame.colour(), tensor);
        Ok(())
    }

    fn scale_planes(&mut self, frame: &FrameView<'_>) -> Result<(), MatteError> {
        let (format, size) = (frame.format(), frame.size());
        let kept = self.scalers.take().filter(|s| (s.format, s.size) == (format, size));
        let Scalers { luma, chroma, .. } = self.scalers.insert(match kept {
            Some(scalers) => scalers,
            None => Scalers::new(format, size, self.model.input_size)?,
        });
        let mut targets = self.planes.each_mut().map(Frame::view_mut);
        luma.scale(frame.plane(0), &mut targets[0].plane_mut(0));
        for index in [1, 2] {
            let mut target = targets[index].plane_mut(0);
            match chroma {
                Some(chroma) => chroma.scale(frame.plane(index), &mut target),
                None => target.fill(NO_COLOUR),
            }
        }
        Ok(())
    }

    fn convert(&mut self, colour: Colour, tensor: &mut InputTensor) {
        let channels = yuv::channels(colour, self.model.channel_order, self.model.normalisation);
        let planes = self.planes.each_ref().map(Frame::bytes);
        let convert = |channel: &Channel, out: &mut [f32]| {
            yuv::convert(self.isa, channel, planes, out);
        };
        match self.model.layout {
            Layout::Nchw => {
                let parts = tensor.values_mut().chunks_exact_mut(planes[0].len());
                channels.iter().zip(parts).for_each(|(channel, out)| convert(channel, out));
            }
            Layout::Nhwc => {
                for (index, channel) in channels.iter().enumerate() {
                    convert(channel, &mut self.channel);
                    let places = tensor.values_mut().iter_mut().skip(index).step_by(3);
                    places.zip(&self.channel).for_each(|(place, value)| *place = *value);
                }
            }
        }
    }
}
