//! Files that are none, children that die, watchers that go.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use greenroom_device::ClipSource;

use super::super::{KEPT_BYTES, Video};
use super::clips::{Eye, H264, PATIENCE, SITE, number, numbered, wait_for_children};
use crate::{BackgroundSpec, Fit, SceneError};

const MS: Duration = Duration::from_millis(1);

/// So little that a clip is never kept.
const NOTHING: usize = 1;

fn open(path: &Path, kept_bytes: usize) -> Result<Video, SceneError> {
    Video::open_within(&ClipSource::File(path.to_owned()), Fit::Cover, SITE, kept_bytes, None)
}

fn signal(pid: u32, name: &str) {
    assert!(Command::new("kill").args([name, &pid.to_string()]).status().unwrap().success());
}

/// Looks at the video 50 times a second for so long, from `time` on, which waits for the decoder:
/// the last number.
fn look(eye: &Eye, video: &mut Video, time: &mut Duration, how_long: Duration) -> u32 {
    let end = *time + how_long;
    let mut seen = 0;
    while *time < end {
        *time += 20 * MS;
        seen = eye.see_due(video, *time);
    }
    seen
}

/// Looks on in real time, as a camera does on a machine that has time.
fn look_live(eye: &Eye, video: &mut Video, time: &mut Duration, seconds: f64) -> u32 {
    let (start, begun) = (Instant::now(), *time);
    let mut seen = 0;
    while start.elapsed().as_secs_f64() < seconds {
        *time = begun + start.elapsed();
        seen = eye.see(video, *time);
        thread::sleep(20 * MS);
    }
    seen
}

