use greenroom_frame::{Colour, Compositor, Frame, MatteView, PixelFormat, SizePx};

use super::{FORMATS, MOMENT, Stage, spec};
use crate::MattedFrame;
use crate::layers::Workspace;

#[test]
fn nothing_is_left_of_who_is_anonymised() {
    for format in FORMATS {
        for size in [SizePx::new(160, 96), SizePx::new(161, 97)] {
            let mut stage = Stage::new(format, size, Colour::WEBCAM);
            stage.luma.bytes_mut().iter_mut().step_by(3).for_each(|alpha| *alpha /= 2);
            let (plain, shown) = (stage.show(&[]), stage.show(&["all:anonymise"]));
            assert_ne!(plain.bytes(), shown.bytes());
            for (index, plane) in (0..3).map(|index| (index, shown.view().plane(index))) {
                let side = size.height_px.div_ceil(8) as usize & !1;
                let wide = if index == 0 { side } else { side / 2 };
                let high = if index > 0 && format == PixelFormat::I420 { side / 2 } else { side };
                for (y, row) in plane.iter_rows().enumerate() {
                    for (x, &sample) in row.iter().enumerate() {
                        let corner = plane.row(y / high * high)[x / wide * wide];
                        assert_eq!(sample, corner, "{format} {size} plane {index} at {x}, {y}");
                        let step = if index == 0 { 16 } else { 8 };
                        assert!(sample == 255 || sample % step == 0, "few bits: {sample}");
                    }
                }
            }
        }
    }
}

/// Two people who differ in every sample must look the same as silhouettes: before another picture,
/// and before the plain camera, which shows them, too; at soft edges, and whatever was done before.
#[test]
fn a_silhouette_is_the_same_of_everyone() {
    for (format, bare) in [true, false].map(|bare| FORMATS.map(|f| (f, bare))).into_iter().flatten()
    {
        let mut one = Stage::new(format, SizePx::new(161, 97), Colour::WEBCAM);
        for alpha in [&mut one.luma, &mut one.chroma] {
            alpha.bytes_mut().iter_mut().step_by(3).for_each(|alpha| *alpha /= 8);
        }
        let mut other = one_like(&one);
        for (index, mut plane) in other.room.view_mut().planes_mut().enumerate() {
            let alpha = if index == 0 { &one.luma } else { &one.chroma };
            for (row, alpha) in plane.iter_rows_mut().zip(alpha.view().plane(0).iter_rows()) {
                let person = row.iter_mut().zip(alpha).filter(|(_, alpha)| **alpha > 0);
                person.for_each(|(sample, _)| *sample = 255 - *sample);
            }
        }
        for before in ["person:sepia", "person:mirror", "background:flip", "opacity=0"] {
            let chain = [before, "anonymise=silhouette", "opacity"];
            let [one, other] = [&one, &other].map(|stage| show_silhouette(stage, &chain, bare));
            assert_eq!(one.bytes(), other.bytes(), "{format} {before} {bare}");
        }
    }
}

/// Whom the network misses is not seen either: before the plain camera nothing of it is left.
#[test]
fn where_nobody_is_found_the_whole_room_is_hidden() {
    for format in FORMATS {
        for faint in [0, 15] {
            let mut stage = Stage::new(format, SizePx::new(161, 97), Colour::WEBCAM);
            stage.luma.bytes_mut().fill(faint);
            stage.chroma.bytes_mut().fill(faint);
            let shown = show_silhouette(&stage, &["anonymise=silhouette"], true);
            for index in 0..3 {
                let first = shown.view().plane(index).row(0)[0];
                let view = shown.view();
                let plane = view.plane(index);
                let is_plain = plane.iter_rows().flatten().all(|&sample| sample == first);
                assert!(is_plain, "{format} plane {index}, alpha {faint}");
            }
        }
    }
}

/// What is shown after `effects`, before the plain camera if `bare`.
fn show_silhouette(stage: &Stage, effects: &[&str], bare: bool) -> Frame {
    let matte = MatteView::new(stage.room.view(), stage.luma.view(), stage.chroma.view()).unwrap();
    let room = MattedFrame { frame: stage.room.view(), matte };
    let mut workspace = Workspace::new();
    let behind = if bare { room.frame } else { stage.behind.view() };
    let mut layers = workspace.layers(&room, behind.into());
    for text in effects {
        spec(text).build().apply_to_layers(&mut layers, &MOMENT).unwrap();
    }
    let mut canvas = stage.room.clone();
    let (person, behind) = (layers.person.view(), layers.background.backdrop());
    let matte = layers.matte().unwrap();
    Compositor::default().compose(person, behind, matte, None, &mut canvas).unwrap();
    canvas
}

fn one_like(stage: &Stage) -> Stage {
    let Stage { room, behind, luma, chroma } = stage;
    let [room, behind, luma, chroma] = [room, behind, luma, chroma].map(Frame::clone);
    Stage { room, behind, luma, chroma }
}
