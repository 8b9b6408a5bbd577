//! What the server bears, with times short enough for a test.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use greenroom::masks::server::Limits;
use image::ImageFormat;

use crate::http::{Client, post};
use crate::pictures::{flat, halves};
use crate::stub::{quick, serve};

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

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}

#[test]
fn who_is_slow_is_let_go_in_time() {
    let (server, _) = quick(short());
    let at = server.address();
    let good = halves(64, 48, ImageFormat::Jpeg);
    thread::scope(|scope| {
        scope.spawn(|| {
            let took = Client::new(at).is_let_go_after();
            assert!((0.5..1.4).contains(&seconds(took)), "silent: {took:?}");
        });
        scope.spawn(|| {
            let mut slow = Client::new(at);
            let since = Instant::now();
            for byte in HEAD {
                if std::io::Write::write_all(&mut slow.stream, &[*byte]).is_err() {
                    break;
                }
                thread::sleep(Duration::from_millis(100));
            }
            assert!(seconds(since.elapsed()) < 1.5, "a head, byte by byte");
        });
        scope.spawn(|| {
            let mut slow = Client::new(at);
            slow.send(HEAD).send(b"Content-Length: 1000\r\n\r\n").send(&good[..50]);
            slow.answer().refuses(408, "did not come within 0.6 seconds");
        });
        scope.spawn(|| {
            let mut idle = Client::new(at);
            assert_eq!(idle.post(&good).status, 200);
            thread::sleep(Duration::from_millis(900));
            assert_eq!(idle.post(&good).status, 200, "longer than for a head");
            let took = idle.is_let_go_after();
            assert!((1.4..2.5).contains(&seconds(took)), "idle: {took:?}");
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
    let limits = short();
    let (server, _) = quick(limits);
    // 12 megabytes: more than the system keeps for a connection.
    let large = flat(4000, 3000, ImageFormat::Jpeg);
    let mut deaf = Client::new(server.address());
    deaf.send(&post(&large));
    thread::sleep(Duration::from_secs(4));
    assert!(deaf.try_answer().is_none(), "the rest of the answer came");
    // Who reads, if slowly, gets all of it.
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
    let limits = Limits { bodies_bytes: 2 << 20, ..Limits::default() };
    let (server, _) = quick(limits);
    let part = vec![0; 1 << 20];
    let mut holders = Vec::new();
    let mut refused = 0;
    for _ in 0..6 {
        let mut holder = Client::new(server.address());
        holder.send(HEAD).send(b"Content-Length: 8000000\r\n\r\n").send(&part);
        holder.stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let mut first = [0; 12];
        if std::io::Read::read_exact(&mut holder.stream, &mut first).is_ok() {
            assert_eq!(&first, b"HTTP/1.1 503");
            refused += 1;
        }
        holders.push(holder);
    }
    assert!((3..6).contains(&refused), "{refused} of 6 refused");
    let good = halves(640, 360, ImageFormat::Jpeg);
    assert_eq!(Client::new(server.address()).post(&good).status, 200);
}

#[test]
fn a_new_client_takes_the_place_of_one_that_only_waits() {
    let (server, _) = quick(Limits { connections: 8, ..Limits::default() });
    let good = halves(64, 48, ImageFormat::Jpeg);
    // It has been served, and so it is the last to go.
    let mut known = Client::new(server.address());
    assert_eq!(known.post(&good).status, 200);
    let mut silent: Vec<_> = (0..50).map(|_| Client::new(server.address())).collect();
    assert_eq!(Client::new(server.address()).post(&good).status, 200);
    assert_eq!(known.post(&good).status, 200);
    // The longest waiting went first.
    assert!(seconds(silent[0].is_let_go_after()) < 1.0);
}

#[test]
fn when_all_places_are_served_the_next_is_told_so() {
    let (server, _) =
        serve(Limits { connections: 4, ..Limits::default() }, Duration::from_millis(300));
    let good = halves(64, 48, ImageFormat::Jpeg);
    let mut busy: Vec<_> = (0..4).map(|_| Client::new(server.address())).collect();
    for client in &mut busy {
        client.send(&post(&good));
    }
    thread::sleep(Duration::from_millis(150));
    let mut late = Client::new(server.address());
    let answer = late.post(&good);
    answer.refuses(503, "all 4 connections are in use");
    assert!(answer.head.contains("retry-after: 1"), "{}", answer.head);
    for mut client in busy {
        assert_eq!(client.answer().status, 200);
    }
    assert_eq!(Client::new(server.address()).post(&good).status, 200);
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
    // On a busy machine they may take long.
    let work_time = Duration::from_secs(600);
    let limits = Limits { connections: 8, large_pictures: 2, work_time, ..Limits::default() };
    let (server, _) = quick(limits);
    let large = post(&flat(4000, 3000, ImageFormat::Png));
    let mut clients: Vec<_> = (0..6).map(|_| Client::new(server.address())).collect();
    for client in &mut clients {
        client.send(&large);
    }
    let good = halves(64, 48, ImageFormat::Jpeg);
    assert_eq!(Client::new(server.address()).post(&good).status, 200);
    let answers: Vec<_> = clients.iter_mut().map(Client::answer).collect();
    let served = answers.iter().filter(|answer| answer.status == 200).count();
    assert!((2..6).contains(&served), "{served} of 6 served");
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        answer.refuses(503, "more to do than can be done");
    }
}

#[test]
fn what_cannot_be_done_in_time_is_refused() {
    let limits = Limits { work_time: Duration::from_millis(300), ..Limits::default() };
    let (server, _) = serve(limits, Duration::from_millis(120));
    let good = halves(64, 48, ImageFormat::Jpeg);
    let mut clients: Vec<_> = (0..8).map(|_| Client::new(server.address())).collect();
    for client in &mut clients {
        client.send(&post(&good));
    }
    let answers: Vec<_> = clients.iter_mut().map(Client::answer).collect();
    let served = answers.iter().filter(|answer| answer.status == 200).count();
    assert!((1..=4).contains(&served), "{served} of 8 served");
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status != 200).collect();
    refused.iter().for_each(|answer| answer.refuses(503, "more to do than can be done"));
    // What was given up is not worked on.
    assert_eq!(Client::new(server.address()).post(&good).status, 200);
}

/// Answers that a client of small pictures gets in `time`.
fn count(at: SocketAddr, picture: &[u8], stop: &AtomicBool) -> u32 {
    let mut client = Client::new(at);
    let mut answers = 0;
    while !stop.load(SeqCst) {
        assert_eq!(client.post(picture).status, 200);
        answers += 1;
    }
    answers
}

#[test]
fn ten_clients_get_equal_shares_and_large_pictures_do_not_push() {
    // On a busy machine the large ones may take long.
    let limits = Limits { work_time: Duration::from_secs(120), ..Limits::default() };
    let (server, _) = serve(limits, Duration::from_millis(4));
    let at = server.address();
    let small = halves(320, 180, ImageFormat::Jpeg);
    let large = flat(3000, 2000, ImageFormat::Png);
    let stop = AtomicBool::new(false);
    let (shares, large) = thread::scope(|scope| {
        let small: Vec<_> = (0..10).map(|_| scope.spawn(|| count(at, &small, &stop))).collect();
        let large: Vec<_> = (0..5).map(|_| scope.spawn(|| count(at, &large, &stop))).collect();
        thread::sleep(Duration::from_secs(4));
        stop.store(true, SeqCst);
        let all = |threads: Vec<thread::ScopedJoinHandle<'_, u32>>| -> Vec<u32> {
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        };
        (all(small), all(large))
    });
    println!("answers in 4 s: small pictures {shares:?}, large ones {large:?}");
    let (least, most) = (shares.iter().min().unwrap(), shares.iter().max().unwrap());
    assert!(*least >= 10 && most - least <= most / 5 + 2, "{shares:?}");
    assert!(large.iter().sum::<u32>() >= 1, "large pictures come too");
}
