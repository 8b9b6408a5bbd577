use std::time::{Duration, Instant};

/// When a frame is shown: what everything that moves by itself goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Since the scene's first frame, by the camera's clock; never goes back.
    pub time: Duration,
    /// Number of the frame in the scene, from 0.
    pub frame: u64,
    /// What chance is made of: the same seed, frames and times give the same pictures.
    pub seed: u64,
}

impl Moment {
    /// Numbers that look random, the same for the same seed, frame and `salt` (SplitMix64 by
    /// Steele, Lea and Flood 2014, which passes BigCrush).
    pub fn random(&self, salt: u64) -> Random {
        let mut random = Random(self.seed ^ salt.rotate_left(32));
        random.0 ^= random.next().wrapping_add(self.frame);
        random
    }
}

/// See [`Moment::random`].
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Numbers from a seed alone.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// Evenly spread in 0.0..1.0.
    pub fn unit(&mut self) -> f32 {
        // 24 bits: what an f32 holds exactly.
        (self.next() >> 40) as f32 / (1u64 << 24) as f32
    }
}

/// Makes moments of frames.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    seed: u64,
    first: Option<Instant>,
    last: Duration,
    frames: u64,
}

impl Clock {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, first: None, last: Duration::ZERO, frames: 0 }
    }

    /// The moment of the next frame.
    pub(crate) fn tick(&mut self, captured_at: Instant) -> Moment {
        let first = *self.first.get_or_insert(captured_at);
        self.last = self.last.max(captured_at.saturating_duration_since(first));
        self.frames += 1;
        Moment { time: self.last, frame: self.frames - 1, seed: self.seed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_count_up_and_time_never_goes_back() {
        let (mut clock, start) = (Clock::new(7), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        let moments = [0, 40, 30, 80].map(|ms| clock.tick(at(ms)));
        assert_eq!(moments.map(|m| m.time.as_millis()), [0, 40, 40, 80]);
        assert_eq!(moments.map(|m| m.frame), [0, 1, 2, 3]);
    }

    #[test]
    fn chance_is_the_seeds() {
        let moment = |seed, frame| Moment { time: Duration::ZERO, frame, seed };
        let draw = |seed, frame, salt| moment(seed, frame).random(salt).next();
        assert_eq!(draw(1, 2, 3), draw(1, 2, 3));
        let others = [draw(2, 2, 3), draw(1, 3, 3), draw(1, 2, 4), draw(1, 2, 3)];
        for (index, one) in others.iter().enumerate() {
            assert!(!others[..index].contains(one));
        }
        let mut random = Random::new(5);
        let mean: f32 = (0..10_000).map(|_| random.unit()).sum::<f32>() / 10_000.0;
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
    }
}
