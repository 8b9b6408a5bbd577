use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use greenroom_frame::SizePx;

use crate::{ChannelOrder, Layout, ModelDescription, Normalisation, OutputMeaning, Quality};

/// The built-in models. A later one is a variant here and its lines in [`Model::description`] and [`Model::file`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Model {
    /// MediaPipe Selfie Segmentation, landscape: 256x144, 0.4 of the general one's time.
    Landscape,
    /// MediaPipe Selfie Segmentation, general, the default. It was trained at 256x256 and is run at [sizes](Model::sizes)
    /// that fit what it looks at.
    General,
}

macro_rules! asset {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/models/", $name))
    };
}

impl Model {
    /// Every built-in model.
    pub const ALL: [Self; 2] = [Self::Landscape, Self::General];

    /// The model for whoever names none: the general one, for frames of any shape.
    ///
    /// Measured at 16:9, 4:3, 2.35:1, 1:1 and 5:9 against the true alphas of two clips (one man who
    /// talks, and who slides out of and into the picture), it has the higher IoU in every case:
    /// means of 0.973 and 0.943 at 16:9, where the landscape one has 0.967 and 0.858. It is also
    /// the steadier of the two on nine of these ten. It takes 0.6 ms more a frame.
    pub const DEFAULT: Self = Self::General;

    /// What the model wants and gives.
    ///
    /// Its size is the first of the [`sizes`](Self::sizes) of balanced quality.
    pub fn description(self) -> ModelDescription {
        let name = match self {
            Self::Landscape => "selfie-landscape",
            Self::General => "selfie-general",
        };
        ModelDescription {
            licence: Some(Cow::Borrowed("Apache-2.0")),
            ..ModelDescription::selfie(Cow::Borrowed(name), self.sizes(Quality::Balanced)[0])
        }
    }

    /// The sizes of picture that the network is prepared for; the one whose shape fits what is looked at is taken.
    ///
    /// The general network takes furniture for persons where a wide picture is squeezed: at 320x224 it shows a tenth less
    /// of 13 real rooms than at 320x288, in 0.8 of the time; one of an interior with plants it shows 0.25 % of, and
    /// before 5 %. The landscape one gains from no other size than its own.
    pub fn sizes(self, quality: Quality) -> &'static [SizePx] {
        const LANDSCAPE: [SizePx; 1] = [SizePx::new(256, 144)];
        const GENERAL: [SizePx; 6] = [
            SizePx::new(320, 224),
            SizePx::new(320, 288),
            SizePx::new(384, 192),
            SizePx::new(288, 288),
            SizePx::new(224, 336),
            SizePx::new(192, 352),
        ];
        const GENERAL_FAST: [SizePx; 6] = [
            SizePx::new(256, 176),
            SizePx::new(240, 208),
            SizePx::new(304, 160),
            SizePx::new(224, 224),
            SizePx::new(176, 272),
            SizePx::new(144, 272),
        ];
        match (self, quality) {
            (Self::Landscape, _) => &LANDSCAPE,
            (Self::General, Quality::Fast) => &GENERAL_FAST,
            (Self::General, Quality::Balanced | Quality::Best) => &GENERAL,
        }
    }

    /// The TFLite file.
    pub fn file(self) -> &'static [u8] {
        match self {
            Self::Landscape => asset!("selfie_segmentation_landscape.tflite"),
            Self::General => asset!("selfie_segmentation.tflite"),
        }
    }
}

/// The shape of an input over that of the picture which is stretched to it, at best. Networks bear a little squeezing of
/// wide pictures, and see the more of a person for it; the windows of a person bear more of it than whole rooms, where
/// furniture becomes persons.
pub(crate) const SQUEEZE: f64 = 0.85;
/// The same for windows. With 0.75, low windows of square pictures get the narrowest input, and thin arms are lost in it
/// (`loft_dance`: IoU 0.928 instead of 0.941); with 0.8, wide ones get a wider one (`bedroom_kids`: 0.819 instead of 0.825).
pub(crate) const SQUEEZE_OF_WINDOWS: f64 = 0.77;
/// The same for the second look at a whole frame.
pub(crate) const SQUEEZE_OF_SECOND_LOOK: f64 = 0.65;

/// Which of `sizes` fits a picture best that is to be squeezed so much.
pub(crate) fn fitting(sizes: &[SizePx], picture: SizePx, squeeze: f64) -> usize {
    let shape = |size: SizePx| f64::from(size.width_px) / f64::from(size.height_px.max(1));
    let misfit = |&size: &SizePx| (shape(size) / shape(picture) / squeeze).ln().abs();
    let by_misfit = |a: &(usize, f64), b: &(usize, f64)| a.1.total_cmp(&b.1);
    sizes.iter().map(misfit).enumerate().min_by(by_misfit).map_or(0, |(index, _)| index)
}

impl ModelDescription {
    /// A network of the MediaPipe selfie family with an input of `size`.
    pub(crate) fn selfie(name: Cow<'static, str>, size: SizePx) -> Self {
        Self {
            name,
            licence: None,
            input_size: size,
            layout: Layout::Nchw,
            channel_order: ChannelOrder::Rgb,
            normalisation: Normalisation::UNIT,
            output_size: size,
            output: OutputMeaning::Probability,
        }
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Landscape => "landscape",
            Self::General => "general",
        })
    }
}

impl FromStr for Model {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|model| model.to_string() == text).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(Self::to_string).collect();
            format!("\"{text}\" is not a model; give one of {}", names.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_follows_the_shape_of_the_picture() {
        let sizes = Model::General.sizes(Quality::Balanced);
        for (picture, size) in [
            ((1280, 720), (320, 224)),
            ((640, 360), (320, 224)),
            ((640, 480), (320, 288)),
            ((720, 720), (288, 288)),
            ((480, 640), (224, 336)),
            ((720, 1280), (192, 352)),
            ((2560, 1080), (384, 192)),
        ] {
            let fit = fitting(sizes, SizePx::new(picture.0, picture.1), SQUEEZE);
            assert_eq!(sizes[fit], SizePx::new(size.0, size.1), "{picture:?}");
        }
        // What it is run on differs little in number, for time's sake.
        assert!(sizes.iter().all(|size| (65_000..=95_000).contains(&size.area_px())));
        let shape = |size: &SizePx| f64::from(size.width_px) / f64::from(size.height_px);
        for (size, fast) in sizes.iter().zip(Model::General.sizes(Quality::Fast)) {
            assert!((shape(size) / shape(fast) - 1.0).abs() < 0.13, "{size} {fast}");
            let less = fast.area_px() as f64 / size.area_px() as f64;
            assert!((0.5..=0.7).contains(&less), "{size} {fast}");
        }
    }
}
