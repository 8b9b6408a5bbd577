use greenroom_frame::SizePx;

use super::*;

/// A bright disc in the middle of a dark picture, and its mask, some pixels off.
fn scene(format: PixelFormat, size: SizePx, off_px: f64) -> (Frame, Frame) {
    let inside = |x: usize, y: usize, step: (f64, f64), off: f64| {
        let (x, y) = ((x as f64 + 0.5) * step.0 + off, (y as f64 + 0.5) * step.1);
        let radius = f64::from(size.height_px) * 0.3;
        let (dx, dy) = (x - f64::from(size.width_px) / 2.0, y - f64::from(size.height_px) / 2.0);
        dx * dx + dy * dy < radius * radius
    };
    let mut frame = Frame::new(format, size, Colour::WEBCAM).unwrap();
    for mut plane in frame.view_mut().planes_mut().take(1) {
        for (y, row) in plane.iter_rows_mut().enumerate() {
            for (x, sample) in row.iter_mut().enumerate() {
                *sample = if inside(x, y, (1.0, 1.0), 0.0) { 190 } else { 60 };
            }
        }
    }
    let chroma = frame.view_mut().planes_mut().skip(1).count();
    for index in 1..=chroma {
        frame.view_mut().plane_mut(index).fill(128);
    }
    let mut mask = Frame::new(PixelFormat::Grey, SizePx::new(64, 64), Colour::JPEG).unwrap();
    let step = (f64::from(size.width_px) / 64.0, f64::from(size.height_px) / 64.0);
    let mut view = mask.view_mut();
    for (y, row) in view.plane_mut(0).iter_rows_mut().enumerate() {
        for (x, sample) in row.iter_mut().enumerate() {
            *sample = if inside(x, y, step, off_px) { 255 } else { 0 };
        }
    }
    (frame, mask)
}

/// The person before a plain background, without the room's colour in the edge.
fn composed(guide: &mut Guide, frame: &Frame, mask: &Frame) -> Frame {
    guide.fit(&mask.view(), &frame.view()).unwrap();
    let [luma, chroma] = guide.planes();
    let matte = greenroom_frame::MatteView::new(frame.view(), luma, chroma).unwrap();
    let (mut behind, mut canvas) = (frame.clone(), frame.clone());
    behind.bytes_mut().fill(100);
    let (over, matte) = (frame.view(), matte.with_edge(guide.edge()));
    let mut compositor = greenroom_frame::Compositor::default();
    compositor.compose(over, behind.view().into(), matte, None, &mut canvas).unwrap();
    canvas
}

fn fit(frame: &Frame, mask: &Frame, isa: Isa) -> (Frame, Frame) {
    let mut guide = Guide { isa, ..Guide::new() };
    guide.fit(&mask.view(), &frame.view()).unwrap();
    let [luma, chroma] = guide.planes;
    (luma, chroma)
}

#[test]
fn the_edge_goes_where_the_picture_has_it() {
    let size = SizePx::new(640, 360);
    let (frame, mask) = scene(PixelFormat::I420, size, 5.0);
    let (luma, _) = fit(&frame, &mask, Isa::best());
    let wrong = |alpha: &[u8]| {
        let truth = frame.view();
        let truth = truth.plane(0).iter_rows().flatten().map(|&sample| sample > 128);
        alpha.iter().zip(truth).filter(|(alpha, truth)| (**alpha >= 128) != *truth).count()
    };
    let mut plain = luma.clone();
    crate::Upscaler::new().upscale(&mask.view(), &mut plain.view_mut()).unwrap();
    let (before, after) = (wrong(plain.bytes()), wrong(luma.bytes()));
    assert!(after * 4 < before, "{after} pixels are wrong, {before} without the guide");
}

#[test]
fn without_an_edge_in_the_mask_nothing_is_changed() {
    for level in [0, 255] {
        let (frame, mut mask) = scene(PixelFormat::I420, SizePx::new(320, 180), 0.0);
        mask.bytes_mut().fill(level);
        let (luma, chroma) = fit(&frame, &mask, Isa::best());
        assert!(luma.bytes().iter().chain(chroma.bytes()).all(|&alpha| alpha == level));
    }
}

#[test]
fn every_format_size_and_isa_gives_the_same_and_planes_that_fit() {
    for format in [PixelFormat::I420, PixelFormat::I422] {
        for (width, height) in [(640, 480), (641, 359), (67, 41), (16, 200), (5, 3), (2, 1), (1, 1)]
        {
            let (frame, mask) = scene(format, SizePx::new(width, height), 1.0);
            let (luma, chroma) = fit(&frame, &mask, Isa::SCALAR);
            for isa in Isa::available() {
                let (again, chroma_again) = fit(&frame, &mask, isa);
                assert!(again.bytes() == luma.bytes(), "{isa} {format} {width}x{height}");
                assert!(chroma_again.bytes() == chroma.bytes(), "{isa} {format} {width}x{height}");
            }
            greenroom_frame::MatteView::new(frame.view(), luma.view(), chroma.view()).unwrap();
        }
    }
}

