use super::layers::{Depthwise, Pointwise, Quadruple};
use super::scalar;

#[target_feature(enable = "avx2,fma")]
pub fn pointwise(layer: &Pointwise, input: &[f32], addend: Option<&[f32]>, out: &mut [f32]) {
    scalar::pointwise(layer, input, addend, out)
}
#[target_feature(enable = "avx2,fma")]
pub fn stem(layer: &Pointwise, rows: &[[&[f32]; 3]; 3], out: &mut [f32]) {
    scalar::stem(layer, rows, out)
}
#[target_feature(enable = "avx2,fma")]
pub fn depthwise(layer: &Depthwise, rows: &[&[f32]], out: &mut [f32]) {
    scalar::depthwise(layer, rows, out)
}
#[target_feature(enable = "avx2,fma")]
pub fn accumulate(row: &[f32], sums: &mut [f32]) {
    scalar::accumulate(row, sums)
}
#[target_feature(enable = "avx2,fma")]
pub fn double(channels: usize, near: &[f32], far: &[f32], out: &mut [f32]) {
    scalar::double(channels, near, far, out)
}
#[target_feature(enable = "avx2,fma")]
pub fn quadruple(layer: &Quadruple, row: &[f32], top: &mut [f32], bottom: &mut [f32]) {
    scalar::quadruple(layer, row, top, bottom)
}
#[target_feature(enable = "avx2,fma")]
pub fn logistic(values: &mut [f32]) {
    scalar::logistic(values)
}
