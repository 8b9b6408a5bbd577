use greenroom_frame::Colour;

/// How much brighter a model sees the picture than it is: in the dark and against the light, the
/// network is shown the person as bright as those it was trained on. Nothing else sees it so.
///
/// A gain on all of red, green and blue, clamped at white, from the mean luma of whom the last matte
/// shows, or of the picture where that shows nobody. It follows slowly, and is exactly 1 where that
/// mean is [`TARGET`] or more: such a picture is fed bit for bit as it is.
#[derive(Debug, Clone)]
pub(crate) struct Exposure {
    gain: f32,
    /// Whether `gain` is of a picture before this one.
    knows: bool,
}

/// Mean luma to be reached, of 1: 70 of 255. 60 to 100 behave alike in the dark; with 80, pictures in good
/// light of a man with dark hair and clothes were touched, for nothing.
const TARGET: f32 = 0.275;
/// What is darker than 7 of 255 is noise.
const MOST: f32 = 12.0;
/// Share of the way that the gain goes with each picture: half of it in a quarter of a second.
const PACE: f32 = 0.1;
/// Mean alpha below which the matte shows nobody.
const NOBODY: f32 = 0.01;

impl Exposure {
    pub(crate) fn new() -> Self {
        Self { gain: 1.0, knows: false }
    }

    /// The next picture has nothing to do with those before.
    pub(crate) fn reset(&mut self) {
        *self = Self::new();
    }

    /// The gain for a picture with this `luma`.
    pub(crate) fn gain(&mut self, luma: &[u8], colour: Colour) -> f32 {
        if !self.knows {
            self.gain = wanted(mean(luma), colour);
            self.knows = true;
        }
        self.gain
    }

    /// Learns from the alpha that came out for the picture with this `luma`.
    pub(crate) fn learn(&mut self, luma: &[u8], colour: Colour, alpha: &[f32]) {
        // Sums side by side: one after the other they cannot be vectorised.
        let (mut sums, mut alphas) = ([0.0f32; 16], [0.0f32; 16]);
        for (luma, alpha) in luma.as_chunks::<16>().0.iter().zip(alpha.as_chunks::<16>().0) {
            for lane in 0..16 {
                sums[lane] += f32::from(luma[lane]) * alpha[lane];
                alphas[lane] += alpha[lane];
            }
        }
        let (sum, someone) = (sums.iter().sum::<f32>(), alphas.iter().sum::<f32>());
        let shows = luma.len() == alpha.len() && someone > NOBODY * alpha.len() as f32;
        let wanted = wanted(if shows { sum / someone } else { mean(luma) }, colour);
        if !wanted.is_finite() {
            return;
        }
        self.gain += PACE * (wanted - self.gain);
        if wanted == 1.0 && self.gain < 1.01 {
            self.gain = 1.0;
        }
    }
}

fn mean(luma: &[u8]) -> f32 {
    let sum: u64 = luma.iter().map(|&y| u64::from(y)).sum();
    sum as f32 / luma.len().max(1) as f32
}

/// The gain for a mean of samples as `colour` encodes them.
fn wanted(mean: f32, colour: Colour) -> f32 {
    let (floor, scale, _) = colour.scales();
    (TARGET / ((mean - floor) / scale).max(1e-3)).clamp(1.0, MOST)
}

#[cfg(test)]
mod tests;
