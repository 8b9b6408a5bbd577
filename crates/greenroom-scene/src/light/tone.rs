use std::time::Duration;

use greenroom_frame::Colour;

use crate::Moment;

/// How the person's samples are changed, everywhere alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tone {
    /// Of luma above black.
    pub(super) gain: f32,
    /// Added to U and V.
    pub(super) chroma: [f32; 2],
}

impl Tone {
    const NONE: Self = Self { gain: 1.0, chroma: [0.0; 2] };
}

/// Finds how the person would be lit where the background is, and changes it slowly.
///
/// Luma: the person's mean goes towards the background's, by a power of their ratio. Chroma: what
/// differs between the light of the old room and that of the new is taken to be the difference of
/// their mean colours; the person's own colour does not count, since skin is no light. All within
/// bounds in which a face stays a face.
#[derive(Debug)]
pub(super) struct ToneKeeper {
    strength: f32,
    now: Option<(Tone, Duration)>,
    target: Tone,
}

/// Of the ratio of means.
const POWER: f32 = 0.35;
/// Most that luma is changed by.
const MOST_GAIN: f32 = 0.15;
/// Share of the difference in chroma, and the most codes that come of it.
const CHROMA: (f32, f32) = (0.25, 4.0);
/// The brightest part of the person does not get brighter than this share of white.
const HEADROOM: f32 = 0.92;
/// Time in which two thirds of a change are made: slower than anyone moves.
const SLOWNESS: Duration = Duration::from_millis(1500);
/// Means are found for one frame in so many.
const EVERY: u64 = 4;
/// Cells that are for sure person, or room: alpha from here on, or from 255 less this down.
const SURE: u8 = 230;
/// Share of sure cells from which on a mean is worth something.
const ENOUGH: f32 = 0.02;

impl ToneKeeper {
    pub(super) fn new(strength: f32) -> Self {
        Self { strength, now: None, target: Tone::NONE }
    }

    /// Whether the means are to be found for this frame.
    pub(super) fn is_due(&self, moment: &Moment) -> bool {
        self.strength > 0.0 && (self.now.is_none() || moment.frame.is_multiple_of(EVERY))
    }

    /// The tone of this frame, from small planes: the background's Y, U and V, alpha, the camera's Y,
    /// U and V.
    pub(super) fn tone(&mut self, planes: [&[u8]; 7], colour: Colour, moment: &Moment) -> Tone {
        if self.strength == 0.0 {
            return Tone::NONE;
        }
        if self.is_due(moment)
            && let Some(target) = target(planes, colour)
        {
            self.target = target;
        }
        let Some((now, then)) = &mut self.now else {
            self.now = Some((self.target, moment.time));
            return self.weakened();
        };
        let passed = moment.time.saturating_sub(*then);
        *then = moment.time;
        let share = 1.0 - (-passed.as_secs_f32() / SLOWNESS.as_secs_f32()).exp();
        now.gain += (self.target.gain - now.gain) * share;
        for (now, target) in now.chroma.iter_mut().zip(self.target.chroma) {
            *now += (target - *now) * share;
        }
        self.weakened()
    }

    fn weakened(&self) -> Tone {
        let (now, _) = self.now.unwrap_or((Tone::NONE, Duration::ZERO));
        Tone {
            gain: 1.0 + (now.gain - 1.0) * self.strength,
            chroma: now.chroma.map(|code| code * self.strength),
        }
    }
}

/// What the person's tone should come to; `None` without a person.
fn target(planes: [&[u8]; 7], colour: Colour) -> Option<Tone> {
    let [behind_y, behind_u, behind_v, alpha, y, u, v] = planes;
    let (floor, span, _) = colour.scales();
    let luma = |mean: f32| ((mean - floor) / span).clamp(0.05, 1.0);
    let whole = |plane: &[u8]| mean(plane, |_| true, alpha).0;
    let (person, share) = mean(y, |alpha| alpha >= SURE, alpha);
    if share < ENOUGH {
        return None;
    }
    let brightest = y.iter().zip(alpha).filter(|(_, alpha)| **alpha >= SURE);
    let brightest = brightest.map(|(y, _)| *y).max().unwrap_or(0);
    let room = HEADROOM / luma(f32::from(brightest));
    let gain = (luma(whole(behind_y)) / luma(person)).powf(POWER);
    // Never darker for want of room to be brighter.
    let gain = gain.clamp(1.0 - MOST_GAIN, (1.0 + MOST_GAIN).min(room.max(1.0)));
    let chroma = [(behind_u, u), (behind_v, v)].map(|(behind, camera)| {
        let (room, share) = mean(camera, |alpha| alpha <= 255 - SURE, alpha);
        let (weight, most) = CHROMA;
        // With hardly any room in sight its light is not known.
        let known = (share / (5.0 * ENOUGH)).min(1.0);
        known * (weight * (whole(behind) - room)).clamp(-most, most)
    });
    Some(Tone { gain, chroma })
}

/// The mean of the cells whose alpha is wanted, and how many they are of all.
fn mean(plane: &[u8], is_wanted: impl Fn(u8) -> bool, alpha: &[u8]) -> (f32, f32) {
    let (mut sum, mut count) = (0, 0);
    for (&sample, &alpha) in plane.iter().zip(alpha) {
        let wanted = u32::from(is_wanted(alpha));
        sum += wanted * u32::from(sample);
        count += wanted;
    }
    (sum as f32 / count.max(1) as f32, count as f32 / plane.len().max(1) as f32)
}
