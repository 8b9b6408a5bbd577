//! From what a network gives to an alpha.

use greenroom_frame::SizePx;

use super::OnnxOutput;
use crate::{Layout, OutputMeaning};

/// Half the width of a threshold's edge: a step would leave stairs when the alpha is enlarged.
const EDGE: f32 = 0.05;

/// How an output's values lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Map {
    pub size: SizePx,
    pub channels: usize,
    pub layout: Layout,
}

/// Turns the values of one output into an alpha.
#[derive(Debug)]
pub(super) struct Reader {
    map: Map,
    meaning: OutputMeaning,
    channel: usize,
    threshold: Option<f32>,
    min_max: bool,
    enlarge: Option<Enlarge>,
    /// One value a pixel of the map, where it is enlarged.
    values: Vec<f32>,
}

impl Reader {
    /// A reader of `output`, whose values lie as `map` says, for a network whose input is of `input`
    /// size. With a threshold or other corners, the map is brought to that size first.
    pub fn new(output: &OnnxOutput, map: Map, input: SizePx) -> Self {
        let enlarged = map.size != input && (output.threshold.is_some() || output.align_corners);
        let enlarge = enlarged.then(|| Enlarge::new(map.size, input, output.align_corners));
        let channel = match output.meaning {
            OutputMeaning::SoftmaxClass(class) => class,
            _ => output.channel.unwrap_or(0),
        };
        let values =
            if enlarge.is_some() { vec![0.0; map.size.area_px() as usize] } else { vec![] };
        let OnnxOutput { meaning, threshold, min_max, .. } = *output;
        Self { map, meaning, channel, threshold, min_max, enlarge, values }
    }

    /// Size of the alpha.
    pub fn size(&self) -> SizePx {
        self.enlarge.as_ref().map_or(self.map.size, |enlarge| enlarge.size)
    }

    /// Writes the alpha of the network's `output`. `false` if a value was no number; such a pixel
    /// is room.
    pub fn read(&mut self, output: &[f32], alpha: &mut [f32]) -> bool {
        match &self.enlarge {
            Some(enlarge) => {
                pick(&self.map, self.meaning, self.channel, output, &mut self.values);
                enlarge.run(&self.values, alpha);
            }
            None => pick(&self.map, self.meaning, self.channel, output, alpha),
        }
        let mut sound = true;
        for value in alpha.iter_mut() {
            if self.meaning == OutputMeaning::Logit {
                *value = 1.0 / (1.0 + (-*value).exp());
            }
            if !value.is_finite() {
                sound = false;
                *value = 0.0;
            }
        }
        if self.min_max {
            stretch(alpha);
        }
        if let Some(threshold) = self.threshold {
            for value in alpha {
                *value = ((*value - threshold) / (2.0 * EDGE) + 0.5).clamp(0.0, 1.0);
            }
        }
        sound
    }
}

/// One value a pixel: the channel, or the softmax of the class.
fn pick(map: &Map, meaning: OutputMeaning, channel: usize, output: &[f32], values: &mut [f32]) {
    let (pixel_step, channel_step) = match map.layout {
        Layout::Nchw => (1, map.size.area_px() as usize),
        Layout::Nhwc => (map.channels, 1),
    };
    if map.channels == 1 {
        return values.copy_from_slice(output);
    }
    for (pixel, value) in values.iter_mut().enumerate() {
        let score = |channel: usize| output[pixel * pixel_step + channel * channel_step];
        let wanted = score(channel);
        *value = match meaning {
            // 1 / sum of e^(other - wanted): no overflow but to infinity, which gives 0.
            OutputMeaning::SoftmaxClass(_) => {
                1.0 / (0..map.channels).map(|other| (score(other) - wanted).exp()).sum::<f32>()
            }
            _ => wanted,
        };
    }
}

/// Where nothing reaches this, there is nobody, and what there is would be made a person of.
const LEAST_HIGHEST: f32 = 0.5;