/// What is certain is only a short cut, and nothing of the picture before is left.
#[test]
fn certain_blocks_are_what_the_sums_would_give() {
    let (frame, mask) = scene(PixelFormat::I420, SizePx::new(640, 360), 3.0);
    let (luma, chroma) = fit(&frame, &mask, Isa::SCALAR);
    let (mask_size, picture) = (mask.view().size(), frame.view().size());
    let sizes = Sizes { mask: mask_size, picture, format: PixelFormat::I420 };
    let mut tables = Tables::new(sizes).unwrap();
    tables.certain.nothing_is_certain(true);
    tables.find(Isa::SCALAR, &mask.view(), &frame.view());
    let draw = |tables: &mut Tables| {
        let (mut whole, mut chroma) = (luma.clone(), chroma.clone());
        whole.bytes_mut().fill(77);
        tables.drawing.forget();
        let planes = (&mut whole, &mut chroma);
        tables.drawing.draw(Isa::SCALAR, &frame.view(), &tables.factors, planes);
        let pairs = whole.bytes().iter().zip(luma.bytes());
        pairs.map(|(a, b)| a.abs_diff(*b)).max().unwrap()
    };
    assert!(draw(&mut tables) <= 1);
    // Another picture, then this one again, now with what is sure.
    tables.certain.nothing_is_certain(false);
    let (other, other_mask) = scene(PixelFormat::I420, SizePx::new(640, 360), 90.0);
    tables.find(Isa::SCALAR, &other_mask.view(), &other.view());
    tables.find(Isa::SCALAR, &mask.view(), &frame.view());
    assert_eq!(draw(&mut tables), 0);
}

/// Nothing of the pictures before is left, wherever the person was: alpha is that of a guide that has
/// seen nothing else.
#[test]
fn a_person_who_moves_leaves_nothing_behind() {
    let mut guide = Guide::new();
    for format in [PixelFormat::I420, PixelFormat::I422] {
        // Twice nothing moves.
        for off_px in [0.0, 7.0, 7.0, 23.0, 60.0, -90.0, -45.0, 180.0, 0.0, 0.0] {
            let (frame, mask) = scene(format, SizePx::new(647, 363), off_px);
            guide.fit(&mask.view(), &frame.view()).unwrap();
            let (fresh, fresh_chroma) = fit(&frame, &mask, Isa::best());
            let fresh = [fresh.bytes(), fresh_chroma.bytes()];
            assert!(guide.planes().map(|plane| plane.bytes()) == fresh, "{off_px}");
            // Nor of what somebody has drawn over them.
            if off_px == 23.0 {
                guide.planes_mut().into_iter().for_each(|plane| plane.bytes_mut().fill(77));
                assert!(guide.blocks().is_none());
            }
        }
    }
    // The edge's colours, too, are of this picture alone, though the others were of another light.
    for format in [PixelFormat::I420, PixelFormat::I422] {
        let mut guide = Guide::new().with_spill();
        for (off_px, darker) in [(0.0, 0), (60.0, 50), (-90.0, 20), (180.0, 30), (0.0, 10)] {
            let (mut frame, mask) = scene(format, SizePx::new(640, 360), off_px);
            frame.bytes_mut().iter_mut().for_each(|sample| *sample -= darker);
            let seen = composed(&mut guide, &frame, &mask);
            assert!(seen.bytes() != composed(&mut Guide::new(), &frame, &mask).bytes(), "{off_px}");
            let fresh = composed(&mut Guide::new().with_spill(), &frame, &mask);
            assert!(seen.bytes() == fresh.bytes(), "{format} {off_px}");
        }
    }
    // Inside of who fills the picture but for its edge, alpha is whole.
    let (frame, mut mask) = scene(PixelFormat::I420, SizePx::new(640, 480), 0.0);
    let mut sweep = |level: fn(usize) -> u8| {
        let bytes = mask.bytes_mut().iter_mut().enumerate();
        bytes.for_each(|(at, sample)| *sample = level(at % 64));
        guide.fit(&mask.view(), &frame.view()).unwrap();
        guide.planes[0].clone()
    };
    sweep(|x| if x < 32 { 128 } else { 0 });
    let seen = sweep(|x| if x < 50 { 255 } else { 0 });
    for row in seen.view().plane(0).iter_rows() {
        assert!(row[..400].iter().all(|&alpha| alpha == 255));
    }
}

#[test]
fn packed_pictures_and_colourful_alphas_are_refused() {
    let (frame, mask) = scene(PixelFormat::I420, SizePx::new(64, 48), 0.0);
    let packed = Frame::new(PixelFormat::Yuyv, SizePx::new(64, 48), Colour::WEBCAM).unwrap();
    let mut guide = Guide::new();
    assert!(guide.fit(&mask.view(), &packed.view()).is_err());
    assert!(guide.fit(&frame.view(), &frame.view()).is_err());
}

/// The compositor gives the same by the guide's blocks as by a look at all of alpha, whatever the guide has seen before.
#[test]
fn the_blocks_of_the_planes_are_what_a_look_finds() {
    let sizes = [(1280, 720), (640, 480), (641, 359), (67, 41), (16, 200), (5, 3), (1, 1)];
    for format in [PixelFormat::I420, PixelFormat::I422] {
        let mut guide = Guide::new();
        let mut compositor = greenroom_frame::Compositor::default();
        for (width, height) in sizes {
            for off_px in [0.0, 7.0, 7.0, 60.0, -90.0, 400.0, 0.0] {
                let (frame, mask) = scene(format, SizePx::new(width, height), off_px);
                guide.fit(&mask.view(), &frame.view()).unwrap();
                let [luma, chroma] = guide.planes();
                let (mut behind, mut seen) = (frame.clone(), frame.clone());
                behind.bytes_mut().fill(100);
                let (over, under) = (frame.view(), behind.view());
                let matte = greenroom_frame::MatteView::new(over, luma, chroma).unwrap();
                let mut compose = |matte| {
                    compositor.compose(over, under.into(), matte, None, &mut seen).unwrap();
                    seen.clone()
                };
                let (by_looking, by_knowing) =
                    (compose(matte), compose(matte.with_blocks(guide.blocks())));
                assert!(guide.blocks().is_some());
                assert!(
                    by_looking.bytes() == by_knowing.bytes(),
                    "{format} {width}x{height} {off_px}"
                );
            }
        }
    }
}
