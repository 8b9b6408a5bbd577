use turbojpeg::{Compressor, Image, OutputBuf, PixelFormat as Packed};

use super::*;

const SIZE: SizePx = SizePx::new(64, 48);

/// A picture with slopes in luma and chroma, coded as `subsamp`.
fn jpeg_of(size: SizePx, subsamp: Subsamp) -> Vec<u8> {
    let (width, height) = (size.width_px as usize, size.height_px as usize);
    let pixels: Vec<u8> = (0..width * height)
        .flat_map(|i| {
            let (x, y) = (i % width, i / width);
            [x * 255 / width, y * 255 / height, (x + y) * 200 / (width + height)].map(|v| v as u8)
        })
        .collect();
    let mut compressor = Compressor::new().unwrap();
    compressor.set_quality(90);
    compressor.set_subsamp(subsamp);
    let image = Image { pixels: &pixels[..], width, pitch: width * 3, height, format: Packed::RGB };
    let mut output = OutputBuf::new_owned();
    compressor.compress(image, &mut output).unwrap();
    output.to_vec()
}

fn decode(jpeg: &[u8]) -> Result<Frame, DeviceError> {
    let mut frame = Frame::new(PixelFormat::I420, SizePx::new(2, 2), Colour::WEBCAM).unwrap();
    MjpegDecoder::new().unwrap().decode(MjpegData(jpeg), &mut frame).map(|()| frame)
}

/// `jpeg` without the segments of this marker.
fn without(jpeg: &[u8], unwanted: u8) -> Vec<u8> {
    let scan_at_bytes = Segments::read(jpeg).unwrap().scan_at_bytes;
    let (mut at, mut kept) = (2, jpeg[..2].to_vec());
    while at < scan_at_bytes {
        let end = at + 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        if jpeg[at + 1] != unwanted {
            kept.extend_from_slice(&jpeg[at..end]);
        }
        at = end;
    }
    kept.extend_from_slice(&jpeg[scan_at_bytes..]);
    kept
}

#[test]
fn chroma_stays_as_it_is_in_the_stream() {
    for (subsamp, format) in [
        (Subsamp::Sub2x1, PixelFormat::I422),
        (Subsamp::Sub2x2, PixelFormat::I420),
        (Subsamp::None, PixelFormat::I422),
        (Subsamp::Sub4x1, PixelFormat::I422),
        (Subsamp::Sub1x2, PixelFormat::I420),
        (Subsamp::Gray, PixelFormat::I420),
    ] {
        let frame = decode(&jpeg_of(SIZE, subsamp)).unwrap();
        assert_eq!((frame.format(), frame.size()), (format, SIZE), "{subsamp:?}");
        assert_eq!(frame.colour(), Colour::JPEG);
    }
}

/// Every sampling shows the picture that 4:4:4 shows, for even and odd sizes.
#[test]
fn all_samplings_show_the_same_picture() {
    for size in [SIZE, SizePx::new(63, 47), SizePx::new(65, 48), SizePx::new(97, 33)] {
        let reference = decode(&jpeg_of(size, Subsamp::None)).unwrap();
        for subsamp in [Subsamp::Sub2x1, Subsamp::Sub2x2, Subsamp::Sub4x1, Subsamp::Sub1x2] {
            let frame = decode(&jpeg_of(size, subsamp)).unwrap();
            for index in 0..3 {
                let (ours, theirs) = (frame.view().plane(index), reference.view().plane(index));
                let down = theirs.rows().div_ceil(ours.rows());
                let rows = ours.iter_rows().enumerate();
                let pairs = rows.flat_map(|(y, row)| row.iter().zip(theirs.row(y * down)));
                let sum: u64 = pairs.map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
                let mean = sum as f64 / (ours.row_bytes() * ours.rows()) as f64;
                assert!(mean < 4.0, "{subsamp:?} {size} plane {index}: mean difference {mean}");
            }
        }
    }
}

#[test]
fn grey_has_neutral_chroma() {
    let frame = decode(&jpeg_of(SIZE, Subsamp::Gray)).unwrap();
    assert!(frame.view().plane(1).data().iter().all(|&u| u == 128));
    assert!(frame.view().plane(2).data().iter().all(|&v| v == 128));
}

