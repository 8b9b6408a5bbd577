use super::*;
use crate::{
    BackdropId, Cells, MatteBlocks, PackedPicture, PartPx, ScaledPicture, Yuv8, blend, pack,
};

const SIZES: [(u32, u32); 6] = [(320, 180), (131, 67), (64, 36), (9, 5), (2, 2), (1, 1)];

fn noise(format: PixelFormat, size: SizePx, seed: usize) -> Frame {
    let mut frame = Frame::new(format, size, Colour::WEBCAM).unwrap();
    for (i, byte) in frame.bytes_mut().iter_mut().enumerate() {
        *byte = ((i + seed) * 7919 % 251) as u8;
    }
    frame
}

/// Alpha that goes from 0 at the left to 255 at the right, in the middle third.
fn ramp(size: SizePx) -> Frame {
    let mut alpha = Frame::new(PixelFormat::Grey, size, Colour::JPEG).unwrap();
    let width = size.width_px as f32;
    for row in alpha.view_mut().plane_mut(0).iter_rows_mut() {
        for (x, sample) in row.iter_mut().enumerate() {
            *sample = (((x as f32 + 0.5) / width - 0.33) * 3.0 * 255.0) as u8;
        }
    }
    alpha
}

/// The kinds of the blocks of a plane.
fn blocks(alpha: &Frame) -> MatteBlocks {
    let mut blocks = MatteBlocks::new(alpha.view().size());
    for (y, row) in alpha.view().plane(0).iter_rows().enumerate() {
        blocks.draw_row(Isa::best(), y, row);
    }
    blocks
}

/// Cells with the same values everywhere.
fn even(values: [[f32; 2]; 3], across: f64) -> Cells {
    let mut cells = Cells::default();
    cells.resize(across, 4.0);
    for (plane, values) in values.into_iter().enumerate() {
        for row in 0..cells.rows() {
            cells.edit_row(plane, row, |maps| {
                maps.into_iter().zip(values).for_each(|(map, value)| map.fill(value));
            });
        }
    }
    cells
}

#[test]
fn with_nothing_to_do_it_is_a_blend() {
    let mut compositor = Compositor::default();
    for format in [PixelFormat::I420, PixelFormat::I422] {
        for (width, height) in SIZES {
            let size = SizePx::new(width, height);
            let (over, under) = (noise(format, size, 1), noise(format, size, 5));
            let (luma, chroma) = (ramp(size), ramp(format.chroma().plane_size(size)));
            let matte = MatteView::new(over.view(), luma.view(), chroma.view()).unwrap();
            let (mut seen, mut expected) = (over.clone(), over.clone());
            blend(over.view(), under.view(), matte, &mut expected).unwrap();
            compositor.compose(over.view(), under.view().into(), matte, None, &mut seen).unwrap();
            assert!(seen.bytes() == expected.bytes(), "{format} {size}");
            let usual = [[1.0, 0.0]; 3];
            let cells = even(usual, 6.5);
            let light = Some(Light { usual, cells: cells.view() });
            compositor.compose(over.view(), under.view().into(), matte, light, &mut seen).unwrap();
            assert!(seen.bytes() == expected.bytes(), "{format} {size}, lit");
            let known = [blocks(&luma), blocks(&chroma)];
            let matte = matte.with_blocks(Some(known.each_ref()));
            compositor.compose(over.view(), under.view().into(), matte, light, &mut seen).unwrap();
            assert!(seen.bytes() == expected.bytes(), "{format} {size}, with blocks");
        }
    }
}

