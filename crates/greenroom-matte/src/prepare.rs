use greenroom_frame::{Colour, FrameView, SizePx};

use crate::exposure::Exposure;
use crate::planes::SmallPlanes;
use crate::yuv::{self, Samples};
use crate::{AlphaMap, InputTensor, Isa, Layout, MatteError, ModelDescription};

/// Fills a model's input straight from a planar picture: each plane is scaled to the input's size
/// (the frame or the part of it that is looked at is stretched to it, as MediaPipe does), and only there becomes RGB, with the
/// picture's own matrix and range. Nothing at full size but the planes is touched, once.
#[derive(Debug)]
pub struct Preparer {
    isa: Isa,
    model: ModelDescription,
    /// For each size of input.
    planes: Vec<SmallPlanes>,
    /// Which of them the picture that was prepared last is in.
    newest: usize,
    /// The channels one behind the other, on their way into an interleaved tensor.
    planar: Vec<f32>,
    exposure: Option<Exposure>,
    /// How much brighter the model saw the last picture than it was; without `exposure`, how much brighter it is to
    /// see the next.
    gain: f32,
    /// Of the picture that was prepared last.
    colour: Colour,
}

impl Preparer {
    /// A preparer for `model`.
    ///
    /// # Errors
    /// [`MatteError::Frame`] if the model's input is not a usable picture size.
    pub fn new(model: &ModelDescription, isa: Isa) -> Result<Self, MatteError> {
        Self::with_sizes(model, &[], isa)
    }

    /// A preparer for `model` that fills tensors of these other sizes, too.
    ///
    /// # Errors
    /// As [`new`](Self::new), of any of the sizes.
    pub fn with_sizes(
        model: &ModelDescription,
        other_sizes: &[SizePx],
        isa: Isa,
    ) -> Result<Self, MatteError> {
        let sizes = || std::iter::once(&model.input_size).chain(other_sizes);
        let most_px = sizes().map(|size| size.area_px() as usize).max().unwrap_or_default();
        let planar = match model.layout {
            Layout::Nchw => Vec::new(),
            Layout::Nhwc => vec![0.0; 3 * most_px],
        };
        let planes = sizes().map(|&size| SmallPlanes::new(size)).collect::<Result<_, _>>()?;
        let (newest, colour) = (0, Colour::WEBCAM);
        Ok(Self {
            isa,
            model: model.clone(),
            planes,
            newest,
            planar,
            exposure: None,
            gain: 1.0,
            colour,
        })
    }

    /// Makes dark pictures and persons against the light brighter for the model from now on, if
    /// `on`; a new preparer does not. What comes out of the model is to be told it with
    /// [`learn`](Self::learn).
    #[must_use]
    pub fn exposed(mut self, on: bool) -> Self {
        self.exposure = on.then(Exposure::new);
        self
    }

    /// How much brighter the model saw the picture that was prepared last than it was.
    pub(crate) fn gain(&self) -> f32 {
        self.gain
    }

    /// How much brighter the model is to see the next picture than it is; right from the second picture on.
    pub(crate) fn next_gain(&self) -> f32 {
        self.exposure.as_ref().map_or(self.gain, Exposure::next_gain)
    }

    /// Has the model see the next pictures so much brighter than they are, if they are not [exposed](Self::exposed)
    /// by themselves.
    pub(crate) fn set_gain(&mut self, gain: f32) {
        self.gain = gain;
    }

    /// What the model made of the picture that was prepared last: how bright the person is in it.
    pub fn learn(&mut self, alpha: &AlphaMap) {
        if let Some(exposure) = &mut self.exposure {
            exposure.learn(self.planes[self.newest].bytes()[0], self.colour, alpha.values());
        }
    }

    /// The next picture has the answer of an earlier one, and is not prepared: the model would see it so much brighter.
    pub(crate) fn skip(&mut self) {
        self.gain = self.next_gain();
    }

    /// Learns from a picture that was [skipped](Self::skip).
    pub(crate) fn learn_again(&mut self) {
        if let Some(exposure) = &mut self.exposure {
            exposure.learn_again();
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
        let place = self.planes.iter().position(|planes| planes.size() == tensor.size());
        let Some(place) = place.filter(|_| tensor.layout() == self.model.layout) else {
            return Err(MatteError::WrongShape {
                what: "the input tensor",
                have: format!("{} {:?}", tensor.size(), tensor.layout()),
                want: format!("{} {:?}", self.model.input_size, self.model.layout),
            });
        };
        self.newest = place;
        self.planes[place].fill(frame)?;
        self.colour = frame.colour();
        if let Some(exposure) = &mut self.exposure {
            self.gain = exposure.gain(self.planes[place].bytes()[0], self.colour);
        }
        self.fill(tensor);
        Ok(())
    }

    fn fill(&mut self, tensor: &mut InputTensor) {
        let Self { colour, newest, ref model, .. } = *self;
        let [y, u, v] = self.planes[newest].bytes();
        let mut channels = yuv::channels(colour, model.channel_order, model.normalisation);
        if self.gain != 1.0 {
            channels = channels.map(|channel| channel.times(self.gain));
        }
        let samples = Samples { y, u, v };
        match self.model.layout {
            Layout::Nchw => {
                yuv::convert(self.isa, &channels, samples, thirds(tensor.values_mut()));
            }
            Layout::Nhwc => {
                let planes = &mut self.planar[..3 * y.len()];
                yuv::convert(self.isa, &channels, samples, thirds(planes));
                for (index, plane) in planes.chunks_exact(y.len()).enumerate() {
                    let places = tensor.values_mut().iter_mut().skip(index).step_by(3);
                    places.zip(plane).for_each(|(place, value)| *place = *value);
                }
            }
        }
    }
}

/// Three planes, one behind the other.
fn thirds(planes: &mut [f32]) -> [&mut [f32]; 3] {
    let (first, others) = planes.split_at_mut(planes.len() / 3);
    let (second, third) = others.split_at_mut(others.len() / 2);
    [first, second, third]
}
