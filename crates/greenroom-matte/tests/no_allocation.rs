//! A frame in steady state asks for no memory: not in pre-processing, not in the network, not in
//! the upscaling.
#![allow(clippy::unwrap_used)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

use greenroom_frame::{Colour, Frame, PixelFormat, Rgb8, SizePx};
use greenroom_matte::{
    AlphaMap, Engine, FaceFinder, Guide, InputTensor, Isa, KeyColour, MatteMaker, Model,
    MulticlassEngine, RefineSteps, ScreenKey, SecondOpinion, Upscaler,
};

/// The system's allocator, counting what the current thread asks for.
struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(mut work: impl FnMut()) -> usize {
    let before = COUNT.get();
    work();
    COUNT.get() - before
}

#[test]
fn the_multiclass_network_asks_for_no_memory() {
    for isa in Isa::available() {
        let file = MulticlassEngine::file();
        let mut engine = MulticlassEngine::from_tflite("multiclass", file, isa).unwrap();
        let input = InputTensor::new(engine.description());
        let mut alpha = AlphaMap::new(engine.description());
        let mut look = || engine.infer(&input, &mut alpha).unwrap();
        // Memory was made for the size that most frames have.
        look();
        assert_eq!(allocations(look), 0, "{isa}");
    }
}

#[test]
fn finding_faces_asks_for_no_memory() {
    for isa in Isa::available() {
        let mut finder = FaceFinder::from_tflite("faces", FaceFinder::file(), isa).unwrap();
        for (format, size) in [
            (PixelFormat::I420, SizePx::new(1280, 720)),
            (PixelFormat::Grey, SizePx::new(480, 641)),
        ] {
            let picture = Frame::new(format, size, Colour::WEBCAM).unwrap();
            let mut find = |gain| {
                finder.find(&picture.view(), gain).unwrap();
            };
            assert!(allocations(|| find(1.0)) > 0, "the first frame makes the tables");
            assert_eq!(
                allocations(|| [1.0, 2.0].into_iter().for_each(&mut find)),
                0,
                "{format} {isa}"
            );
        }
    }
}

#[test]
fn steady_state_asks_for_no_memory() {
    assert!(allocations(|| drop(vec![0_u8; 100])) > 0, "the counter counts");
    for (format, size) in [
        (PixelFormat::I420, SizePx::new(1280, 720)),
        (PixelFormat::I422, SizePx::new(640, 480)),
        (PixelFormat::Grey, SizePx::new(321, 241)),
    ] {
        for isa in Isa::available() {
            for model in Model::ALL {
                let picture = Frame::new(format, size, Colour::WEBCAM).unwrap();
                let mut maker = MatteMaker::with_isa(model, isa).unwrap();
                let mut upscaler = Upscaler::new();
                let mut alpha = Frame::new(PixelFormat::Grey, size, Colour::JPEG).unwrap();
                let mut frame = || {
                    let small = maker.matte(&picture.view()).unwrap();
                    upscaler.upscale(&small.view(), &mut alpha.view_mut()).unwrap();
                };
                assert!(allocations(&mut frame) > 0, "the first frame makes the tables");
                assert_eq!(allocations(|| (0..5).for_each(|_| frame())), 0, "{format} {isa}");
            }
        }
    }
}

#[test]
fn noise_asks_for_no_memory() {
    let size = SizePx::new(1280, 720);
    let noisy = |seed: u32| {
        let mut frame = Frame::new(PixelFormat::I420, size, Colour::WEBCAM).unwrap();
        let mut state = seed;
        for sample in frame.bytes_mut() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *sample = 100 + (state >> 26) as u8;
        }
        frame
    };
    let pictures = [noisy(1), noisy(2)];
    let mut brighter = noisy(3);
    brighter.bytes_mut().iter_mut().for_each(|sample| *sample = sample.saturating_add(90));
    let maker = MatteMaker::new(Model::DEFAULT).unwrap();
    let mut maker = maker.refined(RefineSteps::default()).unwrap();
    let mut frames = |count: usize| {
        for picture in pictures.iter().cycle().take(count) {
            maker.matte(&picture.view()).unwrap();
        }
    };
    assert!(allocations(|| frames(1)) > 0, "the first frame makes the tables");
    assert!(allocations(|| frames(5)) > 0, "there is noise from the second frame on");
    assert_eq!(allocations(|| frames(6)), 0);
    assert_eq!(allocations(|| _ = maker.matte(&brighter.view()).unwrap()), 0);
}