/// The lowest value becomes 0 and the highest 1.
fn stretch(alpha: &mut [f32]) {
    let (lowest, highest) = alpha
        .iter()
        .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), v| (low.min(*v), high.max(*v)));
    let range = highest - lowest;
    let somebody = highest >= LEAST_HIGHEST && range > f32::EPSILON;
    for value in alpha {
        *value = if somebody { (*value - lowest) / range } else { 0.0 };
    }
}

/// Bilinear enlargement of a map.
#[derive(Debug)]
struct Enlarge {
    size: SizePx,
    from: SizePx,
    columns: Vec<Tap>,
    rows: Vec<Tap>,
}

/// Between which two values a pixel lies, and how far towards the second.
#[derive(Debug, Clone, Copy)]
struct Tap {
    first: usize,
    second: usize,
    weight: f32,
}

impl Enlarge {
    fn new(from: SizePx, to: SizePx, align_corners: bool) -> Self {
        let taps = |from_px: u32, to_px: u32| -> Vec<Tap> {
            (0..to_px).map(|at| tap(at, from_px, to_px, align_corners)).collect()
        };
        let columns = taps(from.width_px, to.width_px);
        Self { size: to, from, columns, rows: taps(from.height_px, to.height_px) }
    }

    fn run(&self, values: &[f32], out: &mut [f32]) {
        let width = self.from.width_px as usize;
        let lines = out.chunks_exact_mut(self.size.width_px as usize);
        for (line, row) in lines.zip(&self.rows) {
            let (above, below) = (&values[row.first * width..], &values[row.second * width..]);
            for (value, column) in line.iter_mut().zip(&self.columns) {
                let mix = |line: &[f32]| {
                    let (first, second) = (line[column.first], line[column.second]);
                    first + (second - first) * column.weight
                };
                let (above, below) = (mix(above), mix(below));
                *value = above + (below - above) * row.weight;
            }
        }
    }
}

