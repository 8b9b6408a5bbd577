//! Time to decode one 1280x720 Motion JPEG frame to planar YUV, per chroma sampling, with and
//! without Huffman tables. Frames are made here: a slope with noise, about 70 KB each.

use std::time::Instant;

use greenroom_device::{MjpegData, MjpegDecoder};
use greenroom_frame::{Colour, Frame, PixelFormat, SizePx};
use turbojpeg::{Compressor, Image, OutputBuf, PixelFormat as Packed, Subsamp};

const SIZE: SizePx = SizePx::new(1280, 720);
const ROUNDS: usize = 200;

fn noisy_jpeg(subsamp: Subsamp) -> Vec<u8> {
    let (width, height) = (SIZE.width_px as usize, SIZE.height_px as usize);
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let pixels: Vec<u8> = (0..width * height)
        .flat_map(|i| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let noise = (random % 13) as usize;
            [i % width / 6, i / width / 4, (i % width + i / width) / 10].map(|v| (v + noise) as u8)
        })
        .collect();
    let mut compressor = Compressor::new().expect("libjpeg-turbo is there");
    compressor.set_quality(80);
    compressor.set_subsamp(subsamp);
    let image = Image { pixels: &pixels[..], width, pitch: width * 3, height, format: Packed::RGB };
    let mut output = OutputBuf::new_owned();
    compressor.compress(image, &mut output).expect("a plain picture is compressed");
    output.to_vec()
}

fn without_huffman_tables(jpeg: &[u8]) -> Vec<u8> {
    let (mut at, mut kept) = (2, jpeg[..2].to_vec());
    while jpeg[at + 1] != 0xda {
        let end = at + 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        if jpeg[at + 1] != 0xc4 {
            kept.extend_from_slice(&jpeg[at..end]);
        }
        at = end;
    }
    kept.extend_from_slice(&jpeg[at..]);
    kept
}

fn main() {
    let cases: Vec<(&str, Vec<u8>)> = [("4:2:2", Subsamp::Sub2x1), ("4:2:0", Subsamp::Sub2x2)]
        .into_iter()
        .flat_map(|(name, subsamp)| {
            let whole = noisy_jpeg(subsamp);
            let bare = without_huffman_tables(&whole);
            [(name, whole), (name, bare)]
        })
        .collect();
    let mut decoder = MjpegDecoder::new().expect("libjpeg-turbo is there");
    let mut frame = Frame::new(PixelFormat::I422, SIZE, Colour::JPEG).expect("the size is fine");
    let mut times_ms = vec![Vec::with_capacity(ROUNDS); cases.len()];
    for _ in 0..ROUNDS {
        for ((_, jpeg), times_ms) in cases.iter().zip(&mut times_ms) {
            let begin = Instant::now();
            decoder.decode(MjpegData(jpeg), &mut frame).expect("a whole frame decodes");
            times_ms.push(begin.elapsed().as_secs_f64() * 1e3);
        }
    }
    println!("decode 1280x720 MJPEG, {ROUNDS} interleaved rounds");
    for (((name, jpeg), times_ms), tables) in
        cases.iter().zip(&mut times_ms).zip(["with tables", "without"].into_iter().cycle())
    {
        times_ms.sort_by(f64::total_cmp);
        let (min, median) = (times_ms[0], times_ms[ROUNDS / 2]);
        println!(
            "{name} {tables:<12} {:>6} bytes: median {median:.2} ms, min {min:.2} ms",
            jpeg.len()
        );
    }
}
