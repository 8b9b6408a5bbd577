use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;

use greenroom_frame::{Colour, PixelFormat, SizePx};

use super::*;
use crate::status::MaskServerState;

const SIZE: SizePx = SizePx::new(64, 36);
const PIXELS: usize = 64 * 36;
/// A frame every ten seconds: two thirds of that is patience enough for any machine these tests run on.
const RATE: FrameRate = match FrameRate::new(1, 10) {
    Some(rate) => rate,
    None => panic!("1 is a rate"),
};

/// What a server does with the nth request of a connection, counted over all connections.
type Behaviour = fn(request: usize, stream: &mut TcpStream) -> Then;

enum Then {
    KeepOn,
    HangUp,
}

fn answer(stream: &mut TcpStream, status: &str, body: &[u8]) {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
    let _ = stream.write_all(&[head.as_bytes(), body].concat());
}

fn good_mask() -> Vec<u8> {
    (0..PIXELS).map(|pixel| u8::from(pixel % 64 > 20)).collect()
}

fn answer_well(stream: &mut TcpStream) -> Then {
    answer(stream, "200 OK", &good_mask());
    Then::KeepOn
}

/// Reads one request; its body.
fn request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let (mut seen, mut byte) = (Vec::new(), [0]);
    while !seen.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        seen.push(byte[0]);
    }
    let head = String::from_utf8(seen).unwrap().to_lowercase();
    assert!(head.starts_with("post / http/1.1\r\n"), "{head}");
    let length = head.split("content-length: ").nth(1).unwrap().split("\r\n").next().unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).ok()?;
    Some(body)
}

fn serve(behaviour: Behaviour) -> MaskServerUrl {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let mut count = 0;
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            while let Some(body) = request(&mut stream) {
                let picture = image::load_from_memory(&body).unwrap();
                assert_eq!((picture.width(), picture.height()), (64, 36));
                count += 1;
                if let Then::HangUp = behaviour(count, &mut stream) {
                    break;
                }
            }
        }
    });
    url.parse().unwrap()
}

fn client(behaviour: Behaviour) -> MaskClient {
    MaskClient::start(serve(behaviour), RATE).unwrap()
}

/// The next frame, ten seconds after the one before.
fn picture() -> Frame {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    static START: OnceLock<Instant> = OnceLock::new();
    let later = Duration::from_secs(10 * COUNT.fetch_add(1, Relaxed));
    let mut frame = Frame::new(PixelFormat::I420, SIZE, Colour::WEBCAM).unwrap();
    frame.set_captured_at(*START.get_or_init(Instant::now) + later);
    frame.bytes_mut().iter_mut().enumerate().for_each(|(at, byte)| *byte = (at % 251) as u8);
    frame
}

/// Asks until `wanted`.
fn find_until(client: &mut MaskClient, wanted: impl Fn(bool, &MaskClient) -> bool) {
    let begun = Instant::now();
    loop {
        let found = client.find(&picture().view());
        if wanted(found, client) {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(300), "{:?}", client.report.status());
        thread::sleep(Duration::from_millis(5));
    }
}

fn reason(client: &MaskClient) -> String {
    client.report.status().reason.unwrap_or_default()
}

#[test]
fn a_server_that_is_well_finds_the_person() {
    let mut client = client(|_, stream| answer_well(stream));
    assert!(!client.find(&picture().view()), "the first frame does not wait");
    find_until(&mut client, |found, _| found);
    let alpha = client.alpha().unwrap();
    assert_eq!(alpha.size(), SIZE);
    assert!(alpha.bytes().iter().zip(good_mask()).all(|(alpha, mask)| *alpha == mask * 255));
    for _ in 0..5 {
        assert!(client.find(&picture().view()));
    }
    let status = client.report.status();
    assert_eq!((status.state, status.masks, status.reason), (MaskServerState::Well, 6, None));
    assert!(status.local >= 3 && status.answer_ms.is_some());
}