#[test]
fn huffman_tables_may_be_missing() {
    for subsamp in [Subsamp::Sub2x1, Subsamp::Sub2x2] {
        let whole = jpeg_of(SIZE, subsamp);
        let bare = without(&whole, 0xc4);
        assert_eq!(bare.len() + STANDARD_TABLES.len(), whole.len() - 12, "four segments of tables");
        let reference = decode(&whole).unwrap();
        assert_eq!(decode(&bare).unwrap().bytes(), reference.bytes());

        // As OpenDML's cameras send it: an AVI1 segment, no JFIF.
        let mut avi1 = without(&bare, 0xe0);
        let segment = [&[0xff, 0xe0, 0, 16][..], b"AVI1", &[0; 10]].concat();
        avi1.splice(2..2, segment);
        assert_eq!(decode(&avi1).unwrap().bytes(), reference.bytes());
    }
}

/// A frame without tables is coded with the standard ones, whatever the one before brought.
#[test]
fn no_tables_are_kept_from_the_frame_before() {
    let whole = jpeg_of(SIZE, Subsamp::Sub2x1);
    let bare = without(&whole, 0xc4);
    let mut odd = whole.clone();
    // The symbols of the luma DC table in another order: still a valid table.
    let table_at = odd.windows(2).position(|pair| pair == [0xff, 0xc4]).unwrap();
    odd[table_at + 21..table_at + 33].reverse();

    let mut decoder = MjpegDecoder::new().unwrap();
    let mut frame = Frame::new(PixelFormat::I422, SIZE, Colour::JPEG).unwrap();
    let _ = decoder.decode(MjpegData(&odd), &mut frame);
    decoder.decode(MjpegData(&bare), &mut frame).unwrap();
    assert_eq!(frame.bytes(), decode(&whole).unwrap().bytes());
    assert!(decoder.decode(MjpegData(&without(&whole, 0xdb)), &mut frame).is_err());
}

/// Each frame brings the tables that it names, or is coded with the standard ones.
#[test]
fn named_tables_are_the_frames_own() {
    let whole = jpeg_of(SIZE, Subsamp::Sub2x1);
    let marker_at = |marker| whole.windows(2).position(|pair| pair == [0xff, marker]).unwrap();
    let mut other_quantiser = whole.clone();
    other_quantiser[marker_at(0xc0) + 12] = 3;
    let mut other_huffman = whole.clone();
    other_huffman[marker_at(0xda) + 6] = 0x20;
    // One of four tables is missing; then it is the standard one, as it was.
    let mut bare_of_one = whole.clone();
    let table_at = marker_at(0xc4);
    let table_bytes = 2 + usize::from(whole[table_at + 2]) * 256 + usize::from(whole[table_at + 3]);
    bare_of_one.drain(table_at..table_at + table_bytes);

    let mut decoder = MjpegDecoder::new().unwrap();
    let mut frame = Frame::new(PixelFormat::I422, SIZE, Colour::JPEG).unwrap();
    let mut decode = |jpeg: &[u8]| {
        let decoded = decoder.decode(MjpegData(jpeg), &mut frame);
        decoded.map(|()| frame.bytes().to_vec())
    };
    let reference = decode(&whole).unwrap();
    for (jpeg, why) in [(&other_quantiser, "quantisation"), (&other_huffman, "Huffman")] {
        let text = decode(jpeg).unwrap_err().to_string();
        assert!(text.contains(why), "{text}");
    }
    assert!(decode(&bare_of_one).unwrap() == reference);
}

#[test]
fn what_lies_behind_the_end_does_not_matter() {
    let jpeg = jpeg_of(SIZE, Subsamp::Sub2x1);
    let reference = decode(&jpeg).unwrap();
    for tail in [&[0; 4096][..], &[0xff; 7], b"\xff\xd8\xff\xe0 the next", &[0x5a; 300]] {
        assert_eq!(decode(&[&jpeg, tail].concat()).unwrap().bytes(), reference.bytes());
    }
    // Some cameras forget the end, and some pad before it: the picture is whole.
    assert_eq!(decode(&jpeg[..jpeg.len() - 2]).unwrap().bytes(), reference.bytes());
    let (data, end) = jpeg.split_at(jpeg.len() - 2);
    let padded = |bytes: usize| decode(&[data, &vec![0; bytes], end].concat());
    assert_eq!(padded(5).unwrap().bytes(), reference.bytes());
    assert!(padded(200).is_err());
}

