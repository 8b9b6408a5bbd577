use greenroom_frame::SizePx;

use crate::counting::{count, sum};

/// Samples `start..end` of row `y` that belong together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub y: u32,
    pub start: u32,
    pub end: u32,
    /// While they are looked for, a run of the same component that came before; then the component.
    pub component: u32,
}

/// What is known of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Component {
    /// In samples.
    pub area: u32,
    /// Sum of its alphas.
    pub mass: u32,
    /// Samples that the network is sure of.
    pub certain: u32,
    /// Sum of its columns.
    pub columns: u64,
}

impl Run {
    /// Its samples in a mask that is `width` wide.
    pub(crate) fn samples(self, width: usize) -> std::ops::Range<usize> {
        let row = self.y as usize * width;
        row + self.start as usize..row + self.end as usize
    }
}

/// Connected components of a mask: runs, joined by union-find (He, Chao & Suzuki, "A run-based
/// two-scan labeling algorithm", 2008). Room for the worst mask is set aside at the start; memory
/// that no mask needs is never touched.
#[derive(Debug)]
pub(crate) struct Components {
    size: SizePx,
    /// Columns that runs of two rows share to belong together: none if corners are enough.
    shared: u32,
    pub runs: Vec<Run>,
    pub all: Vec<Component>,
}

/// Samples that are looked at in one step: most of them are alike.
const CHUNK: usize = 32;

impl Components {
    /// Of samples that meet at least at a corner.
    pub(crate) fn new(size: SizePx) -> Self {
        let most = (size.width_px.div_ceil(2) * size.height_px) as usize;
        Self { size, shared: 0, runs: Vec::with_capacity(most), all: Vec::with_capacity(most) }
    }

    /// Of samples that meet at a side.
    pub(crate) fn side_by_side(size: SizePx) -> Self {
        Self { shared: 1, ..Self::new(size) }
    }

    /// Finds those of `mask` of alphas from `level` on; `certain` is the alpha from
    /// which on a sample counts as sure.
    pub(crate) fn find(&mut self, mask: &[u8], level: u8, certain: u8) {
        let width = self.size.width_px as usize;
        self.runs.clear();
        let mut above = 0..0;
        for (y, row) in mask.chunks_exact(width).enumerate() {
            let start = self.runs.len();
            runs_of(&mut self.runs, row, y as u32, level);
            let here = start..self.runs.len();
            self.join(above, here.clone());
            above = here;
        }
        self.describe(mask, certain);
    }

    /// Joins the runs of two rows where they meet.
    fn join(&mut self, above: std::ops::Range<usize>, here: std::ops::Range<usize>) {
        let mut upper = above.start;
        for lower in here {
            let Run { start, end, .. } = self.runs[lower];
            while upper < above.end && self.runs[upper].end < start + self.shared {
                upper += 1;
            }
            // The last one that meets this run may meet the next as well.
            let mut other = upper;
            while other < above.end && self.runs[other].start + self.shared <= end {
                let (a, b) = (self.root(other), self.root(lower));
                self.runs[a.max(b)].component = a.min(b) as u32;
                other += 1;
            }
        }
    }

    /// The first run of the component that `run` belongs to so far.
    fn root(&mut self, mut run: usize) -> usize {
        loop {
            let parent = self.runs[run].component as usize;
            if parent == run {
                return run;
            }
            // Half the way next time.
            self.runs[run].component = self.runs[parent].component;
            run = parent;
        }
    }

    /// Numbers the components and sums up what is in them.
    fn describe(&mut self, mask: &[u8], certain: u8) {
        let width = self.size.width_px as usize;
        self.all.clear();
        for index in 0..self.runs.len() {
            // A root comes before its runs, and by then has its number in place of itself.
            let run @ Run { start, end, component, .. } = self.runs[index];
            let number = if component as usize == index {
                self.all.push(Component::EMPTY);
                self.all.len() as u32 - 1
            } else {
                self.runs[component as usize].component
            };
            self.runs[index].component = number;
            let samples = &mask[run.samples(width)];
            let it = &mut self.all[number as usize];
            it.area += end - start;
            it.mass += sum(samples);
            it.certain += count(samples, |level| level >= certain) as u32;
            it.columns += u64::from((start + end - 1) * (end - start) / 2);
        }
    }
}

impl Component {
    const EMPTY: Self = Self { area: 0, mass: 0, certain: 0, columns: 0 };
}

/// Adds the runs of samples of `row` from `level` on.
fn runs_of(runs: &mut Vec<Run>, row: &[u8], y: u32, level: u8) {
    let mut begun = None;
    let mut look = |at: usize, yes: bool, runs: &mut Vec<Run>| match (begun, yes) {
        (None, true) => begun = Some(at as u32),
        (Some(start), false) => {
            runs.push(Run { y, start, end: at as u32, component: runs.len() as u32 });
            begun = None;
        }
        _ => {}
    };
    for (index, chunk) in row.chunks(CHUNK).enumerate() {
        let at = index * CHUNK;
        let count = chunk.iter().map(|&v| u8::from(v >= level)).sum::<u8>();
        match count {
            0 => look(at, false, runs),
            _ if usize::from(count) == chunk.len() => look(at, true, runs),
            _ => chunk.iter().enumerate().for_each(|(x, &v)| look(at + x, v >= level, runs)),
        }
    }
    look(row.len(), false, runs);
}
