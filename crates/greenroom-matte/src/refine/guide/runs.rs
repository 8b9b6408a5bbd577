use std::ops::Range;

use super::certain::{Class, MIXED};

/// Columns of the picture, and what alpha comes to there.
pub(super) type Run = (Range<usize>, Class);

/// What lies between each line of factors and the next: runs of columns, from left to right.
#[derive(Debug)]
pub(super) struct Runs {
    /// Those of all lines, one behind the other, and where those of each line begin.
    all: Vec<Run>,
    starts: Vec<usize>,
}

impl Runs {
    /// None yet, with memory for so many lines of so many blocks.
    pub(super) fn new(lines: usize, blocks: usize) -> Self {
        Self { all: Vec::with_capacity(blocks * lines), starts: Vec::with_capacity(lines + 1) }
    }

    pub(super) fn clear(&mut self) {
        self.all.clear();
        self.starts.clear();
    }

    /// Makes them those of lines of blocks of these `classes`, one line behind the other. `block_starts` has the column that each
    /// block starts at, and the end.
    pub(super) fn find(&mut self, classes: &[Class], block_starts: &[usize]) {
        self.clear();
        let blocks = block_starts.len() - 1;
        let last = classes.len() / blocks - 1;
        let of_line = |line: usize| &classes[line.min(last) * blocks..][..blocks];
        for line in 0..=last {
            self.starts.push(self.all.len());
            let mut run: Run = (0..0, MIXED);
            let both = of_line(line).iter().zip(of_line(line + 1));
            for ((above, below), &end) in both.zip(&block_starts[1..]) {
                let class = above | below;
                if class != run.1 {
                    if !run.0.is_empty() {
                        self.all.push(run.clone());
                    }
                    run = (run.0.end..end, class);
                } else {
                    run.0.end = end;
                }
            }
            self.all.push(run);
        }
        self.starts.push(self.all.len());
    }

    /// The runs between a line and the next; none of a line that is not there.
    pub(super) fn of_line(&self, line: usize) -> &[Run] {
        match self.starts.get(line..line + 2) {
            Some(&[start, end]) => &self.all[start..end],
            _ => &[],
        }
    }
}
