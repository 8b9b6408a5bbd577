use greenroom_frame::Colour;

/// How much brighter a model sees the picture than it is: in the dark and against the light, the
/// network is shown the person as bright as those it was trained on. Nothing else sees it so.
///
/// A gain on all of red, green and blue, clamped at white. Where the last matte shows someone, it
/// brings their bright parts to [`BRIGHT`]: the 90th percentile of luma, and not the mean, for a
/// sleeve and dark hair are dark in any light. Where it shows nobody, it brings the picture's mean to
/// [`MEAN`]. It follows slowly, and is exactly 1 in good light: such a picture is fed bit for bit as
/// it is.
#[derive(Debug, Clone)]
pub(crate) struct Exposure {
    gain: f32,
    /// What it goes to.
    wanted: f32,
    /// Whether `gain` is of a picture before this one.
    knows: bool,
}

/// What is reached, and what is too dark, of 255: of a person's bright parts, and of a mean. The
/// footage has 145 to 200 and 80 to 110 in good light, 17 to 80 in the shade and 10 to 40 in the dark.
const BRIGHT: [f32; 2] = [150.0, 85.0];
const MEAN: [f32; 2] = [70.0, 45.0];
/// What is darker than this many times less is noise.
const MOST: f32 = 12.0;
/// Share of the way that the gain goes with each picture: half of it in a quarter of a second.
const PACE: f32 = 0.1;
/// Share of the picture from which on somebody is there to be measured.
const SOMEBODY: usize = 20;
/// Of so many samples one is looked at; no divisor of a usual width, so that these are of many columns.
const STEP: usize = 17;

impl Exposure {
    pub(crate) fn new() -> Self {
        Self { gain: 1.0, wanted: 1.0, knows: false }
    }

    /// The next picture has nothing to do with those before.
    pub(crate) fn reset(&mut self) {
        *self = Self::new();
    }

    /// The gain for a picture with this `luma`.
    pub(crate) fn gain(&mut self, luma: &[u8], colour: Colour) -> f32 {
        if !self.knows {
            self.gain = wanted(mean(luma), MEAN, colour);
            self.knows = true;
        }
        self.gain
    }

    /// The gain for the next picture, if there was one before it.
    pub(crate) fn next_gain(&self) -> f32 {
        self.gain
    }

    /// Learns from the alpha that came out for the picture with this `luma`.
    pub(crate) fn learn(&mut self, luma: &[u8], colour: Colour, alpha: &[f32]) {
        let mut histogram = [0u32; 64];
        let mut count = 0;
        if luma.len() == alpha.len() {
            for (&y, &alpha) in luma.iter().zip(alpha).step_by(STEP) {
                // Without a branch: edges are everywhere in some masks.
                let person = u32::from(alpha > 0.5);
                histogram[usize::from(y / 4)] += person;
                count += person;
            }
        }
        self.wanted = if count as usize * SOMEBODY * STEP >= luma.len() && count > 0 {
            wanted(brightest_tenth(&histogram, count), BRIGHT, colour)
        } else {
            wanted(mean(luma), MEAN, colour)
        };
        self.learn_again();
    }

    /// Learns from another picture, which has the answer of an earlier one.
    pub(crate) fn learn_again(&mut self) {
        self.gain += PACE * (self.wanted - self.gain);
        if self.wanted == 1.0 && self.gain < 1.01 {
            self.gain = 1.0;
        }
    }
}

/// The level that a tenth of the samples are above.
fn brightest_tenth(histogram: &[u32; 64], count: u32) -> f32 {
    let mut above = 0;
    let bin = histogram.iter().rposition(|samples| {
        above += samples;
        above * 10 > count
    });
    bin.unwrap_or_default() as f32 * 4.0 + 2.0
}

fn mean(luma: &[u8]) -> f32 {
    let sum: u64 = luma.iter().map(|&y| u64::from(y)).sum();
    sum as f32 / luma.len().max(1) as f32
}

/// The gain that brings a `level`, as `colour` encodes it, to the first of `levels`; less and less of
/// it where the level comes near the second, and 1 beyond.
fn wanted(level: f32, [reached, dark]: [f32; 2], colour: Colour) -> f32 {
    let (floor, scale, _) = colour.scales();
    let level = ((level - floor) / scale * 255.0).max(1.0);
    (reached / level).min((dark / level).powi(3)).clamp(1.0, MOST)
}

#[cfg(test)]
mod tests;
