//! A frame that is composed packed, in one sweep, is the same as on a canvas that is packed then: frame after frame, in every scene.

#![allow(clippy::unwrap_used)]

mod common;

use std::time::{Duration, Instant};

use greenroom_frame::{
    Colour, Frame, FrameShape, Isa, MatteBlocks, MatteView, PackedPicture, PixelFormat, SizePx,
    pack,
};
use greenroom_scene::{BackgroundSpec, MattedFrame, Pace, Reuse, Scene, SceneFormat, SceneSpec};

const SIZE: SizePx = SizePx::new(320, 180);
const FRAMES: usize = 6;

/// A frame of noise, and somebody with a soft edge in it who walks to the right.
struct Shot {
    frame: Frame,
    luma: (Frame, MatteBlocks),
    chroma: (Frame, MatteBlocks),
}

impl Shot {
    fn new(format: PixelFormat, number: usize, start: Instant) -> Self {
        let mut frame = Frame::new(format, SIZE, Colour::HD).unwrap();
        for (at, sample) in frame.bytes_mut().iter_mut().enumerate() {
            *sample = 20 + ((at + number) * 7919 % 200) as u8;
        }
        frame.set_captured_at(start + Duration::from_millis(33) * number as u32);
        let alpha = |size| alpha(size, number);
        Self { frame, luma: alpha(SIZE), chroma: alpha(format.chroma().plane_size(SIZE)) }
    }

    fn matted(&self) -> MattedFrame<'_> {
        let frame = self.frame.view();
        let matte = MatteView::new(frame, self.luma.0.view(), self.chroma.0.view()).unwrap();
        let blocks = Some([&self.luma.1, &self.chroma.1]);
        MattedFrame { frame, matte: matte.with_blocks(blocks) }
    }
}

fn alpha(size: SizePx, number: usize) -> (Frame, MatteBlocks) {
    let mut alpha = Frame::new(PixelFormat::Grey, size, Colour::JPEG).unwrap();
    let mut blocks = MatteBlocks::new(size);
    let mut view = alpha.view_mut();
    for (y, row) in view.plane_mut(0).iter_rows_mut().enumerate() {
        let (left, third) = (row.len() * number / 9, row.len() / 3);
        row.fill(0);
        if y > 20 {
            row[left..left + third].fill(255);
            row[left + third..left + third + 8].fill(128);
        }
        blocks.draw_row(Isa::best(), y, row);
    }
    (alpha, blocks)
}

/// The same scene twice: composed packed, and on a canvas.
struct Both {
    scenes: [Scene; 2],
}

impl Both {
    fn new(spec: &SceneSpec, reuse: Reuse, shape: FrameShape) -> Self {
        let scene_format = SceneFormat { shape, pace: Pace::Exact };
        Self { scenes: [(); 2].map(|()| spec.build_but(reuse, scene_format, None).unwrap()) }
    }

    fn take_over(&mut self, old: &mut Both) {
        for (new, old) in self.scenes.iter_mut().zip(&mut old.scenes) {
            new.take_over(old);
        }
    }

    /// Whether a frame is the same.
    fn agree(&mut self, shot: &Shot, packed: &mut PackedPicture) -> bool {
        let (matted, mut canvas) = (shot.matted(), shot.frame.clone());
        let [in_one_sweep, on_canvas] = &mut self.scenes;
        in_one_sweep.compose_packed(&matted, packed).unwrap();
        on_canvas.compose(&matted, &mut canvas).unwrap();
        let FrameShape { format, size, colour } = packed.view().shape();
        let mut expected = Frame::new(format, size, colour).unwrap();
        pack(canvas.view(), &mut expected.view_mut()).unwrap();
        packed.view().bytes() == expected.bytes()
    }
}

#[test]
fn every_scene_is_the_same_in_one_sweep() {
    let plain = BackgroundSpec::Colour("#00b140".parse().unwrap());
    let mut scenes: Vec<_> = BackgroundSpec::every()
        .chain(["#4060a0".parse().unwrap(), BackgroundSpec::None])
        .map(|background| SceneSpec { background, ..SceneSpec::default() })
        .collect();
    scenes.extend(common::scenes_with_effects());
    for framing in ["zoom=2", "auto"] {
        let (background, framing) = (plain.clone(), framing.parse().unwrap());
        scenes.push(SceneSpec { background, framing, ..SceneSpec::default() });
    }
    let start = Instant::now();
    for (format, to) in
        [(PixelFormat::I420, PixelFormat::Yuyv), (PixelFormat::I422, PixelFormat::Nv12)]
    {
        let mut in_one_sweep = 0;
        // One picture for all scenes, as when one follows the other.
        let mut packed = PackedPicture::new(to, SIZE, Colour::WEBCAM).unwrap();
        let shots: [_; FRAMES] = std::array::from_fn(|number| Shot::new(format, number, start));
        for spec in &scenes {
            let mut both = Both::new(spec, Reuse::default(), shots[0].frame.shape());
            if !both.scenes[0].composes_packed() {
                continue;
            }
            in_one_sweep += 1;
            for (number, shot) in shots.iter().enumerate() {
                assert!(both.agree(shot, &mut packed), "{format} {to} {number}: {spec:?}");
            }
        }
        assert!(in_one_sweep >= 20, "{in_one_sweep} of {}", scenes.len());
    }
}

/// A scene that keeps the background of the one before has another background then than it had until then.
#[test]
fn a_background_that_is_taken_over_is_shown() {
    let start = Instant::now();
    let shots: [_; FRAMES] =
        std::array::from_fn(|number| Shot::new(PixelFormat::I420, number, start));
    let shape = shots[0].frame.shape();
    let spec = SceneSpec { background: "#a03010".parse().unwrap(), ..SceneSpec::default() };
    let reuse = Reuse { background: true, ..Reuse::default() };
    let mut packed = PackedPicture::new(PixelFormat::Yuyv, SIZE, Colour::WEBCAM).unwrap();
    let mut old = Both::new(&spec, Reuse::default(), shape);
    // Before it is taken over, black is there.
    let mut new = Both::new(&spec, reuse, shape);
    assert!(new.agree(&shots[0], &mut packed));
    assert!(old.agree(&shots[1], &mut packed));
    assert!(new.agree(&shots[2], &mut packed));
    new.take_over(&mut old);
    for shot in &shots[3..] {
        assert!(new.agree(shot, &mut packed));
    }
}
