//! What a user names is opened, and nothing else: not what a file, its name or a server leads to.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

use greenroom_device::{
    Clip, ClipFit, ClipNext, ClipSource, DeviceError, FileReader, Playback, Wake,
};
use greenroom_frame::{Colour, FrameShape, PixelFormat};

use crate::clips::{FFV1, H264, PATIENCE, SIZE, any_frame, ffmpeg, numbered, read_all};

const SHAPE: FrameShape =
    FrameShape { format: PixelFormat::I420, size: SIZE, colour: Colour::WEBCAM };

fn open_clip(source: ClipSource) -> Result<Clip, DeviceError> {
    Clip::open(source, SHAPE, ClipFit::Stretch, &Wake::new().unwrap())
}

/// What opening it says, as a camera and as a background.
fn refusals(path: &Path) -> [String; 2] {
    let camera = FileReader::open(path, Playback::Live).map(|_| ());
    let background = open_clip(ClipSource::File(path.to_owned())).map(|_| ());
    [camera, background].map(|opened| match opened {
        Err(error @ DeviceError::Unsupported { .. }) => error.to_string(),
        other => panic!("{}: {other:?}", path.display()),
    })
}

#[test]
fn lists_of_other_files_are_refused_as_playlists() {
    let folder = tempfile::tempdir().unwrap();
    numbered(&folder.path().join("secret.mp4"), "25", 5, &H264);
    let secret = folder.path().join("secret.mp4");
    let secret = secret.to_str().unwrap();
    let hls =
        format!("#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:1,\nfile:{secret}\n#EXT-X-ENDLIST\n");
    let dash = format!(
        "<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" \
         mediaPresentationDuration=\"PT1S\"><Period><AdaptationSet mimeType=\"video/mp4\">\
         <Representation id=\"1\"><BaseURL>{secret}</BaseURL></Representation></AdaptationSet>\
         </Period></MPD>\n"
    );
    let sdp = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
               m=video 50000 RTP/AVP 26\r\n";
    for (name, list) in [
        ("talk.mp4", format!("ffconcat version 1.0\nfile 'secret.mp4'\n")),
        ("list.txt", format!("ffconcat version 1.0\nfile '{secret}'\n")),
        ("list.m3u8", hls.clone()),
        ("talk.mkv", hls),
        ("list.mpd", dash.clone()),
        ("talk.mov", dash),
        // For this one there is only FFmpeg's own list.
        ("list.sdp", sdp.to_owned()),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, list).unwrap();
        for text in refusals(&path) {
            assert!(text.contains("it is a playlist"), "{text}");
            assert!(text.contains(name) && !text.contains('\n'), "{text}");
        }
    }
}

/// FFmpeg takes a name with `%d` for all pictures of that name.
#[test]
fn the_name_of_a_file_leads_to_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let picture = |name: &str, colour: &str| {
        let path = folder.path().join(name);
        let source = format!("color={colour}:size=64x48");
        // Not by its name either here.
        let output = ["-frames:v", "1", "-c:v", "png", "-f", "image2", "-update", "1"];
        let to = folder.path().join("made.png");
        ffmpeg(&[&["-f", "lavfi", "-i", &source], &output[..], &[to.to_str().unwrap()]].concat());
        fs::rename(to, &path).unwrap();
        path
    };
    picture("shot1.png", "white");
    let named = picture("shot%d.png", "black");
    let frames = read_all(&named);
    let luma = frames[0].view().plane(0).row(9)[9];
    assert!(luma < 40, "the white picture was opened: {luma}");

    fs::write(folder.path().join("text%d.png"), "no picture").unwrap();
    picture("text1.png", "white");
    let path = folder.path().join("text%d.png");
    assert!(FileReader::open(&path, Playback::EveryFrame).is_err());
}

/// Text is no picture of its letters.
#[test]
fn text_is_not_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let text = "\x1b[1;31mthe diary\x1b[0m\r\n".repeat(40);
    for name in ["diary.txt", "diary.ans", "diary.nfo", "diary.srt", "diary.mp4"] {
        let path = folder.path().join(name);
        fs::write(&path, &text).unwrap();
        refusals(&path);
    }
}

/// A web server: answers by the path, and keeps what it was asked.
struct Web {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
    /// Command lines of this machine in which the password was found while it was asked.
    seen: Arc<Mutex<Vec<String>>>,
}

const PASSWORD: &str = "s3cret-Pa55word";

