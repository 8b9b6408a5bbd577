use std::ops::Range;

use super::WEIGHT_BITS;
#[cfg(target_arch = "x86_64")]
use super::gathered::Gathered;

/// One tap list: the output sample is the sum of `weights[k] * input[start + k]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taps<'a> {
    pub(crate) start: usize,
    pub(crate) weights: &'a [i16],
}

impl Taps<'_> {
    /// Whether rows of `width` samples, `stride` apart, lie within `len` samples.
    pub(super) fn rows_fit(self, width: usize, stride: usize, len: usize) -> bool {
        let last = (self.start + self.weights.len()).saturating_sub(1);
        width <= stride && last * stride + width <= len
    }
}

/// The tap lists of all output samples of one direction. Only [`of_lists`](Self::of_lists) makes one, so
/// every list lies within the input, in every form for vectors.
#[derive(Debug, Clone)]
pub(crate) struct TapTable {
    from: usize,
    starts: Vec<u32>,
    weights: Vec<i16>,
    width: usize,
    stepped: Option<Stepped>,
    padded: Option<Padded>,
    #[cfg(target_arch = "x86_64")]
    gathered: Option<Gathered>,
    pairs: Option<Pairs>,
}

/// Where a picture becomes half or a quarter as wide, all lists but those at the ends are alike.
#[derive(Debug, Clone)]
pub(super) struct Stepped {
    /// Samples from one list to the next: 2 or 4, half of a list.
    pub(super) step: usize,
    /// The outputs whose lists are alike, and the first sample of the first of these lists.
    pub(super) alike: Range<usize>,
    pub(super) first: usize,
    /// The list.
    pub(super) weights: Vec<i16>,
}

/// The same lists, longer by weights of 0, so that whole vectors of eight or sixteen fit.
#[derive(Debug, Clone)]
pub(super) struct Padded {
    /// `starts[i] + width` is at most the input's length.
    pub(super) starts: Vec<u32>,
    /// As many lists of `width` as there are starts.
    pub(super) weights: Vec<i16>,
    /// 8, or a multiple of 16.
    pub(super) width: usize,
}

/// Lists of two, eight outputs at a time: these look at sixteen neighbouring bytes at most.
#[derive(Debug, Clone)]
pub(super) struct Pairs {
    /// First of the sixteen bytes; at least as many follow it in the input.
    pub(super) bases: Vec<u32>,
    /// For each output four byte shuffles: first sample, zero, second sample, zero.
    pub(super) shuffles: Vec<[u8; 32]>,
}

impl TapTable {
    /// The table for scaling `from` samples to `to`: a triangle around each output's centre, as
    /// wide as the ratio when reducing. Every list has the same length (the longest needed, never
    /// more than the input) and sums to exactly 1.
    pub(crate) fn new(from: u32, to: u32) -> Self {
        let ratio = f64::from(from) / f64::from(to);
        let reach = ratio.max(1.0);
        // A triangle `2 * reach` wide, without its ends, covers at most that many samples, rounded up.
        let width = ((2.0 * reach).ceil() as u32).min(from);
        Self::of_lists(from, to, width, |index| {
            let centre = (f64::from(index) + 0.5) * ratio - 0.5;
            let first = (centre - reach).floor() as i64 + 1;
            let weight = move |k: u32| (1.0 - (f64::from(k) - centre).abs() / reach).max(0.0);
            (first, weight)
        })
    }

    /// The table for the means of what each output covers; for reducing.
    pub(crate) fn of_means(from: u32, to: u32) -> Self {
        debug_assert!(to <= from, "an output covers no less than an input");
        // Whole numbers, so that a whole ratio gives no list a sample of weight 0.
        let begin = |index: u32| u64::from(index) * u64::from(from);
        let first = |index: u32| (begin(index) / u64::from(to)) as u32;
        let end = |index: u32| begin(index + 1).div_ceil(u64::from(to)) as u32;
        let width = (0..to).map(|index| end(index) - first(index)).max().unwrap_or(1);
        Self::of_lists(from, to, width, |index| {
            let [left, right] = [index, index + 1].map(|i| begin(i) as f64 / f64::from(to));
            let weight =
                move |k: u32| (right.min(f64::from(k + 1)) - left.max(f64::from(k))).max(0.0);
            (i64::from(first(index)), weight)
        })
    }

