use greenroom_frame::{Colour, Compositor, Frame, FrameView, MatteView, PixelFormat, SizePx};

use crate::{Guide, Isa};

/// Codes of Y, U and V: a dark and warm person, with strands.
fn person(x: f32, y: f32) -> [f32; 3] {
    let strands = 12.0 * (x * 0.9 + y * 0.1).sin();
    [60.0 + strands + 30.0 * y / 360.0, 112.0, 146.0]
}

/// A plane a frame has of what `value` says at the middle of each sample, in pixels.
fn draw(frame: &mut Frame, value: impl Fn(f32, f32) -> [f32; 3]) {
    let size = frame.size();
    for (index, mut plane) in frame.view_mut().planes_mut().enumerate() {
        let step = [
            size.width_px as f32 / plane.row_bytes() as f32,
            size.height_px as f32 / plane.rows() as f32,
        ];
        for (y, row) in plane.iter_rows_mut().enumerate() {
            for (x, sample) in row.iter_mut().enumerate() {
                let at = [(x as f32 + 0.5) * step[0], (y as f32 + 0.5) * step[1]];
                *sample = value(at[0], at[1])[index].round() as u8;
            }
        }
    }
}

/// Errors of the edge's colour, weighted by alpha as they are seen, in codes a sample: as the camera
/// has it, and with the room taken out.
fn errors(room: [f32; 3], format: PixelFormat, isa: Isa) -> [f32; 2] {
    let size = SizePx::new(640, 360);
    // A head and its edge, 12 pixels wide.
    let alpha = |x: f32, y: f32| {
        let away = ((x - 320.0).powi(2) + (y - 200.0).powi(2)).sqrt();
        ((110.0 - away) / 12.0 + 0.5).clamp(0.0, 1.0)
    };
    let new = || Frame::new(format, size, Colour::WEBCAM).unwrap();
    let (mut camera, mut truth) = (new(), new());
    draw(&mut truth, person);
    draw(&mut camera, |x, y| {
        let (person, alpha) = (person(x, y), alpha(x, y));
        [0, 1, 2].map(|plane| person[plane] * alpha + room[plane] * (1.0 - alpha))
    });
    // What a network makes of it: few cells, and its edge softer than the picture's.
    let mut mask = Frame::new(PixelFormat::Grey, SizePx::new(160, 90), Colour::JPEG).unwrap();
    draw(&mut mask, |x, y| [255.0 * alpha(x * 4.0, y * 4.0); 3]);
    let mut guide = Guide::new().with_spill();
    guide.set_isa(isa);
    guide.fit(&mask.view(), &camera.view()).unwrap();
    let [luma, chroma] = guide.planes();
    let matte = MatteView::new(camera.view(), luma, chroma).unwrap();
    let mut cleaned = camera.clone();
    Compositor::default().unmix(&mut cleaned, matte.with_edge(guide.edge())).unwrap();
    [&camera, &cleaned].map(|seen| error(seen.view(), truth.view(), matte))
}

fn error(seen: FrameView<'_>, truth: FrameView<'_>, matte: MatteView<'_>) -> f32 {
    let (mut sum, mut weights) = (0.0, 0.0);
    for index in 0..3 {
        let alpha = if index == 0 { matte.luma() } else { matte.chroma() }.plane(0);
        let samples = seen.plane(index).iter_rows().flatten();
        let samples = samples.zip(truth.plane(index).iter_rows().flatten());
        for ((seen, truth), &alpha) in samples.zip(alpha.iter_rows().flatten()) {
            if alpha > 0 && alpha < 255 {
                sum += f32::from(alpha) * f32::from(seen.abs_diff(*truth));
                weights += f32::from(alpha);
            }
        }
    }
    sum / weights
}

#[test]
fn the_edge_gets_the_colour_of_the_person() {
    // A bright wall, a saturated one, a dark one.
    for room in [[225.0, 128.0, 128.0], [120.0, 70.0, 60.0], [20.0, 128.0, 128.0]] {
        for format in [PixelFormat::I420, PixelFormat::I422] {
            for isa in Isa::available() {
                let [before, after] = errors(room, format, isa);
                assert!(after < 0.4 * before, "{room:?} {format} {isa}: {before} -> {after}");
            }
        }
    }
}

#[test]
fn without_spill_there_are_no_colours() {
    let mut guide = Guide::new();
    assert!(guide.edge().is_none());
    let frame = Frame::new(PixelFormat::I420, SizePx::new(61, 35), Colour::WEBCAM).unwrap();
    let mask = Frame::new(PixelFormat::Grey, SizePx::new(16, 9), Colour::JPEG).unwrap();
    guide.fit(&mask.view(), &frame.view()).unwrap();
    assert!(guide.edge().is_none());
    let mut guide = guide.with_spill();
    for (width, height) in [(61, 35), (1280, 720), (5, 3), (1, 1)] {
        let size = SizePx::new(width, height);
        let frame = Frame::new(PixelFormat::I420, size, Colour::WEBCAM).unwrap();
        guide.fit(&mask.view(), &frame.view()).unwrap();
        let [luma, chroma] = guide.planes();
        let matte = MatteView::new(frame.view(), luma, chroma).unwrap();
        let mut cleaned = frame.clone();
        Compositor::default().unmix(&mut cleaned, matte.with_edge(guide.edge())).unwrap();
        assert!(cleaned.bytes() == frame.bytes(), "an empty room is left as it is");
    }
}
