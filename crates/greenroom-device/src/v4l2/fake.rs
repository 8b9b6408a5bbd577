//! A driver for tests and fuzzing, in the kernel's place: a small camera that does everything right
//! except where a script says otherwise. It belongs to the thread that installed it.

use std::any::Any;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::os::fd::OwnedFd;

use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use rustix::io::Errno;
use rustix::time::{ClockId, clock_gettime};

use super::argument::{Argument, overwrite};
use super::{FourCc, raw};
use crate::mjpeg::fuzz::grey_jpeg;

thread_local! {
    static DRIVER: RefCell<Option<FakeDriver>> = const { RefCell::new(None) };
}

/// More calls than any way through the crate needs, also with the longest listings: whoever asks
/// more often never ends.
const MAX_CALLS: u32 = 300_000;

/// Buffers lie so far from each other in the device's memory.
const BUFFER_PITCH_BYTES: u32 = 1 << 16;

/// More than any offset and length of 32 bits reach; nothing is behind it until it is touched.
const MEMORY_BYTES: u64 = 1 << 34;

const ERRORS: [Errno; 12] = [
    Errno::INTR,
    Errno::INVAL,
    Errno::AGAIN,
    Errno::NODEV,
    Errno::BUSY,
    Errno::IO,
    Errno::NOTTY,
    Errno::NOENT,
    Errno::NOSPC,
    Errno::PIPE,
    Errno::NOMEM,
    Errno::ACCESS,
];

/// Values at the edges of what a field can be.
const EDGES: [u32; 12] =
    [0, 1, 2, 3, 31, 32, 0x1000, 0x2001, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff];

/// Installs a camera that follows `script`; `name` is its driver's. Empty: it does all right.
///
/// Each call takes one byte and what that asks for. By its lowest three bits: 0 to 3 a right
/// answer, 4 one after the source has changed its size, 5 an error, 6 a right answer with some
/// bytes of the script over it, 7 with an edge value in one field. At its end the script begins
/// anew, or all is right from then on.
pub(crate) fn install(name: &str, script: &[u8], again: bool) -> Installed {
    let memory = memfd_create("fake-camera", MemfdFlags::CLOEXEC).expect("memory for a test");
    ftruncate(&memory, MEMORY_BYTES).expect("an empty file may be long");
    let pictures = memory.try_clone().expect("a descriptor for a test");
    let mut driver = FakeDriver {
        name: name.to_owned(),
        script: script.to_owned(),
        at: 0,
        again,
        calls: 0,
        pictures,
        filled: Vec::new(),
        pix: raw::PixFormat::default(),
        interval: raw::Fract { numerator: 1, denominator: 30 },
        buffers: 0,
        queue: VecDeque::new(),
        streaming: false,
        is_small: false,
        changed: false,
    };
    driver.pix = driver.fitted(raw::PixFormat::default());
    DRIVER.set(Some(driver));
    Installed { memory: Some(memory) }
}

/// An installed driver; goes when it is dropped.
pub(crate) struct Installed {
    memory: Option<OwnedFd>,
}

impl Installed {
    /// The memory that stands for the device's node ([`Device::of`](super::Device::of)), once.
    pub(crate) fn memory(&mut self) -> OwnedFd {
        self.memory.take().expect("it is asked for once")
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        DRIVER.set(None);
    }
}

/// The installed driver's answer to a call.
pub(super) fn answer<T: Argument>(call: &str, argument: &mut T) -> Option<rustix::io::Result<()>> {
    DRIVER.with_borrow_mut(|driver| Some(driver.as_mut()?.answer(call, argument)))
}

/// Whether the installed driver has an event to tell.
pub(crate) fn event_waits() -> bool {
    DRIVER.with_borrow(|driver| driver.as_ref().is_some_and(|driver| driver.changed))
}

struct FakeDriver {
    name: String,
    script: Vec<u8>,
    at: usize,
    again: bool,
    calls: u32,
    pictures: OwnedFd,
    /// Buffers with a picture in them already.
    filled: Vec<u32>,
    pix: raw::PixFormat,
    interval: raw::Fract,
    buffers: u32,
    queue: VecDeque<u32>,
    streaming: bool,
    is_small: bool,
    /// The source has changed and nobody was told.
    changed: bool,
}

