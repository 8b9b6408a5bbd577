use super::*;

const TEXTS: [&str; 4] = [
    "Camera off",
    "Waiting for camera …",
    "Waiting: the camera is used by zoom (pid 4711)",
    "Żółw £ 日本 \u{7}wordsthatareverylongindeedandhavenospaceinthemanywhereatallnotevenhere",
];

/// For each row: whether it is of one colour.
fn flat_rows(frame: &Frame, plane: usize) -> Vec<bool> {
    let view = frame.view();
    view.plane(plane).iter_rows().map(|row| row.iter().all(|sample| *sample == row[0])).collect()
}

#[test]
fn it_is_dark_and_fills_every_size() {
    for size in [SizePx::new(1, 1), SizePx::new(640, 360), SizePx::new(7, 5)] {
        let frame = placeholder(size, Colour::WEBCAM, "").unwrap();
        let view = frame.view();
        assert!(view.plane(0).iter_rows().flatten().all(|&y| (16..80).contains(&y)));
        assert!(flat_rows(&frame, 0).iter().all(|flat| *flat));
    }
}

#[test]
fn text_stands_in_the_middle_and_within_the_range() {
    for (width_px, height_px) in [(320, 180), (640, 480), (1280, 720), (1920, 1080), (360, 640)] {
        for text in TEXTS {
            let size = SizePx::new(width_px, height_px);
            let frame = placeholder(size, Colour::WEBCAM, text).unwrap();
            let plain = placeholder(size, Colour::WEBCAM, "").unwrap();
            let (view, plain) = (frame.view(), plain.view());
            let (mut left, mut right, mut top, mut foot) = (width_px, 0, height_px, 0);
            let mut brightest = 0;
            for y in 0..height_px {
                let rows = view.plane(0).row(y as usize).iter().zip(plain.plane(0).row(y as usize));
                for (x, (&with, &without)) in (0..).zip(rows) {
                    assert!((16..=235).contains(&with));
                    brightest = brightest.max(with);
                    if with != without {
                        (left, right) = (left.min(x), right.max(x));
                        (top, foot) = (top.min(y), foot.max(y));
                    }
                }
            }
            let place = format!("{size} {text}: {left}..={right} x {top}..={foot}");
            assert!(brightest >= 150, "readable: {place}");
            assert!(left >= width_px / 20 - 1 && right <= width_px * 19 / 20 + 1, "{place}");
            assert!(top > height_px / 3 && foot < height_px * 2 / 3, "{place}");
            let uneven = (left + right).abs_diff(width_px - 1);
            assert!(uneven <= width_px / 20, "centred: {place}");
            for plane in [1, 2] {
                let mut chroma = view.plane(plane).iter_rows().flatten();
                assert!(chroma.all(|&code| (104..=136).contains(&code)), "nearly grey");
            }
        }
    }
}

#[test]
fn odd_sizes_are_no_trouble() {
    for width_px in 1..40 {
        for height_px in [1, 2, 97, 98, 99, 113, 1000] {
            for text in TEXTS {
                let size = SizePx::new(width_px, height_px);
                assert!(placeholder(size, Colour::JPEG, text).is_ok(), "{size} {text}");
            }
        }
    }
    let long = "many words ".repeat(1000);
    assert!(placeholder(SizePx::new(1280, 720), Colour::HD, &long).is_ok());
}

#[test]
fn the_users_picture_fills_the_frame() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calm.png");
    image::RgbImage::from_pixel(30, 90, image::Rgb([255, 0, 0])).save(&path).unwrap();
    let frame = user_placeholder(&path, SizePx::new(64, 36), Colour::WEBCAM).unwrap();
    let red = Colour::WEBCAM.encode(Rgb8 { r: 255, g: 0, b: 0 });
    for (plane, code) in [red.y, red.u, red.v].into_iter().enumerate() {
        assert!(frame.view().plane(plane).iter_rows().flatten().all(|&sample| sample == code));
    }
    let missing = user_placeholder(&folder.path().join("no.png"), frame.size(), Colour::WEBCAM);
    let sentence = missing.unwrap_err().to_string();
    assert!(sentence.contains("no.png") && sentence.contains("can be read"), "{sentence}");
}
