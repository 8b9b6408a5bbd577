//! Foreign engines, held to what the built-in network sees in a photo of a man.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use greenroom_frame::{Colour, Frame, PixelFormat, Rgb8, SizePx};
use greenroom_matte::{
    AlphaMap, Engine, InputTensor, Isa, MatteError, MatteMaker, Model, ModelDescription,
    RefineSteps,
};

const MODEL: Model = Model::General;

/// What a foreign engine gives for the nth frame, by the alpha that is right.
type Behaviour = fn(nth: usize, right: &[f32]) -> Vec<f32>;

struct Foreign {
    description: ModelDescription,
    right: Vec<f32>,
    behaviour: Behaviour,
    frames: usize,
}

impl Engine for Foreign {
    fn description(&self) -> &ModelDescription {
        &self.description
    }

    fn infer(&mut self, _: &InputTensor, alpha: &mut AlphaMap) -> Result<(), MatteError> {
        alpha.values_mut().copy_from_slice(&(self.behaviour)(self.frames, &self.right));
        self.frames += 1;
        Ok(())
    }
}

fn photo() -> Frame {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/photos");
    let image = image::open(folder.join("franck_01829.jpg")).unwrap().into_rgb8();
    let size = SizePx::new(image.width(), image.height());
    let mut frame = Frame::new(PixelFormat::I420, size, Colour::JPEG).unwrap();
    for (index, mut plane) in frame.view_mut().planes_mut().enumerate() {
        for (y, row) in plane.iter_rows_mut().enumerate() {
            for (x, sample) in row.iter_mut().enumerate() {
                let step = if index == 0 { 1 } else { 2 };
                let [r, g, b] = image.get_pixel((step * x) as u32, (step * y) as u32).0;
                let yuv = Colour::JPEG.encode(Rgb8 { r, g, b });
                *sample = [yuv.y, yuv.u, yuv.v][index];
            }
        }
    }
    frame
}

/// The size of the photo's alpha.
fn size() -> SizePx {
    static SIZE: LazyLock<SizePx> =
        LazyLock::new(|| MatteMaker::new(MODEL).unwrap().matte(&photo().view()).unwrap().size());
    *SIZE
}

fn width() -> usize {
    size().width_px as usize
}

fn all(right: &[f32], shown: impl Fn(usize, usize) -> bool) -> Vec<f32> {
    let cells = 0..right.len();
    cells.map(|at| f32::from(u8::from(shown(at % width(), at / width())))).collect()
}

fn shifted(right: &[f32], by: usize) -> Vec<f32> {
    let rows = right.chunks_exact(width());
    rows.flat_map(|row| [&row[by..], &row[..by]].concat()).collect()
}

fn inverted(right: &[f32]) -> Vec<f32> {
    right.iter().map(|alpha| 1.0 - alpha).collect()
}

#[test]
fn whatever_a_foreign_engine_gives_no_sure_room_is_shown() {
    let mut frame = photo();
    let mut own = MatteMaker::new(MODEL).unwrap();
    let right = own.matte(&frame.view()).unwrap().bytes().to_vec();
    // Rows or columns within five cells of what may be a person.
    let height = right.len() / width();
    let near = |x: usize, y: usize| {
        let rows = y.saturating_sub(5)..(y + 6).min(height);
        let columns = x.saturating_sub(5)..(x + 6).min(width());
        rows.into_iter().any(|y| right[y * width()..][columns.clone()].iter().any(|it| *it > 25))
    };
    let may_show: Vec<_> = (0..right.len()).map(|at| near(at % width(), at / width())).collect();
    assert!(may_show.iter().filter(|may| !**may).count() > right.len() / 5, "there is room");
    let truth: Vec<f32> = right.iter().map(|alpha| f32::from(*alpha) / 255.0).collect();
    let cases: [(&str, Behaviour, usize); 10] = [
        ("honest", |_, right| right.to_vec(), 60),
        ("all ones", |_, right| vec![1.0; right.len()], 0),
        ("infinite", |_, right| vec![f32::INFINITY; right.len()], 0),
        ("31 of 32", |_, right| all(right, |x, _| x < width() - width() / 32), 0),
        ("inverted", |_, right| inverted(right), 0),
        ("shifted by half", |_, right| shifted(right, width() / 2), 0),
        ("checkerboard", |_, right| all(right, |x, y| (x / 8 + y / 8) % 2 == 0), 0),
        (
            "grows",
            |nth, right| {
                let more = nth as f32 / 20.0;
                right.iter().map(|alpha| (alpha + more).min(1.0)).collect()
            },
            12,
        ),
        (
            "all ones after 50",
            |nth, right| if nth < 50 { right.to_vec() } else { vec![1.0; right.len()] },
            50,
        ),
        (
            "all ones in one of ten",
            |nth, right| if nth % 10 < 9 { right.to_vec() } else { inverted(right) },
            12,
        ),
    ];
    let start = Instant::now();
    for (name, behaviour, most_used) in cases {
        let description =
            ModelDescription { input_size: size(), output_size: size(), ..MODEL.description() };
        let engine = Foreign { description, right: truth.clone(), behaviour, frames: 0 };
        let own = MatteMaker::new(MODEL).unwrap().refined(RefineSteps::NONE).unwrap();
        let maker = MatteMaker::with_engine(Box::new(engine), Isa::best()).unwrap();
        let mut maker = maker.guarded(own).unwrap();
        let mut used = 0;
        for nth in 0..60 {
            frame.set_captured_at(start + Duration::from_millis(33) * nth);
            let alpha = maker.matte(&frame.view()).unwrap();
            let room =
                alpha.bytes().iter().zip(&may_show).filter(|(alpha, may)| **alpha > 0 && !**may);
            assert_eq!(room.count(), 0, "{name}, frame {nth}");
            let same = alpha.bytes().iter().zip(&right).all(|(a, b)| (*a > 127) == (*b > 127));
            used += usize::from(same);
        }
        // The built-in network's own alpha is the same, so that a right one is always there.
        match most_used {
            60 => assert_eq!(used, 60, "{name}"),
            _ => assert!(used >= 60 - most_used.max(12), "{name}: {used} of 60 are right"),
        }
    }
}
