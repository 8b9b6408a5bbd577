//! Cameras and loopbacks from the command line, for looking at a machine and for the tests in the
//! VM:
//!
//! ```text
//! probe list
//! probe capture CAMERA FOURCC|auto WIDTHxHEIGHT FPS COUNT [SECONDS_BETWEEN [FILE]]
//! probe feed LOOPBACK WIDTHxHEIGHT FPS COUNT [SECONDS_TO_STAY]
//! probe audience LOOPBACK WIDTHxHEIGHT FPS SECONDS
//! probe read LOOPBACK COUNT [SECONDS_TO_STAY]
//! probe nodes SECONDS
//! probe again CAMERA SECONDS
//! ```
//!
//! `capture` writes the frames' planes to FILE, one behind the other. `feed` writes frames whose
//! left half is green (#00ff00) and whose right half is white. `audience` writes one such frame, and
//! more only while somebody watches; it tells who does, each line with the time since boot. `read`
//! takes frames by plain `read()`. `nodes` tells when a node comes or goes, `again` when a camera
//! is there again that was there at the start.

use std::error::Error;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use greenroom_device::{
    FourCc, FrameRate, LoopbackSink, Next, NodeWatch, Sink, SinkMode, Source, V4l2Camera, Wake,
    choose_mode, devices, find_camera, find_camera_again, find_loopback, wait_readable,
};
use greenroom_frame::{Colour, Frame, FrameViewMut, PixelFormat, Rgb8, SizePx, pack};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &[&str]) -> Result<(), Box<dyn Error>> {
    match arguments {
        ["list"] => {
            list();
            Ok(())
        }
        ["capture", camera, fourcc, size, fps, count, more @ ..] => {
            let rate = FrameRate::new(fps.parse()?, 1).ok_or("FPS is above 0")?;
            let pause = more.first().map_or(Ok(0.0), |seconds| seconds.parse())?;
            let job = Capture {
                count: count.parse()?,
                pause: Duration::from_secs_f64(pause),
                file: more.get(1).map(File::create).transpose()?,
            };
            capture(camera, fourcc, size.parse()?, rate, job)
        }
        ["feed", loopback, size, fps, count, stay @ ..] => {
            let rate = FrameRate::new(fps.parse()?, 1).ok_or("FPS is above 0")?;
            let stay = stay.first().map_or(Ok(0.0), |seconds| seconds.parse())?;
            feed(loopback, size.parse()?, rate, count.parse()?, Duration::from_secs_f64(stay))
        }
        ["audience", loopback, size, fps, seconds] => {
            let rate = FrameRate::new(fps.parse()?, 1).ok_or("FPS is above 0")?;
            audience(loopback, size.parse()?, rate, Duration::from_secs_f64(seconds.parse()?))
        }
        ["read", loopback, count, stay @ ..] => {
            let stay = stay.first().map_or(Ok(0.0), |seconds| seconds.parse())?;
            read(loopback, count.parse()?, Duration::from_secs_f64(stay))
        }
        ["nodes", seconds] => nodes(Duration::from_secs_f64(seconds.parse()?)),
        ["again", camera, seconds] => again(camera, Duration::from_secs_f64(seconds.parse()?)),
        _ => Err("probe list | capture CAMERA FOURCC WxH FPS COUNT [SECONDS [FILE]] | \
                  feed LOOPBACK WxH FPS COUNT [SECONDS] | audience LOOPBACK WxH FPS SECONDS | \
                  read LOOPBACK COUNT [SECONDS] | nodes SECONDS | again CAMERA SECONDS"
            .into()),
    }
}

