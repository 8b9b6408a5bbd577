use std::ops::Range;

use greenroom_frame::{FrameView, SizePx};

use super::entry::Side;
use super::thumbnails::Thumbnails;
use crate::counting::count_pairs;

/// Where the network looks: a window of the picture, in samples of the mask of the whole picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// Index into [`SIDES`].
    pub level: usize,
    pub left: u32,
    pub top: u32,
}

/// Widths and heights of the windows, in sixteenths of the picture's, by falling area: first those of wide and square
/// pictures, then those of upright ones, then narrow ones for who is lost or comes in. There are a few fixed sizes, so that
/// tables are kept and a window that follows the person does not breathe.
const SIDES: [[u32; 2]; 15] = [
    [14, 16],
    [12, 16],
    [10, 16],
    [10, 12],
    [8, 10],
    [8, 8],
    [16, 14],
    [16, 12],
    [14, 12],
    [12, 10],
    [10, 8],
    [8, 8],
    [8, 16],
    [7, 16],
    [6, 16],
];
/// Number of [`SIDES`].
pub(crate) const LEVELS: usize = SIDES.len();
/// Those of upright pictures.
const UPRIGHT: Range<usize> = 6..12;
/// Those for somebody who is lost; the first one is for who comes in, too. They are for nobody else: with them, IoUs of
/// `leave_return_a` and `leave_return_b` are 0.006 and 0.009 lower.
const NARROW: Range<usize> = 12..LEVELS;
/// Frames for which a tighter window must fit, with some room to spare, before it is taken. More wait out more of
/// a person's passing by: 8 and 30 give dtSSDs that are 1 and 2 % higher on mdn_b_inout.
const PATIENCE_FRAMES: u32 = 3;
/// Every so many frames the network sees the whole picture, and finds who has come in.
const WHOLE_EVERY_FRAMES: u32 = 30;
/// The same while something moves outside of the window: somebody comes in.
const WHOLE_WHILE_MOVING_FRAMES: u32 = 6;
/// Change of a cell's luma from one frame to the next from which on something moves there.
const MOVES: u8 = 20;
/// Share of the picture's cells that have to move: 1 of so many.
const MOVING_SHARE: usize = 150;
/// Alpha from which on a sample is of the person.
const PERSON: u8 = 128;

/// Keeps a window around the person: grows at once, shrinks slowly, else stands still.
///
/// Where the person is lost or fills the picture, the network gets all of it; who touches its left or
/// right side is looked at in windows of its whole height only. (Persons half out of the picture are
/// found worse in low windows: mean IoU of mdn_b_inout fell from 0.946 to 0.933 without that rule.)
#[derive(Debug)]
pub(crate) struct Tracker {
    canvas: SizePx,
    /// Which [`SIDES`] there are for this shape.
    levels: Range<usize>,
    window: Option<Window>,
    tighter_frames: u32,
    frames: u32,
    /// Frames since the whole picture was looked at.
    windowed_frames: u32,
    /// Whether something moves outside of the window.
    is_restless: bool,
    /// How many samples of the person each column has.
    columns: Vec<u16>,
}

/// What a window has to hold, in samples; the ends lie outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub x: [u32; 2],
    pub y: [u32; 2],
}

impl Window {
    pub(crate) fn size(level: usize, whole: SizePx) -> SizePx {
        let side = |length: u32, sixteenths: u32| match sixteenths {
            16 => length,
            _ => (length * sixteenths / 16).max(2) & !1,
        };
        let [width, height] = SIDES[level];
        SizePx::new(side(whole.width_px, width), side(whole.height_px, height))
    }

    /// The window's part of `frame`, which is a picture of the whole canvas.
    pub(crate) fn of<'a>(self, frame: &FrameView<'a>, canvas: SizePx) -> FrameView<'a> {
        let whole = frame.size();
        let size = Self::size(self.level, whole);
        let place = |at: u32, canvas: u32, whole: u32, side: u32| {
            ((at * whole + canvas / 2) / canvas).min(whole - side) & !1
        };
        let left_px = place(self.left, canvas.width_px, whole.width_px, size.width_px);
        let top_px = place(self.top, canvas.height_px, whole.height_px, size.height_px);
        frame.part(left_px, top_px, size)
    }

    fn around(level: usize, need: Bounds, canvas: SizePx) -> Self {
        let size = Self::size(level, canvas);
        let place = |[low, high]: [u32; 2], side: u32, whole: u32| {
            ((low + high).saturating_sub(side) / 2).min(whole - side) & !1
        };
        let left = place(need.x, size.width_px, canvas.width_px);
        Self { level, left, top: place(need.y, size.height_px, canvas.height_px) }
    }

    fn holds(self, need: Bounds, canvas: SizePx) -> bool {
        let size = Self::size(self.level, canvas);
        // One sample of slack: places are even.
        let holds = |[low, high]: [u32; 2], start: u32, side: u32| {
            start <= low + 1 && high <= start + side + 1
        };
        holds(need.x, self.left, size.width_px) && holds(need.y, self.top, size.height_px)
    }
}

