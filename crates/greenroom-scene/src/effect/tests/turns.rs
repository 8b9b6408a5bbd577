use greenroom_frame::{Colour, PixelFormat, SizePx};

use super::{FORMATS, SIZES, Stage};

#[test]
fn four_quarter_turns_are_none() {
    for format in FORMATS {
        for size in SIZES {
            let stage = Stage::new(format, size, Colour::WEBCAM);
            let plain = stage.show(&[]);
            let turned = stage.show(&["rotate=90"]);
            assert_eq!(
                (turned.size().width_px, turned.size().height_px),
                (size.height_px, size.width_px)
            );
            let (before, after) = (plain.view(), turned.view());
            for y in 0..size.height_px as usize {
                for x in 0..size.width_px as usize {
                    let to = size.height_px as usize - 1 - y;
                    assert_eq!(before.plane(0).row(y)[x], after.plane(0).row(x)[to]);
                }
            }
            let same = |effects: &[&str]| {
                let shown = stage.show(effects);
                let planes = if format == PixelFormat::I420 { 3 } else { 1 };
                for plane in 0..planes {
                    let rows = shown
                        .view()
                        .plane(plane)
                        .iter_rows()
                        .zip(plain.view().plane(plane).iter_rows());
                    rows.for_each(|(a, b)| assert_eq!(a, b, "{effects:?} {format} {size}"));
                }
            };
            same(&["rotate"; 4]);
            same(&["rotate=90", "rotate=270"]);
            same(&["rotate=180", "mirror", "flip"]);
            same(&["person:mirror", "background:mirror", "mirror"]);
        }
    }
}

#[test]
fn rotated_chroma_stays_with_its_luma() {
    for format in FORMATS {
        for text in ["rotate=90", "rotate=270", "person:rotate", "background:rotate=270"] {
            let size = SizePx::new(120, 80);
            let mut stage = Stage::new(format, size, Colour::WEBCAM);
            // Left half dark blue, right half bright red.
            for frame in [&mut stage.room, &mut stage.behind] {
                for (index, mut plane) in frame.view_mut().planes_mut().enumerate() {
                    for row in plane.iter_rows_mut() {
                        let half = row.len() / 2;
                        row[..half].fill([60, 200, 100][index]);
                        row[half..].fill([180, 90, 210][index]);
                    }
                }
            }
            stage.luma.bytes_mut().fill(if text.starts_with('p') { 255 } else { 0 });
            stage.chroma.bytes_mut().fill(if text.starts_with('p') { 255 } else { 0 });
            let shown = stage.show(&[text]);
            let view = shown.view();
            let (width, rows) = (shown.size().width_px as usize, shown.size().height_px as usize);
            let chroma_high = if format == PixelFormat::I420 { 2 } else { 1 };
            for (y, upper) in [(rows / 8, true), (rows * 7 / 8, false)] {
                let first_half = upper != text.contains("270");
                let wanted = if first_half { [60, 200, 100] } else { [180, 90, 210] };
                for x in [0, width / 2, width - 1] {
                    let seen = [
                        view.plane(0).row(y)[x],
                        view.plane(1).row(y / chroma_high)[x / 2],
                        view.plane(2).row(y / chroma_high)[x / 2],
                    ];
                    assert_eq!(seen, wanted, "{text} {format} at {x}, {y}");
                }
            }
        }
    }
}
