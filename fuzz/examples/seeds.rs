//! Makes what the fuzzers start from, into `corpus/TARGET`: run `cargo run --example seeds` here.
//! All of it is made here, pictures by `ffmpeg` and libjpeg-turbo.

use std::fs;
use std::path::Path;
use std::process::Command;

use greenroom_matte::fuzzing::{Fixture, tiny_model};
use turbojpeg::{Compressor, Image, OutputBuf, PixelFormat, Subsamp};

type Seed = (String, Vec<u8>);

fn main() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (target, seeds) in [
        ("mjpeg", jpegs()),
        ("v4l2_answer", answers()),
        ("v4l2_camera", cameras()),
        ("v4l2_sink", sinks()),
        ("sysfs_text", texts()),
        ("ffprobe_json", descriptions()),
        ("ffmpeg_log", logs()),
        ("tflite_model", models()),
        ("control_request", requests()),
        ("control_stream", streams()),
        ("config_file", configurations()),
        ("clip_demux", clips()),
    ] {
        let folder = corpus.join(target);
        fs::create_dir_all(&folder).expect("the folder can be made");
        for (name, bytes) in seeds {
            fs::write(folder.join(name), bytes).expect("a seed can be written");
        }
    }
}

/// Small pictures in every sampling, of odd sizes, with restart markers, without tables, cut.
fn jpegs() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for (pix_fmt, size, slices) in [
        ("yuvj420p", "32x24", "1"),
        ("yuvj422p", "32x24", "1"),
        ("yuvj444p", "32x24", "1"),
        ("yuvj420p", "33x17", "1"),
        ("yuvj422p", "17x33", "1"),
        ("yuvj444p", "9x7", "1"),
        ("yuvj422p", "64x64", "4"),
        ("yuvj420p", "48x64", "4"),
    ] {
        let source = format!("testsrc=size={size}");
        let input = ["-v", "error", "-f", "lavfi", "-i", &source, "-frames:v", "1"];
        let coding = ["-pix_fmt", pix_fmt, "-c:v", "mjpeg", "-q:v", "20", "-huffman", "default"];
        let output = ["-threads", slices, "-slices", slices, "-f", "mjpeg", "-"];
        let ffmpeg = Command::new("ffmpeg").args(input).args(coding).args(output).output();
        let jpeg = ffmpeg.expect("ffmpeg is there").stdout;
        assert!(!jpeg.is_empty(), "ffmpeg makes {pix_fmt} of {size}");
        let name = format!("{pix_fmt}-{size}-{slices}");
        seeds.push((format!("{name}-bare"), without_tables(&jpeg)));
        seeds.push((name, jpeg));
    }
    for subsamp in [Subsamp::Sub1x2, Subsamp::Sub4x1, Subsamp::Gray] {
        seeds.push((format!("{subsamp:?}"), slope(subsamp)));
    }
    let (_, whole) = seeds[1].clone();
    seeds.push(("cut".to_owned(), whole[..whole.len() / 2].to_vec()));
    seeds.push(("no-end".to_owned(), whole[..whole.len() - 2].to_vec()));
    seeds.push(("two".to_owned(), [&whole[..], &whole].concat()));
    seeds
}

/// A slope in a sampling that FFmpeg does not write.
fn slope(subsamp: Subsamp) -> Vec<u8> {
    let (width, height) = (35, 21);
    let pixels: Vec<u8> = (0..width * height * 3).map(|at| (at / 9) as u8).collect();
    let format = PixelFormat::RGB;
    let image = Image { pixels: &pixels[..], width, pitch: width * 3, height, format };
    let mut compressor = Compressor::new().expect("libjpeg-turbo is there");
    compressor.set_quality(50);
    compressor.set_subsamp(subsamp);
    let mut output = OutputBuf::new_owned();
    compressor.compress(image, &mut output).expect("a plain picture is compressed");
    output.to_vec()
}