/// A person of one colour in a room of another, mixed by the matte.
#[test]
fn the_room_goes_out_of_the_edge() {
    let (person, room) = ([50.0, 110.0, 140.0], [220.0, 90.0, 150.0]);
    let colours = even([0, 1, 2].map(|plane| [person[plane], room[plane]]), 6.5);
    let mut compositor = Compositor::default();
    for format in [PixelFormat::I420, PixelFormat::I422] {
        for (width, height) in SIZES {
            let size = SizePx::new(width, height);
            let (luma, chroma) = (ramp(size), ramp(format.chroma().plane_size(size)));
            let flat = |[y, u, v]: [f32; 3]| {
                let mut frame = Frame::new(format, size, Colour::WEBCAM).unwrap();
                frame.fill(Yuv8 { y: y as u8, u: u as u8, v: v as u8 });
                frame
            };
            let (persons, rooms, black) = (flat(person), flat(room), flat([16.0, 128.0, 128.0]));
            let plain = MatteView::new(persons.view(), luma.view(), chroma.view()).unwrap();
            let (mut camera, mut seen, mut truth) = (black.clone(), black.clone(), black.clone());
            // As the camera sees it: with less of the person than alpha says.
            let less = |alpha: &Frame| {
                let mut less = alpha.clone();
                less.bytes_mut().iter_mut().for_each(|alpha| {
                    let share = f32::from(*alpha) / 255.0;
                    *alpha = (255.0 * share * (1.0 + share) / 2.0).round() as u8;
                });
                less
            };
            let (less_luma, less_chroma) = (less(&luma), less(&chroma));
            let mixed = MatteView::new(persons.view(), less_luma.view(), less_chroma.view());
            blend(persons.view(), rooms.view(), mixed.unwrap(), &mut camera).unwrap();
            blend(persons.view(), black.view(), plain, &mut truth).unwrap();
            // A part of the picture has the part's colours, which here are the same.
            let part = PartPx { left_px: 1.0, top_px: 0.5, zoom: 1.5 };
            for edge in [colours.view(), colours.view().of_part(part, size)] {
                let matte = plain.with_edge(Some(edge));
                compositor
                    .compose(camera.view(), black.view().into(), matte, None, &mut seen)
                    .unwrap();
                let mut cleaned = camera.clone();
                compositor.unmix(&mut cleaned, matte).unwrap();
                let mut twice = black.clone();
                blend(cleaned.view(), black.view(), plain, &mut twice).unwrap();
                assert!(seen.bytes() == twice.bytes(), "in place or on the way: the same");
                let known = [blocks(&luma), blocks(&chroma)];
                let mut again = camera.clone();
                compositor.unmix(&mut again, matte.with_blocks(Some(known.each_ref()))).unwrap();
                assert!(again.bytes() == cleaned.bytes(), "with blocks: the same");
            }
            let worst = seen.bytes().iter().zip(truth.bytes());
            let worst = worst.map(|(seen, truth)| seen.abs_diff(*truth)).max();
            assert!(worst <= Some(1), "{format} {size}: {worst:?}");
        }
    }
}

#[test]
fn light_falls_where_its_cells_are() {
    let size = SizePx::new(320, 160);
    let mut person = noise(PixelFormat::I420, size, 0);
    person.fill(Yuv8 { y: 100, u: 100, v: 100 });
    let mut all = Frame::new(PixelFormat::Grey, size, Colour::JPEG).unwrap();
    all.bytes_mut().fill(255);
    let mut half = Frame::new(PixelFormat::Grey, SizePx::new(160, 80), Colour::JPEG).unwrap();
    half.bytes_mut().fill(255);
    let matte = MatteView::new(person.view(), all.view(), half.view()).unwrap();
    let usual = [[1.1, 0.0], [1.0, 3.0], [1.0, 0.0]];
    let mut cells = even(usual, 8.0);
    cells.edit_row(0, 0, |[gains, offsets]| (gains[0], offsets[0]) = (0.5, 100.0));
    let mut seen = person.clone();
    let light = Some(Light { usual, cells: cells.view() });
    Compositor::default()
        .compose(person.view(), person.view().into(), matte, light, &mut seen)
        .unwrap();
    let (known, mut again) = ([blocks(&all), blocks(&half)], person.clone());
    Compositor::default()
        .compose(
            person.view(),
            person.view().into(),
            matte.with_blocks(Some(known.each_ref())),
            light,
            &mut again,
        )
        .unwrap();
    assert!(again.bytes() == seen.bytes(), "with blocks: the same light");
    let seen = seen.view();
    assert_eq!(seen.plane(0).row(0)[0], 150, "in the middle of its cell and before it");
    let half_way = seen.plane(0).row(0)[40];
    assert!((129..=130).contains(&half_way), "half way to the next cell it is 129.5: {half_way}");
    assert_eq!((seen.plane(0).row(0)[100], seen.plane(0).row(90)[0]), (110, 110));
    assert!(seen.plane(1).iter_rows().flatten().all(|&u| u == 103));
    assert!(seen.plane(2).iter_rows().flatten().all(|&v| v == 100));
}

