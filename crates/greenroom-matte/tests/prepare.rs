//! A model's input straight from YUV.
#![allow(clippy::unwrap_used)]

use greenroom_frame::{
    Chroma, Colour, ColourMatrix, ColourRange, Frame, FrameLayout, FrameView, PixelFormat, Rgb8,
    SizePx,
};
use greenroom_matte::{
    ChannelOrder, InputTensor, Isa, Layout, MatteError, Model, ModelDescription, Normalisation,
    Preparer,
};

const COLOURS: [Colour; 4] = [
    Colour { matrix: ColourMatrix::Bt601, range: ColourRange::Limited },
    Colour { matrix: ColourMatrix::Bt601, range: ColourRange::Full },
    Colour { matrix: ColourMatrix::Bt709, range: ColourRange::Limited },
    Colour { matrix: ColourMatrix::Bt709, range: ColourRange::Full },
];

fn prepared(model: &ModelDescription, frame: &Frame, isa: Isa) -> InputTensor {
    let mut tensor = InputTensor::new(model);
    Preparer::new(model, isa).unwrap().prepare(&frame.view(), &mut tensor).unwrap();
    tensor
}

/// Red, green and blue of pixel `x`, `y` in three planes.
fn pixel(tensor: &InputTensor, x: usize, y: usize) -> [f32; 3] {
    let SizePx { width_px, height_px } = tensor.size();
    let (width, len) = (width_px as usize, (width_px * height_px) as usize);
    std::array::from_fn(|channel| tensor.values()[channel * len + y * width + x])
}