/// A JPEG without its Huffman tables, as webcams send it.
fn without_tables(jpeg: &[u8]) -> Vec<u8> {
    let (mut at, mut kept) = (2, jpeg[..2].to_vec());
    while jpeg[at + 1] != 0xda {
        let end = at + 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        if jpeg[at + 1] != 0xc4 {
            kept.extend_from_slice(&jpeg[at..end]);
        }
        at = end;
    }
    kept.extend_from_slice(&jpeg[at..]);
    kept
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Structs as `linux/videodev2.h` has them, behind the byte that tells which.
fn answers() -> Vec<Seed> {
    let seed =
        |name: &str, which: u8, body: Vec<u8>| (name.to_owned(), [&[which][..], &body].concat());
    let field = |text: &str, len: usize| {
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(len, 0);
        bytes
    };
    let capability = [
        field("uvcvideo", 16),
        field("HD Webcam: HD Webcam", 32),
        field("usb-0000:00:14.0-1", 32),
        words(&[0x6_0100, 0x84a0_0001, 0x0420_0001]),
    ];
    let mut seeds = vec![
        seed("capability", 0, capability.concat()),
        seed("size-one", 2, words(&[0, 0, 1, 1280, 720])),
        seed("size-range", 2, words(&[0, 0, 3, 48, 1920, 16, 32, 1080, 8])),
        seed("size-any", 2, words(&[0, 0, 2, 1, 8192, 1, 1, 8192, 1])),
        seed("rate-one", 3, words(&[0, 0, 0, 0, 1, 1, 30])),
        seed("rate-range", 3, words(&[0, 0, 0, 0, 3, 1, 60, 1, 5, 1, 1])),
        seed("parameters", 4, words(&[1, 0x1000, 0, 1001, 30_000])),
        seed("event", 6, words(&[5, 0, 1])),
        seed(
            "format-code",
            7,
            [words(&[0, 1, 0]), field("Motion-JPEG", 32), b"MJPG".to_vec()].concat(),
        ),
    ];
    // Known codes by their place; the size as webcams have it, plain or padded.
    for (code, (line, image)) in
        [(64, 1024), (0, 500), (32, 768), (0, 768), (64, 1024), (48, 2048), (32, 512), (0, 9)]
            .into_iter()
            .enumerate()
    {
        let pix = [32, 16, 0, 1, line, image, 8, 0xfeed_cafe, 0, 1, 2, 2];
        let body = words(&[&[code as u32, 0], &pix[..]].concat());
        seeds.push(seed(&format!("format-{code}"), 1, body));
    }
    for (name, flags) in [("good", 0x2000), ("damaged", 0x2040)] {
        let mut buffer = words(&[1, 1, 3000, flags, 1, 0, 1000, 0, 5000, 0]);
        buffer.resize(88, 0);
        buffer.extend([0; 12]);
        seeds.push(seed(&format!("buffer-{name}"), 5, buffer));
    }
    seeds
}

/// Scripts of the fake camera.
fn cameras() -> Vec<Seed> {
    let seed = |name: &str, bytes: &[u8]| (name.to_owned(), bytes.to_vec());
    // Eighteen calls until the camera streams.
    let then = |tail: &[u8]| [&[0, 0xff][..], &[0; 48], tail].concat();
    vec![
        seed("good", &[0, 0]),
        seed("loopback", &[2, 0]),
        seed("large", &[4, 0]),
        seed("events", &[0, 0xff]),
        seed("changes", &then(&[4, 0, 0, 4, 0, 4])),
        seed("errors", &then(&[5, 2, 0, 5, 1, 0, 5, 3])),
        seed("fields", &then(&[7, 2, 9, 0, 7, 0, 4, 0, 7, 3, 7])),
        seed("bytes", &then(&[6, 8, 3, 1, 2, 3, 4, 0, 6, 0, 0, 9])),
        seed("changes-always", &[1, 0xff, 0, 0, 4]),
        seed("errors-always", &[5, 0xff, 0, 0, 0, 0, 0, 5, 2]),
    ]
}

/// Scripts of the fake camera as a loopback.
fn sinks() -> Vec<Seed> {
    [
        ("good", &[0, 0][..]),
        ("early", &[2, 0]),
        ("refuses", &[0, 0, 0, 5, 4]),
        ("again", &[3, 0, 4, 5, 7]),
    ]
    .map(|(name, bytes)| (name.to_owned(), bytes.to_vec()))
    .into()
}

fn texts() -> Vec<Seed> {
    [
        "\x000.12.7\n",
        "\x000.15.0-3-g1a2b3c4\n",
        "\x01YUYV:640x480@30\n",
        "\x01Y16 :2x1@1000/30\n",
        "\x02/dev/video11\nplatform:v4l2loopback-001\n10,11,-1,-1\n",
        "\x02/dev/video2\nplatform:v4l2loopback-000\n-1,-1\n",
        "\x03pos:\t0\nflags:\t0104002\nmnt_id:\t25\n",
    ]
    .iter()
    .enumerate()
    .map(|(index, text)| (format!("text-{index}"), text.as_bytes().to_vec()))
    .collect()
}

fn descriptions() -> Vec<Seed> {
    let video = r#"{"programs":[],"streams":[{"width":1280,"height":720,"pix_fmt":"yuv420p",
        "sample_aspect_ratio":"64:45","color_range":"tv","color_space":"bt709","r_frame_rate":
        "30000/1001","avg_frame_rate":"19001/634","nb_frames":"90","duration":"3.003000",
        "side_data_list":[{"rotation":-90}]}],"format":{"format_name":"mov,mp4","duration":"3.0"}}"#;
    let picture = r#"{"streams":[{"width":101,"height":77,"pix_fmt":"rgb24","r_frame_rate":"25/1",
        "avg_frame_rate":"0/0"}],"format":{"format_name":"png_pipe"}}"#;
    let untold = r#"{"streams":[{"width":64,"height":48,"pix_fmt":"yuvj422p","r_frame_rate":"50/1",
        "avg_frame_rate":"25/1","duration":"1e3"}],"format":{}}"#;
    [("video", video), ("picture", picture), ("untold", untold), ("none", r#"{"streams":[]}"#)]
        .map(|(name, json)| (name.to_owned(), json.as_bytes().to_vec()))
        .into()
}

fn logs() -> Vec<Seed> {
    [
        "[mov,mp4 @ 0x55d0c8] moov atom not found\n\
         file:/tmp/a: b.mp4: Invalid data found when processing input\n",
        "file:a: Is a directory\n\n",
        "Conversion failed!\n",
    ]
    .iter()
    .enumerate()
    .map(|(index, text)| (format!("log-{index}"), text.as_bytes().to_vec()))
    .collect()
}

fn models() -> Vec<Seed> {
    [(8, 8, 0), (16, 16, 1), (12, 8, 2)]
        .map(|(side, channels, repeats)| {
            let name = format!("tiny-{side}-{channels}-{repeats}");
            (name, tiny_model(Fixture { side, channels, repeats }))
        })
        .into()
}

fn requests() -> Vec<Seed> {
    [
        "{\"status\":{}}",
        " { \"status\" : { } } \r",
        "{\"dance\":{\"of\":1}}",
        "{\"ok\":{\"done\":{}}}",
        "[[[]]]",
    ]
    .iter()
    .enumerate()
    .map(|(index, text)| (format!("line-{index}"), text.as_bytes().to_vec()))
    .collect()
}

/// Runs of bytes: count, byte, cut.
fn streams() -> Vec<Seed> {
    let runs: [&[[u8; 3]]; 4] = [
        &[[2, b'x', 0], [1, b'\n', 1]],
        &[[10, b'x', 1], [10, b'y', 1], [3, b'\n', 0], [2, b'z', 0]],
        &[[255, b'x', 1], [23, b'x', 0], [1, b'\n', 0], [1, b'y', 1]],
        &[[255, b'x', 0], [255, b'x', 1], [255, b'x', 0], [1, b'\n', 0], [5, b'y', 0]],
    ];
    runs.iter().enumerate().map(|(index, runs)| (format!("runs-{index}"), runs.concat())).collect()
}

/// The shipped example, all of it in use, and small ones.
fn configurations() -> Vec<Seed> {
    let example = greenroom::config::EXAMPLE;
    let in_use = example.lines().map(|line| match line.strip_prefix('#') {
        Some(rest) if !rest.starts_with([' ', '!']) => rest,
        _ => line,
    });
    let in_use = in_use.collect::<Vec<_>>().join("\n");
    [
        ("example", example),
        ("in-use", &in_use),
        ("scene", "[scenes.a]\nbackground = 'blur=1'\neffects = ['anonymise', 'person:mirror']\n"),
        ("cut", "[cut]\npeople = 'main'\nfeather = 1.5\n[scenes.\"b c\"]\nframing = 'auto=90%'\n"),
        ("unknown", "camra = 1\n"),
        ("type", "fps = '30'\n"),
        ("broken", "camera = \n"),
    ]
    .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))
    .into()
}

