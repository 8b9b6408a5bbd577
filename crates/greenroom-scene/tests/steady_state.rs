//! No effect and no background asks for memory once it has seen a frame.

#![allow(clippy::unwrap_used)]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

use greenroom_frame::{
    Colour, Frame, Isa, MatteBlocks, MatteView, PackedPicture, PixelFormat, SizePx,
};
use greenroom_scene::{BackgroundSpec, MattedFrame, Pace, SceneFormat, SceneSpec};

thread_local! {
    /// How often this thread has asked. Others, such as the one that shows how tests go, are not counted.
    static ASKED: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: all is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.set(ASKED.get() + 1);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ASKED.set(ASKED.get() + 1);
        // SAFETY: as above.
        unsafe { System.realloc(at, layout, size) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn nothing_is_asked_for_after_the_first_frames() {
    let plain = BackgroundSpec::Colour("#00b140".parse().unwrap());
    let scene = |background, effects| SceneSpec { background, effects, ..SceneSpec::default() };
    let mut scenes = vec![scene(plain, Vec::new())];
    scenes.extend(common::scenes_with_effects());
    scenes.push(scene(BackgroundSpec::None, vec!["anonymise".parse().unwrap()]));
    scenes.extend(BackgroundSpec::every().map(|background| scene(background, Vec::new())));
    for format in [PixelFormat::I420, PixelFormat::I422] {
        for spec in &scenes {
            for way in [Way::OnCanvas, Way::Packed] {
                assert_eq!(asked_by(spec, format, way), 0, "{spec:?} {way:?}");
            }
        }
    }
}

/// How frames are composed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    OnCanvas,
    Packed,
}

/// How often the scene asks for memory from its fourth frame on. The person moves and grows.
fn asked_by(spec: &SceneSpec, format: PixelFormat, way: Way) -> usize {
    let size = SizePx::new(161, 97);
    let mut frame = Frame::new(format, size, Colour::WEBCAM).unwrap();
    let matte = |size| Frame::new(PixelFormat::Grey, size, Colour::JPEG).unwrap();
    let (mut luma, mut chroma) = (matte(size), matte(format.chroma().plane_size(size)));
    let scene_format = SceneFormat { shape: frame.shape(), pace: Pace::Exact };
    let mut scene = spec.build(scene_format).unwrap();
    let mut canvas = frame.clone();
    let mut packed = PackedPicture::new(PixelFormat::Yuyv, size, Colour::JPEG).unwrap();
    let [mut luma_blocks, mut chroma_blocks] = [luma.size(), chroma.size()].map(MatteBlocks::new);
    let start = frame.captured_at();
    let mut before = 0;
    for number in 0..12 {
        frame.set_captured_at(start + Duration::from_millis(33) * number as u32);
        for (alpha, blocks) in [(&mut luma, &mut luma_blocks), (&mut chroma, &mut chroma_blocks)] {
            let first = 40 - 3 * number;
            for (y, row) in alpha.view_mut().plane_mut(0).iter_rows_mut().enumerate() {
                let width = row.len();
                if y >= first {
                    row[first..width - first].fill(255);
                }
                blocks.draw_row(Isa::best(), y, row);
            }
        }
        let matte = MatteView::new(frame.view(), luma.view(), chroma.view()).unwrap();
        let matte = matte.with_blocks(Some([&luma_blocks, &chroma_blocks]));
        let matted = MattedFrame { frame: frame.view(), matte };
        if way == Way::Packed && scene.composes_packed() {
            scene.compose_packed(&matted, &mut packed).unwrap();
        } else {
            scene.compose(&matted, &mut canvas).unwrap();
        }
        if number == 3 {
            before = ASKED.get();
        }
    }
    ASKED.get() - before
}