fn list() {
    let devices = devices();
    for camera in &devices.cameras {
        println!("camera {} driver {} bus {}", camera.name(), camera.driver, camera.bus);
        println!("  by-id {:?}", camera.by_id);
        for mode in &camera.modes {
            let rates: Vec<_> = mode.rates.iter().map(ToString::to_string).collect();
            println!("  {} {} {}", mode.fourcc, mode.size, rates.join("/"));
        }
    }
    for loopback in &devices.loopbacks {
        let users: Vec<_> = loopback.users.iter().map(ToString::to_string).collect();
        println!(
            "loopback {} version {:?} dialect {} state {} format {:?} users {}",
            loopback.name(),
            loopback.version.map(|version| version.to_string()),
            loopback.dialect,
            loopback.state,
            loopback.format.map(|(fourcc, size)| format!("{fourcc} {size}")),
            users.join(", ")
        );
    }
    for refused in &devices.refused {
        println!("refused {}", refused.error);
    }
}

struct Capture {
    count: u32,
    pause: Duration,
    file: Option<File>,
}

fn capture(
    camera: &str,
    fourcc: &str,
    size: SizePx,
    rate: FrameRate,
    mut job: Capture,
) -> Result<(), Box<dyn Error>> {
    let camera = find_camera(camera)?;
    let mut source = if fourcc == "auto" {
        V4l2Camera::open(&camera, size, rate)?
    } else {
        let fourcc = FourCc::parse(fourcc).ok_or("four characters")?;
        let modes: Vec<_> = camera.modes.into_iter().filter(|mode| mode.fourcc == fourcc).collect();
        let choice = choose_mode(&modes, size, rate).ok_or("no such format")?;
        V4l2Camera::open_mode(&greenroom_device::CameraInfo { modes, ..camera }, choice)?
    };
    println!("capture {}: {} ({})", source.name(), source.mode(), source.choice().why);
    let wake = Wake::new()?;
    let mut frame = Frame::new(PixelFormat::I420, SizePx::new(2, 2), Colour::WEBCAM)?;
    while job.count > 0 {
        match source.next_frame(&mut frame, &wake, Duration::from_secs(5))? {
            Next::Frame(taken) => {
                job.count -= 1;
                let age = Instant::now().duration_since(frame.captured_at());
                println!(
                    "frame {} {} {:?} {:?} age {age:?} {taken:?}",
                    frame.format(),
                    frame.size(),
                    frame.colour(),
                    means(&frame)
                );
                if let Some(file) = &mut job.file {
                    file.write_all(frame.bytes())?;
                }
                std::thread::sleep(job.pause);
            }
            other => return Err(format!("no frame: {other:?}").into()),
        }
    }
    Ok(())
}

fn means(frame: &Frame) -> Vec<u64> {
    let view = frame.view();
    (0..frame.format().plane_count())
        .map(|index| {
            let plane = view.plane(index);
            let sum: u64 = plane.iter_rows().flatten().map(|sample| u64::from(*sample)).sum();
            sum / (plane.row_bytes() * plane.rows()) as u64
        })
        .collect()
}

fn feed(
    loopback: &str,
    size: SizePx,
    rate: FrameRate,
    count: u32,
    stay: Duration,
) -> Result<(), Box<dyn Error>> {
    let mut sink = LoopbackSink::open(&find_loopback(loopback)?, size, rate)?;
    let mode = sink.mode();
    println!("feed {}: {} {} at {} fps", sink.name(), mode.format, mode.size, mode.rate);
    let packed = packed_halves(mode)?;
    for _ in 0..count {
        sink.write(packed.view())?;
        std::thread::sleep(mode.rate.interval());
    }
    println!("fed {count} frames");
    std::thread::sleep(stay);
    Ok(())
}

