use std::time::Duration;

use super::find::Found;

/// A part of the picture with its shape: middle and size, in shares of the picture's sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Crop {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) size: f64,
}

impl Crop {
    pub(super) const WHOLE: Self = Self { x: 0.5, y: 0.5, size: 1.0 };

    /// The same, moved so that it lies within the picture.
    pub(super) fn inside(self) -> Self {
        let size = self.size.clamp(SMALLEST, 1.0);
        let within = |middle: f64| middle.clamp(size / 2.0, 1.0 - size / 2.0);
        Self { x: within(self.x), y: within(self.y), size }
    }

    fn map(self, other: Self, with: impl Fn(f64, f64) -> f64) -> Self {
        Self {
            x: with(self.x, other.x),
            y: with(self.y, other.y),
            size: with(self.size, other.size),
        }
    }

    fn length(self) -> f64 {
        self.x.hypot(self.y).hypot(self.size)
    }

    /// Scaled down to a length of at most `most`.
    fn at_most(self, most: f64) -> Self {
        let scale = (most / self.length().max(1e-12)).min(1.0);
        self.map(self, |part, _| part * scale)
    }
}

/// Goes after the person as a calm camera operator does: not at all while the person stays about
/// where it was, then softly to the new place.
#[derive(Debug, Clone)]
pub(super) struct Follower {
    tightness: f64,
    at: Crop,
    /// A second.
    velocity: Crop,
    goal: Crop,
    /// Where the crop should be by what was seen of late, without its noise.
    wanted: Option<Crop>,
    /// Whether the goal moves with what is wanted, or stays where it is.
    moving: bool,
    last: Option<Duration>,
    last_seen: Duration,
}

/// At most three times as large: a 720p camera's 240 rows are then 720.
const SMALLEST: f64 = 1.0 / 3.0;
/// Share of what the person leaves free of the height that is above the head.
const HEADROOM: f64 = 0.35;
/// The person may move so far before the crop does: shares of the crop's size, and of its size
/// itself.
const FREE_X: f64 = 0.07;
const FREE_Y: f64 = 0.06;
const FREE_SIZE: f64 = 0.14;
/// Time constant of the mean over what is seen.
const NOISE_SECONDS: f64 = 0.25;
/// Pull of the critically damped spring, a second: nine tenths of the way take 1.8 s.
const PULL: f64 = 2.2;
/// Fastest motion and its fastest change, in pictures a second and a second squared.
const SPEED: f64 = 0.35;
const ACCELERATION: f64 = 1.2;
/// The same when nobody is there any more.
const SPEED_HOME: f64 = 0.15;
/// For so long nobody is waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// Longest step of the spring's sum, far below what makes it unstable or uneven.
const STEP_SECONDS: f64 = 1.0 / 240.0;

impl Follower {
    pub(super) fn new(tightness: f64) -> Self {
        let still = Crop { x: 0.0, y: 0.0, size: 0.0 };
        Self {
            tightness,
            at: Crop::WHOLE,
            velocity: still,
            goal: Crop::WHOLE,
            wanted: None,
            moving: false,
            last: None,
            last_seen: Duration::ZERO,
        }
    }

    /// The crop at `time`, when `found` is what the matte shows.
    pub(super) fn follow(&mut self, found: Option<Found>, time: Duration) -> Crop {
        // After a gap, at most a second's motion: nothing jumps.
        let past = self.last.map_or(0.0, |last| time.saturating_sub(last).as_secs_f64().min(1.0));
        self.last = Some(time);
        let mut speed = SPEED;
        match found {
            Some(found) => {
                self.last_seen = time;
                self.look(self.crop_for(found), past);
            }
            None if time.saturating_sub(self.last_seen) >= PATIENCE => {
                (self.goal, self.wanted, self.moving) = (Crop::WHOLE, None, false);
                speed = SPEED_HOME;
            }
            None => {}
        }
        self.spring(past, speed);
        self.at.inside()
    }

    fn crop_for(&self, found: Found) -> Crop {
        let size = (found.height / self.tightness).clamp(SMALLEST, 1.0);
        let above = HEADROOM * (1.0 - self.tightness) * size;
        Crop { x: found.centre_x, y: found.top_y - above + size / 2.0, size }.inside()
    }

    /// Takes in where the crop should be, and decides whether the goal moves.
    fn look(&mut self, seen: Crop, past: f64) {
        let share = 1.0 - (-past / NOISE_SECONDS).exp();
        // Who comes in is gone to at once.
        self.moving |= self.wanted.is_none();
        let before = self.wanted.unwrap_or(seen);
        let wanted = before.map(seen, |before, seen| before + (seen - before) * share);
        self.wanted = Some(wanted);
        let away = wanted.map(self.goal, |wanted, goal| (wanted - goal).abs());
        let size = self.goal.size;
        self.moving |=
            away.x > FREE_X * size || away.y > FREE_Y * size || away.size > FREE_SIZE * size;
        if self.moving {
            self.goal = wanted;
            let left = self.goal.map(self.at, |goal, at| goal - at).length();
            // Nearly there and slow: what is left is gone to, and then nothing moves.
            self.moving = left > 0.015 || self.velocity.length() > 0.02;
        }
    }

    fn spring(&mut self, past: f64, speed: f64) {
        let steps = (past / STEP_SECONDS).ceil();
        let step = if steps > 0.0 { past / steps } else { 0.0 };
        for _ in 0..steps as u32 {
            let pull = self.goal.map(self.at, |goal, at| PULL * PULL * (goal - at));
            let force = pull.map(self.velocity, |pull, velocity| pull - 2.0 * PULL * velocity);
            let force = force.at_most(ACCELERATION);
            self.velocity = self.velocity.map(force, |velocity, force| velocity + force * step);
            // Slower by the same bound, where the bound itself has become lower.
            let most = speed.max(self.velocity.length() - 2.0 * ACCELERATION * step);
            self.velocity = self.velocity.at_most(most);
            self.at = self.at.map(self.velocity, |at, velocity| at + velocity * step);
        }
        // A tenth of a pixel away and all but still: there.
        let left = self.goal.map(self.at, |goal, at| goal - at).length();
        if left < 1e-4 && self.velocity.length() < 3e-4 {
            self.at = self.goal;
            self.velocity = Crop { x: 0.0, y: 0.0, size: 0.0 };
        }
    }
}
