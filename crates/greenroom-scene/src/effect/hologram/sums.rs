use std::ops::Range;

use greenroom_frame::Colour;

/// What depends on the colour encoding alone. `fixed` weights are Q16.
pub(super) struct Scale {
    floor: u8,
    span: u16,
    kg: u16,
    kb: u16,
    /// Luma of a unit of `q`: green `q` and blue `-q / 2`.
    luma_of_q: u16,
    /// What half a code of U or V does to green and blue, Q14 of a luma code.
    green: [i16; 2],
    blue: i16,
    /// Chroma codes of a luma code of `B - Y` and of `R - Y`.
    chroma: [f32; 2],
}

impl Scale {
    pub(super) fn new(colour: Colour) -> Self {
        let (kr, kb) = colour.kr_kb();
        let kg = 1.0 - kr - kb;
        let (floor, luma, chroma) = colour.scales();
        let fixed = |share: f32| (share * 65536.0).round() as u16;
        let half = |weight: f32| (0.5 * weight * luma / chroma * 16384.0).round() as i16;
        let (u_of_b, v_of_r) = (2.0 * (1.0 - kb), 2.0 * (1.0 - kr));
        Self {
            floor: floor as u8,
            span: luma as u16,
            kg: fixed(kg),
            kb: fixed(kb),
            luma_of_q: fixed(kg - kb / 2.0),
            green: [half(-kb * u_of_b / kg), half(-kr * v_of_r / kg)],
            blue: half(u_of_b),
            chroma: [u_of_b, v_of_r].map(|whole| chroma / luma / whole),
        }
    }

    /// A sample as luma from 0 (black) to the span (white).
    #[inline(always)]
    fn light(&self, sample: u8) -> u16 {
        u16::from(sample.saturating_sub(self.floor)).min(self.span)
    }
}

/// `a * b`, b Q16: one instruction for eight pixels in every x86-64.
#[inline(always)]
fn times(a: u16, b: u16) -> u16 {
    ((u32::from(a) * u32::from(b)) >> 16) as u16
}

/// Adds one ghost of `luma` to the sums: to `q` its grey times `weight`, Q7; to `k` the weight, as
/// Q7 of white. All three are of one length.
pub(super) fn add_ghost(scale: &Scale, q: &mut [u16], k: &mut [u16], luma: &[u8], weight: f32) {
    // At most 0.36.
    let fixed = (weight * 65536.0).round() as u16;
    let white = times(scale.span << 7, fixed);
    for ((q, k), &luma) in q.iter_mut().zip(k).zip(luma) {
        *q += times(scale.light(luma) << 7, fixed);
        *k += white;
    }
}

/// Sums for each pixel of a row. All are longer than the row, by less than a [`Block`].
#[derive(Default)]
pub(super) struct RowSums {
    /// Weighted grey, Q7: at most 0.6 * 255 * 128.
    pub(super) q: Vec<u16>,
    /// Weights as shares of white, Q7.
    pub(super) k: Vec<u16>,
    /// What half the chroma does to green and blue, Q6.
    green: Vec<i16>,
    blue: Vec<i16>,
    /// What the hologram adds to luma and to blue, less what was too much, Q6.
    added_luma: Vec<i16>,
    added_blue: Vec<i16>,
}

/// So many pixels are worked on at once, in arrays, which the compiler makes two registers of each;
/// rows of so many kinds it would not take apart by itself (that took four times as long).
const BLOCK: usize = 16;
type Block<T> = [T; BLOCK];

impl RowSums {
    pub(super) fn resize(&mut self, width: usize) {
        let width = width.next_multiple_of(BLOCK);
        let Self { q, k, green, blue, added_luma, added_blue } = self;
        [q, k].into_iter().for_each(|row| row.resize(width, 0));
        [green, blue, added_luma, added_blue].into_iter().for_each(|row| row.resize(width, 0));
    }

    /// Takes a row of chroma for the rows of luma that share it.
    pub(super) fn set_chroma(&mut self, scale: &Scale, u: &[u8], v: &[u8]) {
        let (green, _) = self.green.as_chunks_mut::<2>();
        for (green, (&u, &v)) in green.iter_mut().zip(u.iter().zip(v)) {
            *green = [times_signed(u, scale.green[0]) + times_signed(v, scale.green[1]); 2];
        }
        let (blue, _) = self.blue.as_chunks_mut::<2>();
        for (blue, &u) in blue.iter_mut().zip(u) {
            *blue = [times_signed(u, scale.blue); 2];
        }
    }

