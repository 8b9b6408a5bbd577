//! What FFmpeg knows of a file, and how its frames become ours.

use std::path::Path;

use greenroom_frame::{Colour, ColourMatrix, ColourRange, PixelFormat, SizePx};
use serde::Deserialize;

use crate::ffmpeg::{Input, ffprobe};
use crate::{DeviceError, FrameRate};

/// How a video is decoded: what FFmpeg is to do to it, and what comes out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    /// FFmpeg's filters that make a picture upright, of even size and of `format`.
    pub picture_filters: String,
    /// [`PixelFormat::I420`] or [`PixelFormat::I422`].
    pub format: PixelFormat,
    /// Even, in square pixels, upright.
    pub size: SizePx,
    pub colour: Colour,
    /// The nominal one: frames come at their own times.
    pub rate: FrameRate,
    /// One picture instead of a video.
    pub is_still: bool,
    /// As the file says, so not exact.
    pub frames: Option<u64>,
}

/// A file that claims more claims nonsense: at 240 fps this is 200 days.
const MAX_FRAMES: u64 = 1 << 32;

/// The rate of stills, and of videos whose own rate makes no sense.
const DEFAULT_RATE: FrameRate = FrameRate::new(25, 1).expect("both are above zero");

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ProbeAnswer {
    pub streams: Vec<ProbedStream>,
    pub format: ProbedContainer,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ProbedContainer {
    pub format_name: String,
    pub duration: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ProbedStream {
    pub width: u32,
    pub height: u32,
    pub pix_fmt: String,
    sample_aspect_ratio: String,
    color_range: String,
    color_space: String,
    pub r_frame_rate: String,
    pub avg_frame_rate: String,
    pub nb_frames: Option<String>,
    pub duration: Option<String>,
    side_data_list: Vec<SideData>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SideData {
    rotation: Option<f64>,
}

/// What ffprobe is asked of a video. `V`: no cover pictures of music.
pub(crate) const QUESTION: [&str; 6] = [
    "-select_streams",
    "V:0",
    "-show_entries",
    "format=format_name,duration:stream=width,height,pix_fmt,sample_aspect_ratio,color_range,\
     color_space,r_frame_rate,avg_frame_rate,nb_frames,duration:stream_side_data=rotation",
    "-of",
    "json",
];

/// Asks FFmpeg about the video in `path`.
///
/// # Errors
/// When it cannot be opened; [`DeviceError::Unsupported`] with FFmpeg's reason when it is no video;
/// [`DeviceError::MissingProgram`].
pub(super) fn probe(path: &Path) -> Result<Plan, DeviceError> {
    let unsupported = |why: String| DeviceError::Unsupported {
        what: path.display().to_string(),
        why: format!("{why}; name another video or picture"),
    };
    let json = ffprobe(&QUESTION, Input::File(path), None)?
        .map_err(|reason| unsupported(format!("FFmpeg cannot read it as video ({reason})")))?;
    described(&json).map_err(unsupported)
}

/// The plan for the video that ffprobe described, else why there is none.
pub(super) fn described(json: &[u8]) -> Result<Plan, String> {
    let answer: ProbeAnswer = serde_json::from_slice(json)
        .map_err(|error| format!("FFmpeg's description of it is odd ({error})"))?;
    let stream = answer.streams.first().ok_or("it has no video")?;
    plan(stream, &answer.format)
}

fn plan(stream: &ProbedStream, container: &ProbedContainer) -> Result<Plan, String> {
    let coded = SizePx::new(stream.width, stream.height);
    if coded.area_px() == 0 {
        return Err("FFmpeg finds no picture in it".to_owned());
    }
    coded.checked().map_err(|error| error.to_string())?;
    let frames: Option<u64> = stream.nb_frames.as_deref().and_then(|text| text.parse().ok());
    let is_still = is_picture(&container.format_name) || frames == Some(1);
    let (rate, is_constant) = rate_of(stream);
    let seconds = stream.duration.as_deref().or(container.duration.as_deref());
    let estimate = || Some((seconds?.parse::<f64>().ok()? * rate.as_fps()).round() as u64);
    let frames = match frames {
        _ if is_still => Some(1),
        Some(frames) if is_constant => Some(frames),
        _ => estimate(),
    };
    let frames = frames.filter(|frames| (1..=MAX_FRAMES).contains(frames));

    let format = match &stream.pix_fmt {
        name if name.contains("422") || name.contains("411") => PixelFormat::I422,
        _ => PixelFormat::I420,
    };
    let (turn, upright) = upright(stream, coded);
    let full = upright.checked().map_err(|error| error.to_string())?;
    let size = full.even().checked().map_err(|_| format!("{full} is too small"))?;
    let (colour, conversion) = colour_of(stream, coded);

    let pix_fmt = if format == PixelFormat::I422 { "yuv422p" } else { "yuv420p" };
    let SizePx { width_px: w, height_px: h } = size;
    let picture_filters = format!(
        "{turn}scale={}:{}:flags=bicubic+accurate_rnd+full_chroma_int:{conversion},\
         format={pix_fmt},crop={w}:{h}:0:0",
        full.width_px, full.height_px
    );
    Ok(Plan { picture_filters, format, size, colour, rate, is_still, frames })
}

/// Whether FFmpeg's name of a container means one picture.
fn is_picture(format_name: &str) -> bool {
    format_name == "image2" || format_name.ends_with("_pipe")
}

/// The rate that frames are delivered at, and whether the file's own frames come at it.
pub(crate) fn rate_of(stream: &ProbedStream) -> (FrameRate, bool) {
    let usable =
        |text: &str| parse_rate(text).filter(|rate| (1.0..=240.0).contains(&rate.as_fps()));
    match (usable(&stream.r_frame_rate), usable(&stream.avg_frame_rate)) {
        // Containers in milliseconds are a little off on average.
        (Some(nominal), Some(average))
            if (nominal.as_fps() / average.as_fps() - 1.0).abs() < 0.005 =>
        {
            (nominal, true)
        }
        (_, Some(average)) => (average, false),
        (Some(nominal), None) => (nominal, false),
        (None, None) => (DEFAULT_RATE, false),
    }
}

fn parse_rate(text: &str) -> Option<FrameRate> {
    let (numerator, denominator) = text.split_once('/')?;
    FrameRate::new(numerator.parse().ok()?, denominator.parse().ok()?)
}

/// The filter that turns the picture upright, and its size then, in square pixels.
pub(crate) fn upright(stream: &ProbedStream, coded: SizePx) -> (&'static str, SizePx) {
    let SizePx { width_px, height_px } = coded;
    let ratio = stream.sample_aspect_ratio.split_once(':').and_then(|(across, down)| {
        let (across, down): (f64, f64) = (across.parse().ok()?, down.parse().ok()?);
        (across > 0.0 && down > 0.0).then_some(across / down)
    });
    let square = match ratio {
        Some(ratio) if ratio != 1.0 => {
            SizePx::new((f64::from(width_px) * ratio).round() as u32, height_px)
        }
        _ => coded,
    };
    let turned = SizePx::new(square.height_px, square.width_px);
    // FFmpeg counts the angle against the clock.
    let rotation = stream.side_data_list.iter().find_map(|data| data.rotation).unwrap_or(0.0);
    match (-rotation).rem_euclid(360.0).round() as u32 {
        45..135 => ("transpose=clock,", turned),
        135..225 => ("hflip,vflip,", square),
        225..315 => ("transpose=cclock,", turned),
        _ => ("", square),
    }
}

/// The colour that frames are delivered in, and the options of FFmpeg's scaler for it. YUV of the
/// two matrices that we know stays as it is, sample for sample; all else becomes limited range.
fn colour_of(stream: &ProbedStream, coded: SizePx) -> (Colour, String) {
    let own = coded_colour(stream, coded);
    let colour =
        own.unwrap_or(Colour { matrix: matrix_by_size(coded), range: ColourRange::Limited });
    (colour, conversion(own, colour))
}

/// The matrix of a video that does not tell.
fn matrix_by_size(coded: SizePx) -> ColourMatrix {
    if coded.height_px >= 720 { ColourMatrix::Bt709 } else { ColourMatrix::Bt601 }
}

/// The colour that the video is coded in, if it is YUV of one of the two matrices that we know.
pub(crate) fn coded_colour(stream: &ProbedStream, coded: SizePx) -> Option<Colour> {
    let pix_fmt = stream.pix_fmt.as_str();
    let is_rgb = ["rgb", "bgr", "gbr", "pal", "argb", "abgr", "0rgb", "0bgr", "mono", "bayer"]
        .iter()
        .any(|prefix| pix_fmt.starts_with(prefix));
    if is_rgb {
        return None;
    }
    let by_size = matrix_by_size(coded);
    let matrix = match stream.color_space.as_str() {
        "bt709" => ColourMatrix::Bt709,
        "smpte170m" | "bt470bg" => ColourMatrix::Bt601,
        "" | "unknown" | "unspecified" if pix_fmt.starts_with("yuv") => by_size,
        _ if pix_fmt.starts_with("gray") => by_size,
        _ => return None,
    };
    let is_full = stream.color_range == "pc"
        || pix_fmt.starts_with("yuvj")
        || pix_fmt.starts_with("gray") && stream.color_range != "tv";
    let range = if is_full { ColourRange::Full } else { ColourRange::Limited };
    Some(Colour { matrix, range })
}

/// The options of FFmpeg's scaler that turn the colour `from` (`None`: the scaler knows) into `to`.
pub(crate) fn conversion(from: Option<Colour>, to: Colour) -> String {
    let matrix = |colour: Colour| match colour.matrix {
        ColourMatrix::Bt601 => "bt601",
        ColourMatrix::Bt709 => "bt709",
    };
    let range = |colour: Colour| match colour.range {
        ColourRange::Full => "full",
        ColourRange::Limited => "limited",
    };
    let out = format!("out_color_matrix={}:out_range={}", matrix(to), range(to));
    match from {
        Some(from) => {
            format!("in_color_matrix={}:in_range={}:{out}", matrix(from), range(from))
        }
        None => out,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> ProbedStream {
        ProbedStream {
            width: 1280,
            height: 720,
            pix_fmt: "yuv420p".to_owned(),
            r_frame_rate: "30000/1001".to_owned(),
            avg_frame_rate: "30000/1001".to_owned(),
            nb_frames: Some("90".to_owned()),
            ..ProbedStream::default()
        }
    }

    fn planned(stream: &ProbedStream) -> Plan {
        plan(stream, &ProbedContainer::default()).unwrap()
    }

    #[test]
    fn an_ordinary_video_stays_as_it_is() {
        let plan = planned(&stream());
        assert_eq!((plan.format, plan.size), (PixelFormat::I420, SizePx::new(1280, 720)));
        assert_eq!((plan.colour, plan.frames), (Colour::HD, Some(90)));
        assert_eq!(plan.rate, FrameRate::new(30_000, 1001).unwrap());
    }

    #[test]
    fn colour_is_the_files_or_follows_from_its_height() {
        let colour = |height, space: &str, range: &str, pix_fmt: &str| {
            let (color_space, color_range) = (space.to_owned(), range.to_owned());
            let pix_fmt = pix_fmt.to_owned();
            planned(&ProbedStream { height, color_space, color_range, pix_fmt, ..stream() }).colour
        };
        assert_eq!(colour(480, "", "", "yuv420p"), Colour::WEBCAM);
        assert_eq!(colour(720, "smpte170m", "tv", "yuv420p"), Colour::WEBCAM);
        assert_eq!(colour(480, "bt709", "tv", "yuv422p"), Colour::HD);
        assert_eq!(colour(480, "bt470bg", "pc", "yuvj422p"), Colour::JPEG);
        assert_eq!(colour(1080, "bt2020nc", "tv", "yuv420p10le"), Colour::HD);
        assert_eq!(colour(1080, "gbr", "pc", "gbrp"), Colour::HD);
        assert_eq!(colour(480, "", "", "gray"), Colour::JPEG);
    }

    #[test]
    fn phones_turn_pictures_and_old_cameras_stretch_them() {
        let turned = |rotation| {
            let side_data_list = vec![SideData { rotation: Some(rotation) }];
            planned(&ProbedStream { side_data_list, ..stream() })
        };
        assert_eq!(turned(-90.0).size, SizePx::new(720, 1280));
        assert!(turned(-90.0).picture_filters.starts_with("transpose=clock,"));
        assert!(turned(90.0).picture_filters.starts_with("transpose=cclock,"));
        assert_eq!(turned(180.0).size, SizePx::new(1280, 720));
        let sample_aspect_ratio = "64:45".to_owned();
        let dv = ProbedStream { width: 720, height: 576, sample_aspect_ratio, ..stream() };
        assert_eq!(planned(&dv).size, SizePx::new(1024, 576));
    }

    #[test]
    fn rates_that_make_no_sense_are_replaced() {
        let rate = |nominal: &str, average: &str| {
            let (r_frame_rate, avg_frame_rate) = (nominal.to_owned(), average.to_owned());
            planned(&ProbedStream { r_frame_rate, avg_frame_rate, ..stream() }).rate.to_string()
        };
        assert_eq!(rate("25/1", "25/1"), "25");
        assert_eq!(rate("30/1", "19001/634"), "30");
        assert_eq!(rate("120/1", "30/1"), "30");
        assert_eq!(rate("1000/1", "0/0"), "25");
        assert_eq!(rate("", "nonsense"), "25");
    }

    #[test]
    fn counts_of_frames_that_make_no_sense_are_none() {
        let frames = |count: Option<&str>, seconds: &str| {
            let (nb_frames, duration) = (count.map(str::to_owned), Some(seconds.to_owned()));
            planned(&ProbedStream { nb_frames, duration, ..stream() }).frames
        };
        assert_eq!(frames(Some("0"), "3"), None);
        assert_eq!(frames(Some("18446744073709551615"), "3"), None);
        assert_eq!(frames(None, "10.01"), Some(300));
        for seconds in ["inf", "NaN", "-1", "0", "1e300", "soon"] {
            assert_eq!(frames(None, seconds), None, "{seconds}");
        }
    }

    #[test]
    fn sizes_are_even_and_bounded() {
        let sized = |width, height| {
            plan(&ProbedStream { width, height, ..stream() }, &ProbedContainer::default())
        };
        assert_eq!(sized(101, 77).unwrap().size, SizePx::new(100, 76));
        for (width, height) in [(0, 0), (1, 1), (60_000, 60_000)] {
            assert!(sized(width, height).is_err(), "{width}x{height}");
        }
    }
}
