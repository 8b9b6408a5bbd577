use std::ops::Range;

use greenroom_frame::{Frame, FrameView, Plane, PlaneMut, PlaneScaler, SizePx};

use crate::MatteError;

/// The mean of the last frames where they are still, smaller than they are.
#[derive(Debug)]
pub(super) struct CalmPicture {
    /// Of the frames.
    size: SizePx,
    planes: Vec<CalmPlane>,
    /// The newest frame, made small; what is seen in its place.
    new: Frame,
    seen: Frame,
    /// For each block of the picture: frames that its mean is of; 0 for none.
    ages: Vec<u8>,
    blocks_across: usize,
}

/// One plane of it.
#[derive(Debug)]
struct CalmPlane {
    scaler: PlaneScaler,
    /// In fractions of a level.
    mean: Vec<u16>,
    width: usize,
    /// Samples of a block, across and down.
    block: [usize; 2],
}

/// Samples of luma along a block's side.
const BLOCK: usize = 8;
/// A mean is of so many frames at most; from then on the older ones fade.
const MOST_FRAMES: u8 = 8;
/// A mean's fractions of a level.
const FRACTION_BITS: u32 = 7;
/// Mean amount of normal noise, and that amount's own deviation, of the noise's standard deviation.
const AMOUNT: [f32; 2] = [0.798, 0.603];
/// By so many standard deviations of what is measured in a block of noise a block may differ before it has changed.
const DEVIATIONS: f32 = 4.0;

/// What differs between a block of a frame and its mean.
#[derive(Debug, Clone, Copy, Default)]
struct Difference {
    samples: usize,
    /// Both in fractions of a level.
    sum: i32,
    sum_of_amounts: u32,
}

impl CalmPicture {
    /// For frames like `frame`, each `reduction` samples wide square becomes one sample.
    ///
    /// # Errors
    /// [`MatteError::Frame`] if that leaves no usable picture size.
    pub(super) fn new(frame: &FrameView<'_>, reduction: u32) -> Result<Self, MatteError> {
        let (format, size) = (frame.format(), frame.size());
        let reduce = |side_px: u32| side_px.div_ceil(reduction);
        let small = SizePx::new(reduce(size.width_px), reduce(size.height_px));
        let new = Frame::new(format, small, frame.colour())?;
        let planes = (0..format.plane_count())
            .map(|plane| CalmPlane::new(frame.plane(plane), new.view().plane(plane), small));
        let planes = planes.collect::<Result<_, _>>()?;
        let blocks_across = (small.width_px as usize).div_ceil(BLOCK);
        let blocks = blocks_across * (small.height_px as usize).div_ceil(BLOCK);
        let (seen, ages) = (new.clone(), vec![0; blocks]);
        Ok(Self { size, planes, new, seen, ages, blocks_across })
    }

    pub(super) fn is_for(&self, frame: &FrameView<'_>) -> bool {
        (self.size, self.new.view().format()) == (frame.size(), frame.format())
    }

    /// The next frame has nothing to do with those before.
    pub(super) fn forget(&mut self) {
        self.ages.fill(0);
    }

    /// In place of the frame that was added last.
    pub(super) fn view(&self) -> FrameView<'_> {
        self.seen.view()
    }

    /// Adds a frame whose noise, made small, has this standard deviation.
    pub(super) fn add(&mut self, frame: &FrameView<'_>, noise: f32) {
        let (mut new, mut seen) = (self.new.view_mut(), self.seen.view_mut());
        for (index, plane) in self.planes.iter_mut().enumerate() {
            plane.scaler.scale(frame.plane(index), &mut new.plane_mut(index));
        }
        let new = self.new.view();
        for (index, age) in self.ages.iter_mut().enumerate() {
            let place = [index % self.blocks_across, index / self.blocks_across];
            let noise = noise * (1.0 + 1.0 / f32::from(*age)).sqrt();
            let has_changed = |(number, plane): (usize, &CalmPlane)| {
                plane.difference(place, new.plane(number)).is_more_than(noise)
            };
            let is_new = *age == 0 || self.planes.iter().enumerate().any(has_changed);
            *age = if is_new { 1 } else { (*age + 1).min(MOST_FRAMES) };
            for (number, plane) in self.planes.iter_mut().enumerate() {
                plane.add(place, *age, new.plane(number), &mut seen.plane_mut(number));
            }
        }
        self.seen.set_colour(frame.colour());
        self.seen.set_captured_at(frame.captured_at());
    }
}

impl CalmPlane {
    /// Of planes like `from`, made as small as `to`, which is one of a picture of the size `small`.
    fn new(from: Plane<'_>, to: Plane<'_>, small: SizePx) -> Result<Self, MatteError> {
        let size = |plane: Plane<'_>| SizePx::new(plane.row_bytes() as u32, plane.rows() as u32);
        let (from, to) = (size(from), size(to));
        // Chroma has half of luma's samples, and one where luma has one.
        let share = |luma_px: u32, px: u32| BLOCK / luma_px.div_ceil(px).min(2) as usize;
        Ok(Self {
            scaler: PlaneScaler::of_means(from, to)?,
            mean: vec![0; to.area_px() as usize],
            width: to.width_px as usize,
            block: [share(small.width_px, to.width_px), share(small.height_px, to.height_px)],
        })
    }

    /// The columns and rows of the block at a place.
    fn part(&self, [column, row]: [usize; 2]) -> [Range<usize>; 2] {
        let ([across, down], height) = (self.block, self.mean.len() / self.width);
        let side = |at: usize, block: usize, most: usize| {
            (at * block).min(most)..((at + 1) * block).min(most)
        };
        [side(column, across, self.width), side(row, down, height)]
    }

    fn difference(&self, place: [usize; 2], new: Plane<'_>) -> Difference {
        let [columns, rows] = self.part(place);
        let samples = columns.len() * rows.len();
        let mut found = Difference { samples, ..Difference::default() };
        for y in rows {
            let means = &self.mean[y * self.width..][columns.clone()];
            for (&new, &mean) in new.row(y)[columns.clone()].iter().zip(means) {
                let difference = (i32::from(new) << FRACTION_BITS) - i32::from(mean);
                found.sum += difference;
                found.sum_of_amounts += difference.unsigned_abs();
            }
        }
        found
    }

    /// Makes the block part of a mean of `age` frames, and shows that.
    fn add(&mut self, place: [usize; 2], age: u8, new: Plane<'_>, seen: &mut PlaneMut<'_>) {
        let [columns, rows] = self.part(place);
        let share = (1 << 16) / i32::from(age);
        for y in rows {
            let means = &mut self.mean[y * self.width..][columns.clone()];
            let seen = &mut seen.row_mut(y)[columns.clone()];
            for ((&new, mean), seen) in new.row(y)[columns.clone()].iter().zip(means).zip(seen) {
                let new = i32::from(new) << FRACTION_BITS;
                *mean = (i32::from(*mean) + (((new - i32::from(*mean)) * share) >> 16)) as u16;
                *seen = ((*mean + (1 << FRACTION_BITS >> 1)) >> FRACTION_BITS) as u8;
            }
        }
    }
}

impl Difference {
    /// Whether it is more than noise of this standard deviation makes of it.
    fn is_more_than(self, noise: f32) -> bool {
        let samples = self.samples.max(1) as f32;
        let fractions = samples * (1 << FRACTION_BITS) as f32;
        let most = DEVIATIONS * noise / samples.sqrt();
        let [amount, deviation] = AMOUNT;
        self.sum.unsigned_abs() as f32 / fractions > most
            || self.sum_of_amounts as f32 / fractions > amount * noise + deviation * most
    }
}
