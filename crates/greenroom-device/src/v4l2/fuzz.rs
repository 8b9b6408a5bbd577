//! Hostile answers of drivers, struct by struct.

use std::time::Instant;

use greenroom_frame::{Frame, FrameView, PixelFormat, SizePx};

use super::argument::struct_of;
use super::event::event_of;
use super::format::rate_of;
use super::modes::{rates_of, sizes_of};
use super::queue::checked;
use super::{Caps, Event, FourCc, Rates, Sizes, StreamFormat, raw};
use crate::camera::fuzz::{check_rates, check_sizes, check_unpacked};
use crate::{Codec, FrameRate};

/// One answer: the first byte tells which, the rest is the struct as the driver left it.
///
/// What is accepted fits together: a layout into the image, an image into its buffer, a size into
/// what greenroom handles.
pub(crate) fn answer(data: &[u8]) {
    let Some((&which, bytes)) = data.split_first() else { return };
    match which % 8 {
        0 => capability(struct_of(bytes)),
        1 => format(bytes),
        2 => sizes(&struct_of(bytes)),
        3 => rates(&struct_of(bytes)),
        4 => parameters(struct_of(bytes)),
        5 => buffer(bytes),
        6 => event(struct_of(bytes)),
        _ => listed_format(struct_of(bytes)),
    }
}

fn capability(raw: raw::Capability) {
    let caps = Caps::from_raw(&raw);
    for text in [&caps.driver, &caps.card, &caps.bus] {
        assert!(text.chars().all(crate::is_printable), "{text:?} goes to terminals");
        // A control character becomes an escape of six.
        assert!(text.len() <= 6 * 32);
    }
    // Never of a node that has nothing of the kind.
    assert!(!caps.can_capture() || (raw.capabilities | raw.device_caps) & 1 != 0);
    assert!(!caps.kind().is_empty());
}

/// A format, and buffers in it as long as it wants them, or a byte shorter.
fn format(bytes: &[u8]) {
    let raw::Format { buf_type, mut pix, .. } = struct_of(bytes);
    // The type, which nobody reads, chooses one of the codes that greenroom knows.
    let known = ["YUYV", "MJPG", "NV12", "YU12", "UYVY", "422P", "GREY", "JPEG"];
    if let Some(code) = known.get(buf_type as usize) {
        pix.pixel_format = FourCc::parse(code).expect("it has four characters").0;
    }
    let Ok(format) = StreamFormat::from_raw("VIDIOC_G_FMT", &pix) else { return };
    assert_eq!(format.size.checked(), Ok(format.size));
    assert_eq!(format.fourcc, FourCc(pix.pixel_format));
    assert_eq!(format.layout.is_some(), matches!(format.codec, Some(Codec::Raw(_))));
    let Some(layout) = format.layout else { return };
    assert_eq!((layout.size(), Some(layout.format())), (format.size, format.fourcc.raw_format()));
    let need_bytes = layout.len_bytes();
    assert!(need_bytes <= pix.size_image as usize, "{format:?} in {} bytes", pix.size_image);
    for plane in layout.planes() {
        assert!(plane.row_bytes > 0 && plane.rows > 0 && plane.row_bytes <= plane.stride_bytes);
    }
    // Larger pictures are no other case and take their time.
    if need_bytes > 1 << 18 {
        return;
    }
    let image = vec![0x5a; need_bytes];
    let view = |bytes| FrameView::new(layout, format.colour, Instant::now(), bytes);
    assert!(view(&image[..need_bytes - 1]).is_err());
    let mut into =
        Frame::new(PixelFormat::I422, SizePx::new(3, 3), format.colour).expect("the size is good");
    check_unpacked(view(&image).expect("it is long enough"), &mut into);
}

fn sizes(raw: &raw::FrmSizeEnum) {
    let sizes = sizes_of(raw);
    match &sizes {
        Sizes::Listed(sizes) => {
            assert!(sizes.iter().all(|size| size.checked().is_ok()), "{sizes:?}");
        }
        Sizes::Range { min, max, step } => {
            assert!(min.checked().is_ok() && max.checked().is_ok(), "{sizes:?}");
            assert!(min.width_px <= max.width_px && min.height_px <= max.height_px, "{sizes:?}");
            assert!(step.width_px > 0 && step.height_px > 0);
            assert!(sizes.contains(*min));
        }
        Sizes::Untold => {}
    }
    check_sizes(&sizes);
}

fn rates(raw: &raw::FrmIvalEnum) {
    let rates = rates_of(raw);
    if let Rates::Range { slowest, fastest } = rates {
        assert!(slowest.as_fps() <= fastest.as_fps(), "{rates:?}");
    }
    check_rates(rates);
}

fn parameters(raw: raw::StreamParm) {
    if let Some(rate) = rate_of(raw.time_per_frame) {
        assert!(rate.as_fps() > 0.0 && rate.as_fps().is_finite());
        assert!(!rate.interval().is_zero());
        assert_eq!(FrameRate::new(rate.numerator(), rate.denominator()), Some(rate));
        assert!(!rate.to_string().is_empty());
    }
}

/// A dequeued buffer, of a queue whose lengths lie behind the struct.
fn buffer(bytes: &[u8]) {
    let raw: raw::BufferDesc = struct_of(bytes);
    let rest = bytes.get(size_of::<raw::BufferDesc>()..).unwrap_or_default();
    let lengths: Vec<usize> = rest.chunks(4).map(|length| length.len() * 1000).collect();
    let Ok(buffer) = checked(&raw, |index| lengths.get(index).copied()) else { return };
    assert!(buffer.bytes_used <= lengths[buffer.index]);
    assert_eq!(buffer.index, raw.index as usize);
    let now = Instant::now();
    let captured_at = crate::camera::fuzz::instant_of(buffer.captured_us);
    let age = captured_at.checked_duration_since(now).unwrap_or_default();
    assert!(age.as_millis() < 1000, "{age:?} from now");
    assert!(now.saturating_duration_since(captured_at).as_secs() <= 2);
}

fn event(raw: raw::EventDesc) {
    let event = event_of(&raw);
    assert_ne!(event, Event::NotReady, "something was told");
    assert!(event != Event::SourceChanged || raw.kind == raw::EVENT_SOURCE_CHANGE);
}

fn listed_format(raw: raw::FmtDesc) {
    let fourcc = FourCc(raw.pixel_format);
    let text = fourcc.to_string();
    assert!(text.len() <= 10 && !text.chars().any(char::is_control), "{text:?}");
    assert_eq!(fourcc.raw_format().is_some(), matches!(fourcc.codec(), Some(Codec::Raw(_))));
}
