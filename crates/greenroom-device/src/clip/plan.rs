//! How a clip's frames become ones of the wanted shape: FFmpeg's arguments.

use std::time::Duration;

use greenroom_frame::{FrameShape, PixelFormat, SizePx};

use super::source::ClipSource;
use crate::ffmpeg::Arguments;
use crate::file::probe::{ProbeAnswer, coded_colour, conversion, rate_of, upright};
use crate::{DeviceError, FrameRate};

/// How a clip of another shape is fitted into a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClipFit {
    /// Fills the frame; what stands out is cut off evenly.
    Cover,
    /// All of the picture, with black bars.
    Contain,
    /// All of the picture over all of the frame, distorted if need be.
    Stretch,
}

/// What FFmpeg is to do to a clip, and what comes out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    pub filters: String,
    /// Of the frames that come out.
    pub shape: FrameShape,
    /// Size of the picture that FFmpeg delivers, which is put into the frame at `corner` (columns,
    /// rows; both even).
    pub picture: SizePx,
    pub corner: (u32, u32),
    /// `Some` if the frames come at one rate: then a frame's time is put right to the nanosecond.
    pub constant_rate: Option<FrameRate>,
    pub frames: Option<u64>,
    /// As the video says, and as its container does, with sound and all.
    pub lengths: [Option<Duration>; 2],
}

/// FFmpeg's output options for [`Demux`](super::demux::Demux): raw pictures with their times in
/// milliseconds, which is what the container counts in. Its clusters are closed after each frame, or
/// small frames would be kept back. Without check sums, which nobody reads: they cost over a quarter of
/// FFmpeg's time.
pub(crate) const RAW_WITH_TIMES: [&str; 11] = [
    "-enc_time_base",
    "1:1000",
    "-c:v",
    "rawvideo",
    "-cluster_size_limit",
    "1",
    "-write_crc32",
    "0",
    "-f",
    "matroska",
    "pipe:1",
];

/// Longest clip that is believed: a year.
const MAX_LENGTH: Duration = Duration::from_secs(366 * 86_400);

impl Plan {
    /// The plan for the clip that ffprobe described, else why there is none.
    pub fn new(json: &[u8], shape: FrameShape, fit: ClipFit) -> Result<Self, String> {
        let pix_fmt = match shape.format {
            PixelFormat::I420 => "yuv420p",
            PixelFormat::I422 => "yuv422p",
            other => return Err(format!("frames of format {other} are not made of videos")),
        };
        shape.size.checked().map_err(|error| error.to_string())?;
        let answer: ProbeAnswer = serde_json::from_slice(json)
            .map_err(|error| format!("FFmpeg's description of it is odd ({error})"))?;
        let stream = answer.streams.first().ok_or("it has no video")?;
        let coded = SizePx::new(stream.width, stream.height);
        if coded.area_px() == 0 {
            return Err("FFmpeg finds no picture in it".to_owned());
        }
        coded.checked().map_err(|error| error.to_string())?;
        let (turn, whole) = upright(stream, coded);
        whole.checked().map_err(|error| error.to_string())?;
        let turned = match turn.starts_with("transpose") {
            true => SizePx::new(coded.height_px, coded.width_px),
            false => coded,
        };
        let (picture, corner) = match fit {
            ClipFit::Cover | ClipFit::Stretch => (shape.size, (0, 0)),
            ClipFit::Contain => within(whole, shape.size),
        };
        let mut filters = turn.to_owned();
        if has_alpha(&stream.pix_fmt) {
            // Over black.
            filters += "format=gbrap,premultiply=inplace=1,";
        }
        if fit == ClipFit::Cover {
            // Cut before it is scaled, so that the scaler makes any size, odd ones too; an
            // expression, since a video may change its size on the way.
            let aspect = |size: SizePx| f64::from(size.width_px) / f64::from(size.height_px);
            let ratio = aspect(shape.size) * aspect(turned) / aspect(whole);
            filters += &format!("crop=w='min(iw,ih*{ratio:.6})':h='min(ih,iw/{ratio:.6})',");
        }
        let SizePx { width_px: w, height_px: h } = picture;
        let colours = conversion(coded_colour(stream, coded), shape.colour);
        filters += &format!("scale={w}:{h}:flags=bicubic:{colours},setsar=1,format={pix_fmt}");

        let (rate, is_constant) = rate_of(stream);
        let length = |text: &Option<String>| {
            let length = Duration::try_from_secs_f64(text.as_deref()?.parse().ok()?).ok();
            length.filter(|&length| !length.is_zero() && length <= MAX_LENGTH)
        };
        let lengths = [length(&stream.duration), length(&answer.format.duration)];
        let counted = stream.nb_frames.as_deref().and_then(|count| count.parse().ok());
        let estimated = lengths[0]
            .or(lengths[1])
            .map(|length| (length.as_secs_f64() * rate.as_fps()).round() as u64);
        let frames = counted.filter(|&count| count > 0).or(estimated);
        let constant_rate = is_constant.then_some(rate);
        Ok(Self { filters, shape, picture, corner, constant_rate, frames, lengths })
    }

    /// What an address tells of its length is not known to FFmpeg here: it reads a list of one.
    pub fn forget_length(&mut self) {
        (self.lengths, self.frames) = ([None; 2], None);
    }
}

