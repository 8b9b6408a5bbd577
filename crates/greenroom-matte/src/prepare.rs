use greenroom_frame::{Colour, FrameView};

use crate::exposure::Exposure;
use crate::planes::SmallPlanes;
use crate::yuv::{self, Channel};
use crate::{AlphaMap, InputTensor, Isa, Layout, MatteError, ModelDescription};

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
    exposure: Option<Exposure>,
    /// Of the picture that was prepared last.
    colour: Colour,
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
        let colour = Colour::WEBCAM;
        Ok(Self { isa, model: model.clone(), planes, channel, exposure: None, colour })
    }

    /// Makes dark pictures and persons against the light brighter for the model from now on, if
    /// `on`; a new preparer does not. What comes out of the model is to be told it with
    /// [`learn`](Self::learn).
    #[must_use]
    pub fn exposed(mut self, on: bool) -> Self {
        self.exposure = on.then(Exposure::new);
        self
    }

    /// What the model made of the picture that was prepared last: how bright the person is in it.
    pub fn learn(&mut self, alpha: &AlphaMap) {
        if let Some(exposure) = &mut self.exposure {
            exposure.learn(self.planes.bytes()[0], self.colour, alpha.values());
        }
    }

    /// The next picture has nothing to do with those before.
    pub fn reset(&mut self) {
        if let Some(exposure) = &mut self.exposure {
            exposure.reset();
        }
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
        self.colour = frame.colour();
        self.convert(tensor);
        Ok(())
    }

    fn convert(&mut self, tensor: &mut InputTensor) {
        let Self { colour, ref model, .. } = *self;
        let planes = self.planes.bytes();
        let mut channels = yuv::channels(colour, model.channel_order, model.normalisation);
        if let Some(exposure) = &mut self.exposure {
            let gain = exposure.gain(planes[0], colour);
            if gain != 1.0 {
                channels = channels.map(|channel| channel.times(gain));
            }
        }
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
