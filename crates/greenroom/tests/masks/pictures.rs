//! Pictures to be sent, whose left half is white.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageFormat, RgbImage};

pub fn halves(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let white = |x, _| image::Rgb([if 2 * x < width { 255 } else { 0 }; 3]);
    encoded(RgbImage::from_fn(width, height, white), format)
}

pub fn encoded(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    picture.into().write_to(&mut Cursor::new(&mut bytes), format).unwrap();
    bytes
}

/// Large, and small as a file.
pub fn flat(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    encoded(image::GrayImage::from_pixel(width, height, image::Luma([128])), format)
}

/// A photo of a man.
pub fn photo() -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/photos");
    std::fs::read(folder.join("franck_01829.jpg")).unwrap()
}

/// The kinds of JPEG and PNG that `image` cannot write, 61x47, made with Pillow and cjpeg.
pub fn odd_kinds() -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/masks/pictures");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

/// `jpeg` whose header says another size.
pub fn with_size(jpeg: &[u8], width: u16, height: u16) -> Vec<u8> {
    let mut jpeg = jpeg.to_vec();
    let at = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    jpeg[at + 5..at + 7].copy_from_slice(&height.to_be_bytes());
    jpeg[at + 7..at + 9].copy_from_slice(&width.to_be_bytes());
    jpeg
}