#[test]
fn what_is_worked_out_where_it_is_seen_looks_the_same() {
    let mut compositor = Compositor::default();
    for (format, (width, height)) in [PixelFormat::I420, PixelFormat::I422]
        .into_iter()
        .flat_map(|it| SIZES.map(|size| (it, size)))
    {
        let size = SizePx::new(width, height);
        let over = noise(format, size, 1);
        let (luma, chroma) = (ramp(size), ramp(format.chroma().plane_size(size)));
        let matte = MatteView::new(over.view(), luma.view(), chroma.view()).unwrap();
        let small = SizePx::new(16, 9);
        let planes = [2, 3, 4].map(|seed| noise(PixelFormat::Grey, small, seed));
        let mut scaled = ScaledPicture::new(over.view().shape(), small).unwrap();
        scaled.set(planes.each_ref().map(|plane| plane.view().plane(0)));
        let (mut whole, mut expected, mut seen) = (over.clone(), over.clone(), over.clone());
        let behind = Backdrop::Scaled(&scaled);
        behind.copy_to(&mut whole).unwrap();
        let cells = even([[0.9, 12.0]; 3], 6.5);
        let light = Some(Light { usual: [[1.0, 0.0]; 3], cells: cells.view() });
        for light in [None, light] {
            let under = whole.view().into();
            compositor.compose(over.view(), under, matte, light, &mut expected).unwrap();
            compositor.compose(over.view(), behind, matte, light, &mut seen).unwrap();
            assert!(seen.bytes() == expected.bytes(), "{format} {size}");
        }
        let mut other = noise(format, SizePx::new(width + 2, height), 1);
        let refused = compositor.compose(other.clone().view(), behind, matte, None, &mut other);
        assert!(refused.is_err(), "a picture of another size");
    }
}

/// Alpha of somebody whose left edge is at this share of the width, and who is two fifths of it wide.
fn somebody(size: SizePx, left: f32) -> (Frame, MatteBlocks) {
    let mut alpha = Frame::new(PixelFormat::Grey, size, Colour::JPEG).unwrap();
    let [width, height] = [size.width_px, size.height_px].map(|side| side as f32);
    for (y, row) in alpha.view_mut().plane_mut(0).iter_rows_mut().enumerate() {
        for (x, sample) in row.iter_mut().enumerate() {
            let [x, y] = [(x as f32 + 0.5) / width - left, (y as f32 + 0.5) / height];
            let inside = (x.min(0.4 - x)).min(y - 0.3);
            *sample = (inside * 255.0 * 12.0 + 128.0).clamp(0.0, 255.0) as u8;
        }
    }
    let known = blocks(&alpha);
    (alpha, known)
}

/// Somebody walks through the picture, before backdrops that stay and that do not, known and not known.
#[test]
fn composing_packed_is_composing_and_packing() {
    let (first, second) = (BackdropId::unique(), BackdropId::unique());
    // Where the person is, which backdrop is behind, its id, and whether the blocks are known.
    let frames = [
        (0.1, 5, Some(first), true),
        (0.2, 5, Some(first), true),
        (0.5, 5, Some(first), true),
        (0.5, 6, Some(second), true),
        (1.5, 6, Some(second), true),
        (0.3, 7, None, true),
        (0.4, 7, None, true),
        (0.4, 6, Some(second), true),
        (0.0, 6, Some(second), true),
        (0.2, 6, Some(second), false),
        (0.5, 6, Some(second), true),
        (-0.5, 6, Some(second), true),
    ];
    let mut compositor = Compositor::default();
    for format in [PixelFormat::I420, PixelFormat::I422] {
        for ((width, height), to) in
            SIZES.into_iter().flat_map(|size| PixelFormat::ALL.map(|to| (size, to)))
        {
            let size = SizePx::new(width, height);
            let mut seen = PackedPicture::new(to, size, Colour::HD).unwrap();
            let (mut canvas, mut expected) = (noise(format, size, 0), noise(to, size, 0));
            expected.set_colour(Colour::HD);
            for (number, (left, backdrop, id, is_known)) in frames.into_iter().enumerate() {
                let (over, under) = (noise(format, size, number), noise(format, size, backdrop));
                let (luma, luma_blocks) = somebody(size, left);
                let (chroma, chroma_blocks) = somebody(format.chroma().plane_size(size), left);
                let known = Some([&luma_blocks, &chroma_blocks]).filter(|_| is_known);
                let cells = even([[0.9, 12.0], [1.0, 0.0], [1.0, 0.0]], 6.5);
                let light = Light { usual: [[1.0, 0.0]; 3], cells: cells.view() };
                let light = Some(light).filter(|_| number % 2 == 0);
                let matte = MatteView::new(over.view(), luma.view(), chroma.view()).unwrap();
                let (over, under) = (over.view(), under.view().into());
                compositor.compose(over, under, matte, light, &mut canvas).unwrap();
                pack(canvas.view(), &mut expected.view_mut()).unwrap();
                let matte = matte.with_blocks(known);
                compositor.compose_packed(over, (under, id), matte, light, &mut seen).unwrap();
                assert!(seen.view().bytes() == expected.bytes(), "{format} {to} {size}: {number}");
                assert_eq!(seen.view().captured_at(), over.captured_at());
            }
        }
    }
}