fn audience(
    loopback: &str,
    size: SizePx,
    rate: FrameRate,
    time: Duration,
) -> Result<(), Box<dyn Error>> {
    let end = Instant::now() + time;
    let mut sink = LoopbackSink::open(&find_loopback(loopback)?, size, rate)?;
    let packed = packed_halves(sink.mode())?;
    sink.write(packed.view())?;
    println!("{} audience of {}", uptime()?, sink.name());
    let (mut wakings, mut frames, mut known) = (0, 1, None);
    let mut next_frame = None;
    while Instant::now() < end {
        let until = next_frame.unwrap_or(end).min(end);
        let patience = until.saturating_duration_since(Instant::now());
        let ears = sink.audience_fd().ok_or("it is always watched")?;
        if wait_readable(&[ears], Some(patience)) != 0 {
            wakings += 1;
            let now = sink.audience()?;
            next_frame = next_frame.filter(|_| now.watched);
            if now.watched && next_frame.is_none() {
                next_frame = Some(Instant::now());
            }
            if known.as_ref() != Some(&now) {
                println!("{} watched by {now}; {wakings} wake-ups, {frames} frames", uptime()?);
                known = Some(now);
            }
        }
        if next_frame.is_some_and(|due| due <= Instant::now()) {
            sink.write(packed.view())?;
            frames += 1;
            next_frame = Some(Instant::now() + rate.interval());
        }
    }
    println!("{} end: {wakings} wake-ups, {frames} frames", uptime()?);
    Ok(())
}

/// Seconds since boot, as the first field of `/proc/uptime` has them.
fn uptime() -> std::io::Result<String> {
    let text = std::fs::read_to_string("/proc/uptime")?;
    Ok(text.split(' ').next().unwrap_or_default().to_owned())
}

fn read(loopback: &str, count: u32, stay: Duration) -> Result<(), Box<dyn Error>> {
    let mut node = File::open(&find_loopback(loopback)?.node)?;
    let mut frame = vec![0; 4096 * 2160 * 3];
    for _ in 0..count {
        let bytes = node.read(&mut frame)?;
        println!("{} read {bytes} bytes", uptime()?);
    }
    std::thread::sleep(stay);
    Ok(())
}

fn nodes(time: Duration) -> Result<(), Box<dyn Error>> {
    let end = Instant::now() + time;
    let watch = NodeWatch::new()?;
    println!("{} listening", uptime()?);
    while Instant::now() < end {
        let patience = end.saturating_duration_since(Instant::now());
        if wait_readable(&[watch.as_fd()], Some(patience)) != 0 {
            let about = if watch.clear() { "a video node" } else { "something else" };
            println!("{} {about}", uptime()?);
        }
    }
    Ok(())
}

fn again(camera: &str, time: Duration) -> Result<(), Box<dyn Error>> {
    let end = Instant::now() + time;
    let watch = NodeWatch::new()?;
    let camera = find_camera(camera)?;
    println!("{} {} {:?}", uptime()?, camera.name(), camera.identity);
    while Instant::now() < end {
        let patience = end.saturating_duration_since(Instant::now());
        if wait_readable(&[watch.as_fd()], Some(patience)) != 0 {
            watch.clear();
            match find_camera_again(&camera.identity) {
                Ok(found) => println!("{} there: {}", uptime()?, found.name()),
                Err(error) => println!("{} {error}", uptime()?),
            }
        }
    }
    Ok(())
}

fn packed_halves(mode: SinkMode) -> Result<Frame, Box<dyn Error>> {
    let picture = halves(mode.size, mode.colour)?;
    let mut packed = Frame::new(mode.format, mode.size, mode.colour)?;
    let layout = *packed.layout();
    pack(picture.view(), &mut FrameViewMut::new(layout, mode.colour, packed.bytes_mut())?)?;
    Ok(packed)
}

/// Green on the left, white on the right.
fn halves(size: SizePx, colour: Colour) -> Result<Frame, Box<dyn Error>> {
    let mut frame = Frame::new(PixelFormat::I422, size, colour)?;
    let green = colour.encode(Rgb8 { r: 0, g: 255, b: 0 });
    let white = colour.encode(Rgb8 { r: 255, g: 255, b: 255 });
    frame.fill(white);
    for (mut plane, value) in frame.view_mut().planes_mut().zip([green.y, green.u, green.v]) {
        let half = plane.row_bytes() / 2;
        plane.iter_rows_mut().for_each(|row| row[..half].fill(value));
    }
    Ok(frame)
}
