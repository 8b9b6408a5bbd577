//! What the server bears, with times short enough for a test.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use greenroom::masks::Limits;
use image::ImageFormat;

use crate::http::{Client, PATIENCE, post};
use crate::pictures::{flat, halves};
use crate::stub::{quick, serve, serve_gated};

const HEAD: &[u8] = b"POST / HTTP/1.1\r\nHost: localhost\r\n";

fn short() -> Limits {
    Limits {
        connections: 8,
        head_time: Duration::from_millis(600),
        body_time: Duration::from_millis(600),
        stall_time: Duration::from_millis(600),
        idle_time: Duration::from_millis(1500),
        ..Limits::default()
    }
}

#[test]
fn who_is_slow_is_let_go_and_not_before() {
    let (server, _) = quick(short());
    // Nobody is let go between two requests.
    let (patient, _) = quick(Limits { idle_time: Duration::from_secs(3600), ..short() });
    let (at, patient) = (server.address(), patient.address());
    let good = halves(64, 48, ImageFormat::Jpeg);
    thread::scope(|scope| {
        scope.spawn(|| {
            let since = Instant::now();
            Client::new(at).is_let_go();
            assert!(since.elapsed() >= short().head_time, "silent: {:?}", since.elapsed());
        });
        scope.spawn(|| {
            // A head without end, byte by byte.
            let mut slow = Client::new(at);
            let since = Instant::now();
            slow.send(HEAD).send(b"X-Slow: ");
            while std::io::Write::write_all(&mut slow.stream, b"x").is_ok() {
                assert!(since.elapsed() < PATIENCE, "it was waited for on and on");
                thread::sleep(Duration::from_millis(100));
            }
        });
        scope.spawn(|| {
            let mut slow = Client::new(at);
            slow.send(HEAD).send(b"Content-Length: 1000\r\n\r\n").send(&good[..50]);
            slow.answer().refuses(408, "did not come within 0.6 seconds");
        });
        scope.spawn(|| {
            let since = Instant::now();
            let mut idle = Client::new(at);
            assert_eq!(idle.post(&good).status, 200);
            idle.is_let_go();
            assert!(since.elapsed() >= short().idle_time, "idle: {:?}", since.elapsed());
        });
        scope.spawn(|| {
            let mut idle = Client::new(patient);
            assert_eq!(idle.post(&good).status, 200);
            thread::sleep(2 * short().head_time);
            assert_eq!(idle.post(&good).status, 200, "longer than for a head");
        });
        scope.spawn(|| {
            let mut cut = Client::new(at);
            cut.send(HEAD).send(b"Content-Length: 1000\r\n\r\n").send(&good[..50]).half_close();
            let answer = cut.try_answer();
            assert!(answer.is_none_or(|answer| answer.status == 400));
        });
    });
}

#[test]
fn who_does_not_read_is_let_go() {
    let (server, _) = quick(short());
    // 12 megabytes: more than the system keeps for a connection.
    let large = flat(4000, 3000, ImageFormat::Jpeg);
    let mut deaf = Client::new(server.address());
    deaf.send(&post(&large));
    deaf.wait_until_closed_there();
    assert!(deaf.try_answer().is_none(), "the rest of the answer came");
    // Who reads, if slowly, gets all of it.
    let (server, _) = quick(Limits::default());
    let mut slow = Client::new(server.address());
    slow.send(&post(&large));
    thread::sleep(Duration::from_millis(300));
    assert_eq!(slow.answer().body.len(), 12_000_000);
}

#[test]
fn a_body_that_is_too_large_is_refused_however_it_comes() {
    let limits = Limits { body_bytes: 1 << 20, ..Limits::default() };
    let (server, _) = quick(limits);
    let zeros = vec![0; 2 << 20];
    // Told beforehand and sent all the same: the answer is seen behind it.
    let mut told = Client::new(server.address());
    told.send(&post(&zeros)).answer().refuses(413, "larger than 1048576 bytes");
    // Asked for first: nothing is sent.
    let mut asked = Client::new(server.address());
    asked.send(HEAD).send(b"Content-Length: 99999999999\r\nExpect: 100-continue\r\n\r\n");
    asked.answer().refuses(413, "larger");
    // Not told.
    let mut untold = Client::new(server.address());
    untold.send(HEAD).send(b"Transfer-Encoding: chunked\r\n\r\n200000\r\n").send(&zeros);
    untold.answer().refuses(413, "larger");
    // As large as is allowed.
    let mut full = Client::new(server.address());
    full.post(&zeros[..1 << 20]).refuses(415, "neither");
}

