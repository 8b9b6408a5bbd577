//! A calmer picture for the networks, in the dark and from cheap sensors: in noise they take furniture for people, and lose
//! people.
//!
//! The noise is measured in every frame; while there is little, the networks see the frame itself, bit for bit. Where there
//! is much, they see the mean of the last pictures in blocks that have stood still, and the newest in those that have not (a
//! recursive temporal filter with motion detection, as video encoders have before them). A blur of the moving blocks was
//! tried: who moves is lost more often then.

mod calm_picture;
mod noise_meter;
#[cfg(test)]
mod tests;

use greenroom_frame::FrameView;

use self::calm_picture::CalmPicture;
use self::noise_meter::NoiseMeter;
use crate::MatteError;

/// Shows the networks noisy frames without most of their noise.
#[derive(Debug, Default)]
pub(crate) struct Denoiser {
    meter: NoiseMeter,
    /// What is seen in place of the newest frame.
    calm: Option<CalmPicture>,
    is_noisy: bool,
    /// Frames since they became noisy.
    noisy_frames: u32,
}

/// Standard deviation of the noise, in levels as the networks see them, from which on a frame is noisy, and below which it no
/// longer is. Webcams in daylight have 1 to 2.
const NOISY: f32 = 3.0;
const CALM: f32 = 2.0;
/// After so many frames a still picture has lost most of its noise.
const SETTLED: u32 = 8;
/// A calm picture is so wide at most: twice what networks see of it.
const MOST_WIDTH_PX: u32 = 640;

/// How many samples of a frame become one, along each side.
fn reduction(frame: &FrameView<'_>) -> u32 {
    frame.size().width_px.div_ceil(MOST_WIDTH_PX).max(1)
}

impl Denoiser {
    /// The next frame has nothing to do with those before.
    pub(crate) fn reset(&mut self) {
        self.meter.reset();
        (self.is_noisy, self.noisy_frames) = (false, 0);
    }

    /// Takes the next frame, which the networks are to see brighter by `gain`. Asks for memory only for the first noisy
    /// frame of a size or format.
    ///
    /// # Errors
    /// [`MatteError::UnsupportedFrame`] if `frame` is not planar.
    pub(crate) fn add(&mut self, frame: &FrameView<'_>, gain: f32) -> Result<(), MatteError> {
        if !frame.format().is_planar() {
            return Err(MatteError::UnsupportedFrame { format: frame.format() });
        }
        let reduction = reduction(frame);
        let noise = self.meter.measure(frame, reduction);
        let was_noisy = self.is_noisy;
        self.is_noisy = noise * gain > if was_noisy { CALM } else { NOISY };
        self.noisy_frames = if self.is_noisy { self.noisy_frames.saturating_add(1) } else { 0 };
        if !self.is_noisy {
            return Ok(());
        }
        let kept = self.calm.take().filter(|calm| calm.is_for(frame));
        let is_new = kept.is_none() || !was_noisy;
        let calm = self.calm.insert(match kept {
            Some(calm) => calm,
            None => CalmPicture::new(frame, reduction)?,
        });
        if is_new {
            calm.forget();
        }
        calm.add(frame, noise);
        Ok(())
    }

    /// What the networks are to see in place of `frame`, which was [added](Self::add) last.
    pub(crate) fn seen<'a>(&'a self, frame: &FrameView<'a>) -> FrameView<'a> {
        match &self.calm {
            Some(calm) if self.is_noisy => calm.view(),
            _ => *frame,
        }
    }

    /// Whether what was seen before the newest frame was noise, and is none from now on.
    pub(crate) fn has_just_settled(&self) -> bool {
        self.noisy_frames == SETTLED
    }
}