    /// The table of lists of `width`; of an output, `list` tells the first sample and the weight of any.
    fn of_lists<Weight: Fn(u32) -> f64>(
        from: u32,
        to: u32,
        width: u32,
        list: impl Fn(u32) -> (i64, Weight),
    ) -> Self {
        let mut starts = Vec::with_capacity(to as usize);
        let mut weights = Vec::with_capacity((to * width) as usize);
        for index in 0..to {
            let (first, weight) = list(index);
            let start = first.clamp(0, i64::from(from - width)) as u32;
            let raw: Vec<f64> = (start..start + width).map(weight).collect();
            starts.push(start);
            weights.extend(quantise(&raw));
        }
        let (from, width) = (from as usize, width as usize);
        let stepped = Stepped::new(&starts, &weights, width);
        let padded = Padded::new(from, &starts, &weights, width);
        let pairs = (width == 2).then(|| Pairs::new(from, &starts)).flatten();
        #[cfg(target_arch = "x86_64")]
        let gathered = Gathered::new(from, &starts, &weights, width);
        Self {
            from,
            starts,
            weights,
            width,
            stepped,
            padded,
            #[cfg(target_arch = "x86_64")]
            gathered,
            pairs,
        }
    }

    /// A table that makes as many samples as it takes, out of a part of them that
    /// [`set_part`](Self::set_part) tells; for now all of them.
    pub(crate) fn of_part(length: u32) -> Self {
        // Lists of the right lengths, in the form for vectors of two weights and no other.
        let mut table = Self {
            padded: None,
            #[cfg(target_arch = "x86_64")]
            gathered: None,
            ..Self::new(length, length)
        };
        table.set_part(0.0, 1.0);
        table
    }

    /// Moves a table of [`of_part`](Self::of_part) on to another part: output `i` lies at
    /// `first + (i + 0.5) * ratio` of the input, in samples from its edge; `ratio` is at most 1.
    /// No memory is asked for.
    pub(crate) fn set_part(&mut self, first: f64, ratio: f64) {
        debug_assert!(ratio <= 1.0, "a part is not larger than the whole");
        if self.width != 2 {
            // A single sample, which has nothing beside it.
            return;
        }
        let last = (self.from - 2) as f64;
        let one = f64::from(1 << WEIGHT_BITS);
        let lists = self.starts.iter_mut().zip(self.weights.as_chunks_mut::<2>().0);
        for (index, (start, weights)) in lists.enumerate() {
            let centre = first + (index as f64 + 0.5) * ratio - 0.5;
            let begin = centre.floor().clamp(0.0, last);
            let second = ((centre - begin).clamp(0.0, 1.0) * one + 0.5) as i16;
            *start = begin as u32;
            *weights = [(1 << WEIGHT_BITS) - second, second];
        }
        if let Some(pairs) = &mut self.pairs {
            let fits = pairs.set(self.from, &self.starts);
            debug_assert!(fits, "eight outputs of an enlargement lie within nine samples");
        }
    }

    /// Number of input samples.
    pub(crate) fn from(&self) -> usize {
        self.from
    }

    /// Number of output samples.
    pub(crate) fn to(&self) -> usize {
        self.starts.len()
    }