fn tap(at: u32, from_px: u32, to_px: u32, align_corners: bool) -> Tap {
    let (at, from, to) = (at as f32, from_px as f32, to_px as f32);
    let place = match align_corners {
        true if to_px > 1 => at * (from - 1.0) / (to - 1.0),
        true => 0.0,
        false => ((at + 0.5) * from / to - 0.5).clamp(0.0, from - 1.0),
    };
    let first = (place as usize).min(from_px as usize - 1);
    Tap { first, second: (first + 1).min(from_px as usize - 1), weight: place - first as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(meaning: OutputMeaning) -> OnnxOutput {
        OnnxOutput {
            name: "out".into(),
            layout: Layout::Nchw,
            meaning,
            channel: None,
            threshold: None,
            min_max: false,
            align_corners: false,
        }
    }

    fn map(width_px: u32, height_px: u32, channels: usize, layout: Layout) -> Map {
        Map { size: SizePx::new(width_px, height_px), channels, layout }
    }

    fn read(output: &OnnxOutput, map: Map, values: &[f32]) -> (Vec<f32>, bool) {
        let mut reader = Reader::new(output, map, map.size);
        let mut alpha = vec![9.0; map.size.area_px() as usize];
        let sound = reader.read(values, &mut alpha);
        (alpha, sound)
    }

    #[test]
    fn each_meaning_gives_its_alpha() {
        let one = map(3, 1, 1, Layout::Nchw);
        let (alpha, _) = read(&output(OutputMeaning::Probability), one, &[0.0, 0.25, 1.0]);
        assert_eq!(alpha, [0.0, 0.25, 1.0]);
        let (alpha, _) = read(&output(OutputMeaning::Logit), one, &[0.0, 100.0, -1e9]);
        assert_eq!(alpha, [0.5, 1.0, 0.0]);
        // The same two pixels with two classes each, in both layouts.
        let softmax = output(OutputMeaning::SoftmaxClass(1));
        for (layout, values) in
            [(Layout::Nchw, [0.0, 1e9, 1.0, 0.0]), (Layout::Nhwc, [0.0, 1.0, 1e9, 0.0])]
        {
            let (alpha, sound) = read(&softmax, map(2, 1, 2, layout), &values);
            assert!(sound && (alpha[0] - 0.731_06).abs() < 1e-4 && alpha[1] == 0.0, "{alpha:?}");
        }
        let second = OnnxOutput { channel: Some(1), ..output(OutputMeaning::Probability) };
        let (alpha, _) = read(&second, map(2, 1, 2, Layout::Nchw), &[0.1, 0.2, 0.3, 0.4]);
        assert_eq!(alpha, [0.3, 0.4]);
    }

    #[test]
    fn what_is_no_number_is_room() {
        for meaning in [OutputMeaning::Probability, OutputMeaning::Logit, OutputMeaning::Alpha] {
            let values = [f32::NAN, 1.0, f32::NAN];
            let (alpha, sound) = read(&output(meaning), map(3, 1, 1, Layout::Nchw), &values);
            assert!(!sound && alpha[0] == 0.0 && alpha[2] == 0.0 && alpha[1] > 0.7, "{alpha:?}");
        }
        let softmax = output(OutputMeaning::SoftmaxClass(0));
        let (alpha, sound) = read(&softmax, map(1, 1, 2, Layout::Nchw), &[f32::NAN, 0.0]);
        assert!(!sound && alpha == [0.0]);
    }

    #[test]
    fn min_max_stretches_and_nobody_stays_nobody() {
        let stretched = OnnxOutput { min_max: true, ..output(OutputMeaning::Probability) };
        let (alpha, _) = read(&stretched, map(3, 1, 1, Layout::Nchw), &[0.2, 0.5, 0.8]);
        assert!(alpha[0] == 0.0 && (alpha[1] - 0.5).abs() < 1e-6 && alpha[2] == 1.0, "{alpha:?}");
        for nobody in [[0.9; 3], [0.2, 0.3, 0.4]] {
            let (alpha, _) = read(&stretched, map(3, 1, 1, Layout::Nchw), &nobody);
            assert_eq!(alpha, [0.0; 3]);
        }
    }

    #[test]
    fn a_threshold_is_taken_at_the_inputs_size() {
        let wanted = OnnxOutput {
            threshold: Some(0.7),
            align_corners: true,
            ..output(OutputMeaning::Logit)
        };
        let mut reader = Reader::new(&wanted, map(2, 2, 1, Layout::Nchw), SizePx::new(5, 5));
        assert_eq!(reader.size(), SizePx::new(5, 5));
        let mut alpha = vec![0.0; 25];
        // Columns at logits -4, -2, 0, 2, 4: probabilities 0.02, 0.12, 0.5, 0.88, 0.98.
        assert!(reader.read(&[-4.0, 4.0, -4.0, 4.0], &mut alpha));
        for row in alpha.chunks_exact(5) {
            assert_eq!(row, [0.0, 0.0, 0.0, 1.0, 1.0]);
        }
        let step = OnnxOutput { threshold: Some(0.7), ..output(OutputMeaning::Probability) };
        let (alpha, _) = read(&step, map(3, 1, 1, Layout::Nchw), &[0.65, 0.7, 0.76]);
        assert!(
            alpha[0].abs() < 1e-4 && (alpha[1] - 0.5).abs() < 1e-4 && alpha[2] == 1.0,
            "{alpha:?}"
        );
    }

    #[test]
    fn corners_lie_where_they_are_said_to() {
        // A ramp 0..=1 over 3 values, on 5 pixels.
        let values = [0.0, 0.5, 1.0];
        let mut out = [0.0; 5];
        Enlarge::new(SizePx::new(3, 1), SizePx::new(5, 1), true).run(&values, &mut out);
        assert_eq!(out, [0.0, 0.25, 0.5, 0.75, 1.0]);
        Enlarge::new(SizePx::new(3, 1), SizePx::new(5, 1), false).run(&values, &mut out);
        assert!((out[1] - 0.2).abs() < 1e-6 && out[0] == 0.0 && out[2] == 0.5, "{out:?}");
    }
}