/// Processor time of a process in ticks, and whether all its threads sleep.
fn work(pid: u32) -> (u64, bool) {
    let stat = |path: PathBuf| {
        let stat = fs::read_to_string(path).unwrap();
        stat.rsplit_once(')').unwrap().1.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let process = PathBuf::from(format!("/proc/{pid}"));
    let threads = fs::read_dir(process.join("task")).unwrap().flatten();
    let all_sleep = threads.into_iter().all(|thread| stat(thread.path().join("stat"))[0] == "S");
    let fields = stat(process.join("stat"));
    let ticks = fields[11..13].iter().map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    (ticks, all_sleep)
}

/// Waits until a process has slept and done nothing for a second.
fn wait_until_it_sleeps(pid: u32) {
    let begun = Instant::now();
    let (mut since, mut before) = (begun, work(pid));
    while since.elapsed() < 1000 * MS {
        assert!(begun.elapsed() < PATIENCE, "it works on");
        thread::sleep(20 * MS);
        let now = work(pid);
        if now != before || !now.1 {
            (since, before) = (Instant::now(), now);
        }
    }
}

fn resident_kb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Everything that is no video, with a word of the sentence that it gets.
fn hostile(folder: &Path) -> Vec<(PathBuf, &'static str)> {
    let at = |name: &str| folder.join(name);
    let write = |name: &str, bytes: &[u8]| {
        fs::write(at(name), bytes).unwrap();
        at(name)
    };
    let mp4 = fs::read(numbered(&at("whole.mp4"), "25", 50, &H264)).unwrap();
    let fast = [&H264[..], &["-movflags", "faststart"]].concat();
    let faststart = fs::read(numbered(&at("fast.mp4"), "25", 50, &fast)).unwrap();
    let gif = fs::read(numbered(&at("whole.gif"), "25", 50, &[])).unwrap();
    let mkv = fs::read(numbered(&at("whole.mkv"), "25", 50, &H264)).unwrap();
    assert!(Command::new("mkfifo").arg(at("fifo.mp4")).status().unwrap().success());
    fs::create_dir(at("empty")).unwrap();
    // Headers that ask for a gigabyte and more.
    let huge_gif = [
        &b"GIF89a\x20\x4e\x20\x4e\x80\0\0\0\0\0\xff\xff\xff"[..],
        b"\x2c\0\0\0\0\x20\x4e\x20\x4e\0\x02\x02\x44\x01\0\x3b",
    ];
    let mut huge_webp = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0\xFF\x3F\0\xFF\x3F\0".to_vec();
    huge_webp.extend(b"ANIM\x06\0\0\0\0\0\0\0\0\0ANMF\x20\0\0\0");
    huge_webp.extend([0; 32]);
    huge_webp[4] = (huge_webp.len() - 8) as u8;
    let huge_png = [
        &b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x4e\x20\0\0\x4e\x20\x08\x06\0\0\0"[..],
        &0xe3704639_u32.to_be_bytes(),
        b"\0\0\0\x40IDAT",
        &[0; 68],
    ];
    vec![
        (write("cut.mp4", &mp4[..mp4.len() / 2]), "ends before"),
        (write("cut-fast.mp4", &faststart[..faststart.len() / 2]), "ends before"),
        (write("cut.gif", &gif[..gif.len() / 2]), "ends before"),
        (write("cut.mkv", &mkv[..mkv.len() / 2]), "ends before"),
        (write("no-index.mp4", &mp4[..32]), "FFmpeg cannot read"),
        (write("text.mp4", b"This is a letter, not a video.\n"), "FFmpeg cannot read"),
        (write("text.txt", "A long letter.\n".repeat(500).as_bytes()), "FFmpeg cannot read"),
        (write("list.m3u8", b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n"), "it is a playlist"),
        (write("list.ffconcat", b"ffconcat version 1.0\nfile whole.mp4\n"), "it is a playlist"),
        (write("empty.mp4", b""), "is empty"),
        (write("huge.gif", &huge_gif.concat()), "no picture in it"),
        (write("huge.webp", &huge_webp), "too large (16384x16384)"),
        (write("huge.png", &huge_png.concat()), "too large (20000x20000)"),
        (at("empty"), "no picture that can be shown"),
        (at("fifo.mp4"), "a device or pipe, not a file"),
        ("/dev/zero".into(), "a device or pipe, not a file"),
        (at("nowhere.mp4"), "does not exist"),
    ]
}

#[test]
fn what_is_no_video_gets_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    for (path, word) in hostile(folder.path()) {
        let before_kb = resident_kb();
        let spec = BackgroundSpec::Video(ClipSource::File(path.clone()));
        let Err(error) = spec.build(Fit::Cover, SITE) else { panic!("{} opens", path.display()) };
        let sentence = error.to_string();
        assert!(sentence.contains(word), "{}: {sentence}", path.display());
        assert!(!sentence.contains('\n') && sentence.contains(';'), "{sentence}");
        assert!(resident_kb() < before_kb + 300_000, "{}", path.display());
        wait_for_children(&path, 0);
    }
}

#[test]
fn one_frame_stands_still() {
    let folder = tempfile::tempdir().unwrap();
    for (name, codec) in [("one.mp4", &H264[..]), ("one.gif", &[])] {
        let path = numbered(&folder.path().join(name), "25", 1, codec);
        let mut video = open(&path, NOTHING).unwrap();
        let eye = Eye::new();
        for ms in [0, 100, 900, 5000, 60_000] {
            assert_eq!(eye.see(&mut video, ms * MS), 0, "{name}");
        }
        wait_for_children(&path, 0);
    }
}

#[test]
fn numbered_pictures_and_every_fit_play() {
    let folder = tempfile::tempdir().unwrap();
    let pattern = folder.path().join("shot-%03d.png");
    numbered(&pattern, "25", 20, &[]);
    let spec: BackgroundSpec = pattern.to_str().unwrap().parse().unwrap();
    let BackgroundSpec::Video(source @ ClipSource::Pattern(_)) = spec else { panic!("{spec:?}") };
    for fit in [Fit::Cover, Fit::Contain, Fit::Stretch] {
        let mut video = Video::open(&source, fit, SITE, None).unwrap();
        let eye = Eye::new();
        let mut time = Duration::ZERO;
        let seen = look(&eye, &mut video, &mut time, 500 * MS);
        assert_eq!(seen, (time.as_millis() / 40) as u32, "at {time:?}");
    }
}

#[test]
fn bars_are_black_and_odd_sizes_work() {
    use greenroom_frame::{Colour, PixelFormat, Rgb8, SizePx};
    let folder = tempfile::tempdir().unwrap();
    let path = numbered(&folder.path().join("a.mp4"), "25", 3, &H264);
    for format in [PixelFormat::I420, PixelFormat::I422] {
        for colour in [Colour::WEBCAM, Colour::JPEG] {
            let mut site = SITE;
            site.shape.format = format;
            (site.shape.size, site.shape.colour) = (SizePx::new(97, 97), colour);
            for fit in [Fit::Cover, Fit::Contain, Fit::Stretch] {
                let source = ClipSource::File(path.clone());
                let mut video = Video::open(&source, fit, site, None).unwrap();
                video.reel.take_due(Duration::ZERO, &mut video.shown, Duration::ZERO).unwrap();
                let shown = video.shown.clone().unwrap();
                assert_eq!(shown.shape(), site.shape);
                let top = shown.view().plane(0).row(0)[40];
                let black = colour.encode(Rgb8 { r: 0, g: 0, b: 0 }).y;
                // The picture itself is 30 of 255, in the camera's limited range.
                let is_black = top == black;
                assert_eq!(is_black, fit == Fit::Contain, "{top} {black} {fit:?}");
            }
        }
    }
}

#[test]
fn animated_webp_and_gifs_without_delays_play() {
    let folder = tempfile::tempdir().unwrap();
    let webp = ["-c:v", "libwebp_anim", "-lossless", "1", "-loop", "0"];
    let webp = numbered(&folder.path().join("a.webp"), "10", 8, &webp);
    let gif = numbered(&folder.path().join("a.gif"), "25", 8, &[]);
    let mut bytes = fs::read(&gif).unwrap();
    for at in 0..bytes.len() - 8 {
        if bytes[at..].starts_with(&[0x21, 0xF9, 4]) {
            (bytes[at + 4], bytes[at + 5]) = (0, 0);
        }
    }
    fs::write(&gif, bytes).unwrap();
    for path in [&webp, &gif] {
        for kept_bytes in [KEPT_BYTES, NOTHING] {
            let mut video = open(path, kept_bytes).unwrap();
            let eye = Eye::new();
            // Twice round and more.
            for step in 0..100u32 {
                let number = eye.see_due(&mut video, step * 20 * MS);
                assert_eq!(number, step * 20 / 100 % 8, "{} at {step}", path.display());
            }
        }
    }
}

/// Half a WebP, and one that breaks in the middle.
#[test]
fn a_broken_webp_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let codec = ["-c:v", "libwebp_anim", "-lossless", "1"];
    let path = numbered(&folder.path().join("a.webp"), "10", 8, &codec);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let error = open(&path, KEPT_BYTES).err().unwrap().to_string();
    assert!(error.contains("ends before"), "{error}");
}

#[test]
fn the_child_goes_with_the_video_and_sleeps_while_nobody_watches() {
    let folder = tempfile::tempdir().unwrap();
    let path = numbered(&folder.path().join("a.mp4"), "25", 500, &H264);
    let mut video = open(&path, NOTHING).unwrap();
    let (eye, mut time) = (Eye::new(), Duration::ZERO);
    let before = look(&eye, &mut video, &mut time, 1000 * MS);
    // The first look, at 20 ms, saw the first picture.
    assert_eq!(before, 24);
    wait_until_it_sleeps(wait_for_children(&path, 1)[0]);
    // An hour later it goes on by half a second: from 980 to 1480 ms, where frame 37 begins.
    time += Duration::from_secs(3600);
    let after = eye.see_due(&mut video, time);
    assert_eq!(after, 37);
    assert_eq!(look(&eye, &mut video, &mut time, 1000 * MS), after + 25);
    drop(video);
    wait_for_children(&path, 0);
}

#[test]
fn a_clip_that_is_kept_needs_no_child() {
    let folder = tempfile::tempdir().unwrap();
    let path = numbered(&folder.path().join("a.mp4"), "25", 20, &H264);
    let mut video = open(&path, KEPT_BYTES).unwrap();
    let mut time = Duration::ZERO;
    look(&Eye::new(), &mut video, &mut time, 1200 * MS);
    assert!(video.kept.is_some());
    wait_for_children(&path, 0);
}

/// A child that dies: its last picture stays, and another one goes on.
#[test]
fn a_child_that_dies_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = numbered(&folder.path().join("a.mp4"), "25", 500, &H264);
    let mut video = open(&path, NOTHING).unwrap();
    let (eye, mut time) = (Eye::new(), Duration::ZERO);
    let before = look(&eye, &mut video, &mut time, 1000 * MS);
    signal(wait_for_children(&path, 1)[0], "-9");
    // What was in the pipe is shown, 2 s of it, ...
    let mut stays = before;
    while let Ok(seen) = eye.see_within(&mut video, time, PATIENCE) {
        assert!((stays..before + 100).contains(&seen), "{seen} after {stays}");
        stays = seen;
        time += 20 * MS;
    }
    // ... then the last of it (which was not due yet) while it rests for a second, ...
    assert!(video.reel.is_down());
    let last = eye.see(&mut video, time);
    assert!((stays..=stays + 1).contains(&last), "{last} after {stays}");
    loop {
        let seen = eye.see(&mut video, time);
        if !video.reel.is_down() {
            break;
        }
        assert_eq!(seen, last);
        thread::sleep(20 * MS);
    }
    // ... then it plays from the begin.
    let seen = look(&eye, &mut video, &mut time, 1000 * MS);
    assert!((20..=25).contains(&seen), "{seen}");
    assert_eq!(wait_for_children(&path, 1).len(), 1);
}

