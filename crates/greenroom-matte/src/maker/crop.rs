use greenroom_frame::{Colour, Frame, PixelFormat, PlaneScaler, SizePx};

use super::mask_fit::MaskFit;
use crate::MatteError;
use crate::look::Look;
use crate::refine::crop::{LEVELS, Tracker, Window};
use crate::refine::entry::EntryFinder;
use crate::refine::lost::LostFinder;

/// What looking into a window takes.
pub(super) struct Crop {
    pub tracker: Tracker,
    pub lost: LostFinder,
    pub entry: EntryFinder,
    /// Where the frame that was prepared last was looked at.
    pub window: Option<Window>,
    /// Whether that frame is large enough for windows.
    pub has_windows: bool,
    /// For each size of window, what brings the network's mask to its place in the whole.
    places: Vec<Place>,
}

/// What brings a mask to its place.
struct Place {
    /// From each size that the mask may have.
    scalers: Vec<(SizePx, PlaneScaler)>,
    scaled: Frame,
}

impl Crop {
    pub(super) fn new(
        canvas: SizePx,
        (fit, small_fit): (MaskFit, Option<MaskFit>),
        looks: &[Look],
        shows_one_person: bool,
    ) -> Result<Self, MatteError> {
        let place = |level: usize| {
            let size = Window::size(level, canvas);
            let scaler = |fit: MaskFit| {
                let from = looks[fit.windows[level]].alpha.size();
                Ok::<_, MatteError>((from, PlaneScaler::new(from, size)?))
            };
            let fits = [Some(fit), small_fit].into_iter().flatten();
            let scalers = fits.map(scaler).collect::<Result<_, _>>()?;
            let scaled = Frame::new(PixelFormat::Grey, size, Colour::JPEG)?;
            Ok::<_, MatteError>(Place { scalers, scaled })
        };
        let places = (0..LEVELS).map(place).collect::<Result<_, _>>()?;
        let tracker = Tracker::new(canvas, fit.is_upright);
        let lost = LostFinder::new(canvas, shows_one_person);
        let entry = EntryFinder::new(canvas, shows_one_person);
        Ok(Self { tracker, lost, entry, window: None, has_windows: false, places })
    }

    /// From the mask of the window to that of the whole picture; outside is room.
    pub(super) fn place(&mut self, found: &Frame, canvas: &mut Frame) {
        canvas.bytes_mut().fill(0);
        let Some(window) = self.window else { return };
        // Of another size than any that was asked for: nobody is seen.
        let Some(scaled) = self.places[window.level].scaled(found) else { return };
        let (left, top) = (window.left as usize, window.top as usize);
        let mut view = canvas.view_mut();
        let mut plane = view.plane_mut(0);
        for (y, row) in scaled.view().plane(0).iter_rows().enumerate() {
            plane.row_mut(top + y)[left..][..row.len()].copy_from_slice(row);
        }
    }

    /// Adds to `canvas` whom the network `found` in the `window` of somebody who is lost, where they may be.
    pub(super) fn keep_lost(&mut self, window: Window, found: &Frame, canvas: &mut Frame) {
        self.places[window.level].add(window, found, self.lost.near(), canvas);
    }

    /// Adds to `canvas` whom the network `found` in the `window` of somebody who comes in, where something has moved.
    pub(super) fn keep_entering(&mut self, window: Window, found: &Frame, canvas: &mut Frame) {
        self.places[window.level].add(window, found, self.entry.near(), canvas);
    }

    /// The picture that comes next has nothing to do with those before.
    pub(super) fn reset(&mut self) {
        self.tracker.reset();
        self.lost.reset();
        self.entry.reset();
        self.window = None;
    }

    /// Learns from the mask of the whole picture.
    pub(super) fn learn(&mut self, mask: &[u8]) {
        self.tracker.learn(mask);
        self.lost.learn(mask);
    }
}

impl Place {
    /// Adds to `canvas` what was `found` in the `window`, where `near` is 255 and not 0.
    fn add(&mut self, window: Window, found: &Frame, near: &[u8], canvas: &mut Frame) {
        let Some(scaled) = self.scaled(found) else { return };
        let width = canvas.size().width_px as usize;
        let rows = canvas.bytes_mut().chunks_exact_mut(width);
        let rows = rows.zip(near.chunks_exact(width)).skip(window.top as usize);
        for ((row, near), found) in rows.zip(scaled.view().plane(0).iter_rows()) {
            let near = &near[window.left as usize..];
            let levels = row[window.left as usize..].iter_mut().zip(near);
            for ((level, &near), &found) in levels.zip(found) {
                *level = (*level).max(found & near);
            }
        }
    }

    /// What was `found`, at the size that it has in the whole; `None` if it is of another size than any that was asked for.
    fn scaled(&mut self, found: &Frame) -> Option<&Frame> {
        let fits = |scaler: &&mut (SizePx, PlaneScaler)| scaler.0 == found.size();
        let (_, scaler) = self.scalers.iter_mut().find(fits)?;
        scaler.scale(found.view().plane(0), &mut self.scaled.view_mut().plane_mut(0));
        Some(&self.scaled)
    }
}