    /// Makes `columns` of a row of luma, and some round about, of themselves and the sums.
    pub(super) fn finish_luma(&mut self, scale: &Scale, columns: Range<usize>, row: &mut [u8]) {
        let first = columns.start / BLOCK;
        let Self { q, k, green, blue, added_luma, added_blue } = self;
        let sums = (q.as_chunks().0[first..].iter().zip(&k.as_chunks().0[first..]))
            .zip(green.as_chunks().0[first..].iter().zip(&blue.as_chunks().0[first..]));
        let added = added_luma.as_chunks_mut().0[first..]
            .iter_mut()
            .zip(&mut added_blue.as_chunks_mut().0[first..]);
        let pieces = row[first * BLOCK..columns.end].chunks_mut(BLOCK);
        for ((piece, ((q, k), (green, blue))), added) in pieces.zip(sums).zip(added) {
            let mut samples: Block<u8> = [0; BLOCK];
            samples[..piece.len()].copy_from_slice(piece);
            let (samples, luma, blue) = finish_block(scale, samples, [*q, *k], [*green, *blue]);
            piece.copy_from_slice(&samples[..piece.len()]);
            (*added.0, *added.1) = (luma, blue);
        }
    }
}

/// `code - 128` times `weight`, Q14 to Q6.
#[inline(always)]
fn times_signed(code: u8, weight: i16) -> i16 {
    let code = (i16::from(code) - 128) << 8;
    ((i32::from(code) * i32::from(weight)) >> 16) as i16
}

/// The samples of a block, and what was added to their luma and blue. All but the samples is Q6,
/// and within i16: white is 16320 at the most, the sums 1.1 of it. One loop a step, from arrays into
/// arrays, which is what the compiler sees through.
#[inline(always)]
fn finish_block(
    scale: &Scale,
    samples: Block<u8>,
    [q, k]: [Block<u16>; 2],
    [green, blue]: [Block<i16>; 2],
) -> (Block<u8>, Block<i16>, Block<i16>) {
    let Scale { floor, span, kg, kb, luma_of_q, .. } = *scale;
    let white = (span << 6) as i16;
    let half = samples.map(|sample| (scale.light(sample) << 5) as i16);
    let blue_light = each(|x| (k[x] >> 1) as i16 - (q[x] >> 2) as i16);
    let too_green = each(|x| (half[x] + green[x] + (q[x] >> 1) as i16 - white).max(0) as u16);
    let too_blue = each(|x| (half[x] + blue[x] + blue_light[x] - white).max(0) as u16);
    let luma = each(|x| ((times(q[x], luma_of_q) + times(k[x], kb)) >> 1) as i16);
    let luma = each(|x| luma[x] - (times(too_green[x], kg) + times(too_blue[x], kb)) as i16);
    let light = each(|x| ((half[x] + luma[x] + 32) >> 6).clamp(0, span as i16));
    let samples = light.map(|light| floor + light as u8);
    (samples, luma, each(|x| blue_light[x] - too_blue[x] as i16))
}

#[inline(always)]
fn each<T>(make: impl FnMut(usize) -> T) -> Block<T> {
    std::array::from_fn(make)
}

/// What the hologram adds, summed over the pixels of each chroma sample.
#[derive(Default)]
pub(super) struct ChromaSums {
    luma: Vec<i32>,
    blue: Vec<i32>,
    rows: usize,
}

impl ChromaSums {
    /// Starts a row of `width` samples.
    pub(super) fn start(&mut self, width: usize) {
        for sums in [&mut self.luma, &mut self.blue] {
            sums.clear();
            sums.resize(width, 0);
        }
        self.rows = 0;
    }

    /// Adds a row of `width` pixels.
    pub(super) fn add(&mut self, row: &RowSums, width: usize) {
        add_pairs(&mut self.luma, &row.added_luma[..width]);
        add_pairs(&mut self.blue, &row.added_blue[..width]);
        self.rows += 1;
    }

    /// Makes `columns` of the rows of chroma of themselves and the sums.
    pub(super) fn finish(&self, scale: &Scale, columns: Range<usize>, u: &mut [u8], v: &mut [u8]) {
        let mean = 1.0 / (2 * self.rows * 64) as f32;
        let [to_u, to_v] = scale.chroma.map(|weight| weight * mean);
        let sums = self.luma[columns.clone()].iter().zip(&self.blue[columns.clone()]);
        let chroma = u[columns.clone()].iter_mut().zip(&mut v[columns]);
        for ((u, v), (&luma, &blue)) in chroma.zip(sums) {
            let half = |code: u8| 128.5 + 0.5 * (f32::from(code) - 128.0);
            // Nothing is red: R - Y is -Y.
            *u = (half(*u) + to_u * (blue - luma) as f32) as u8;
            *v = (half(*v) - to_v * luma as f32) as u8;
        }
    }
}

/// Adds neighbours in pairs; the last of an odd row is a pair by itself.
fn add_pairs(sums: &mut [i32], row: &[i16]) {
    for (sum, pair) in sums.iter_mut().zip(row.chunks_exact(2)) {
        *sum += i32::from(pair[0]) + i32::from(pair[1]);
    }
    if let [.., last] = row.chunks_exact(2).remainder()
        && let Some(sum) = sums.last_mut()
    {
        *sum += 2 * i32::from(*last);
    }
}