#[test]
fn a_colour_arrives_as_itself_whatever_the_matrix_range_and_chroma() {
    let model = Model::Landscape.description();
    for isa in Isa::available() {
        for colour in COLOURS {
            for format in [PixelFormat::I420, PixelFormat::I422] {
                for (r, g, b) in [(0, 0, 0), (255, 255, 255), (200, 30, 60), (10, 120, 250)] {
                    let mut frame = Frame::new(format, SizePx::new(641, 359), colour).unwrap();
                    frame.fill(colour.encode(Rgb8 { r, g, b }));
                    let tensor = prepared(&model, &frame, isa);
                    for (x, y) in [(0, 0), (255, 143), (100, 77)] {
                        let have = pixel(&tensor, x, y);
                        for (have, want) in have.into_iter().zip([r, g, b]) {
                            let off = (have - f32::from(want) / 255.0).abs();
                            // Rounding YUV to bytes costs up to three steps.
                            assert!(off < 3.2 / 255.0, "{isa} {colour:?} {format}: {off} off");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn left_and_top_stay_left_and_top() {
    let model = Model::General.description();
    let size = SizePx::new(1280, 720);
    let mut frame = Frame::new(PixelFormat::I420, size, Colour::JPEG).unwrap();
    frame.fill(Colour::JPEG.encode(Rgb8 { r: 0, g: 0, b: 0 }));
    for row in frame.view_mut().plane_mut(0).iter_rows_mut().take(180) {
        row[..320].fill(255);
    }
    let tensor = prepared(&model, &frame, Isa::best());
    // A quarter of each side of the input.
    let corner = (model.input_size.width_px as usize / 4, model.input_size.height_px as usize / 4);
    let (left, right) = (corner.0 - 2, corner.0 + 2);
    let (above, below) = (corner.1 - 2, corner.1 + 2);
    for (x, y) in [(0, 0), (left, above), (right, above), (left, below), (200, 200)] {
        let white = x < corner.0 && y < corner.1;
        let [r, g, b] = pixel(&tensor, x, y);
        for value in [r, g, b] {
            assert!((value - f32::from(u8::from(white))).abs() < 0.01, "{x} {y}: {value}");
        }
    }
}

#[test]
fn every_instruction_set_gives_the_same() {
    let model = Model::Landscape.description();
    for colour in COLOURS {
        let mut frame = Frame::new(PixelFormat::I422, SizePx::new(322, 243), colour).unwrap();
        for (at, byte) in frame.bytes_mut().iter_mut().enumerate() {
            *byte = (at * 7919 % 251) as u8;
        }
        let want = prepared(&model, &frame, Isa::SCALAR);
        for isa in Isa::available() {
            let have = prepared(&model, &frame, isa);
            for (have, want) in have.values().iter().zip(want.values()) {
                assert!((have - want).abs() < 1e-6 && (0.0..=1.0).contains(have), "{isa}");
            }
        }
    }
}

#[test]
fn padded_rows_are_the_same_picture() {
    let model = Model::Landscape.description();
    let (format, size) = (PixelFormat::I420, SizePx::new(320, 240));
    let mut tight = Frame::new(format, size, Colour::WEBCAM).unwrap();
    for (at, byte) in tight.bytes_mut().iter_mut().enumerate() {
        *byte = (at % 241) as u8;
    }
    let layout = FrameLayout::with_stride(format, size, 384).unwrap();
    let mut bytes = vec![255; layout.len_bytes()];
    for index in 0..3 {
        let plane = layout.planes()[index];
        for (y, row) in tight.view().plane(index).iter_rows().enumerate() {
            bytes[plane.offset_bytes + y * plane.stride_bytes..][..row.len()].copy_from_slice(row);
        }
    }
    let view = FrameView::new(layout, Colour::WEBCAM, tight.captured_at(), &bytes).unwrap();
    let mut tensor = InputTensor::new(&model);
    Preparer::new(&model, Isa::best()).unwrap().prepare(&view, &mut tensor).unwrap();
    assert_eq!(tensor.values(), prepared(&model, &tight, Isa::best()).values());
}

#[test]
fn a_preparer_follows_the_frames_that_come() {
    let model = Model::Landscape.description();
    let mut preparer = Preparer::new(&model, Isa::best()).unwrap();
    let red = Rgb8 { r: 255, g: 0, b: 0 };
    for (format, width_px) in [
        (PixelFormat::I420, 640),
        (PixelFormat::Grey, 640),
        (PixelFormat::I422, 320),
        (PixelFormat::Grey, 320),
    ] {
        let size = SizePx::new(width_px, 240);
        let mut frame = Frame::new(format, size, Colour::JPEG).unwrap();
        frame.fill(Colour::JPEG.encode(red));
        let mut tensor = InputTensor::new(&model);
        preparer.prepare(&frame.view(), &mut tensor).unwrap();
        let [r, g, _] = pixel(&tensor, 9, 9);
        let coloured = format.chroma() != Chroma::None;
        assert_eq!(r - g > 0.9, coloured, "{format}");
        assert_eq!((r - g).abs() < 1e-6, !coloured, "{format}");
    }
}

#[test]
fn layout_order_and_normalisation_are_the_models() {
    let plain = Model::Landscape.description();
    let model = ModelDescription {
        layout: Layout::Nhwc,
        channel_order: ChannelOrder::Bgr,
        normalisation: Normalisation { scale: [2.0, 3.0, 4.0], offset: [-1.0, 0.5, 0.0] },
        ..plain.clone()
    };
    let mut frame = Frame::new(PixelFormat::I420, SizePx::new(640, 360), Colour::WEBCAM).unwrap();
    for (at, byte) in frame.bytes_mut().iter_mut().enumerate() {
        *byte = (at % 239) as u8;
    }
    let (rgb, bgr) = (prepared(&plain, &frame, Isa::best()), prepared(&model, &frame, Isa::best()));
    for (x, y) in [(0, 0), (31, 7), (255, 143)] {
        let [r, g, b] = pixel(&rgb, x, y);
        let have = &bgr.values()[3 * (256 * y + x)..][..3];
        for (have, want) in have.iter().zip([b * 4.0, g * 3.0 + 0.5, r * 2.0 - 1.0]) {
            assert!((have - want).abs() < 1e-5);
        }
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let model = Model::Landscape.description();
    let mut preparer = Preparer::new(&model, Isa::best()).unwrap();
    let size = SizePx::new(64, 48);
    let packed = Frame::new(PixelFormat::Yuyv, size, Colour::WEBCAM).unwrap();
    let mut tensor = InputTensor::new(&model);
    let error = preparer.prepare(&packed.view(), &mut tensor).unwrap_err();
    assert!(matches!(error, MatteError::UnsupportedFrame { format: PixelFormat::Yuyv }));
    let planar = Frame::new(PixelFormat::I420, size, Colour::WEBCAM).unwrap();
    let mut other = InputTensor::new(&Model::General.description());
    let error = preparer.prepare(&planar.view(), &mut other).unwrap_err();
    assert!(matches!(error, MatteError::WrongShape { .. }));
}
