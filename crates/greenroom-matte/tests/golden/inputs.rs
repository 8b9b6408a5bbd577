//! The inputs of the golden outputs, the same for `cargo xtask golden`, which shows them to the
//! reference runtime, and for the test, which shows them to our engine. Integers only, so that
//! every machine makes the same; a checksum tells a changed JPEG decoder from a changed engine.

use std::path::Path;

/// 8-bit RGB at a model's input size, pixel by pixel.
pub struct Input {
    /// Also the name of the golden file.
    pub name: String,
    /// `height * width * 3` bytes.
    pub rgb: Vec<u8>,
}

impl Input {
    /// Whether networks are tried on it whose reference outputs are large: in all, they should take little room.
    pub fn is_for_large_outputs(&self) -> bool {
        const NAMES: [&str; 3] = ["blocks", "franck_01829", "franck_02683"];
        NAMES.contains(&&*self.name)
    }
}

/// All inputs for a model of `width` x `height`. `photos` is the folder `assets/photos`.
pub fn all(photos: &Path, width: usize, height: usize) -> image::ImageResult<Vec<Input>> {
    let mut inputs = vec![
        made("black", width, height, |_, _, _| 0),
        made("white", width, height, |_, _, _| 255),
        made("noise", width, height, hash),
        made("blocks", width, height, |x, y, c| hash(x / 16, y / 16, c)),
        made("ramps", width, height, |x, y, c| {
            let (x, y) = (x * 255 / width, y * 255 / height);
            [x, y, 255 - (x + y) / 2][c] as u8
        }),
    ];
    let mut paths = std::fs::read_dir(photos)?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "jpg"));
    paths.sort();
    for path in paths {
        let photo = image::open(&path)?.into_rgb8();
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        inputs.push(Input { name: name.unwrap_or_default(), rgb: shrink(&photo, width, height) });
    }
    Ok(inputs)
}

/// FNV-1a of the bytes.
pub fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

fn made(
    name: &str,
    width: usize,
    height: usize,
    value: impl Fn(usize, usize, usize) -> u8,
) -> Input {
    let len = 3 * width * height;
    let rgb = (0..len).map(|at| value(at / 3 % width, at / 3 / width, at % 3)).collect();
    Input { name: name.to_owned(), rgb }
}

fn hash(x: usize, y: usize, c: usize) -> u8 {
    let seed = [x as u8, y as u8, (x >> 8) as u8, (y >> 8) as u8, c as u8];
    (checksum(&seed) >> 32) as u8
}

/// The mean of the source pixels whose upper left corner lies in the target pixel.
fn shrink(photo: &image::RgbImage, width: usize, height: usize) -> Vec<u8> {
    let range = |target: usize, from: usize, to: usize| {
        let start = target * from / to;
        start..((target + 1) * from / to).max(start + 1)
    };
    let (from_width, from_height) = (photo.width() as usize, photo.height() as usize);
    let mut rgb = Vec::with_capacity(3 * width * height);
    for y in 0..height {
        for x in 0..width {
            let (columns, rows) = (range(x, from_width, width), range(y, from_height, height));
            for channel in 0..3 {
                let (mut sum, mut count) = (0_u32, 0_u32);
                for row in rows.clone() {
                    for column in columns.clone() {
                        sum += u32::from(photo.get_pixel(column as u32, row as u32)[channel]);
                        count += 1;
                    }
                }
                rgb.push(((sum + count / 2) / count) as u8);
            }
        }
    }
    rgb
}
