//! Pictures that somebody else makes while they are looked at: those of a screen.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use greenroom_frame::{Backdrop, Frame, FrameError, FrameShape, FrameView, SizePx, Yuv8};

use super::{Background, Fit, MattedFrame};
use crate::adapt::Adapter;
use crate::{Moment, SceneError, SceneFormat, placeholder};

/// A background of pictures that come from elsewhere, the newest as long as no newer one comes. Before the first, and
/// when they are [lost](LivePictures::clear), it is that of the placeholder.
pub struct LiveBackground {
    pictures: Arc<LivePictures>,
    /// Called for each frame that it stands behind.
    on_look: Box<dyn Fn() + Send>,
    shown: Option<Frame>,
    plain: Frame,
    adapter: Adapter,
}

/// Where the pictures of one [`LiveBackground`] are put in. Nobody who looks waits for whoever puts them in.
#[derive(Debug)]
pub struct LivePictures {
    fit: Fit,
    shape: FrameShape,
    slot: Mutex<Slot>,
    fitter: Mutex<Fitter>,
}

/// No more than three frames for a background: one is shown, one is the newest, one is being made.
#[derive(Debug, Default)]
struct Slot {
    newest: Option<Frame>,
    /// What was shown or never looked at.
    spare: Vec<Frame>,
    is_lost: bool,
    has_picture: bool,
}

impl LiveBackground {
    /// For frames of `scene_format`; `on_look` is called on the thread that composes, for each frame.
    ///
    /// # Errors
    /// When the size is none.
    pub fn new(
        fit: Fit,
        scene_format: SceneFormat,
        on_look: Box<dyn Fn() + Send>,
    ) -> Result<Self, SceneError> {
        let shape = scene_format.shape;
        let mut adapter = Adapter::default();
        let gradient = placeholder(shape.size, shape.colour, "")?;
        let mut plain = Frame::new(shape.format, shape.size, shape.colour)?;
        copy_into(adapter.adapt(gradient.view(), shape)?, &mut plain, SizePx::new(0, 0));
        let slot = Slot { spare: Vec::with_capacity(3), ..Slot::default() };
        let pictures = LivePictures { fit, shape, slot: slot.into(), fitter: Mutex::default() };
        Ok(Self { pictures: Arc::new(pictures), on_look, shown: None, plain, adapter })
    }

    /// Where its pictures are put in.
    pub fn pictures(&self) -> &Arc<LivePictures> {
        &self.pictures
    }
}

impl Background for LiveBackground {
    fn behind<'a>(
        &'a mut self,
        matted: &MattedFrame<'a>,
        _moment: &Moment,
    ) -> Result<Backdrop<'a>, SceneError> {
        (self.on_look)();
        let mut slot = lock(&self.pictures.slot);
        if slot.newest.is_some() || slot.is_lost {
            let newest = slot.newest.take();
            slot.spare.extend(std::mem::replace(&mut self.shown, newest));
        }
        drop(slot);
        let shown = self.shown.as_ref().unwrap_or(&self.plain);
        Ok(self.adapter.adapt(shown.view(), matted.frame.shape())?.into())
    }
}

impl LivePictures {
    /// Shows `picture`, planar and in colour, fitted, from the next frame on.
    ///
    /// # Errors
    /// [`FrameError::NoConversion`] for another picture.
    pub fn show(&self, picture: FrameView<'_>) -> Result<(), FrameError> {
        let FrameShape { format, size, colour } = self.shape;
        let spare = lock(&self.slot).spare.pop();
        let mut frame = match spare {
            Some(frame) => frame,
            None => Frame::new(format, size, colour)?,
        };
        lock(&self.fitter).fit(picture, self.fit, self.shape, &mut frame)?;
        let mut slot = lock(&self.slot);
        let passed_over = slot.newest.replace(frame);
        slot.spare.extend(passed_over);
        (slot.is_lost, slot.has_picture) = (false, true);
        Ok(())
    }

    /// There is no picture any more, until one is [shown](Self::show) again.
    pub fn clear(&self) {
        let mut slot = lock(&self.slot);
        let passed_over = slot.newest.take();
        slot.spare.extend(passed_over);
        (slot.is_lost, slot.has_picture) = (true, false);
    }

