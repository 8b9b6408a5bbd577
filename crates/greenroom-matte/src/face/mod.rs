//! Where are faces? MediaPipe's face detection, short range (BlazeFace, arXiv:1907.05047): 0.1 million parameters, 30
//! million multiply-adds.
//!
//! `crate::tflite` reads the file's operators (`operators` says which there are), `recognise` finds the `network` in
//! them, `run` runs it on `crate::kernels`. `crate::letterbox` fits a picture into the network's square, `boxes`
//! makes faces of what the network says.

mod boxes;
mod network;
mod operators;
mod recognise;
mod run;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use greenroom_frame::{FrameView, SizePx};

pub use self::boxes::Face;
use self::network::{ANCHORS, Network, PICTURE};
use self::operators::Graph;
use self::run::Memory;
use crate::letterbox::{Canvas, Letterbox, LetterboxPreparer, LetterboxView};
use crate::{
    ChannelOrder, Isa, Layout, MatteError, ModelDescription, Normalisation, OutputMeaning,
};

/// A `static`, so that the program holds one copy of it.
static FILE: &[u8] = include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../assets/models/face_detection_short_range.tflite"
));

/// The name of the built-in file.
const NAME: &str = "face-short-range";

/// What the network sees beside the picture.
const BLACK: f32 = -1.0;

/// How the network takes a picture.
const LAYOUT: Layout = Layout::Nhwc;

/// Finds faces that are not far away, on the caller's thread.
///
/// A face of 1/8 of the picture's longer side is found (11 photos of a man, made smaller: scores of 0.65 and more, 0.82
/// in the median), of 1/10 every other time, of 1/12 never. A frame of 1280x720 takes 2 ms with AVX2, 6 ms without.
#[derive(Debug)]
pub struct FaceFinder {
    isa: Isa,
    network: Network,
    memory: Memory,
    /// Where the picture lies that the network saw last: what is beside it is black.
    seen: Option<Letterbox>,
    preparer: LetterboxPreparer,
    view: LetterboxView,
    /// Before those that overlap are suppressed.
    candidates: Vec<Face>,
    faces: Vec<Face>,
}

impl FaceFinder {
    /// At most so many faces are found in a picture.
    pub(crate) const MAX_FACES: usize = boxes::MAX_FACES;

    /// A finder with the built-in file, on the fastest instruction set of this machine.
    ///
    /// # Errors
    /// As [`from_tflite`](Self::from_tflite); the built-in file passes.
    pub fn built_in() -> Result<Self, MatteError> {
        Self::from_tflite(NAME, FILE, Isa::best())
    }

    /// The TFLite file that is built in: 229 kB, float16, Apache-2.0.
    pub fn file() -> &'static [u8] {
        FILE
    }

    /// A finder with the TFLite file in `bytes`, which must be that very network; its weights may differ. `name` goes
    /// into messages.
    ///
    /// # Errors
    /// [`MatteError::NotAModel`], [`MatteError::DamagedModel`] or [`MatteError::OtherNetwork`].
    pub fn from_tflite(name: &str, bytes: &[u8], isa: Isa) -> Result<Self, MatteError> {
        let network = Network::recognise(&Graph::read(name, bytes)?)?;
        let memory = Memory::new(&network);
        tracing::debug!(model = name, %isa, "model loaded");
        Ok(Self {
            isa,
            network,
            memory,
            seen: None,
            preparer: Self::preparer(isa),
            view: LetterboxView::default(),
            candidates: Vec::with_capacity(ANCHORS),
            faces: Vec::with_capacity(Self::MAX_FACES),
        })
    }

    /// What makes frames small for [`find_in`](Self::find_in).
    pub(crate) fn preparer(isa: Isa) -> LetterboxPreparer {
        LetterboxPreparer::new(&description(), &[], Canvas::Square, isa)
    }

    /// The faces in `frame`, at most eight, best first; none overlaps another by much. The network sees the frame
    /// `gain` times as bright as it is. Asks for memory only when the frame's size or format is another than the last one's.
    ///
    /// # Errors
    /// [`MatteError::UnsupportedFrame`] if `frame` is not planar, [`MatteError::Frame`] if a chroma plane has no
    /// sample.
    pub fn find(&mut self, frame: &FrameView<'_>, gain: f32) -> Result<&[Face], MatteError> {
        let mut view = std::mem::take(&mut self.view);
        let outcome = self.preparer.prepare(frame, gain, &mut view);
        if outcome.is_ok() {
            self.find_in(&view);
        }
        self.view = view;
        outcome.map(|()| &*self.faces)
    }

    /// The same for a frame that was [prepared](LetterboxPreparer::prepare); none are in a view that never was.
    pub(crate) fn find_in(&mut self, view: &LetterboxView) -> &[Face] {
        self.faces.clear();
        let Some((letterbox, tensor)) = view.get() else { return &self.faces };
        let picture = &mut self.memory.picture;
        if self.seen.replace(letterbox) != Some(letterbox) {
            picture.fill(BLACK);
        }
        let Letterbox { size, left_px, top_px, .. } = letterbox;
        let row_len = 3 * size.width_px as usize;
        for (y, row) in (top_px as usize..).zip(tensor.values().chunks_exact(row_len)) {
            picture.row_mut(y)[3 * left_px as usize..][..row_len].copy_from_slice(row);
        }
        self.network.run(self.isa, &mut self.memory);
        boxes::decode(&self.memory.answers, &mut self.candidates);
        boxes::suppress(&self.candidates, &mut self.faces);
        self.faces.iter_mut().for_each(|face| *face = to_picture(letterbox, *face));
        &self.faces
    }
}

/// Where a face lies in the picture, of which it was found in a square.
fn to_picture(letterbox: Letterbox, face: Face) -> Face {
    let [left, top] = letterbox.to_picture([face.left, face.top]);
    let [right, bottom] = letterbox.to_picture([face.left + face.width, face.top + face.height]);
    Face { left, top, width: right - left, height: bottom - top, ..face }
}

fn description() -> ModelDescription {
    let size = SizePx::new(PICTURE.width as u32, PICTURE.height as u32);
    ModelDescription {
        name: Cow::Borrowed(NAME),
        licence: Some(Cow::Borrowed("Apache-2.0")),
        input_size: size,
        layout: LAYOUT,
        channel_order: ChannelOrder::Rgb,
        normalisation: Normalisation::range(BLACK, 1.0),
        output_size: size,
        output: OutputMeaning::Probability,
    }
}
