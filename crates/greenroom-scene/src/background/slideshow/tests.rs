use std::fs;
use std::path::Path;
use std::time::Instant;

use greenroom_frame::{Colour, FrameShape, MatteView, PixelFormat, SizePx};

use super::*;

const SITE: SceneFormat = SceneFormat {
    shape: FrameShape {
        format: PixelFormat::I420,
        size: SizePx::new(33, 17),
        colour: Colour::JPEG,
    },
    pace: Pace::Exact,
};

fn put(folder: &Path, name: &str, grey: u8) {
    let picture = image::RgbImage::from_pixel(20, 10, image::Rgb([grey; 3]));
    picture.save(folder.join(name)).unwrap();
}

fn open(folder: &Path, seconds: u64) -> Result<Slideshow, SceneError> {
    Slideshow::open(folder, Duration::from_secs(seconds), Fit::Cover, SITE)
}

/// The grey that is shown at `ms`.
fn grey(show: &mut Slideshow, ms: u64) -> u8 {
    let FrameShape { format, size, colour } = SITE.shape;
    let room = Frame::new(format, size, colour).unwrap();
    let matte = |size| Frame::new(PixelFormat::Grey, size, Colour::JPEG).unwrap();
    let (luma, chroma) = (matte(size), matte(format.chroma().plane_size(size)));
    let matte = MatteView::new(room.view(), luma.view(), chroma.view()).unwrap();
    let moment = Moment { time: Duration::from_millis(ms), frame: 0, seed: 0 };
    let seen = show.behind(&MattedFrame { frame: room.view(), matte }, &moment).unwrap();
    let mut copy = room.clone();
    seen.copy_to(&mut copy).unwrap();
    copy.view().plane(0).row(8)[16]
}

#[test]
fn pictures_come_in_order_and_fade() {
    let folder = tempfile::tempdir().unwrap();
    // By name, whatever the ending says; hidden files and those that are no pictures are left out.
    for (name, grey) in [("b.png", 100), ("a.png", 0), ("c.jpg", 200), (".d.png", 255)] {
        put(folder.path(), name, grey);
    }
    fs::write(folder.path().join("a.txt"), "notes").unwrap();
    fs::write(folder.path().join("bad.png"), b"\x89PNG\r\n\x1a\nno").unwrap();
    fs::create_dir(folder.path().join("aa")).unwrap();
    let mut show = open(folder.path(), 5).unwrap();
    let times = [0, 4999, 5000, 5500, 6000, 9999, 10_000, 11_000, 15_000, 16_000];
    let seen = times.map(|ms| grey(&mut show, ms));
    assert_eq!(seen, [0, 0, 0, 50, 100, 100, 100, 200, 200, 0]);
    // At once, also in the middle of a fade.
    assert!(show.next_picture());
    assert_eq!([16_010, 16_510].map(|ms| grey(&mut show, ms)), [0, 50]);
    assert!(show.next_picture());
    assert_eq!([16_520, 17_520].map(|ms| grey(&mut show, ms)), [100, 200]);
}

#[test]
fn what_is_put_in_or_taken_out_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "m.png", 100);
    let mut show = open(folder.path(), 2).unwrap();
    assert_eq!([0, 2000, 4000, 60_000].map(|ms| grey(&mut show, ms)), [100; 4]);
    put(folder.path(), "z.png", 200);
    // Looked at each second; what lay ready before the file came is "no other".
    let seen = [61_000, 62_000, 63_000, 64_000].map(|ms| grey(&mut show, ms));
    assert!(seen.contains(&200), "{seen:?}");
    fs::remove_file(folder.path().join("m.png")).unwrap();
    let seen: Vec<u8> = (65..90).map(|second| grey(&mut show, second * 1000)).collect();
    assert_eq!(seen[10..], [200; 15]);
    // The folder itself goes: the last picture stays.
    fs::remove_dir_all(folder.path()).unwrap();
    assert_eq!(grey(&mut show, 100_000), 200);
}

#[test]
fn a_folder_without_pictures_gets_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let sentence = |path: &Path| open(path, 5).err().unwrap().to_string();
    assert!(sentence(folder.path()).contains("holds no picture"));
    fs::write(folder.path().join("bad.png"), b"\x89PNG\r\n\x1a\nno").unwrap();
    assert!(sentence(folder.path()).contains("holds no picture"));
    assert!(sentence(&folder.path().join("none")).contains("cannot open"));
}

/// Live, nothing is waited for, and a pause is none of the pictures' time.
#[test]
fn nothing_is_waited_for_on_air() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "a.png", 0);
    put(folder.path(), "b.png", 200);
    let scene_format = SceneFormat { pace: Pace::Live, ..SITE };
    let mut show =
        Slideshow::open(folder.path(), Duration::from_secs(2), Fit::Cover, scene_format).unwrap();
    assert_eq!([0, 900, 3_600_000, 3_600_900].map(|ms| grey(&mut show, ms)), [0; 4]);
    // 2.7 s of show: due when the thread has it ready.
    let begun = Instant::now();
    let mut ms = 3_601_000;
    while grey(&mut show, ms) != 200 {
        assert!(begun.elapsed() < Duration::from_secs(120));
        thread::sleep(Duration::from_millis(20));
        ms += 20;
    }
}