    /// Whether there is one.
    pub fn has_picture(&self) -> bool {
        lock(&self.slot).has_picture
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Brings pictures into frames of another shape.
#[derive(Debug, Default)]
struct Fitter(Adapter);

impl Fitter {
    fn fit(
        &mut self,
        picture: FrameView<'_>,
        fit: Fit,
        shape: FrameShape,
        into: &mut Frame,
    ) -> Result<(), FrameError> {
        let nothing = SizePx::new(0, 0);
        match fit {
            Fit::Cover => copy_into(self.0.adapt(picture, shape)?, into, nothing),
            Fit::Stretch => copy_into(self.0.stretch(picture, shape)?, into, nothing),
            Fit::Contain => {
                let inner = inner_size(picture.size(), shape.size);
                let fitted = self.0.stretch(picture, FrameShape { size: inner, ..shape })?;
                let Yuv8 { y, u, v } =
                    shape.colour.encode(greenroom_frame::Rgb8 { r: 0, g: 0, b: 0 });
                into.fill(Yuv8 { y, u, v });
                let half = |whole: u32, inner: u32| (whole - inner) / 4 * 2;
                let bars = SizePx::new(
                    half(shape.size.width_px, inner.width_px),
                    half(shape.size.height_px, inner.height_px),
                );
                copy_into(fitted, into, bars);
            }
        }
        Ok(())
    }
}

/// The largest size of the shape of `picture` that fits into `whole`; even where that has bars, as chroma needs it.
fn inner_size(picture: SizePx, whole: SizePx) -> SizePx {
    let [from_w, from_h] = [picture.width_px, picture.height_px].map(u64::from);
    let [to_w, to_h] = [whole.width_px, whole.height_px].map(u64::from);
    let even = |side: u64, most: u32| ((side as u32) & !1).clamp(2.min(most), most);
    if from_w * to_h > to_w * from_h {
        SizePx::new(whole.width_px, even(from_h * to_w / from_w, whole.height_px))
    } else {
        SizePx::new(even(from_w * to_h / from_h, whole.width_px), whole.height_px)
    }
}

/// Copies `from` to where `into`, of the same format and at least as large, has its first pixel behind `bars`, which are even.
fn copy_into(from: FrameView<'_>, into: &mut Frame, bars: SizePx) {
    let chroma = into.format().chroma().plane_size(bars);
    for (index, mut plane) in into.view_mut().planes_mut().enumerate() {
        let bars = if index == 0 { bars } else { chroma };
        let (left, top) = (bars.width_px as usize, bars.height_px as usize);
        for (y, row) in from.plane(index).iter_rows().enumerate() {
            plane.row_mut(top + y)[left..][..row.len()].copy_from_slice(row);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
    use std::time::Instant;

    use greenroom_frame::{Colour, MatteView, PixelFormat, Rgb8};

    use super::*;
    use crate::Pace;
    use crate::moment::Clock;

    const RED: Rgb8 = Rgb8 { r: 200, g: 20, b: 20 };
    const BLACK: Rgb8 = Rgb8 { r: 0, g: 0, b: 0 };

    fn frame(format: PixelFormat, size: SizePx, rgb: Rgb8) -> Frame {
        let mut frame = Frame::new(format, size, Colour::WEBCAM).unwrap();
        frame.fill(Colour::WEBCAM.encode(rgb));
        frame
    }

    /// A room of `shape`, and what is shown behind somebody in it.
    fn look(background: &mut LiveBackground, shape: FrameShape) -> Frame {
        let room = Frame::new(shape.format, shape.size, shape.colour).unwrap();
        let chroma = shape.format.chroma().plane_size(shape.size);
        let alpha = |size| Frame::new(PixelFormat::Grey, size, Colour::JPEG).unwrap();
        let (luma, chroma) = (alpha(shape.size), alpha(chroma));
        let matte = MatteView::new(room.view(), luma.view(), chroma.view()).unwrap();
        let moment = Clock::new(0).tick(Instant::now());
        let matted = MattedFrame { frame: room.view(), matte };
        let behind = background.behind(&matted, &moment).unwrap();
        assert_eq!(behind.shape(), shape);
        let mut copy = Frame::new(shape.format, shape.size, shape.colour).unwrap();
        behind.copy_to(&mut copy).unwrap();
        copy
    }

    fn is(frame: &Frame, x: usize, y: usize, rgb: Rgb8) -> bool {
        let wanted = frame.colour().encode(rgb);
        let rows = if frame.format() == PixelFormat::I420 { 2 } else { 1 };
        let view = frame.view();
        let seen = [
            view.plane(0).row(y)[x],
            view.plane(1).row(y / rows)[x / 2],
            view.plane(2).row(y / rows)[x / 2],
        ];
        let all = [wanted.y, wanted.u, wanted.v].into_iter().zip(seen);
        all.into_iter().all(|(wanted, seen)| wanted.abs_diff(seen) <= 2)
    }

    #[test]
    fn the_newest_picture_is_shown_and_nothing_of_a_lost_one() {
        let looks = Arc::new(AtomicU32::new(0));
        let shape = FrameShape {
            format: PixelFormat::I422,
            size: SizePx::new(64, 36),
            colour: Colour::JPEG,
        };
        let scene_format = SceneFormat { shape, pace: Pace::Live };
        let count = Arc::clone(&looks);
        let on_look = Box::new(move || {
            count.fetch_add(1, SeqCst);
        });
        let mut background = LiveBackground::new(Fit::Cover, scene_format, on_look).unwrap();
        let pictures = Arc::clone(background.pictures());
        let plain = look(&mut background, shape);
        assert!(!is(&plain, 9, 9, RED) && !pictures.has_picture());
        for step in 0..20 {
            let rgb = if step % 2 == 0 { RED } else { BLACK };
            let size = SizePx::new(30 + step, 80);
            for _ in 0..=step % 3 {
                pictures.show(frame(PixelFormat::I420, size, rgb).view()).unwrap();
            }
            assert!(is(&look(&mut background, shape), 9, 9, rgb), "{step}");
            // It stays.
            assert!(is(&look(&mut background, shape), 63, 35, rgb), "{step}");
        }
        assert!(lock(&pictures.slot).spare.len() <= 2 && pictures.has_picture());
        pictures.show(frame(PixelFormat::I420, shape.size, RED).view()).unwrap();
        pictures.clear();
        assert!(look(&mut background, shape).bytes() == plain.bytes());
        let other = FrameShape { format: PixelFormat::I420, colour: Colour::WEBCAM, ..shape };
        pictures.show(frame(PixelFormat::I420, shape.size, RED).view()).unwrap();
        assert!(is(&look(&mut background, other), 9, 9, RED));
        assert_eq!(looks.load(SeqCst), 43);
        let grey = Frame::new(PixelFormat::Grey, SizePx::new(4, 4), Colour::JPEG).unwrap();
        assert!(pictures.show(grey.view()).is_err());
    }

    #[test]
    fn pictures_are_fitted_as_those_of_files_are() {
        // The middle third of the columns is red.
        let mut picture = frame(PixelFormat::I420, SizePx::new(90, 30), BLACK);
        let red = Colour::WEBCAM.encode(RED);
        for (index, mut plane) in picture.view_mut().planes_mut().enumerate() {
            let third = plane.row_bytes() / 3;
            let sample = [red.y, red.u, red.v][index];
            plane.iter_rows_mut().for_each(|row| row[third..2 * third].fill(sample));
        }
        let shape =
            |format| FrameShape { format, size: SizePx::new(60, 60), colour: Colour::WEBCAM };
        for format in [PixelFormat::I420, PixelFormat::I422] {
            let fitted = |fit| {
                let mut into = frame(format, SizePx::new(60, 60), RED);
                Fitter::default().fit(picture.view(), fit, shape(format), &mut into).unwrap();
                into
            };
            let cover = fitted(Fit::Cover);
            assert!(is(&cover, 4, 4, RED) && is(&cover, 30, 56, RED));
            let contain = fitted(Fit::Contain);
            assert!(is(&contain, 30, 4, BLACK) && is(&contain, 30, 55, BLACK));
            assert!(is(&contain, 30, 30, RED) && is(&contain, 4, 30, BLACK));
            let stretch = fitted(Fit::Stretch);
            assert!(is(&stretch, 30, 2, RED) && is(&stretch, 4, 30, BLACK));
        }
        for size in [SizePx::new(1, 4096), SizePx::new(4096, 1), SizePx::new(3, 3)] {
            let inner = inner_size(size, SizePx::new(61, 35));
            assert!(inner.width_px.min(inner.height_px) >= 2, "{inner}");
        }
        assert_eq!(inner_size(SizePx::new(9, 9), SizePx::new(1, 1)), SizePx::new(1, 1));
    }
}
