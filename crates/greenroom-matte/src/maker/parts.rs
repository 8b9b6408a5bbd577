use std::time::Instant;

use greenroom_frame::{Frame, FrameView, PlaneScaler, SizePx};

use super::InferenceId;
use super::canvas_cache::CanvasCache;
use super::crop::Crop;
use super::mask_fit::MaskFit;
use super::still::Sight;
use crate::look::Look;
use crate::refine::component_filter::ComponentFilter;
use crate::refine::crop::Window;
use crate::refine::plain::Plain;
use crate::refine::raise::Raiser;
use crate::refine::smooth::Smoother;
use crate::refine::thumbnails::Thumbnails;
use crate::{Isa, MatteError, RefineSteps, SecondOpinion};

/// What is done about the mask of a canvas.
#[derive(Default)]
pub(super) struct Parts {
    crop: Option<Crop>,
    /// What brings the mask of a whole small input to the canvas.
    enlarger: Option<PlaneScaler>,
    pub component_filter: Option<ComponentFilter>,
    raiser: Option<Raiser>,
    smoother: Option<Smoother>,
    /// With `smooth`: while an answer [holds](crate::MaskOrigin::Still), it is laid onto the canvas once.
    canvas_cache: Option<CanvasCache>,
    /// Of the pictures, for the steps that ask what has changed.
    thumbnails: Option<Thumbnails>,
    /// The smoother has come to the newest picture already.
    has_advanced: bool,
    /// The mask of the picture before the newest one was made.
    has_mask: bool,
    plain: Option<Plain>,
}

/// Pictures with a smaller side have no windows.
const LEAST_SIDE_PX: u32 = 64;

impl Parts {
    /// For `steps`, and the fits of all the work and, if there is one, of less.
    ///
    /// # Errors
    /// [`MatteError::Frame`] if the canvas is too small to hold windows.
    pub(super) fn new(
        steps: RefineSteps,
        (fit, small_fit): (MaskFit, Option<MaskFit>),
        looks: &[Look],
        isa: Isa,
    ) -> Result<Self, MatteError> {
        let canvas = looks[fit.whole].alpha.size();
        let enlarger = small_fit.map(|fit| PlaneScaler::new(looks[fit.whole].alpha.size(), canvas));
        let component_filter = ComponentFilter::new(canvas, steps);
        let shows_one_person =
            component_filter.as_ref().is_some_and(ComponentFilter::shows_one_person);
        let crop = || Crop::new(canvas, (fit, small_fit), looks, shows_one_person);
        Ok(Self {
            crop: steps.crop.then(crop).transpose()?,
            enlarger: enlarger.transpose()?,
            component_filter,
            raiser: steps.raise.then(Raiser::default),
            smoother: steps.smooth.then(|| Smoother::new(canvas, isa)).transpose()?,
            // A filter that shows one person counts the frames in which they are lost.
            canvas_cache: (steps.smooth && !shows_one_person)
                .then(|| CanvasCache::new(canvas))
                .transpose()?,
            thumbnails: None,
            has_advanced: false,
            has_mask: false,
            plain: Plain::new(steps.plain, canvas),
        })
    }

    pub(super) fn reset(&mut self) {
        self.has_advanced = false;
        self.canvas_cache.iter_mut().for_each(CanvasCache::clear);
        self.thumbnails.iter_mut().for_each(Thumbnails::reset);
        if let Some(crop) = &mut self.crop {
            crop.reset();
        }
        if let Some(component_filter) = &mut self.component_filter {
            component_filter.reset();
        }
        if let Some(smoother) = &mut self.smoother {
            smoother.reset();
        }
        if let Some(plain) = &mut self.plain {
            plain.reset();
        }
    }

    /// The window that `frame` is to be looked at in; `None` for all of it.
    pub(super) fn next_window(&mut self, frame: &FrameView<'_>) -> Option<Window> {
        let crop = self.crop.as_mut()?;
        let SizePx { width_px, height_px } = frame.size();
        crop.has_windows = width_px.min(height_px) >= LEAST_SIDE_PX && frame.format().is_planar();
        let window = crop.tracker.next().filter(|_| crop.has_windows);
        if let Some(smoother) = self.smoother.as_mut().filter(|_| window != crop.window) {
            smoother.look_anew();
        }
        crop.window = window;
        window
    }