#[test]
fn large_bodies_that_do_not_end_lock_out_nobody() {
    let limits = Limits { bodies_bytes: 2 << 20, body_time: PATIENCE, ..Limits::default() };
    let (server, _) = quick(limits);
    let part = vec![0; 1 << 20];
    let mut held: Vec<_> = (0..6).map(|_| Client::new(server.address())).collect();
    for holder in &mut held {
        holder.send(HEAD).send(b"Content-Length: 8000000\r\n\r\n").send(&part);
        holder.stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    }
    // There is room for one or two; the others are refused.
    let since = Instant::now();
    while held.len() > 3 {
        assert!(since.elapsed() < PATIENCE, "{} are not refused", held.len());
        held.retain_mut(|holder| {
            let mut first = [0; 12];
            let is_refused = std::io::Read::read_exact(&mut holder.stream, &mut first).is_ok();
            assert!(!is_refused || &first == b"HTTP/1.1 503");
            !is_refused
        });
    }
    let good = halves(640, 360, ImageFormat::Jpeg);
    assert_eq!(Client::new(server.address()).post(&good).status, 200);
    assert!(!held.is_empty());
}

#[test]
fn a_new_client_takes_the_place_of_one_that_only_waits() {
    // Nobody is let go for being slow.
    let limits = Limits { connections: 8, head_time: 2 * PATIENCE, ..Limits::default() };
    let (server, _) = quick(Limits { idle_time: 2 * PATIENCE, ..limits });
    let good = halves(64, 48, ImageFormat::Jpeg);
    // It has been served, and so it is the last to go.
    let mut known = Client::new(server.address());
    assert_eq!(known.post(&good).status, 200);
    let mut silent: Vec<_> = (0..50).map(|_| Client::new(server.address())).collect();
    assert_eq!(Client::new(server.address()).post(&good).status, 200);
    assert_eq!(known.post(&good).status, 200);
    // The longest waiting went first.
    silent[0].is_let_go();
}

#[test]
fn when_all_places_are_served_the_next_is_told_so() {
    let limits = Limits { connections: 4, work_time: PATIENCE, ..Limits::default() };
    let (server, _, gate) = serve_gated(limits, Duration::ZERO);
    let good = halves(64, 48, ImageFormat::Jpeg);
    let mut busy: Vec<_> = (0..4).map(|_| Client::new(server.address())).collect();
    for client in &mut busy {
        // Asked for the body: from then on it is being served.
        let length = format!("Expect: 100-continue\r\nContent-Length: {}\r\n\r\n", good.len());
        assert_eq!(client.send(HEAD).send(length.as_bytes()).answer().status, 100);
        client.send(&good);
    }
    gate.wait_for_arrival();
    let mut late = Client::new(server.address());
    let answer = late.post(&good);
    answer.refuses(503, "all 4 connections are in use");
    assert!(answer.head.contains("retry-after: 1"), "{}", answer.head);
    gate.open();
    for client in &mut busy {
        assert_eq!(client.answer().status, 200);
    }
    // Places are free again as soon as the server has seen that clients left.
    drop(busy);
    let since = Instant::now();
    while Client::new(server.address()).post(&good).status != 200 {
        assert!(since.elapsed() < PATIENCE, "no place becomes free");
    }
}

/// All connections that there are belong to one address and pause between two requests, each for a moment.
#[test]
fn connections_that_pause_shut_nobody_out() {
    let (server, _) = quick(Limits { connections: 8, ..Limits::default() });
    let good = halves(64, 48, ImageFormat::Jpeg);
    let at = server.address();
    let mut held: Vec<_> = (0..8).map(|_| Client::from(1, at)).collect();
    let mut served = 0;
    for _ in 0..75 {
        for client in &mut held {
            if client.try_post(&good).is_none() {
                *client = Client::from(1, at);
                let _ = client.try_post(&good);
            }
        }
        let mut other = Client::from(2, at);
        served += u32::from(other.post(&good).status == 200);
    }
    assert_eq!(served, 75);
    // Others push out those of the address that has most, and are not pushed out by it.
    let mut kept = Vec::new();
    for _ in 0..4 {
        kept.push(Client::from(3, at));
        for client in &mut kept {
            assert_eq!(client.post(&good).status, 200);
        }
    }
    for _ in 0..64 {
        let _ = Client::from(1, at).try_post(&good);
    }
    for client in &mut kept {
        assert_eq!(client.post(&good).status, 200, "closed for an address that has more");
    }
}

