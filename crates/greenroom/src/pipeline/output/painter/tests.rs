use std::time::{Duration, Instant};

use greenroom_device::FrameRate;
use greenroom_frame::{Colour, FrameShape, Isa, MatteBlocks, MatteView, PixelFormat, SizePx, Yuv8};
use greenroom_scene::{Pace, SceneFormat, SceneSpec};

use super::*;

const SIZE: SizePx = SizePx::new(128, 72);
const SHAPE: FrameShape = FrameShape { format: PixelFormat::I420, size: SIZE, colour: Colour::HD };

fn mode(size: SizePx) -> SinkMode {
    let rate = FrameRate::new(30, 1).unwrap();
    SinkMode { format: PixelFormat::Yuyv, size, rate, colour: Colour::WEBCAM }
}

fn painter() -> Painter {
    let spec = SceneSpec { background: "#00b140".parse().unwrap(), ..SceneSpec::default() };
    let scene = spec.build(SceneFormat { shape: SHAPE, pace: Pace::Live }).unwrap();
    Painter::new(mode(SIZE), scene).unwrap()
}

/// A grey camera's picture with somebody in these columns.
struct Shot {
    frame: Frame,
    luma: (Frame, MatteBlocks),
    chroma: (Frame, MatteBlocks),
}

impl Shot {
    fn new(left: usize, captured_at: Instant) -> Self {
        let mut frame = Frame::new(SHAPE.format, SIZE, SHAPE.colour).unwrap();
        frame.fill(Yuv8 { y: 100 + left as u8, u: 90, v: 150 });
        frame.set_captured_at(captured_at);
        let alpha = |size: SizePx, left: usize| {
            let mut alpha = Frame::new(PixelFormat::Grey, size, Colour::JPEG).unwrap();
            let mut blocks = MatteBlocks::new(size);
            for (y, row) in alpha.view_mut().plane_mut(0).iter_rows_mut().enumerate() {
                let width = row.len() / 6;
                row[left..left + width].fill(255);
                blocks.draw_row(Isa::best(), y, row);
            }
            (alpha, blocks)
        };
        Self { frame, luma: alpha(SIZE, left), chroma: alpha(SizePx::new(64, 36), left / 2) }
    }

    fn matted(&self) -> MattedFrame<'_> {
        let frame = self.frame.view();
        let matte = MatteView::new(frame, self.luma.0.view(), self.chroma.0.view()).unwrap();
        MattedFrame { frame, matte: matte.with_blocks(Some([&self.luma.1, &self.chroma.1])) }
    }
}

/// Whether a canvas is looked at, or a placeholder or another size comes in between: each picture is the one that a painter paints
/// who always takes a canvas.
#[test]
fn a_canvas_makes_no_difference() {
    let (mut sweeps, mut takes_canvas) = (painter(), painter());
    let start = Instant::now();
    // Where the person is, and whether a canvas is needed. There are two sections, left and right of 64.
    let frames = [
        (90, false),
        (90, false),
        (10, true),
        (90, false),
        (10, false),
        (90, true),
        (10, true),
        (90, false),
        (10, false),
        (90, false),
    ];
    for (number, (left, needs_canvas)) in frames.into_iter().enumerate() {
        match number {
            4 => drop(sweeps.placeholder(&PlaceholderReason::Failed).unwrap()),
            7 => [&mut sweeps, &mut takes_canvas]
                .into_iter()
                .for_each(|painter| painter.set_mode(mode(SizePx::new(64, 36))).unwrap()),
            8 => [&mut sweeps, &mut takes_canvas]
                .into_iter()
                .for_each(|painter| painter.set_mode(mode(SIZE)).unwrap()),
            _ => {}
        }
        let shot = Shot::new(left, start + Duration::from_millis(33) * number as u32);
        let paint = |painter: &mut Painter, needs_canvas| {
            let mut seen = None;
            let composed =
                painter.compose_with(&shot.matted(), std::iter::empty(), needs_canvas).unwrap();
            let is_packed = matches!(composed, Composed::Packed);
            let picture = painter.fit(composed, |canvas| seen = Some(canvas.size())).unwrap();
            assert_eq!(picture.captured_at(), shot.frame.captured_at());
            // A smaller picture is made of a canvas.
            assert_eq!(is_packed, !needs_canvas && number != 7);
            assert_eq!(seen, (!is_packed).then_some(picture.size()));
            picture.bytes().to_vec()
        };
        let seen = paint(&mut sweeps, needs_canvas);
        assert!(seen == paint(&mut takes_canvas, true), "{number}");
        assert!(sweeps.last_picture().bytes() == seen);
    }
}

/// Who shows the same takes a canvas of this frame, but none of an earlier one.
#[test]
fn only_a_canvas_of_the_same_frame_is_shared() {
    let (mut one, mut other) = (painter(), painter());
    let start = Instant::now();
    for (number, needs_canvas) in [true, false, true].into_iter().enumerate() {
        let shot = Shot::new(30 * number, start + Duration::from_millis(33) * number as u32);
        let nobody = std::iter::empty();
        let composed = one.compose_with(&shot.matted(), nobody, needs_canvas).unwrap();
        let first = one.fit(composed, |_| ()).unwrap().bytes().to_vec();
        assert!(one.shares_canvas_with(&other));
        let others = std::iter::once(&mut one);
        let composed = other.compose_with(&shot.matted(), others, false).unwrap();
        assert_eq!(matches!(composed, Composed::OnAnothers(_)), needs_canvas);
        assert!(other.fit(composed, |_| ()).unwrap().bytes() == first, "{number}");
    }
}