impl Tracker {
    /// For masks of `canvas` of pictures that are upright or not.
    pub(crate) fn new(canvas: SizePx, is_upright: bool) -> Self {
        let columns = vec![0; canvas.width_px as usize];
        let levels = if is_upright { UPRIGHT } else { 0..UPRIGHT.start };
        Self {
            canvas,
            levels,
            window: None,
            tighter_frames: 0,
            frames: 0,
            windowed_frames: 0,
            is_restless: false,
            columns,
        }
    }

    pub(crate) fn reset(&mut self) {
        (self.window, self.tighter_frames, self.frames) = (None, 0, 0);
        (self.windowed_frames, self.is_restless) = (0, false);
    }

    /// Where to look in the next frame; `None` is everywhere.
    pub(crate) fn next(&mut self) -> Option<Window> {
        self.frames += 1;
        self.windowed_frames += 1;
        let is_due = self.frames.is_multiple_of(WHOLE_EVERY_FRAMES)
            || self.is_restless && self.windowed_frames >= WHOLE_WHILE_MOVING_FRAMES;
        let window = self.window.filter(|_| !is_due);
        if window.is_none() {
            self.windowed_frames = 0;
        }
        window
    }

    /// Learns from what has changed since the frame before.
    pub(crate) fn watch(&mut self, thumbnails: &Thumbnails) {
        self.is_restless = false;
        let Some(window) = self.window else { return };
        let cells = thumbnails.new.size();
        let size = Window::size(window.level, self.canvas);
        let inside = |from: u32, side: u32, canvas: u32, cells: u32| {
            let cell = |at: u32| (at * cells).div_ceil(canvas).min(cells) as usize;
            cell(from)..cell(from + side)
        };
        let SizePx { width_px, height_px } = self.canvas;
        let columns = inside(window.left, size.width_px, width_px, cells.width_px);
        let rows = inside(window.top, size.height_px, height_px, cells.height_px);
        let width = cells.width_px as usize;
        let [old, new] = [&thumbnails.old, &thumbnails.new].map(|thumbnail| thumbnail.bytes()[0]);
        let moving_in =
            |old: &[u8], new: &[u8]| count_pairs(old, new, |old, new| old.abs_diff(new) >= MOVES);
        let all = old.chunks_exact(width).zip(new.chunks_exact(width)).enumerate();
        let moving = all.map(|(y, (old, new))| {
            if !rows.contains(&y) {
                return moving_in(old, new);
            }
            let [left, right] = [0..columns.start, columns.end..width];
            moving_in(&old[left.clone()], &new[left]) + moving_in(&old[right.clone()], &new[right])
        });
        self.is_restless = moving.sum::<usize>() * MOVING_SHARE >= old.len();
    }

