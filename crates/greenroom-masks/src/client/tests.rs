use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock};
use std::thread;

use greenroom_frame::{Colour, PixelFormat, SizePx};
use greenroom_matte::{AlphaMap, Engine, InputTensor, Isa, MatteMaker, Model, ModelDescription};

use super::*;

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
    (0..PIXELS).map(|pixel| u8::from((20..45).contains(&(pixel % 64)))).collect()
}

/// A network that sees, in any picture, the person of [`good_mask`].
struct Network(ModelDescription);

impl Engine for Network {
    fn description(&self) -> &ModelDescription {
        &self.0
    }

    fn infer(&mut self, _: &InputTensor, alpha: &mut AlphaMap) -> Result<(), MatteError> {
        let person = good_mask().into_iter().map(f32::from);
        alpha.values_mut().iter_mut().zip(person).for_each(|(alpha, person)| *alpha = person);
        Ok(())
    }
}

fn guard() -> RoomGuard {
    let description =
        ModelDescription { input_size: SIZE, output_size: SIZE, ..Model::General.description() };
    let network = MatteMaker::with_engine(Box::new(Network(description)), Isa::best()).unwrap();
    RoomGuard::with_network(network)
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

/// A client, and what it told.
struct Observed {
    client: MaskClient,
    seen: Arc<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    trouble: Mutex<Option<String>>,
    masks: AtomicU64,
    local: AtomicU64,
    answers: AtomicU64,
}

impl Observer for Seen {
    fn set_trouble(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap() = trouble;
    }

    fn count(&self, by_server: bool) {
        (if by_server { &self.masks } else { &self.local }).fetch_add(1, Relaxed);
    }

    fn record(&self, _: Duration) {
        self.answers.fetch_add(1, Relaxed);
    }
}

impl Observed {
    fn start(url: MaskServerUrl, rate: FrameRate) -> Self {
        let seen = Arc::new(Seen::default());
        let client = MaskClient::start(url, rate, guard(), seen.clone()).unwrap();
        Self { client, seen }
    }

    fn masks(&self) -> u64 {
        self.seen.masks.load(Relaxed)
    }

    fn trouble(&self) -> Option<String> {
        self.seen.trouble.lock().unwrap().clone()
    }
}

impl Deref for Observed {
    type Target = MaskClient;

    fn deref(&self) -> &MaskClient {
        &self.client
    }
}

impl DerefMut for Observed {
    fn deref_mut(&mut self) -> &mut MaskClient {
        &mut self.client
    }
}

fn client(behaviour: Behaviour) -> Observed {
    Observed::start(serve(behaviour), RATE)
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
fn find_until(client: &mut Observed, wanted: impl Fn(bool, &Observed) -> bool) {
    let begun = Instant::now();
    loop {
        let found = client.find(&picture().view());
        if wanted(found, client) {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(300), "{:?}", client.seen);
        thread::sleep(Duration::from_millis(5));
    }
}

fn reason(client: &Observed) -> String {
    client.trouble().unwrap_or_default()
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
    assert_eq!((client.masks(), client.trouble()), (6, None));
    assert!(client.seen.local.load(Relaxed) >= 3 && client.seen.answers.load(Relaxed) >= 6);
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
    let cases: [(Behaviour, &str); 6] = [
        (|_, stream| (answer(stream, "200 OK", &[1; 10]), Then::KeepOn).1, "10 bytes where"),
        (|_, stream| (answer(stream, "200 OK", &[0; PIXELS + 9]), Then::KeepOn).1, "2305 bytes"),
        (|_, stream| (answer(stream, "200 OK", &[7; PIXELS]), Then::KeepOn).1, "a byte 7"),
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

/// Masks of all kinds that show the room; what they are at the nth request.
fn hostile_mask(kind: usize, nth: usize) -> Vec<u8> {
    let person = good_mask();
    let show = |shown: &dyn Fn(usize, usize) -> bool| {
        (0..PIXELS).map(|pixel| u8::from(shown(pixel % 64, pixel / 64))).collect::<Vec<_>>()
    };
    match kind {
        0 => vec![1; PIXELS],
        1 => show(&|x, _| x < 62),
        2 => person.iter().map(|value| 1 - value).collect(),
        3 => show(&|x, _| !(13..52).contains(&x)),
        4 => show(&|x, y| (x / 2 + y / 2) % 2 == 0),
        5 => show(&|x, y| (x * 31 + y * 57 + nth * 13) % 7 < 3),
        _ => vec![0; PIXELS],
    }
}
const KINDS: usize = 7;

/// Has `requests` masks asked for, and counts those that are used and that show sure room.
fn used_and_room(client: &mut Observed, requests: &AtomicU64, until: u64) -> (u64, u64) {
    let (mut used, mut room, begun) = (0, 0, Instant::now());
    while requests.load(Relaxed) < until {
        if client.find(&picture().view()) {
            used += 1;
            let alpha = client.alpha().unwrap().bytes().iter().enumerate();
            let shown = alpha.filter(|(_, alpha)| **alpha > 0).map(|(pixel, _)| pixel % 64);
            room += u64::from(shown.clone().any(|x| !(16..49).contains(&x)));
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "{:?}", client.seen);
        thread::sleep(Duration::from_millis(1));
    }
    (used, room)
}

#[test]
fn a_server_whose_masks_disagree_is_never_believed() {
    static REQUESTS: [AtomicU64; KINDS] = [const { AtomicU64::new(0) }; KINDS];
    fn answer_hostile<const KIND: usize>(nth: usize, stream: &mut TcpStream) -> Then {
        REQUESTS[KIND].fetch_add(1, Relaxed);
        answer(stream, "200 OK", &hostile_mask(KIND, nth));
        Then::KeepOn
    }
    let behaviours: [Behaviour; KINDS] = [
        answer_hostile::<0>,
        answer_hostile::<1>,
        answer_hostile::<2>,
        answer_hostile::<3>,
        answer_hostile::<4>,
        answer_hostile::<5>,
        answer_hostile::<6>,
    ];
    for (kind, behaviour) in behaviours.into_iter().enumerate() {
        let mut client = client(behaviour);
        let (used, _) = used_and_room(&mut client, &REQUESTS[kind], 3);
        assert_eq!((used, client.masks()), (0, 0), "kind {kind}");
        let words =
            if kind == 6 { "misses the person" } else { "where the network here sees room" };
        assert!(reason(&client).contains(words), "kind {kind}: {}", reason(&client));
    }
}

#[test]
fn a_server_that_turns_hostile_loses_its_trust_with_that_mask() {
    static REQUESTS: AtomicU64 = AtomicU64::new(0);
    let mut client = client(|nth, stream| {
        REQUESTS.fetch_add(1, Relaxed);
        // Honest for a while, then one in ten is not.
        let mask = match nth > 40 && nth.is_multiple_of(10) {
            true => hostile_mask(nth / 10 % (KINDS - 1), nth),
            false => good_mask(),
        };
        answer(stream, "200 OK", &mask);
        Then::KeepOn
    });
    let (used, room) = used_and_room(&mut client, &REQUESTS, 49);
    assert!(used >= 30, "{used}");
    assert_eq!(room, 0);
    let (_, room) = used_and_room(&mut client, &REQUESTS, 72);
    assert_eq!(room, 0);
    assert!(client.seen.local.load(Relaxed) > 0);
}

#[test]
fn an_answer_to_a_frame_before_a_reset_is_not_used() {
    let mut client = client(|_, stream| answer_well(stream));
    find_until(&mut client, |found, _| found);
    client.reset();
    find_until(&mut client, |found, _| found);
    // Asked for while it is not believed; then the camera is another one.
    let mut client = self::client(|_, stream| answer_well(stream));
    client.find(&picture().view());
    client.reset();
    find_until(&mut client, |found, _| found);
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
        let mut client = Observed::start(url.parse().unwrap(), RATE);
        find_until(&mut client, |found, client| {
            assert!(!found);
            reason(client).contains(needle)
        });
    }
}

#[test]
fn a_faster_camera_has_less_patience() {
    let rate = FrameRate::new(10, 1).unwrap();
    let server = serve(|_, stream| answer_well(stream));
    let mut client = Observed::start(server, rate);
    let mut frame = picture();
    assert_eq!(client.patience, rate.interval().mul_f64(PATIENCE));
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