/// Whether FFmpeg's pixel format holds how opaque a pixel is.
fn has_alpha(pix_fmt: &str) -> bool {
    ["rgba", "bgra", "argb", "abgr", "gbrap", "yuva", "pal8", "ya8", "ya16"]
        .iter()
        .any(|prefix| pix_fmt.starts_with(prefix))
}

/// The largest size of the shape of `whole` within `frame`, and where it lies: in the middle, on
/// whole chroma samples.
fn within(whole: SizePx, frame: SizePx) -> (SizePx, (u32, u32)) {
    let (from_w, from_h) = (u64::from(whole.width_px), u64::from(whole.height_px));
    let (to_w, to_h) = (u64::from(frame.width_px), u64::from(frame.height_px));
    let picture = if from_w * to_h > to_w * from_h {
        SizePx::new(frame.width_px, (from_h * to_w / from_w).clamp(1, to_h) as u32)
    } else {
        SizePx::new((from_w * to_h / from_h).clamp(1, to_w) as u32, frame.height_px)
    };
    let corner = |frame: u32, picture: u32| ((frame - picture) / 2) & !1;
    let corner =
        (corner(frame.width_px, picture.width_px), corner(frame.height_px, picture.height_px));
    (picture, corner)
}

/// The arguments that make FFmpeg write the frames from `from` on, with their times.
///
/// # Errors
/// When what is to be read cannot be opened.
pub(super) fn play_args(
    source: &ClipSource,
    plan: &Plan,
    from: Duration,
    hurried: bool,
) -> Result<Arguments, DeviceError> {
    let mut args = Arguments::default();
    // Turned by our own filter: whether FFmpeg does it, and for what, changes with its version.
    // Two threads: the person before the clip comes first.
    args.add(["-noautorotate", "-threads", "2"]);
    if hurried {
        args.add(["-skip_frame", "nokey"]);
    }
    if !from.is_zero() {
        args.add(["-ss".to_owned(), format!("{:.6}", from.as_secs_f64())]);
    }
    args.add_input(source.input())?;
    args.add(["-map", "0:V:0", "-filter_threads", "2", "-filter:v", &plan.filters]);
    args.add(RAW_WITH_TIMES);
    Ok(args)
}

#[cfg(test)]
mod tests {
    use greenroom_frame::Colour;

    use super::*;

    const SHAPE: FrameShape = FrameShape {
        format: PixelFormat::I420,
        size: SizePx::new(1280, 720),
        colour: Colour::WEBCAM,
    };

    fn plan(stream: &str, fit: ClipFit) -> Result<Plan, String> {
        Plan::new(format!(r#"{{"streams":[{{{stream}}}]}}"#).as_bytes(), SHAPE, fit)
    }

    #[test]
    fn constant_and_variable_rates_are_told_apart() {
        let rate = |nominal, average| {
            let stream = format!(
                r#""width":64,"height":48,"r_frame_rate":"{nominal}","avg_frame_rate":"{average}""#
            );
            plan(&stream, ClipFit::Cover).unwrap().constant_rate.map(|rate| rate.to_string())
        };
        assert_eq!(rate("24000/1001", "24000/1001").as_deref(), Some("23.98"));
        assert_eq!(rate("60/1", "25/1"), None);
        assert_eq!(rate("0/0", "0/0"), None);
    }

    #[test]
    fn pictures_are_fitted() {
        let wide = r#""width":720,"height":576,"sample_aspect_ratio":"64:45","pix_fmt":"yuv420p""#;
        let contain = plan(wide, ClipFit::Contain).unwrap();
        assert_eq!((contain.picture, contain.corner), (SHAPE.size, (0, 0)));
        assert!(plan(wide, ClipFit::Cover).unwrap().filters.contains("ih*1.250000"));
        let tall = r#""width":360,"height":640,"pix_fmt":"bgra""#;
        let contain = plan(tall, ClipFit::Contain).unwrap();
        assert_eq!((contain.picture, contain.corner), (SizePx::new(405, 720), (436, 0)));
        assert!(contain.filters.starts_with("format=gbrap,"), "{}", contain.filters);
        assert_eq!(plan(tall, ClipFit::Stretch).unwrap().picture, SHAPE.size);
        for (whole, frame) in [((1, 8000), (3, 3)), ((8000, 1), (101, 7)), ((5, 5), (1, 1))] {
            let frame = SizePx::new(frame.0, frame.1);
            let (picture, (x, y)) = within(SizePx::new(whole.0, whole.1), frame);
            assert!(picture.checked().is_ok());
            assert!(x + picture.width_px <= frame.width_px);
            assert!(y + picture.height_px <= frame.height_px);
        }
    }

    #[test]
    fn descriptions_that_make_no_sense_are_refused() {
        for stream in ["", r#""width":0,"height":5"#, r#""width":60000,"height":60000"#] {
            assert!(plan(stream, ClipFit::Cover).is_err(), "{stream}");
        }
        assert!(Plan::new(b"{}", SHAPE, ClipFit::Cover).is_err());
        assert!(Plan::new(b"nonsense", SHAPE, ClipFit::Cover).is_err());
        for seconds in ["inf", "NaN", "-1", "0", "1e300", "soon"] {
            let stream = format!(r#""width":64,"height":48,"duration":"{seconds}""#);
            let plan = plan(&stream, ClipFit::Cover).unwrap();
            assert_eq!((plan.lengths, plan.frames), ([None; 2], None), "{seconds}");
        }
    }
}