impl FakeDriver {
    fn next(&mut self) -> u8 {
        if self.at == self.script.len() && self.again {
            self.at = 0;
        }
        let byte = self.script.get(self.at).copied();
        self.at += usize::from(byte.is_some());
        byte.unwrap_or(0)
    }

    fn answer<T: Argument>(&mut self, call: &str, argument: &mut T) -> rustix::io::Result<()> {
        self.calls += 1;
        if self.calls >= MAX_CALLS {
            // What cleans up after this panic must come to its end.
            assert!(std::thread::panicking(), "the driver is asked without end, now {call}");
            return Err(Errno::NODEV);
        }
        match self.next() & 7 {
            0..=3 => self.right(call, argument),
            4 => {
                (self.is_small, self.changed) = (!self.is_small, true);
                self.filled.clear();
                self.pix = self.fitted(self.pix);
                self.right(call, argument)
            }
            5 => Err(ERRORS[usize::from(self.next()) % ERRORS.len()]),
            6 => {
                let _ = self.right(call, argument);
                let (at, count) = (self.next(), self.next() % 16);
                let bytes: Vec<u8> = (0..=count).map(|_| self.next()).collect();
                overwrite(argument, at.into(), &bytes);
                Ok(())
            }
            _ => {
                let _ = self.right(call, argument);
                let (field, edge) = (self.next(), self.next());
                let value = EDGES[usize::from(edge) % EDGES.len()];
                let field = usize::from(field) % size_of::<T>().div_ceil(4);
                overwrite(argument, field * 4, &value.to_ne_bytes());
                Ok(())
            }
        }
    }

    /// What a good driver does.
    fn right(&mut self, call: &str, argument: &mut dyn Any) -> rustix::io::Result<()> {
        if let Some(raw) = argument.downcast_mut() {
            self.capability(raw);
        } else if let Some(raw) = argument.downcast_mut() {
            return self.listed_format(raw);
        } else if let Some(raw) = argument.downcast_mut() {
            return listed_size(raw);
        } else if let Some(raw) = argument.downcast_mut() {
            return listed_interval(raw);
        } else if let Some(raw) = argument.downcast_mut::<raw::Format>() {
            raw.pix = if call == "VIDIOC_G_FMT" { self.pix } else { self.fitted(raw.pix) };
            if call == "VIDIOC_S_FMT" {
                self.pix = raw.pix;
            }
        } else if let Some(raw) = argument.downcast_mut::<raw::StreamParm>() {
            if call == "VIDIOC_S_PARM" && raw.time_per_frame.numerator != 0 {
                self.interval = raw.time_per_frame;
            }
            (raw.capability, raw.time_per_frame) = (raw::PARM_TIMEPERFRAME, self.interval);
        } else if let Some(raw) = argument.downcast_mut::<raw::RequestBuffers>() {
            raw.count = raw.count.min(4);
            self.buffers = raw.count;
            self.filled.clear();
            self.queue.clear();
        } else if let Some(raw) = argument.downcast_mut() {
            return self.buffer(call, raw);
        } else if let Some(raw) = argument.downcast_mut::<raw::EventDesc>() {
            if !std::mem::take(&mut self.changed) {
                return Err(Errno::NOENT);
            }
            raw.kind = raw::EVENT_SOURCE_CHANGE;
            raw.payload[0] = u64::from(raw::SRC_CH_RESOLUTION);
        } else {
            match call {
                "VIDIOC_STREAMON" => self.streaming = true,
                "VIDIOC_STREAMOFF" => (self.streaming, self.queue) = (false, VecDeque::new()),
                // Subscriptions, controls, the input: nothing to say.
                _ => {}
            }
        }
        Ok(())
    }

    fn capability(&self, raw: &mut raw::Capability) {
        for (field, text) in [
            (&mut raw.driver[..], self.name.as_str()),
            (&mut raw.card[..], "Fake camera"),
            (&mut raw.bus_info[..], "usb-0000:00:14.0-1"),
        ] {
            field[..text.len()].copy_from_slice(text.as_bytes());
        }
        raw.device_caps = raw::CAP_VIDEO_CAPTURE | raw::CAP_STREAMING;
        raw.capabilities = raw.device_caps | raw::CAP_DEVICE_CAPS | raw::CAP_META_CAPTURE;
    }

