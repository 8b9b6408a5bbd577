//! A scene is composed the same with the blocks of the matte known as by a look at all of it, also where effects move or change alpha.

#![allow(clippy::unwrap_used)]

mod common;

use std::time::Duration;

use greenroom_frame::{Colour, Frame, Isa, MatteBlocks, MatteView, PixelFormat, SizePx};
use greenroom_scene::{BackgroundSpec, MattedFrame, Pace, SceneFormat, SceneSpec};

const SIZE: SizePx = SizePx::new(320, 180);

/// A picture of noise.
fn camera(format: PixelFormat) -> Frame {
    let mut frame = Frame::new(format, SIZE, Colour::WEBCAM).unwrap();
    for (at, sample) in frame.bytes_mut().iter_mut().enumerate() {
        *sample = 20 + (at * 7919 % 200) as u8;
    }
    frame
}

/// Alpha of somebody at the left, who has a soft edge, and the kinds of its blocks.
fn alpha(size: SizePx) -> (Frame, MatteBlocks) {
    let mut alpha = Frame::new(PixelFormat::Grey, size, Colour::JPEG).unwrap();
    let mut blocks = MatteBlocks::new(size);
    let mut view = alpha.view_mut();
    for (y, row) in view.plane_mut(0).iter_rows_mut().enumerate() {
        let third = row.len() / 3;
        row.fill(0);
        if y > 20 {
            row[..third].fill(255);
            row[third..third + 8].fill(128);
        }
        blocks.draw_row(Isa::best(), y, row);
    }
    (alpha, blocks)
}

/// The fourth frame of a scene.
fn composed(spec: &SceneSpec, camera: &Frame, matte: MatteView<'_>) -> Frame {
    let scene_format = SceneFormat { shape: camera.shape(), pace: Pace::Exact };
    let mut scene = spec.build(scene_format).unwrap();
    let (mut frame, mut canvas) = (camera.clone(), camera.clone());
    for number in 0..4 {
        frame.set_captured_at(camera.captured_at() + Duration::from_millis(33) * number);
        scene.compose(&MattedFrame { frame: frame.view(), matte }, &mut canvas).unwrap();
    }
    canvas
}

#[test]
fn scenes_are_the_same_with_the_blocks_known() {
    let plain = BackgroundSpec::Colour("#00b140".parse().unwrap());
    let mut scenes = vec![SceneSpec { background: plain.clone(), ..SceneSpec::default() }];
    scenes.extend(common::scenes_with_effects());
    for framing in ["zoom=2", "auto"] {
        let (background, framing) = (plain.clone(), framing.parse().unwrap());
        scenes.push(SceneSpec { background, framing, ..SceneSpec::default() });
    }
    assert!(scenes.len() > 10);
    for format in [PixelFormat::I420, PixelFormat::I422] {
        let camera = camera(format);
        let (luma, luma_blocks) = alpha(SIZE);
        let (chroma, chroma_blocks) = alpha(format.chroma().plane_size(SIZE));
        let matte = MatteView::new(camera.view(), luma.view(), chroma.view()).unwrap();
        let known = matte.with_blocks(Some([&luma_blocks, &chroma_blocks]));
        for spec in &scenes {
            let (looked, knew) = (composed(spec, &camera, matte), composed(spec, &camera, known));
            assert!(looked.bytes() == knew.bytes(), "{format} {spec:?}");
        }
    }
}
