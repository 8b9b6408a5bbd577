use super::*;
use crate::{Colour, PixelFormat};

fn grey(size: SizePx, sample: impl Fn(u32, u32) -> u8) -> Frame {
    let mut frame = Frame::new(PixelFormat::Grey, size, Colour::JPEG).unwrap();
    for (y, row) in frame.view_mut().plane_mut(0).iter_rows_mut().enumerate() {
        for (x, out) in row.iter_mut().enumerate() {
            *out = sample(x as u32, y as u32);
        }
    }
    frame
}

/// The weights of `from` samples in the output at `index` of `to`.
type Axis = fn(from: u32, to: u32, index: u32) -> Vec<f64>;

/// The definition of scaling: a triangle, half-pixel centres, weights renormalised.
fn triangle(from: u32, to: u32, index: u32) -> Vec<f64> {
    let ratio = f64::from(from) / f64::from(to);
    let centre = (f64::from(index) + 0.5) * ratio - 0.5;
    let weight = |k: u32| (1.0 - (f64::from(k) - centre).abs() / ratio.max(1.0)).max(0.0);
    let weights: Vec<f64> = (0..from).map(weight).collect();
    let total: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / total).collect()
}

/// The definition of means: how much of the output each sample covers.
fn cover(from: u32, to: u32, index: u32) -> Vec<f64> {
    let ratio = f64::from(from) / f64::from(to);
    let [start, end] = [index, index + 1].map(|index| f64::from(index) * ratio);
    let covered = |k: u32| end.min(f64::from(k + 1)) - start.max(f64::from(k));
    (0..from).map(|k| covered(k).max(0.0) / ratio).collect()
}

/// A picture scaled as `axis` defines it, in floating point.
fn reference(from: &Frame, to: SizePx, axis: Axis) -> Vec<f64> {
    let (size, view) = (from.size(), from.view());
    let mut out = Vec::new();
    for y in 0..to.height_px {
        let rows = axis(size.height_px, to.height_px, y);
        for x in 0..to.width_px {
            let columns = axis(size.width_px, to.width_px, x);
            let sums = view.plane(0).iter_rows().zip(&rows).map(|(row, share)| {
                let samples = row.iter().zip(&columns);
                share * samples.map(|(&sample, share)| share * f64::from(sample)).sum::<f64>()
            });
            out.push(sums.sum());
        }
    }
    out
}

/// Every instruction set scales noise as `axis` defines it.
fn follows(
    axis: Axis,
    scaler: fn(SizePx, SizePx) -> Result<PlaneScaler, FrameError>,
    sizes: &[[(u32, u32); 2]],
) {
    for &[from, to] in sizes {
        let noise = |x: u32, y: u32| ((x * 7919 + y * 104_729) % 251) as u8;
        let from = grey(SizePx::new(from.0, from.1), noise);
        let to = SizePx::new(to.0, to.1);
        let expected = reference(&from, to, axis);
        for isa in Isa::available() {
            let mut scaler = scaler(from.size(), to).unwrap();
            scaler.isa = isa;
            let mut out = Frame::new(PixelFormat::Grey, to, Colour::JPEG).unwrap();
            scaler.scale(from.view().plane(0), &mut out.view_mut().plane_mut(0));
            for (i, (&out, &expected)) in out.bytes().iter().zip(&expected).enumerate() {
                let error = (f64::from(out) - expected).abs();
                assert!(error <= 0.6, "{isa:?} {from:?}->{to} at {i}: {out} {expected}");
            }
        }
    }
}

#[test]
fn both_halves_follow_the_definition_on_every_isa() {
    let sizes = [
        [(40, 30), (16, 9)],
        [(16, 9), (40, 30)],
        [(33, 17), (8, 17)],
        [(7, 5), (64, 3)],
        [(64, 3), (7, 50)],
        [(1, 1), (5, 4)],
        [(5, 4), (1, 1)],
        [(31, 31), (31, 30)],
        [(2, 2), (3, 3)],
    ];
    follows(triangle, PlaneScaler::new, &sizes);
}

#[test]
fn means_are_means_of_whole_cells_and_of_parts() {
    let sizes = [
        [(64, 36), (8, 9)],
        [(66, 30), (22, 10)],
        [(70, 12), (10, 12)],
        [(48, 5), (4, 1)],
        [(33, 17), (8, 5)],
        [(50, 40), (40, 30)],
        // Cells of more than 257 samples.
        [(80, 80), (4, 4)],
    ];
    follows(cover, PlaneScaler::of_means, &sizes);
}

#[test]
fn flat_stays_flat_and_full_stays_full() {
    for value in [0, 1, 128, 255] {
        for to in [SizePx::new(256, 144), SizePx::new(1283, 721)] {
            let from = grey(SizePx::new(640, 360), |_, _| value);
            let mut out = grey(SizePx::new(1, 1), |_, _| 0);
            FrameScaler::default().scale(from.view(), to, &mut out).unwrap();
            assert!(out.bytes().iter().all(|&sample| sample == value), "{value} {to}");
        }
    }
}