#[test]
fn a_frame_cut_anywhere_is_broken() {
    for subsamp in [Subsamp::Sub2x1, Subsamp::Sub2x2, Subsamp::None] {
        let jpeg = jpeg_of(SIZE, subsamp);
        let mut frame = Frame::new(PixelFormat::I420, SIZE, Colour::JPEG).unwrap();
        let mut decoder = MjpegDecoder::new().unwrap();
        // The last two bytes are the end marker, the only part that is not missed.
        for len in 0..jpeg.len() - 2 {
            let cut = decoder.decode(MjpegData(&jpeg[..len]), &mut frame);
            assert!(matches!(cut, Err(DeviceError::Broken { .. })), "{len} bytes: {cut:?}");
        }
        decoder.decode(MjpegData(&jpeg), &mut frame).unwrap();
    }
}

/// Damage may show or not; it never panics, and the good frame after it is as ever.
#[test]
fn damage_does_no_harm() {
    let whole = jpeg_of(SIZE, Subsamp::Sub2x1);
    let reference = decode(&whole).unwrap();
    let mut decoder = MjpegDecoder::new().unwrap();
    let mut frame = Frame::new(PixelFormat::I422, SIZE, Colour::JPEG).unwrap();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut refused = 0;
    const ROUNDS: usize = 20_000;
    for round in 0..ROUNDS {
        let mut jpeg = if round % 2 == 0 { whole.clone() } else { without(&whole, 0xc4) };
        for _ in 0..=round % 4 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let at = random as usize % jpeg.len();
            jpeg[at] ^= (random >> 32) as u8;
        }
        let decoded = decoder.decode(MjpegData(&jpeg), &mut frame);
        assert!(matches!(decoded, Ok(()) | Err(DeviceError::Broken { .. })), "{decoded:?}");
        refused += usize::from(decoded.is_err());
        let good = decoder.decode(MjpegData(&whole), &mut frame);
        assert!(good.is_ok(), "round {round}, after {decoded:?}: {good:?}");
        assert_eq!(frame.bytes(), reference.bytes(), "round {round}, after {decoded:?}");
    }
    assert!(refused > ROUNDS / 4, "only {refused} of {ROUNDS} were noticed");
}

#[test]
fn a_frame_header_alone_gets_no_memory() {
    let mut jpeg = jpeg_of(SIZE, Subsamp::Sub2x1);
    let header_at = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    for (height, width) in [([0x20, 0x00], [0x20, 0x00]), ([0xff, 0xff], [0xff, 0xff])] {
        jpeg[header_at + 5..header_at + 7].copy_from_slice(&height);
        jpeg[header_at + 7..header_at + 9].copy_from_slice(&width);
        let mut frame = Frame::new(PixelFormat::I422, SIZE, Colour::JPEG).unwrap();
        let mut decoder = MjpegDecoder::new().unwrap();
        assert!(decoder.decode(MjpegData(&jpeg), &mut frame).is_err());
        assert_eq!(frame.size(), SIZE, "the frame is as it was");
    }
}

/// Damage can look like a foreign kind; a camera is given up only for a stream of it.
#[test]
fn a_stream_of_a_foreign_kind_is_told_apart_from_damage() {
    let whole = jpeg_of(SIZE, Subsamp::Sub2x1);
    let header_at = whole.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    let (mut progressive, mut nothing) = (whole.clone(), whole.clone());
    progressive[header_at + 1] = 0xc2;
    nothing[header_at + 5..header_at + 9].fill(0);
    let mut decoder = MjpegDecoder::new().unwrap();
    let mut frame = Frame::new(PixelFormat::I422, SIZE, Colour::JPEG).unwrap();
    let mut decode = |jpeg: &[u8]| decoder.decode(MjpegData(jpeg), &mut frame);
    for _ in 0..3 {
        for _ in 1..FOREIGN_FRAMES {
            assert!(matches!(decode(&progressive), Err(DeviceError::Broken { .. })));
            assert!(matches!(decode(&nothing), Err(DeviceError::Broken { .. })));
        }
        decode(&whole).unwrap();
    }
    for _ in 1..FOREIGN_FRAMES {
        assert!(matches!(decode(&progressive), Err(DeviceError::Broken { .. })));
    }
    assert!(matches!(decode(&progressive), Err(DeviceError::Unsupported { .. })));
}
