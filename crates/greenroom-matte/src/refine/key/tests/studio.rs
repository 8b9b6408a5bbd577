use greenroom_frame::{Colour, Frame, PixelFormat, Rgb8, SizePx};

/// A picture of a person before a screen, made from a known alpha.
pub(super) struct Studio {
    pub size: SizePx,
    pub format: PixelFormat,
    /// Of the screen, in full light.
    pub screen: Rgb8,
    /// The screen's brightness at a place, 0..=1 across and down.
    pub light: fn(f32, f32) -> f32,
    /// Left and right end of the screen, as shares of the width; beside it is a brown room.
    pub covers: [f32; 2],
    /// Share of the screen's light on the person's rim.
    pub spill: f32,
    pub shirt: Rgb8,
    /// Standard deviation of the noise, in codes of each plane.
    pub noise: f32,
}

pub(super) const GREEN: Rgb8 = Rgb8 { r: 0, g: 177, b: 64 };
pub(super) const BLUE: Rgb8 = Rgb8 { r: 0, g: 71, b: 187 };
const ROOM: [f32; 3] = [110.0, 95.0, 80.0];

impl Default for Studio {
    fn default() -> Self {
        Self {
            size: SizePx::new(640, 360),
            format: PixelFormat::I420,
            screen: GREEN,
            light: |_, _| 1.0,
            covers: [0.0, 1.0],
            spill: 0.0,
            shirt: Rgb8 { r: 40, g: 45, b: 70 },
            noise: 3.0,
        }
    }
}

/// Falls off to the right and below, with folds, and a shadow beside the person that has a soft edge.
pub(super) fn uneven(x: f32, y: f32) -> f32 {
    let folds = 0.05 * (40.0 * x + 5.0 * (3.0 * y).sin()).sin();
    let shadow = 0.3 * (1.0 - ((x - 0.68).hypot(0.6 * (y - 0.7)) - 0.16).clamp(0.0, 0.06) / 0.06);
    (1.1 - 0.35 * x - 0.15 * y + folds) * (1.0 - shadow)
}

impl Studio {
    /// The true alpha at luma's size: a head and shoulders, with an edge two pixels wide.
    pub(super) fn alpha(&self) -> Vec<u8> {
        let SizePx { width_px, height_px } = self.size;
        let sample = |at: u32| {
            let scale = height_px as f32 / 360.0;
            let (x, y) = ((at % width_px) as f32 / scale, (at / width_px) as f32 / scale);
            let middle = width_px as f32 / scale / 2.0;
            let head = ((x - middle) / 55.0).hypot((y - 120.0) / 75.0);
            let body = ((x - middle) / 150.0).hypot((y - 360.0) / 170.0);
            let inside = (55.0 * (1.0 - head)).max(150.0 * (1.0 - body));
            ((inside / 2.0 + 0.5).clamp(0.0, 1.0) * 255.0).round() as u8
        };
        (0..width_px * height_px).map(sample).collect()
    }

    /// The network's mask: the truth, small and soft.
    pub(super) fn network(&self) -> Frame {
        let mut mask = Frame::new(PixelFormat::Grey, SizePx::new(320, 224), Colour::JPEG).unwrap();
        let mut truth = Frame::new(PixelFormat::Grey, self.size, Colour::JPEG).unwrap();
        truth.bytes_mut().copy_from_slice(&self.alpha());
        crate::Upscaler::new().upscale(&truth.view(), &mut mask.view_mut()).unwrap();
        mask
    }

    /// The picture; `seed` is that of its noise.
    pub(super) fn picture(&self, seed: u64) -> Frame {
        let mut frame = Frame::new(self.format, self.size, Colour::WEBCAM).unwrap();
        let width = self.size.width_px as usize;
        let alpha = self.alpha();
        let codes = |x: usize, y: usize| {
            let (x, y) = (x.min(width - 1), y.min(alpha.len() / width - 1));
            self.codes(alpha[y * width + x], x, y)
        };
        let mut noise = Noise(seed);
        let mut view = frame.view_mut();
        for plane in 0..3 {
            let mut plane_view = view.plane_mut(plane);
            let step = |luma: usize, count: usize| luma.div_ceil(count);
            let across = step(width, plane_view.row_bytes());
            let down = step(alpha.len() / width, plane_view.rows());
            for (y, row) in plane_view.iter_rows_mut().enumerate() {
                for (x, out) in row.iter_mut().enumerate() {
                    let mut sum = 0.0;
                    for at in 0..across * down {
                        sum += codes(x * across + at % across, y * down + at / across)[plane];
                    }
                    *out =
                        (sum / (across * down) as f32 + self.noise * noise.normal()).round() as u8;
                }
            }
        }
        frame
    }

    fn codes(&self, alpha: u8, x: usize, y: usize) -> [f32; 3] {
        let (width, height) = (self.size.width_px as f32, self.size.height_px as f32);
        let (across, down) = (x as f32 / width, y as f32 / height);
        let as_floats = |Rgb8 { r, g, b }: Rgb8| [r, g, b].map(f32::from);
        let screen = as_floats(self.screen);
        let is_screen = (self.covers[0]..self.covers[1]).contains(&across);
        let light = (self.light)(across, down);
        let skin = [205.0, 160.0, 135.0];
        let person = if down < 0.52 { skin } else { as_floats(self.shirt) };
        let share = f32::from(alpha) / 255.0;
        let rgb: [f32; 3] = std::array::from_fn(|channel| {
            let room = if is_screen { screen[channel] * light } else { ROOM[channel] };
            share * (person[channel] + self.spill * screen[channel]) + (1.0 - share) * room
        });
        let [r, g, b] = rgb.map(|value| value.clamp(0.0, 255.0));
        // Not `Colour::encode`, which rounds.
        let luma = 0.299 * r + 0.587 * g + 0.114 * b;
        let chroma = |value: f32, span: f32| 128.0 + (value - luma) / span * 224.0 / 255.0;
        [16.0 + luma * 219.0 / 255.0, chroma(b, 1.772), chroma(r, 1.402)]
    }
}

/// Noise that is the same in every run (SplitMix64).
struct Noise(u64);

impl Noise {
    fn normal(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^= bits >> 31;
        let sum: f32 = (0..4).map(|part| f32::from((bits >> (16 * part)) as u16) / 65_536.0).sum();
        (sum - 2.0) * 3.0_f32.sqrt()
    }
}