/// A decoder that stood still for two seconds: soon in time again, by leaving frames out.
#[test]
fn a_decoder_that_is_late_catches_up() {
    let folder = tempfile::tempdir().unwrap();
    let codec = [&H264[..], &["-g", "25"]].concat();
    let path = numbered(&folder.path().join("a.mp4"), "25", 1000, &codec);
    let mut video = open(&path, NOTHING).unwrap();
    let (eye, mut time) = (Eye::new(), Duration::ZERO);
    look(&eye, &mut video, &mut time, 1500 * MS);
    let child = wait_for_children(&path, 1)[0];
    signal(child, "-STOP");
    // Its pipe holds 45 frames.
    while eye.see_within(&mut video, time, 3000 * MS).is_ok() {
        time += 20 * MS;
    }
    for _ in 0..100 {
        time += 20 * MS;
        eye.see(&mut video, time);
    }
    signal(child, "-CONT");
    let seen = look(&eye, &mut video, &mut time, 2000 * MS);
    let due = (time.as_millis() / 40) as u32;
    assert!(seen.abs_diff(due) <= 1, "{seen} instead of {due}");
}

/// Another process, that opens a video and waits to be killed.
#[test]
#[ignore = "is started by the test below"]
fn helper_process() {
    let Ok(source) = std::env::var("GREENROOM_TEST_SOURCE") else { return };
    let _video = Video::open_within(&source.parse().unwrap(), Fit::Cover, SITE, NOTHING, None);
    thread::sleep(Duration::from_secs(3600));
}