    /// The window that the newest frame is looked at in; `None` for all of it.
    pub(super) fn window(&self) -> Option<Window> {
        self.crop.as_ref().and_then(|crop| crop.window)
    }

    /// Whether the mask of a picture can be made of the one before.
    pub(super) fn can_carry(&self) -> bool {
        self.smoother.is_some()
    }

    /// The next frame begins: `frame`. A failed one may have left off anywhere: without a mask of it, the one before it is not
    /// blended with this frame's.
    ///
    /// # Errors
    /// [`MatteError::UnsupportedFrame`] if `frame` is not planar.
    pub(super) fn begin(
        &mut self,
        frame: &FrameView<'_>,
        has_second_opinion: bool,
    ) -> Result<(), MatteError> {
        self.has_advanced = false;
        if !std::mem::take(&mut self.has_mask) {
            self.smoother.iter_mut().for_each(Smoother::reset);
        }
        if self.smoother.is_some() || self.crop.is_some() || has_second_opinion {
            Thumbnails::add(&mut self.thumbnails, frame)?;
        }
        Ok(())
    }

    /// What the network sees of the newest picture, which was taken at `captured_at`, brighter by `gain`; `None` if no step asks
    /// for thumbnails.
    pub(super) fn sight(&self, gain: f32, captured_at: Instant) -> Option<Sight<'_>> {
        let thumbnail = &self.thumbnails.as_ref()?.new;
        let (planes, width) = (thumbnail.bytes(), thumbnail.size().width_px as usize);
        Some(Sight { planes, width, gain, window: self.window(), captured_at })
    }

    /// The size of the thumbnails, if masks end where the network sees the edge: plain filters move it.
    pub(super) fn cells_of_true_edges(&self) -> Option<SizePx> {
        let thumbnails = self.thumbnails.as_ref().filter(|_| self.plain.is_none());
        thumbnails.map(|thumbnails| thumbnails.new.size())
    }

    /// Moves the mask so far on to the newest picture. Gives how much has changed where the mask may have an edge
    /// now, see [`Smoother::changed_at_edge`].
    ///
    /// # Errors
    /// [`MatteError::Frame`] if that is of no usable size.
    pub(super) fn advance(&mut self) -> Result<Option<f32>, MatteError> {
        let (Some(smoother), Some(thumbnails)) = (&mut self.smoother, &self.thumbnails) else {
            return Ok(None);
        };
        self.has_advanced = true;
        smoother.compare(thumbnails)?;
        let changed = smoother.changed_at_edge();
        smoother.advance(thumbnails);
        Ok(changed)
    }

    /// Makes `canvas` the mask of the newest frame out of the one before, after [`advance`](Self::advance).
    ///
    /// # Errors
    /// Those of the second opinion.
    pub(super) fn carry(
        &mut self,
        second_opinion: Option<(&mut SecondOpinion, f32)>,
        canvas: &mut Frame,
    ) -> Result<(), MatteError> {
        self.has_advanced = false;
        let (Some(smoother), Some(thumbnails)) = (&self.smoother, &self.thumbnails) else {
            return Ok(());
        };
        smoother.repeat(canvas);
        if let Some((second_opinion, gain)) = second_opinion {
            second_opinion.apply_to_carried((thumbnails, gain), canvas)?;
        }
        if let Some(crop) = &mut self.crop {
            crop.learn(canvas.bytes());
            crop.tracker.watch(thumbnails);
        }
        if let Some(plain) = &mut self.plain {
            plain.filter(canvas);
        }
        self.has_mask = true;
        Ok(())
    }

    /// Lays onto `canvas` what the network `found` in what it looked at; `held` is the inference that did so for a frame before, if
    /// it holds for this one. Gives the window to look into once more, if somebody is lost.
    pub(super) fn lay(
        &mut self,
        found: &Frame,
        held: Option<InferenceId>,
        canvas: &mut Frame,
    ) -> Option<Window> {
        if let Some(kept) = self.canvas_cache.as_ref().and_then(|cache| cache.get(held)) {
            canvas.bytes_mut().copy_from_slice(kept.bytes());
        } else {
            self.lay_anew(found, canvas);
            self.canvas_cache.iter_mut().for_each(|cache| cache.keep(held, canvas));
        }
        let crop = self.crop.as_mut()?;
        let lost = crop.lost.find(canvas.bytes(), canvas.captured_at())?;
        crop.tracker.window_of_lost(lost).filter(|_| crop.has_windows)
    }

    /// Brings what was `found` to its place on `canvas`, and drops islands.
    fn lay_anew(&mut self, found: &Frame, canvas: &mut Frame) {
        let enlarger = self.enlarger.as_mut().filter(|_| found.size() != canvas.size());
        match (&mut self.crop, enlarger) {
            (Some(crop), _) if crop.window.is_some() => crop.place(found, canvas),
            (_, Some(enlarger)) => {
                enlarger.scale(found.view().plane(0), &mut canvas.view_mut().plane_mut(0));
            }
            _ => canvas.bytes_mut().copy_from_slice(found.bytes()),
        }
        self.filter(canvas);
    }

    /// Adds to `canvas` whom the network `found` in the `window` of somebody who is lost, where they may be.
    pub(super) fn keep_lost(&mut self, window: Window, found: &Frame, canvas: &mut Frame) {
        if let Some(crop) = &mut self.crop {
            crop.keep_lost(window, found, canvas);
            self.filter(canvas);
        }
    }

    /// The window to look into once more, if somebody comes in at a side of the newest picture whom `canvas`, what was found in it,
    /// does not show.
    pub(super) fn window_of_entry(&mut self, canvas: &Frame) -> Option<Window> {
        let crop = self.crop.as_mut().filter(|crop| crop.has_windows)?;
        let masks = [crop.lost.before(), canvas.bytes()];
        let side = crop.entry.find(self.thumbnails.as_ref()?, masks, canvas.captured_at())?;
        crop.tracker.window_of_entry(side)
    }

    /// Adds to `canvas` whom the network `found` in the `window` of somebody who comes in, where something has moved.
    pub(super) fn keep_entering(&mut self, window: Window, found: &Frame, canvas: &mut Frame) {
        if let Some(crop) = &mut self.crop {
            crop.keep_entering(window, found, canvas);
            self.filter(canvas);
        }
    }

    /// Drops islands. What it remembers of this mask counts from now on.
    fn filter(&mut self, canvas: &mut Frame) {
        self.canvas_cache.iter_mut().for_each(CanvasCache::clear);
        if let Some(component_filter) = &mut self.component_filter {
            component_filter.apply(canvas.bytes_mut());
        }
    }

    /// Makes `canvas`, on which is [laid](Self::lay) what the network found, the mask of `frame`.
    ///
    /// # Errors
    /// [`MatteError::UnsupportedFrame`] if `frame` is not planar.
    pub(super) fn refine(
        &mut self,
        frame: &FrameView<'_>,
        second_opinion: Option<(&mut SecondOpinion, f32)>,
        canvas: &mut Frame,
    ) -> Result<(), MatteError> {
        let has_advanced = std::mem::take(&mut self.has_advanced);
        let thumbnails = self.thumbnails.as_ref();
        let mut raisable = None;
        if let (Some((second_opinion, gain)), Some(thumbnails)) = (second_opinion, thumbnails) {
            second_opinion.apply(frame, (thumbnails, gain), canvas)?;
            raisable = second_opinion.raisable();
        }
        if let Some(crop) = &mut self.crop {
            crop.learn(canvas.bytes());
            if let Some(thumbnails) = thumbnails {
                crop.tracker.watch(thumbnails);
            }
        }
        if let Some(raiser) = &self.raiser {
            match raisable {
                Some(raisable) => raiser.raise_some(raisable, canvas.bytes_mut()),
                None => raiser.raise(canvas.bytes_mut()),
            }
        }
        if let (Some(smoother), Some(thumbnails)) = (&mut self.smoother, thumbnails) {
            if !has_advanced {
                smoother.compare(thumbnails)?;
                smoother.advance(thumbnails);
            }
            smoother.blend(canvas);
        }
        if let Some(plain) = &mut self.plain {
            plain.filter(canvas);
        }
        self.has_mask = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