#[test]
fn one_address_never_has_all_places_and_nobody_is_cut_off_in_a_request() {
    let limits =
        Limits { connections: 8, work_time: Duration::from_secs(120), ..Limits::default() };
    let (server, _) = serve(limits, Duration::from_millis(100));
    let at = server.address();
    let good = halves(64, 48, ImageFormat::Jpeg);
    // All at work: seven are an address's share of eight.
    let mut busy: Vec<_> = (0..7).map(|_| Client::from(1, at)).collect();
    for client in &mut busy {
        client.send(&post(&good));
    }
    let mut other = Client::from(2, at);
    assert_eq!(other.post(&good).status, 200, "there is a place for another address");
    for client in &mut busy {
        assert_eq!(client.answer().status, 200);
    }
}

#[test]
fn large_pictures_never_take_all_places() {
    let limits =
        Limits { connections: 8, large_pictures: 2, work_time: PATIENCE, ..Limits::default() };
    let (server, _, gate) = serve_gated(limits, Duration::ZERO);
    let at = server.address();
    let large = post(&flat(4000, 3000, ImageFormat::Png));
    let (tell, answers) = mpsc::channel();
    for _ in 0..6 {
        let (tell, large) = (tell.clone(), large.clone());
        thread::spawn(move || tell.send(Client::new(at).send(&large).answer()));
    }
    // Two wait for the network.
    for _ in 0..4 {
        let answer = answers.recv_timeout(PATIENCE).unwrap();
        answer.refuses(503, "more to do than can be done");
    }
    let good = halves(64, 48, ImageFormat::Jpeg);
    let mut small = Client::new(at);
    small.send(&post(&good));
    gate.open();
    assert_eq!(small.answer().status, 200);
    for _ in 0..2 {
        assert_eq!(answers.recv_timeout(PATIENCE).unwrap().status, 200);
    }
}

#[test]
fn what_cannot_be_done_in_time_is_refused() {
    let limits = Limits { work_time: Duration::from_millis(300), ..Limits::default() };
    let (server, _, gate) = serve_gated(limits, Duration::ZERO);
    let good = halves(64, 48, ImageFormat::Jpeg);
    let mut clients: Vec<_> = (0..8).map(|_| Client::new(server.address())).collect();
    for client in &mut clients {
        client.send(&post(&good));
    }
    for client in &mut clients {
        client.answer().refuses(503, "more to do than can be done");
    }
    // What was given up is not worked on, but for what had come to the network.
    let given_up = gate.arrived();
    assert!(given_up <= 1, "{given_up}");
    gate.open();
    let since = Instant::now();
    // On a machine that is busy the next ones may be refused, too.
    let mut asked = 0;
    while Client::new(server.address()).post(&good).status != 200 {
        asked += 1;
        assert!(since.elapsed() < PATIENCE, "refused {asked} times");
    }
    assert!(gate.arrived() <= given_up + asked + 1, "{} of {asked}", gate.arrived());
}

/// Asks for masks of a picture until `stop`, and counts them.
fn count(at: SocketAddr, picture: &[u8], answers: &AtomicU32, stop: &AtomicBool) {
    let mut client = Client::new(at);
    while !stop.load(SeqCst) {
        assert_eq!(client.post(picture).status, 200);
        answers.fetch_add(1, SeqCst);
    }
}

/// (Who is next exactly is shown in `queue.rs`.)
#[test]
fn ten_clients_get_equal_shares_and_large_pictures_do_not_push() {
    // On a busy machine the large ones may take long.
    let limits = Limits { work_time: PATIENCE, ..Limits::default() };
    let (server, _) = serve(limits, Duration::from_millis(4));
    let at = server.address();
    let small = halves(320, 180, ImageFormat::Jpeg);
    let large = flat(3000, 2000, ImageFormat::Png);
    let stop = AtomicBool::new(false);
    let counts = |clients| (0..clients).map(|_| AtomicU32::new(0)).collect::<Vec<_>>();
    let read = |counts: &[AtomicU32]| counts.iter().map(|one| one.load(SeqCst)).collect::<Vec<_>>();
    let (shares, larges) = (counts(10), counts(5));
    let found = thread::scope(|scope| {
        for (shares, picture) in [(&shares, &small), (&larges, &large)] {
            for answers in shares {
                let stop = &stop;
                scope.spawn(move || count(at, picture, answers, stop));
            }
        }
        let since = Instant::now();
        let found = loop {
            let found = (read(&shares), read(&larges));
            if found.0.iter().min() >= Some(&30) && found.1.iter().sum::<u32>() > 0 {
                break Ok(found);
            }
            if since.elapsed() > PATIENCE {
                break Err(found);
            }
            thread::sleep(Duration::from_millis(5));
        };
        stop.store(true, SeqCst);
        found
    });
    let (shares, larges) = found.expect("everybody gets answers");
    println!("answers: small pictures {shares:?}, large ones {larges:?}");
    let (least, most) = (shares.iter().min().unwrap(), shares.iter().max().unwrap());
    assert!(*most <= 2 * least, "{shares:?}");
}
