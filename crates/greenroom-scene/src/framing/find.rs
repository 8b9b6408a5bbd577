use greenroom_frame::Plane;

/// Where the person's head and shoulders are, in shares of the picture's width and height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found {
    pub(super) centre_x: f64,
    pub(super) top_y: f64,
    pub(super) height: f64,
}

/// Finds the person from sums of the matte's rows and columns, on about 96 rows of it: a few wrong
/// pixels, or a hand beside the head, weigh little there.
#[derive(Debug, Default)]
pub(super) struct Finder {
    rows: Vec<u32>,
    columns: Vec<u32>,
}

/// Rows of the matte that are looked at.
const ROWS: usize = 96;
/// From this alpha on a pixel is the person.
const PERSON: u8 = 128;
/// Share of the picture that the person must cover to be there.
const LEAST_SHARE: f64 = 0.01;
/// Share of a row or column that does not count: what single wrong pixels may come to.
const NOISE_SHARE: f64 = 0.04;
/// For how many rows on end there must be more than that for the head to begin.
const ROWS_ON_END: usize = 3;
/// Head and shoulders are about as high as the shoulders are wide (0.45 m: head, neck and a hand's
/// width of chest), and twice as high as the head is wide: what counts where shoulders are not seen.
const HEIGHT_OF_SHOULDERS: f64 = 1.0;
const HEIGHT_OF_HEAD: f64 = 2.0;

impl Finder {
    /// The person in a matte of luma size, if there is one.
    pub(super) fn find(&mut self, alpha: Plane<'_>) -> Option<Found> {
        let (width, height) = (alpha.row_bytes(), alpha.rows());
        let step = (height / ROWS).max(1);
        let looked_at = |len: usize| (step / 2..len).step_by(step);
        let (grid_width, grid_height) = (looked_at(width).count(), looked_at(height).count());
        self.rows.clear();
        self.rows.extend(looked_at(height).map(|y| {
            let row = alpha.row(y);
            looked_at(width).filter(|&x| row[x] >= PERSON).count() as u32
        }));
        forget_noise(&mut self.rows, grid_width);
        let mass: u32 = self.rows.iter().sum();
        if f64::from(mass) < LEAST_SHARE * (grid_width * grid_height) as f64 {
            return None;
        }
        let on_end = ROWS_ON_END.min(grid_height);
        let top = self.rows.windows(on_end).position(|rows| rows.iter().all(|&row| row > 0))?;
        let bottom = self.rows.iter().rposition(|&row| row > 0)? + 1;
        // A person's width, without outstretched fingers; then the middle of head and shoulders
        // alone, because an elbow on the table is not where one looks.
        self.sum_columns(alpha, step, top..bottom);
        let shoulders = (self.quantile(0.96) - self.quantile(0.04)) / 0.92;
        // The head ends above half the shoulders' width down; with no shoulders there is only head.
        let of_head = top..(top + (shoulders / 2.0).ceil() as usize).min(bottom);
        let head = f64::from(self.rows[of_head].iter().copied().max().unwrap_or(0));
        let high = (HEIGHT_OF_SHOULDERS * shoulders).max(HEIGHT_OF_HEAD * head);
        let high = high.max(1.0).min((bottom - top) as f64);
        self.sum_columns(alpha, step, top..top + high.ceil() as usize);
        Some(Found {
            centre_x: self.quantile(0.5) / grid_width as f64,
            top_y: top as f64 / grid_height as f64,
            height: high / grid_height as f64,
        })
    }

    /// Counts the person's pixels in each column of some rows of the grid.
    fn sum_columns(&mut self, alpha: Plane<'_>, step: usize, rows: std::ops::Range<usize>) {
        let columns = (step / 2..alpha.row_bytes()).step_by(step);
        self.columns.clear();
        self.columns.resize(columns.clone().count(), 0);
        for y in (step / 2..alpha.rows()).step_by(step).skip(rows.start).take(rows.len()) {
            let row = alpha.row(y);
            for (sum, x) in self.columns.iter_mut().zip(columns.clone()) {
                *sum += u32::from(row[x] >= PERSON);
            }
        }
        forget_noise(&mut self.columns, rows.len());
    }

    /// Where so much of the columns' sum is to the left, in columns.
    fn quantile(&self, share: f64) -> f64 {
        let wanted = share * f64::from(self.columns.iter().sum::<u32>());
        let mut before = 0.0;
        for (x, &sum) in self.columns.iter().enumerate() {
            let sum = f64::from(sum);
            if sum > 0.0 && before + sum >= wanted {
                return x as f64 + (wanted - before) / sum;
            }
            before += sum;
        }
        self.columns.len() as f64
    }
}

/// Takes off each sum of `len` pixels what may be noise.
fn forget_noise(sums: &mut [u32], len: usize) {
    let noise = (NOISE_SHARE * len as f64) as u32;
    sums.iter_mut().for_each(|sum| *sum = sum.saturating_sub(noise));
}