/// What somebody else draws in a packed picture does not stay.
#[test]
fn what_others_draw_is_drawn_over() {
    let size = SizePx::new(320, 180);
    let (over, under) = (noise(PixelFormat::I420, size, 1), noise(PixelFormat::I420, size, 2));
    let (luma, luma_blocks) = somebody(size, 0.3);
    let (chroma, chroma_blocks) = somebody(SizePx::new(160, 90), 0.3);
    let matte = MatteView::new(over.view(), luma.view(), chroma.view()).unwrap();
    let matte = matte.with_blocks(Some([&luma_blocks, &chroma_blocks]));
    let behind = (under.view().into(), Some(BackdropId::unique()));
    let mut picture = PackedPicture::new(PixelFormat::Yuyv, size, Colour::WEBCAM).unwrap();
    let mut compositor = Compositor::default();
    compositor.compose_packed(over.view(), behind, matte, None, &mut picture).unwrap();
    let first = picture.view().bytes().to_vec();
    picture.frame_mut().bytes_mut().fill(7);
    compositor.compose_packed(over.view(), behind, matte, None, &mut picture).unwrap();
    assert!(picture.view().bytes() == first);
}

/// Of a frame that fails half-way nothing counts as known, however it fails: here the matte's blocks say that nobody is there.
#[test]
#[cfg(debug_assertions)]
fn a_frame_that_fails_leaves_nothing_known() {
    let size = SizePx::new(320, 180);
    let (over, under) = (noise(PixelFormat::I420, size, 1), noise(PixelFormat::I420, size, 2));
    let chroma_size = SizePx::new(160, 90);
    let somebody = [somebody(size, 0.3), somebody(chroma_size, 0.3)];
    let nobody = [self::somebody(size, 2.0), self::somebody(chroma_size, 2.0)];
    let behind = (under.view().into(), Some(BackdropId::unique()));
    let mut picture = PackedPicture::new(PixelFormat::Yuyv, size, Colour::WEBCAM).unwrap();
    let mut compositor = Compositor::default();
    let mut compose = |alphas: &[(Frame, MatteBlocks); 2], blocks: &[(Frame, MatteBlocks); 2]| {
        let [luma, chroma] = alphas.each_ref().map(|(alpha, _)| alpha.view());
        let matte = MatteView::new(over.view(), luma, chroma).unwrap();
        let matte = matte.with_blocks(Some(blocks.each_ref().map(|(_, blocks)| blocks)));
        compositor.compose_packed(over.view(), behind, matte, None, &mut picture).unwrap();
        picture.view().bytes().to_vec()
    };
    let empty = compose(&nobody, &nobody);
    let with_person = compose(&somebody, &somebody);
    assert!(with_person != empty);
    let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        compose(&somebody, &nobody);
    }));
    assert!(failed.is_err());
    assert!(compose(&nobody, &nobody) == empty);
}

/// Blocks of another matte would show the room; where debug assertions are on, they are noticed.
#[test]
#[cfg(debug_assertions)]
#[should_panic(expected = "the blocks are of another matte")]
fn blocks_of_another_matte_are_noticed() {
    let size = SizePx::new(64, 36);
    let person = noise(PixelFormat::I420, size, 0);
    let (luma, chroma) = (ramp(size), ramp(SizePx::new(32, 18)));
    let mut all = luma.clone();
    all.bytes_mut().fill(255);
    let known = [blocks(&all), blocks(&chroma)];
    let matte = MatteView::new(person.view(), luma.view(), chroma.view()).unwrap();
    let (matte, mut seen) = (matte.with_blocks(Some(known.each_ref())), person.clone());
    let _ =
        Compositor::default().compose(person.view(), person.view().into(), matte, None, &mut seen);
}
