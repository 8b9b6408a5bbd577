use greenroom_frame::FrameView;

use super::KeyColour;
use super::colour::{Hue, MIN_SATURATION};

/// Finds which colour the screen has in a picture.
#[derive(Debug)]
pub(super) struct Finder {
    /// How often each chroma occurs, in bins of 4 codes, U across and V down.
    bins: Vec<u32>,
}

const SIDE: usize = 64;
/// Every so many samples of chroma one is looked at, across and down.
const STEP: usize = 4;
/// Levels of the network's mask below which a sample is of the room.
const ROOM: u8 = 64;
/// Cosine of the angle that a named screen's hue may differ by: 30 degrees. White balance and light shift it.
const NAMED: f32 = 0.866;
/// The same of the samples of one screen from each other: 20 degrees.
const ALIKE: f32 = 0.94;
/// Share of its mean saturation that a sample of the screen has at least.
const LEAST_SATURATION: f32 = 0.4;
/// Share of the picture that has the screen's colour: of a named screen, and of one that is looked for.
const LEAST_NAMED: f32 = 0.03;
const LEAST_FOUND: f32 = 0.1;
/// Hue of skin and wood in U and V (123 degrees), whatever the light. Walls of it are no screens for `auto`.
const SKIN: Hue = Hue { u: -0.545, v: 0.839 };
/// Cosine of 25 degrees.
const NEAR_SKIN: f32 = 0.906;

impl Finder {
    pub(super) fn new() -> Self {
        Self { bins: vec![0; SIDE * SIDE] }
    }

    /// The mean chroma of the screen in `frame`, of which `network` is the mask at the size of its chroma; `None` if
    /// there is no such screen.
    pub(super) fn find(
        &mut self,
        key: KeyColour,
        frame: &FrameView<'_>,
        network: &[u8],
    ) -> Option<Hue> {
        let named = match key {
            KeyColour::Auto => None,
            KeyColour::Colour(rgb) => Some(Hue::of(rgb, frame.colour())),
        };
        let (guess, cosine, least) = match named {
            Some(hue) => (hue, NAMED, LEAST_NAMED),
            None => (self.most_frequent(frame, network)?, ALIKE, LEAST_FOUND),
        };
        let least_saturation =
            (LEAST_SATURATION * guess.saturation()).clamp(MIN_SATURATION / 2.0, 30.0);
        let (mut count, mut found, mut sum) = (0, 0, Hue { u: 0.0, v: 0.0 });
        for (hue, level) in samples(frame, network) {
            count += 1;
            if level < ROOM && hue.saturation() >= least_saturation && guess.is_near(hue, cosine) {
                found += 1;
                sum = Hue { u: sum.u + hue.u, v: sum.v + hue.v };
            }
        }
        let share = 1.0 / (found.max(1) as f32);
        let mean = Hue { u: sum.u * share, v: sum.v * share };
        let is_there = found as f32 >= least * count as f32 && mean.saturation() >= MIN_SATURATION;
        is_there.then_some(mean)
    }

    /// The saturated chroma that most of the room has.
    fn most_frequent(&mut self, frame: &FrameView<'_>, network: &[u8]) -> Option<Hue> {
        self.bins.fill(0);
        for (hue, level) in samples(frame, network) {
            if level < ROOM && hue.saturation() >= MIN_SATURATION && !SKIN.is_near(hue, NEAR_SKIN) {
                let bin = |code: f32| ((code + 128.0) as usize / 4).min(SIDE - 1);
                self.bins[bin(hue.v) * SIDE + bin(hue.u)] += 1;
            }
        }
        let around = |at: usize| -> u32 {
            let rows = [at - SIDE, at, at + SIDE];
            rows.map(|row| self.bins[row - 1..=row + 1].iter().sum::<u32>()).iter().sum()
        };
        let inner = (1..SIDE - 1).flat_map(|v| (1..SIDE - 1).map(move |u| v * SIDE + u));
        let most = inner.max_by_key(|&at| around(at)).filter(|&at| around(at) > 0)?;
        let code = |bin: usize| bin as f32 * 4.0 + 2.0 - 128.0;
        Some(Hue { u: code(most % SIDE), v: code(most / SIDE) })
    }
}

/// Chroma of some samples of `frame`, and the level of the mask there.
fn samples<'a>(
    frame: &FrameView<'a>,
    network: &'a [u8],
) -> impl Iterator<Item = (Hue, u8)> + use<'a> {
    let (u, v) = (frame.plane(1), frame.plane(2));
    let width = u.row_bytes();
    (0..u.rows()).step_by(STEP).flat_map(move |y| {
        let levels = &network[y * width..][..width];
        let three = u.row(y).iter().zip(v.row(y)).zip(levels).step_by(STEP);
        three.map(|((&u, &v), &level)| (Hue::of_codes(u, v), level))
    })
}