/// What FFmpeg sends of a clip, behind the byte that says how it is cut.
fn clips() -> Vec<Seed> {
    let clip = |name: &str, step: u8, args: &[&str]| {
        let input = ["-v", "error", "-f", "lavfi", "-i", "color=s=4x2:r=10:d=0.3"];
        let output = ["-c:v", "rawvideo", "-pix_fmt", "yuv420p", "-f", "matroska", "-"];
        let ffmpeg = Command::new("ffmpeg").args(input).args(args).args(output).output();
        let stream = ffmpeg.expect("ffmpeg is there").stdout;
        assert!(!stream.is_empty(), "ffmpeg makes a clip");
        (name.to_owned(), [&[step][..], &stream].concat())
    };
    vec![
        clip("as-we-ask", 6, &["-cluster_size_limit", "1"]),
        clip("one-cluster", 0, &[]),
        ("no-size".to_owned(), vec![1, 0x1f, 0x43, 0xb6, 0x75, 0xff, 0xa3, 0xff]),
        ("too-long".to_owned(), vec![0, 0x00, 0x01]),
        ("late".to_owned(), [&[3, 0xe7, 0x88][..], &[0xff; 8], &[0xa3, 0x85, 0x81, 0, 0, 0, 9]].concat()),
    ]
}