/// Killed with no chance to clean up: a child that waits for its pipe, and one that waits for a
/// server that never answers, so that no pipe tells it.
#[test]
fn children_die_with_a_parent_that_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let path = numbered(&folder.path().join("a.mp4"), "25", 500, &H264);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/a.mp4", silent.local_addr().unwrap());
    for source in [path.to_str().unwrap(), &url] {
        let mut helper = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "background::video::tests::faults::helper_process", "--ignored"])
            .env("GREENROOM_TEST_SOURCE", source)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = |child: &mut Child| {
            let begun = Instant::now();
            loop {
                let pids = ffmpegs_of(child.id());
                if !pids.is_empty() {
                    return pids;
                }
                assert!(begun.elapsed() < PATIENCE);
                thread::sleep(10 * MS);
            }
        };
        started(&mut helper);
        thread::sleep(500 * MS);
        let pids = started(&mut helper);
        assert_eq!(pids.len(), 1);
        helper.kill().unwrap();
        helper.wait().unwrap();
        let begun = Instant::now();
        while pids.iter().any(|pid| Path::new(&format!("/proc/{pid}")).exists()) {
            assert!(begun.elapsed() < Duration::from_secs(60), "{pids:?} live on");
            thread::sleep(10 * MS);
        }
    }
}

/// The `ffmpeg` and `ffprobe` children of a process. (An address does not stand in their arguments.)
fn ffmpegs_of(parent: u32) -> Vec<u32> {
    let pids = fs::read_dir("/proc").unwrap().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // Number, (name), state, parent.
        let Some((name, rest)) = stat.rsplit_once(") ") else { return false };
        name.contains("(ff") && rest.split(' ').nth(1) == Some(&parent.to_string())
    })
    .collect()
}

/// 4K fits into the memory that a child gets.
#[test]
fn large_videos_decode_within_the_limits() {
    let folder = tempfile::tempdir().unwrap();
    let codec = [&["-vf", "scale=3840:2160:flags=neighbor"][..], &H264].concat();
    let path = numbered(&folder.path().join("a.mp4"), "25", 30, &codec);
    let video = open(&path, NOTHING).unwrap();
    let mut shown = None;
    video.reel.take_due(Duration::ZERO, &mut shown, Duration::ZERO).unwrap();
    assert_eq!(number(shown.unwrap().view()), 0);
}

/// A clip that two threads cannot decode in time (4K, 60 a second, noise): what is shown stays near
/// the clock all the same. How near, it prints: `-- --ignored --nocapture`.
#[test]
#[ignore = "takes a minute and a busy machine"]
fn a_decoder_that_is_too_slow_stays_near_the_clock() {
    let folder = tempfile::tempdir().unwrap();
    let noise = ["-vf", "scale=3840:2160:flags=neighbor,noise=alls=40:allf=t"];
    let codec = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "20", "-g", "60"];
    let codec = [&noise[..], &codec, &["-pix_fmt", "yuv420p"]].concat();
    let path = numbered(&folder.path().join("a.mp4"), "60", 300, &codec);
    let mut video = open(&path, NOTHING).unwrap();
    let (eye, mut time) = (Eye::new(), Duration::ZERO);
    let mut late = Vec::new();
    for _ in 0..50 {
        let seen = i64::from(look_live(&eye, &mut video, &mut time, 0.5));
        let due = (time.as_millis() * 60 / 1000 % 300) as i64;
        late.push((due - seen + 450) % 300 - 150);
    }
    println!("frames late, each half second: {late:?}");
    let last = &late[30..];
    assert!(last.iter().all(|late| (-70..=130).contains(late)), "{late:?}");
}