    /// Length of every list.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The list of output `index`.
    pub(crate) fn taps(&self, index: usize) -> Taps<'_> {
        Taps {
            start: self.starts[index] as usize,
            weights: &self.weights[index * self.width..][..self.width],
        }
    }

    /// The lists of the outputs from `first` on.
    pub(super) fn lists(&self, first: usize) -> impl Iterator<Item = Taps<'_>> {
        let weights = self.weights[first * self.width..].chunks_exact(self.width);
        self.starts[first..]
            .iter()
            .zip(weights)
            .map(|(&start, weights)| Taps { start: start as usize, weights })
    }

    /// All weights, list by list.
    pub(super) fn weights(&self) -> &[i16] {
        &self.weights
    }

    /// `None` if too few lists are alike.
    pub(super) fn stepped(&self) -> Option<&Stepped> {
        self.stepped.as_ref()
    }

    /// `None` if the input is too short for it.
    pub(super) fn padded(&self) -> Option<&Padded> {
        self.padded.as_ref()
    }

    /// `None` if the input is too short for it, or an output is of too many samples.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn gathered(&self) -> Option<&Gathered> {
        self.gathered.as_ref()
    }

    /// `None` if lists are not of two, or the input is too short.
    pub(super) fn pairs(&self) -> Option<&Pairs> {
        self.pairs.as_ref()
    }
}

impl Stepped {
    fn new(starts: &[u32], weights: &[i16], width: usize) -> Option<Self> {
        let step = match width {
            4 => 2,
            8 => 4,
            _ => return None,
        };
        let middle = starts.len() / 2;
        let list = |index: usize| &weights[index * width..][..width];
        let start = |index: usize| starts[index] as usize;
        let is_alike = |&index: &usize| {
            let steps = start(index) + middle * step == start(middle) + index * step;
            steps && list(index) == list(middle)
        };
        let begin = (0..=middle).rev().take_while(is_alike).last()?;
        let end = middle + (middle..starts.len()).take_while(is_alike).count();
        let stepped =
            Self { step, alike: begin..end, first: start(begin), weights: list(middle).to_vec() };
        (end - begin >= Self::LEAST).then_some(stepped)
    }

    /// So many outputs are computed at a time.
    const LEAST: usize = 8;
}

impl Padded {
    fn new(from: usize, starts: &[u32], weights: &[i16], width: usize) -> Option<Self> {
        let wide = if width <= 8 { 8 } else { width.next_multiple_of(16) };
        if from < wide {
            return None;
        }
        let mut padded = vec![0; starts.len() * wide];
        let mut moved = Vec::with_capacity(starts.len());
        let lists = starts.iter().zip(weights.chunks_exact(width));
        for ((&start, list), padded) in lists.zip(padded.chunks_exact_mut(wide)) {
            // At the input's end the list begins earlier, with zeros in front.
            let begin = (start as usize).min(from - wide);
            padded[start as usize - begin..][..width].copy_from_slice(list);
            moved.push(begin as u32);
        }
        Some(Self { starts: moved, weights: padded, width: wide })
    }
}

impl Pairs {
    fn new(from: usize, starts: &[u32]) -> Option<Self> {
        from.checked_sub(16)?;
        let groups = starts.len() / 8;
        let mut pairs = Self { bases: vec![0; groups], shuffles: vec![[0x80; 32]; groups] };
        pairs.set(from, starts).then_some(pairs)
    }

    /// Goes over to other starts, as many as before; `false` if these do not fit the form, which
    /// must then not be used. `from` is at least 16.
    fn set(&mut self, from: usize, starts: &[u32]) -> bool {
        let last = (from - 16) as u32;
        let groups = self.bases.iter_mut().zip(&mut self.shuffles);
        for (group, (base, shuffle)) in starts.as_chunks::<8>().0.iter().zip(groups) {
            *base = group[0].min(last);
            if group[7] + 1 - *base > 15 {
                return false;
            }
            for (four, &start) in shuffle.as_chunks_mut::<4>().0.iter_mut().zip(group) {
                four[0] = (start - *base) as u8;
                four[2] = (start - *base) as u8 + 1;
            }
        }
        true
    }
}

/// Q14 weights that sum to exactly 1; what rounding leaves goes to the largest.
fn quantise(raw: &[f64]) -> Vec<i16> {
    let total: f64 = raw.iter().sum();
    let one = f64::from(1 << WEIGHT_BITS);
    let mut weights: Vec<i16> = raw.iter().map(|w| (w / total * one).round() as i16).collect();
    let missing = (1 << WEIGHT_BITS) - weights.iter().map(|&w| i32::from(w)).sum::<i32>();
    if let Some(largest) = weights.iter_mut().max() {
        *largest += missing as i16;
    }
    weights
}