#[test]
fn a_second_opinion_asks_for_no_memory() {
    let mut picture =
        Frame::new(PixelFormat::I420, SizePx::new(1280, 720), Colour::WEBCAM).unwrap();
    for (at, sample) in picture.bytes_mut().iter_mut().enumerate() {
        *sample = 60 + (at % 1280 / 10) as u8;
    }
    let maker = MatteMaker::new(Model::DEFAULT).unwrap().refined(RefineSteps::default()).unwrap();
    let mut maker = maker.with_second_opinion(SecondOpinion::at_once().unwrap());
    let mut at = picture.captured_at();
    // Frames that are so far apart are all asked about.
    let mut frames = |count: usize| {
        for _ in 0..count {
            at += Duration::from_secs(20);
            picture.set_captured_at(at);
            maker.matte(&picture.view()).unwrap();
        }
    };
    assert!(allocations(|| frames(2)) > 0, "the first frame makes the tables");
    assert_eq!(allocations(|| frames(2)), 0);
}

#[test]
fn a_guide_asks_for_no_memory_whoever_comes_in() {
    for (format, size) in
        [(PixelFormat::I420, SizePx::new(1280, 720)), (PixelFormat::I422, SizePx::new(641, 359))]
    {
        let mut picture = Frame::new(format, size, Colour::WEBCAM).unwrap();
        for (at, sample) in picture.bytes_mut().iter_mut().enumerate() {
            *sample = (at * 7919 % 251) as u8;
        }
        let mut mask = Frame::new(PixelFormat::Grey, SizePx::new(320, 224), Colour::JPEG).unwrap();
        mask.bytes_mut().fill(0);
        let mut guide = Guide::new().with_spill();
        guide.fit(&mask.view(), &picture.view()).unwrap();
        // More and more people: columns of the mask, side by side.
        for people in 1..=10 {
            for row in mask.view_mut().plane_mut(0).iter_rows_mut() {
                row.fill(0);
                for person in 0..people {
                    row[person * 30 + 8..person * 30 + 22].fill(255);
                }
            }
            let asked = allocations(|| guide.fit(&mask.view(), &picture.view()).unwrap());
            assert_eq!(asked, 0, "{format}: {people}");
        }
    }
}

#[test]
fn a_key_asks_for_no_memory() {
    let green = Colour::WEBCAM.encode(Rgb8 { r: 0, g: 177, b: 64 });
    for (format, size) in
        [(PixelFormat::I420, SizePx::new(1280, 720)), (PixelFormat::I422, SizePx::new(640, 480))]
    {
        let mut picture = Frame::new(format, size, Colour::WEBCAM).unwrap();
        let mut network =
            Frame::new(PixelFormat::Grey, SizePx::new(320, 224), Colour::JPEG).unwrap();
        let mut luma = Frame::new(PixelFormat::Grey, size, Colour::JPEG).unwrap();
        let plane = format.chroma().plane_size(size);
        let mut chroma = Frame::new(PixelFormat::Grey, plane, Colour::JPEG).unwrap();
        // A person with a slanted edge in the lower half, and nobody in every other frame.
        picture.fill(green);
        for (plane, code) in [60, 120, 135].into_iter().enumerate() {
            let mut view = picture.view_mut();
            let mut plane = view.plane_mut(plane);
            let (columns, rows) = (plane.row_bytes(), plane.rows());
            for y in rows / 2..rows {
                plane.row_mut(y)[columns / 3 - y / 8..columns / 2 + y / 8].fill(code);
            }
        }
        let mut empty = picture.clone();
        empty.fill(green);
        for y in 112..224 {
            network.view_mut().plane_mut(0).row_mut(y)[110..160].fill(255);
        }
        let mut key = ScreenKey::new(KeyColour::Auto);
        let mut frame = |picture: &Frame| {
            let keyed = key.pull(&network.view(), &picture.view()).unwrap();
            assert!(keyed.is_some(), "there is a screen");
            key.draw(&picture.view(), &mut luma, &mut chroma);
        };
        assert!(allocations(|| frame(&picture)) > 0, "the first frame makes the tables");
        let both = || [&picture, &empty, &picture].into_iter().for_each(&mut frame);
        assert_eq!(allocations(both), 0, "{format}");
    }
}
