use greenroom_frame::{Colour, FrameView};

use crate::planes::SmallPlanes;
use crate::yuv::{self, Channel};
use crate::{InputTensor, Isa, Layout, MatteError, ModelDescription};

/// Fills a model's input straight from a planar picture: each plane is scaled to the input's size
/// (the whole frame is stretched to it, as MediaPipe does), and only there becomes RGB, with the
/// picture's own matrix and range. Nothing at full size but the planes is touched, once.
#[derive(Debug)]
pub struct Preparer {
    isa: Isa,
    model: ModelDescription,
    planes: SmallPlanes,
    /// One channel, on its way into an interleaved tensor.
    channel: Vec<f32>,
}

impl Preparer {
    /// A preparer for `model`.
    ///
    /// # Errors
    /// [`MatteError::Frame`] if the model's input is not a usable picture size.
    pub fn new(model: &ModelDescription, isa: Isa) -> Result<Self, MatteError> {
        let channel = match model.layout {
            Layout::Nchw => Vec::new(),
            Layout::Nhwc => vec![0.0; model.input_size.area_px() as usize],
        };
        let planes = SmallPlanes::new(model.input_size)?;
        Ok(Self { isa, model: model.clone(), planes, channel })
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
        if (tensor.size(), tensor.layout()) != (self.model.input_size, self.model.layout) {
            return Err(MatteError::WrongShape {
                what: "the input tensor",
                have: format!("{} {:?}", tensor.size(), tensor.layout()),
                want: format!("{} {:?}", self.model.input_size, self.model.layout),
            });
        }
        self.planes.fill(frame)?;
        self.convert(frame.colour(), tensor);
        Ok(())
    }

    fn convert(&mut self, colour: Colour, tensor: &mut InputTensor) {
        let channels = yuv::channels(colour, self.model.channel_order, self.model.normalisation);
        let planes = self.planes.bytes();
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