#[test]
fn a_kept_connection_that_was_closed_is_made_anew() {
    // Closed behind every answer: no frame is lost by that.
    let mut client = client(|_, stream| {
        answer_well(stream);
        Then::HangUp
    });
    find_until(&mut client, |found, _| found);
    for _ in 0..5 {
        assert!(client.find(&picture().view()), "{}", reason(&client));
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn nonsense_is_never_used_and_told_in_a_sentence() {
    let cases: [(Behaviour, &str); 7] = [
        (|_, stream| (answer(stream, "200 OK", &[1; 10]), Then::KeepOn).1, "10 bytes where"),
        (|_, stream| (answer(stream, "200 OK", &[0; PIXELS + 9]), Then::KeepOn).1, "2305 bytes"),
        (|_, stream| (answer(stream, "200 OK", &[7; PIXELS]), Then::KeepOn).1, "a byte 7"),
        (|_, stream| (answer(stream, "200 OK", &[1; PIXELS]), Then::KeepOn).1, "no room"),
        (
            |_, stream| (answer(stream, "500 Oh", b"all is\x1b lost\n"), Then::KeepOn).1,
            "answers 500 Internal Server Error: all is lost",
        ),
        (
            |_, stream| {
                let _ =
                    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2304\r\n\r\n\0\0\x01");
                Then::HangUp
            },
            "broke off",
        ),
        (|_, stream| (stream.write_all(&[0; 40]).unwrap(), Then::HangUp).1, "broke off"),
    ];
    for (behaviour, needle) in cases {
        let mut client = client(behaviour);
        find_until(&mut client, |found, client| {
            assert!(!found);
            reason(client).contains(needle)
        });
        assert!(client.alpha().is_none());
    }
}

#[test]
fn a_server_that_turns_bad_is_left_and_taken_back() {
    let mut client = client(|request, stream| match request {
        5..=8 => (answer(stream, "200 OK", &[1; 10]), Then::KeepOn).1,
        _ => answer_well(stream),
    });
    find_until(&mut client, |found, _| found);
    find_until(&mut client, |found, _| !found);
    assert!(reason(&client).contains("10 bytes"), "{}", reason(&client));
    find_until(&mut client, |found, _| found);
}

#[test]
fn a_server_that_hangs_holds_nobody() {
    let mut client = client(|request, stream| {
        if request > 4 {
            thread::sleep(Duration::from_secs(3600));
        }
        answer_well(stream)
    });
    find_until(&mut client, |found, _| found);
    find_until(&mut client, |found, _| !found);
    assert!(reason(&client).contains("6666 ms"), "{}", reason(&client));
    // Told once, then no frame waits; nor does the end.
    let begun = Instant::now();
    for _ in 0..10 {
        assert!(!client.find(&picture().view()));
    }
    drop(client);
    assert!(begun.elapsed() < RATE.interval().mul_f64(PATIENCE), "{:?}", begun.elapsed());
}

#[test]
fn nobody_there_is_a_reason() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (url, needle) in [
        (format!("http://{nobody}"), "cannot be reached"),
        ("http://no-such-host.invalid:9000".to_owned(), "cannot be reached"),
    ] {
        let mut client = MaskClient::start(url.parse().unwrap(), RATE).unwrap();
        find_until(&mut client, |found, client| {
            assert!(!found);
            reason(client).contains(needle)
        });
    }
}

#[test]
fn a_faster_camera_has_less_patience() {
    let mut client = client(|_, stream| answer_well(stream));
    let mut frame = picture();
    assert_eq!(client.patience, RATE.interval().mul_f64(PATIENCE));
    for _ in 0..100 {
        frame.set_captured_at(frame.captured_at() + Duration::from_millis(16));
        client.find(&frame.view());
    }
    let patience = client.patience.as_secs_f64() * 1e3;
    assert!((10.0..20.0).contains(&patience), "{patience} ms");
    // A gap is no slower camera.
    frame.set_captured_at(frame.captured_at() + Duration::from_secs(100));
    client.find(&frame.view());
    assert!(client.patience < Duration::from_millis(70), "{:?}", client.patience);
}
