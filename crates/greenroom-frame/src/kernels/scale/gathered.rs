//! Lists of a [`TapTable`](super::TapTable), sixteen outputs at a time, for the permutations of AVX-512.

/// Outputs of a group.
pub(super) const OUTPUTS: usize = 16;
/// Neighbouring samples that the lists of a group are of.
pub(super) const SAMPLES: usize = 64;

/// The lists of outputs in groups, longer by weights of 0, so that all are of an even number.
#[derive(Debug, Clone)]
pub(super) struct Gathered {
    /// First of each group's samples; `bases[i] + SAMPLES` is at most the input's length.
    pub(super) bases: Vec<u32>,
    /// For each group the places, from its base on, of the first two samples of each output's list. Those of the next two are two
    /// further. A place past the last sample wraps around; its weight is 0.
    pub(super) places: Vec<[u16; 2 * OUTPUTS]>,
    /// For each group the first two weights of all its outputs, then the next two, and so on.
    pub(super) weights: Vec<[i16; 2 * OUTPUTS]>,
    /// Twos of weights in a list.
    pub(super) pairs: usize,
}

impl Gathered {
    /// The lists of `width` weights that begin at `starts`; what is left over at the end is in no group. `None` if the input is too short,
    /// or so many samples become one that those of a group are too many.
    pub(super) fn new(from: usize, starts: &[u32], weights: &[i16], width: usize) -> Option<Self> {
        let last = from.checked_sub(SAMPLES)?;
        let pairs = width.div_ceil(2);
        let groups = starts.len() / OUTPUTS;
        let mut gathered = Self {
            bases: Vec::with_capacity(groups),
            places: Vec::with_capacity(groups),
            weights: Vec::with_capacity(groups * pairs),
            pairs,
        };
        let lists = weights.chunks_exact(OUTPUTS * width);
        for (starts, lists) in starts.as_chunks::<OUTPUTS>().0.iter().zip(lists) {
            let base = (starts[0] as usize).min(last);
            let mut places = [0; 2 * OUTPUTS];
            for (places, &start) in places.as_chunks_mut::<2>().0.iter_mut().zip(starts) {
                let place = start as usize - base;
                if place + width > SAMPLES {
                    return None;
                }
                *places = [place as u16, place as u16 + 1];
            }
            for pair in 0..pairs {
                let weight = |at: usize| {
                    let [output, index] = [at / 2, 2 * pair + at % 2];
                    if index < width { lists[output * width + index] } else { 0 }
                };
                gathered.weights.push(std::array::from_fn(weight));
            }
            gathered.bases.push(base as u32);
            gathered.places.push(places);
        }
        Some(gathered)
    }
}