    /// Learns from the mask of the whole picture.
    pub(crate) fn learn(&mut self, mask: &[u8]) {
        let Some(need) = self.bounds(mask).map(|person| self.need(person)) else {
            (self.window, self.tighter_frames) = (None, 0);
            return;
        };
        let fits_with = |spare: u32, level: usize| {
            let size = Window::size(level, self.canvas);
            let fits = |[low, high]: [u32; 2], side: u32, whole: u32| {
                side == whole || high - low + spare * whole / 32 <= side
            };
            fits(need.x, size.width_px, self.canvas.width_px)
                && fits(need.y, size.height_px, self.canvas.height_px)
        };
        let fits = |level: &usize| fits_with(0, *level);
        // To spare, so that who sways does not have the window go to and fro.
        let fits_well = |level: &usize| fits_with(1, *level);
        let Range { start, end } = self.levels;
        let tightest = (start..end).rev().find(fits_well);
        let held = self.window.filter(|window| window.holds(need, self.canvas));
        let level_after = |level: usize| (level + 1..end).find(fits_well).unwrap_or(level);
        match (held, tightest) {
            (Some(window), Some(tightest)) if tightest > window.level => {
                self.tighter_frames += 1;
                if self.tighter_frames >= PATIENCE_FRAMES {
                    self.tighter_frames = 0;
                    self.window =
                        Some(Window::around(level_after(window.level), need, self.canvas));
                }
            }
            (Some(_), _) => self.tighter_frames = 0,
            (None, tightest) => {
                // A window that has moved on does not tighten by the way.
                let level = match (self.window, tightest) {
                    (Some(window), _) => (start..=window.level).rev().find(fits),
                    (None, Some(_)) => {
                        self.tighter_frames += 1;
                        let is_over = self.tighter_frames >= PATIENCE_FRAMES;
                        (start..end).find(fits_well).filter(|_| is_over)
                    }
                    (None, None) => None,
                };
                if level.is_some() || self.window.is_some() {
                    self.tighter_frames = 0;
                }
                self.window = level.map(|level| Window::around(level, need, self.canvas));
            }
        }
    }

    /// The tightest window around what somebody who is lost may be in, `None` if only the whole picture holds that. Who is lost
    /// without a head is found the surer the less there is beside them.
    pub(crate) fn window_of_lost(&self, lost: Bounds) -> Option<Window> {
        let half_out = lost.x[0] == 0 || lost.x[1] == self.canvas.width_px;
        let y = if half_out { [0, self.canvas.height_px] } else { lost.y };
        let need = Bounds { y, ..lost };
        let fits = |level: &usize| {
            let size = Window::size(*level, self.canvas);
            need.x[1] - need.x[0] <= size.width_px && need.y[1] - need.y[0] <= size.height_px
        };
        let area = |level: &usize| Window::size(*level, self.canvas).area_px();
        let level = self.levels.clone().chain(NARROW).filter(fits).min_by_key(area)?;
        Some(Window::around(level, need, self.canvas))
    }

    /// The half of the picture in which somebody comes in at `side`; `None` of upright pictures, which have no such window.
    pub(crate) fn window_of_entry(&self, side: Side) -> Option<Window> {
        if self.levels == UPRIGHT {
            return None;
        }
        let level = NARROW.start;
        let left = match side {
            Side::Left => 0,
            Side::Right => (self.canvas.width_px - Window::size(level, self.canvas).width_px) & !1,
        };
        Some(Window { level, left, top: 0 })
    }

    /// Where the person is; single samples count for nothing.
    fn bounds(&mut self, mask: &[u8]) -> Option<Bounds> {
        let width = self.columns.len();
        self.columns.fill(0);
        let mut y: Option<[u32; 2]> = None;
        for (row, samples) in mask.chunks_exact(width).enumerate() {
            let mut found = 0u16;
            for (column, &sample) in self.columns.iter_mut().zip(samples) {
                let person = u16::from(sample >= PERSON);
                *column += person;
                found += person;
            }
            if found >= 2 {
                let first = y.map_or(row as u32, |[first, _]| first);
                y = Some([first, row as u32 + 1]);
            }
        }
        let first = self.columns.iter().position(|&count| count >= 2)?;
        let last = self.columns.iter().rposition(|&count| count >= 2)?;
        let x = [first as u32, last as u32 + 1];
        // Less than a thousandth of the picture is no person to look at closely.
        let area: u32 = self.columns.iter().map(|&count| u32::from(count)).sum();
        (u64::from(area) * 1000 >= self.canvas.area_px()).then_some(Bounds { x, y: y? })
    }

    /// The person with a margin of a tenth and 2.5 % of the picture. With a sixth and 3 %, MAD of
    /// mdn_b_inout is 2 % higher, and edges of asl_5people are 5 % further from a recurrent network's.
    fn need(&self, person: Bounds) -> Bounds {
        let SizePx { width_px, height_px } = self.canvas;
        let widen = |[low, high]: [u32; 2], whole: u32| {
            let margin = (high - low) / 10 + whole / 40;
            [low.saturating_sub(margin), (high + margin).min(whole)]
        };
        let half_out = person.x[0] == 0 || person.x[1] == width_px;
        let y = if half_out { [0, height_px] } else { widen(person.y, height_px) };
        Bounds { x: widen(person.x, width_px), y }
    }
}

#[cfg(test)]
mod tests;