    fn listed_format(&self, raw: &mut raw::FmtDesc) -> rustix::io::Result<()> {
        let format = FORMATS.get(raw.index as usize).ok_or(Errno::INVAL)?;
        raw.pixel_format = code(format);
        Ok(())
    }

    /// The nearest to `wish` that the camera has.
    fn fitted(&self, wish: raw::PixFormat) -> raw::PixFormat {
        let pixel_format = match FORMATS.iter().any(|format| code(format) == wish.pixel_format) {
            true => wish.pixel_format,
            false => code(FORMATS[0]),
        };
        let (width, height) = if self.is_small { (16, 16) } else { (32, 24) };
        let bytes_per_line = match FourCc(pixel_format).to_string().as_str() {
            "YUYV" | "UYVY" => 2 * width,
            "MJPG" => 0,
            _ => width,
        };
        let size_image = 2 * width * height;
        raw::PixFormat { width, height, pixel_format, bytes_per_line, size_image, ..wish }
    }

    fn buffer(&mut self, call: &str, raw: &mut raw::BufferDesc) -> rustix::io::Result<()> {
        match call {
            "VIDIOC_DQBUF" => {
                raw.index = self.queue.pop_front().ok_or(Errno::AGAIN)?;
                raw.bytes_used = self.fill(raw.index);
                raw.flags = raw::BUF_FLAG_TIMESTAMP_MONOTONIC;
                let now = clock_gettime(ClockId::Monotonic);
                (raw.time_s, raw.time_us) = (now.tv_sec, now.tv_nsec / 1000);
            }
            "VIDIOC_QBUF" if self.queue.contains(&raw.index) => return Err(Errno::INVAL),
            "VIDIOC_QBUF" => self.queue.push_back(raw.index),
            _ => {
                raw.length = self.pix.size_image.next_multiple_of(4096);
                raw.offset = raw.index * BUFFER_PITCH_BYTES;
            }
        }
        if raw.index < self.buffers { Ok(()) } else { Err(Errno::INVAL) }
    }

    /// Puts a picture into a buffer, unless there is one: its length.
    fn fill(&mut self, index: u32) -> u32 {
        let raw::PixFormat { width, height, size_image, .. } = self.pix;
        let picture = match FourCc(self.pix.pixel_format).to_string().as_str() {
            "MJPG" => grey_jpeg(width as u16, height as u16),
            _ => vec![0x5a; size_image as usize],
        };
        if !self.filled.contains(&index) {
            let at_bytes = u64::from(index) * u64::from(BUFFER_PITCH_BYTES);
            let written = rustix::io::pwrite(&self.pictures, &picture, at_bytes);
            assert_eq!(written, Ok(picture.len()), "there is memory for a small picture");
            self.filled.push(index);
        }
        picture.len() as u32
    }
}

const FORMATS: [&str; 5] = ["YUYV", "H264", "MJPG", "NV12", "GREY"];

fn code(format: &str) -> u32 {
    FourCc::parse(format).expect("it has four characters").0
}

fn listed_size(raw: &mut raw::FrmSizeEnum) -> rustix::io::Result<()> {
    let is_mjpeg = raw.pixel_format == code("MJPG");
    (raw.kind, raw.sizes) = match raw.index {
        0 if is_mjpeg => (raw::FRAME_STEPWISE, [16, 1920, 16, 16, 1080, 8]),
        0 => (raw::FRAME_DISCRETE, [32, 24, 0, 0, 0, 0]),
        1 if !is_mjpeg => (raw::FRAME_DISCRETE, [16, 16, 0, 0, 0, 0]),
        _ => return Err(Errno::INVAL),
    };
    Ok(())
}

fn listed_interval(raw: &mut raw::FrmIvalEnum) -> rustix::io::Result<()> {
    let fract = |denominator| raw::Fract { numerator: 1, denominator };
    (raw.kind, raw.intervals) = match raw.index {
        0 if raw.pixel_format == code("NV12") => {
            (raw::FRAME_CONTINUOUS, [fract(60), fract(5), fract(1)])
        }
        0 | 1 => (raw::FRAME_DISCRETE, [fract(30 >> raw.index); 3]),
        _ => return Err(Errno::INVAL),
    };
    Ok(())
}
