//! A photograph that moves like the picture of a camera: it needs neither a camera nor FFmpeg.

use std::f64::consts::TAU;
use std::time::{Duration, Instant};

use greenroom_frame::{Frame, SizePx};

use crate::{Codec, DeviceError, FrameRate, Next, PassedOver, Playback, Source, SourceMode, Wake};

/// How long the view takes to go to the right and back, in seconds.
const PERIOD_S: f64 = 8.0;
/// The view's part of the photograph's width. Its height follows from 16:9, as far as there is height.
const VIEW_SHARE: f64 = 8.0 / 9.0;

/// A camera that shows a view of 16:9 into a photograph. The view moves from side to side.
#[derive(Debug)]
pub struct TestPicture {
    photo: Frame,
    mode: SourceMode,
    playback: Playback,
    begun: Instant,
    /// The number of the next frame.
    number: u64,
}

impl TestPicture {
    /// What it is called.
    pub const NAME: &str = "test picture";

    /// A test picture of `photo`, which is planar with at least 18x12 pixels, at `rate` frames a second.
    /// [`Playback::Live`] plays at that rate; every other playback as fast as frames are taken. It never
    /// ends.
    pub fn new(photo: Frame, rate: FrameRate, playback: Playback) -> Self {
        let codec = Codec::Raw(photo.format());
        let mode =
            SourceMode { codec, size: view_size(photo.size()), rate, colour: photo.colour() };
        Self { photo, mode, playback, begun: Instant::now(), number: 0 }
    }

    fn view(&self, into: &mut Frame, captured_at: Instant) -> Result<(), DeviceError> {
        let (photo, size) = (self.photo.size(), self.mode.size);
        let turns = self.number as f64 / self.mode.rate.as_fps() / PERIOD_S;
        let share = 0.5 - 0.5 * (turns * TAU).cos();
        // Even: chroma moves with luma.
        let left_px = (f64::from(photo.width_px - size.width_px) * share) as u32 / 2 * 2;
        let top_px = (photo.height_px - size.height_px) / 4 * 2;
        let view = self.photo.view().part(left_px, top_px, size);
        into.reshape(self.photo.format(), size, self.photo.colour())?;
        for (index, mut plane) in into.view_mut().planes_mut().enumerate() {
            for (to, from) in plane.iter_rows_mut().zip(view.plane(index).iter_rows()) {
                to.copy_from_slice(from);
            }
        }
        into.set_captured_at(captured_at);
        Ok(())
    }
}

fn view_size(photo: SizePx) -> SizePx {
    let width_px = (f64::from(photo.width_px) * VIEW_SHARE) as u32 / 2 * 2;
    let height_px = (width_px * 9 / 16).min(photo.height_px) / 2 * 2;
    SizePx::new(width_px, height_px)
}

impl Source for TestPicture {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn mode(&self) -> SourceMode {
        self.mode
    }

    fn next_frame(
        &mut self,
        into: &mut Frame,
        wake: &Wake,
        patience: Duration,
    ) -> Result<Next, DeviceError> {
        let interval = self.mode.rate.interval();
        let mut dropped = 0;
        let captured_at = if self.playback == Playback::Live {
            let due = |number: u64| interval.mul_f64(number as f64);
            let wait = due(self.number).saturating_sub(self.begun.elapsed());
            if Wake::wait([wake], Some(wait.min(patience))) {
                return Ok(Next::Woken);
            }
            if wait > patience {
                return Ok(Next::NotYet(PassedOver::default()));
            }
            // The newest frame that is due; the rounding of a time must not make it an earlier one.
            let newest = (self.begun.elapsed().as_secs_f64() * self.mode.rate.as_fps()) as u64;
            dropped = newest.saturating_sub(self.number);
            self.number = newest.max(self.number);
            self.begun + due(self.number)
        } else {
            Instant::now()
        };
        self.view(into, captured_at)?;
        self.number += 1;
        let dropped = u32::try_from(dropped).unwrap_or(u32::MAX);
        Ok(Next::Frame(PassedOver { dropped, corrupt: 0 }))
    }
}

#[cfg(test)]
mod tests {
    use greenroom_frame::{Colour, PixelFormat};

    use super::*;

    const FPS: FrameRate = FrameRate::new(30, 1).unwrap();

    /// 72x58; each sample of luma is its column.
    fn photo() -> Frame {
        let mut photo = Frame::new(PixelFormat::I420, SizePx::new(72, 58), Colour::WEBCAM).unwrap();
        for row in photo.view_mut().plane_mut(0).iter_rows_mut() {
            for (x, sample) in row.iter_mut().enumerate() {
                *sample = x as u8;
            }
        }
        photo
    }

    #[test]
    fn the_view_goes_from_the_left_edge_to_the_right_one_and_back() {
        let mut camera = TestPicture::new(photo(), FPS, Playback::Unpaced);
        assert_eq!(camera.mode().size, SizePx::new(64, 36));
        let mut frame = photo();
        let mut lefts = Vec::new();
        for _ in 0..240 {
            let next = camera.next_frame(&mut frame, &Wake::new().unwrap(), Duration::ZERO);
            assert_eq!(next.unwrap(), Next::Frame(PassedOver::default()));
            assert_eq!((frame.size(), frame.format()), (camera.mode().size, PixelFormat::I420));
            let row = frame.view().plane(0).row(0);
            assert_eq!(row[63], row[0] + 63, "a row is one piece of the photo's");
            lefts.push(row[0]);
        }
        assert_eq!((lefts[0], lefts[120]), (0, 8));
        assert!(lefts[..121].is_sorted() && lefts[120..].is_sorted_by(|one, next| one >= next));
    }

    #[test]
    fn a_late_taker_gets_the_newest_frame_and_is_told_of_the_others() {
        let mut camera = TestPicture::new(photo(), FPS, Playback::Live);
        let (mut frame, wake) = (photo(), Wake::new().unwrap());
        std::thread::sleep(Duration::from_millis(200));
        let next = camera.next_frame(&mut frame, &wake, Duration::ZERO).unwrap();
        let Next::Frame(PassedOver { dropped, corrupt: 0 }) = next else { panic!("{next:?}") };
        assert!(dropped >= 5, "{dropped}");
        assert!(frame.captured_at() <= Instant::now());
        // The next one is due in the future, or it was passed over by a busy machine.
        wake.ring();
        assert_eq!(camera.next_frame(&mut frame, &wake, Duration::MAX).unwrap(), Next::Woken);
    }

    #[test]
    fn patience_ends_before_the_frame_is_due() {
        let slow = FrameRate::new(1, 3600).unwrap();
        let mut camera = TestPicture::new(photo(), slow, Playback::Live);
        let (mut frame, wake) = (photo(), Wake::new().unwrap());
        let mut next = || camera.next_frame(&mut frame, &wake, Duration::from_millis(1)).unwrap();
        assert!(matches!(next(), Next::Frame(_)));
        assert_eq!(next(), Next::NotYet(PassedOver::default()));
    }
}
