use crate::kernels::boxes::mean_of_steps;
use crate::{Isa, SizePx};

/// Values of a pixel.
const CHANNELS: usize = 4;

/// Blurs small pictures of four floats a pixel, none of them below zero: boxes of `2 * radius + 1`
/// pixels, `passes` times along rows and along columns. What lies outside of the picture is zero. No
/// memory is asked for once it is made.
#[derive(Debug)]
pub struct BoxBlur {
    isa: Isa,
    width: usize,
    radius: usize,
    passes: usize,
    /// A row before and after a pass, with `radius` pixels of zeros at both ends.
    rows: [Vec<f32>; 2],
    /// The picture before and after a pass, with `radius` rows of zeros at both ends.
    pictures: [Vec<f32>; 2],
}

impl BoxBlur {
    /// For pictures of `size`.
    pub fn new(size: SizePx, radius: usize, passes: usize) -> Self {
        let [width, height] = [size.width_px, size.height_px].map(|side| side as usize);
        let zeros = |pixels: usize| vec![0.0; CHANNELS * pixels];
        let (row, picture) = (width + 2 * radius, width * (height + 2 * radius));
        Self {
            isa: Isa::best(),
            width,
            radius,
            passes,
            rows: [zeros(row), zeros(row)],
            pictures: [zeros(picture), zeros(picture)],
        }
    }

    /// Blurs a picture in place.
    ///
    /// # Panics
    /// If it is of another size: that is the caller's mistake.
    pub fn blur(&mut self, picture: &mut [[f32; CHANNELS]]) {
        let (isa, count) = (self.isa, 2 * self.radius + 1);
        let (end, stride) = (CHANNELS * self.radius, CHANNELS * self.width);
        let picture = picture.as_flattened_mut();
        assert_eq!(picture.len(), self.pictures[0].len() - 2 * self.radius * stride);
        let above = self.radius * stride;
        let inner = self.pictures[0][above..].chunks_exact_mut(stride);
        for (row, out) in picture.chunks_exact(stride).zip(inner) {
            let [mut from, mut into] = self.rows.each_mut();
            from[end..end + stride].copy_from_slice(row);
            for pass in 0..self.passes {
                let out =
                    if pass + 1 == self.passes { &mut *out } else { &mut into[end..][..stride] };
                mean_of_steps(isa, out, from, CHANNELS, count);
                std::mem::swap(&mut from, &mut into);
            }
        }
        let [mut from, mut into] = self.pictures.each_mut();
        for pass in 0..self.passes {
            let is_last = pass + 1 == self.passes;
            for (y, out) in picture.chunks_exact_mut(stride).enumerate() {
                let out = if is_last { out } else { &mut into[above + y * stride..][..stride] };
                mean_of_steps(isa, out, &from[y * stride..][..count * stride], stride, count);
            }
            std::mem::swap(&mut from, &mut into);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_mean_in_which_nothing_lies_outside() {
        for (size, radius) in
            [(SizePx::new(11, 7), 2), (SizePx::new(1, 5), 3), (SizePx::new(2, 1), 1)]
        {
            let [width, height] = [size.width_px as i32, size.height_px as i32];
            let picture: Vec<[f32; 4]> = (0..size.area_px())
                .map(|at| [0, 1, 2, 3].map(|channel| ((at * 31 + channel * 7) % 50) as f32))
                .collect();
            let mut blurred = picture.clone();
            let mut blur = BoxBlur::new(size, radius, 1);
            // What was there before leaves nothing behind.
            blur.blur(&mut vec![[9.0; 4]; picture.len()]);
            blur.blur(&mut blurred);
            let (radius, side) = (radius as i32, 2.0 * radius as f32 + 1.0);
            for (at, seen) in blurred.iter().enumerate() {
                let (x, y) = (at as i32 % width, at as i32 / width);
                for (channel, seen) in seen.iter().enumerate() {
                    let near = (-radius..=radius)
                        .flat_map(|dy| (-radius..=radius).map(move |dx| (dx, dy)));
                    let sum: f32 = near
                        .map(|(dx, dy)| (x + dx, y + dy))
                        .filter(|(x, y)| (0..width).contains(x) && (0..height).contains(y))
                        .map(|(x, y)| picture[(y * width + x) as usize][channel])
                        .sum();
                    assert!((seen - sum / side / side).abs() < 1e-3, "{size} {at}: {seen} {sum}");
                }
            }
        }
    }

    #[test]
    fn passes_come_one_after_the_other() {
        let size = SizePx::new(9, 6);
        let picture: Vec<[f32; 4]> = (0..54).map(|at| [(at * 17 % 23) as f32; 4]).collect();
        let run = |passes: usize, times: usize| {
            let mut picture = picture.clone();
            let mut blur = BoxBlur::new(size, 1, passes);
            (0..times).for_each(|_| blur.blur(&mut picture));
            picture
        };
        let both = run(3, 1).into_iter().zip(run(1, 3));
        assert!(both.flat_map(|(a, b)| [(a[0] - b[0]).abs()]).all(|off| off < 1e-3));
    }
}