fn serve(files: Vec<(String, Vec<u8>)>) -> Web {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (asked, seen) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
    let web = Web { address, asked: Arc::clone(&asked), seen: Arc::clone(&seen) };
    let files = Arc::new(files);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (files, asked, seen) = (Arc::clone(&files), Arc::clone(&asked), Arc::clone(&seen));
            thread::spawn(move || answer(stream, &files, &asked, &seen));
        }
    });
    web
}

fn answer(
    mut stream: TcpStream,
    files: &[(String, Vec<u8>)],
    asked: &Mutex<Vec<String>>,
    seen: &Mutex<Vec<String>>,
) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let request: Vec<String> =
        lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let Some(path) = request.first().and_then(|line| line.split(' ').nth(1)) else { return };
    asked.lock().unwrap().push(request.join("\n"));
    seen.lock().unwrap().extend(command_lines_with(PASSWORD));
    let path = path.split('?').next().unwrap();
    let may_enter = !path.starts_with("/private/")
        || request.iter().any(|line| line.to_ascii_lowercase().starts_with("authorization: basic"));
    let found = files.iter().find(|(name, _)| path.ends_with(name.as_str()));
    let _ = match found {
        _ if !may_enter => stream.write_all(
            b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\
              Content-Length: 0\r\nConnection: close\r\n\r\n",
        ),
        Some((_, bytes)) => {
            let length = bytes.len();
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
            stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(bytes))
        }
        None => stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
    };
}

fn command_lines_with(needle: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).into_owned());
    lines.filter(|line| line.contains(needle)).collect()
}

fn clip_bytes(folder: &Path) -> Vec<u8> {
    let path: PathBuf = numbered(&folder.join("clip.mkv"), "25", 10, &FFV1);
    fs::read(path).unwrap()
}

#[test]
fn an_address_is_played_and_its_password_stands_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let web = serve(vec![("/clip.mkv".to_owned(), clip_bytes(folder.path()))]);
    let url = format!("http://me:{PASSWORD}@{}/private/clip.mkv?token={PASSWORD}", web.address);
    let clip = open_clip(ClipSource::Url(url.clone())).unwrap();
    let mut reader = clip.play().unwrap();
    let (mut frame, wake, mut frames) = (any_frame(), Wake::new().unwrap(), 0);
    loop {
        match reader.next_frame(&mut frame, &wake, PATIENCE).unwrap() {
            ClipNext::Frame(_) => frames += 1,
            ClipNext::Ended(_) => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(frames, 10);
    let asked = web.asked.lock().unwrap();
    assert!(asked.iter().any(|request| request.to_lowercase().contains("authorization: basic")));
    let seen = web.seen.lock().unwrap();
    assert!(seen.is_empty(), "everybody on this machine can read {seen:?}");

    // Nor in what is said.
    let missing = url.replace("clip.mkv", "none.mkv");
    let text = open_clip(ClipSource::Url(missing)).unwrap_err().to_string();
    assert!(text.contains("404") && !text.contains("me:"), "{text}");
}

#[test]
fn an_address_leads_to_no_file_and_no_other_host() {
    let folder = tempfile::tempdir().unwrap();
    let other = serve(vec![("/clip.mkv".to_owned(), clip_bytes(folder.path()))]);
    let secret = folder.path().join("clip.mkv");
    let targets =
        [format!("http://{}/clip.mkv", other.address), format!("file:{}", secret.display())];
    for target in targets {
        let hls =
            format!("#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:1,\n{target}\n#EXT-X-ENDLIST\n");
        let dash = format!(
            "<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" \
             mediaPresentationDuration=\"PT1S\"><Period><AdaptationSet mimeType=\"video/mp4\">\
             <Representation id=\"1\"><BaseURL>{target}</BaseURL></Representation></AdaptationSet>\
             </Period></MPD>\n"
        );
        let web = serve(vec![
            ("/list.m3u8".to_owned(), hls.clone().into_bytes()),
            ("/hls.mp4".to_owned(), hls.into_bytes()),
            ("/list.mpd".to_owned(), dash.into_bytes()),
            (
                "/list.mp4".to_owned(),
                format!("ffconcat version 1.0\nfile '{target}'\n").into_bytes(),
            ),
        ]);
        for name in ["list.m3u8", "hls.mp4", "list.mpd", "list.mp4"] {
            let url = format!("http://{}/{name}", web.address);
            let text = open_clip(ClipSource::Url(url)).unwrap_err().to_string();
            assert!(text.contains("it is a playlist"), "{text}");
        }
    }
    assert_eq!(*other.asked.lock().unwrap(), [""; 0]);
}
