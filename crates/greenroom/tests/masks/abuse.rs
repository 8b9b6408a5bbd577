//! All that clients can do wrong, at once, beside one that does it right.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use image::ImageFormat;

use crate::http::{Client, PATIENCE, post};
use crate::pictures::{flat, halves, photo, with_size};
use crate::program::Program;

/// Memory that the whole of it may take; see `Limits`.
const MOST_KIB: u64 = 512 << 10;

/// All of it goes on until each well client has so many masks, and for so long at least.
const MASKS: u32 = 10;
const LEAST_TIME: Duration = Duration::from_secs(6);
/// A warning of one kind comes at most once in so long.
const WARNING_PAUSE: Duration = Duration::from_secs(10);

/// A fixed sequence of bytes without a pattern.
fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..len).map(|_| next()).collect()
}

/// Sends without minding what becomes of it.
fn shout(at: SocketAddr, bytes: &[u8]) -> Option<TcpStream> {
    let mut stream = TcpStream::connect(at).ok()?;
    stream.set_write_timeout(Some(Duration::from_millis(500))).ok()?;
    stream.set_read_timeout(Some(Duration::from_millis(200))).ok()?;
    let _ = stream.write_all(bytes);
    Some(stream)
}

/// One kind of abuse, to be repeated.
type Abuse<'a> = (&'static str, Box<dyn Fn(SocketAddr) + Send + Sync + 'a>);

fn abuses() -> Vec<Abuse<'static>> {
    let good = photo();
    let half_head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Le".to_vec();
    let half_body = post(&good)[..2000].to_vec();
    let bodies: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"rubbish".to_vec(),
        noise(100_000, 3),
        good[..good.len() / 2].to_vec(),
        [&good[..good.len() / 2], &noise(5000, 5), &good[good.len() / 2..]].concat(),
        with_size(&flat(64, 64, ImageFormat::Jpeg), 10_000, 10_000),
        with_size(&flat(64, 64, ImageFormat::Jpeg), 8000, 2000),
        // 100 megapixels, whole.
        flat(10_000, 10_000, ImageFormat::Jpeg),
        flat(10_000, 10_000, ImageFormat::Png),
    ];
    let giant = post(&flat(4000, 4000, ImageFormat::Jpeg));
    let bomb = post(&flat(4096, 4096, ImageFormat::Png));
    let leaver = giant.clone();
    let tls = [&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3][..], &noise(500, 7)].concat();
    let requests = b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(200);
    vec![
        (
            "malformed bodies",
            Box::new(move |at| {
                for body in &bodies {
                    let mut client = Client::new(at);
                    client.send(&post(body));
                    if let Some(answer) = client.try_answer() {
                        assert!((400..504).contains(&answer.status), "{}", answer.status);
                    }
                }
            }),
        ),
        (
            "bodies over the limit",
            Box::new(|at| {
                shout(at, &post(&vec![0; 9 << 20]));
                let head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n";
                shout(at, &[&head[..], &vec![0; 9 << 20]].concat());
            }),
        ),
        (
            "slow heads",
            Box::new(move |at| {
                let mut held: Vec<_> = (0..20).filter_map(|_| shout(at, &half_head)).collect();
                for _ in 0..10 {
                    sleep(Duration::from_millis(50));
                    held.iter_mut().for_each(|stream| drop(stream.write(b"x")));
                }
            }),
        ),
        (
            "slow bodies",
            Box::new(move |at| {
                let mut held: Vec<_> = (0..20).filter_map(|_| shout(at, &half_body)).collect();
                for _ in 0..10 {
                    sleep(Duration::from_millis(50));
                    held.iter_mut().for_each(|stream| drop(stream.write(b"x")));
                }
            }),
        ),
        (
            "who leaves in the middle",
            Box::new(move |at| {
                shout(at, &leaver[..leaver.len() / 2]);
                shout(at, &leaver);
                if let Some(mut stream) = shout(at, &leaver) {
                    let _ = stream.read(&mut [0; 1000]);
                }
            }),
        ),
        (
            "who never reads",
            Box::new(move |at| {
                let held: Vec<_> = (0..6).filter_map(|_| shout(at, &giant)).collect();
                sleep(Duration::from_millis(700));
                drop(held);
            }),
        ),
        (
            "large pictures",
            Box::new(move |at| {
                if let Some(stream) = shout(at, &bomb) {
                    let _ = stream.shutdown(Shutdown::Write);
                    sleep(Duration::from_millis(500));
                }
            }),
        ),
        (
            "200 connections",
            Box::new(|at| {
                let held: Vec<_> = (0..200).filter_map(|_| TcpStream::connect(at).ok()).collect();
                sleep(Duration::from_millis(200));
                drop(held);
            }),
        ),
        (
            "no HTTP",
            Box::new(move |at| {
                for words in [&tls[..], b"\0", b"\r\n\r\n\r\n", b"GET", b"SSH-2.0-x\r\n", &requests]
                {
                    shout(at, words);
                }
                for seed in 1..6 {
                    shout(at, &noise(70_000, seed));
                }
                let mut header = b"GET / HTTP/1.1\r\nx: ".to_vec();
                header.resize(200_000, b'y');
                shout(at, &header);
            }),
        ),
    ]
}

/// That a well client gets right masks until `stop`; on one connection, or each on a new one. On a
/// machine that cannot do it all in time it may be asked to come again.
fn well_client(at: SocketAddr, wanted: &[u8], keep: bool, served: &AtomicU32, stop: &AtomicBool) {
    let picture = photo();
    let mut client = Client::new(at);
    while !stop.load(SeqCst) {
        if !keep {
            client = Client::new(at);
        }
        // A connection that pauses may have been closed for others, as any server may.
        let answer = client.try_post(&picture).unwrap_or_else(|| {
            client = Client::new(at);
            client.post(&picture)
        });
        if answer.status == 503 {
            answer.refuses(503, "more to do than can be done");
            continue;
        }
        assert_eq!(answer.status, 200, "{:?}", String::from_utf8_lossy(&answer.body));
        assert!(answer.body == wanted);
        served.fetch_add(1, SeqCst);
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn whatever_clients_do_a_well_one_is_served_and_memory_is_bounded() {
    let program = Program::start(&[]);
    let at = program.address;
    let wanted = Client::new(at).post(&photo());
    assert!(wanted.status == 200 && wanted.body.contains(&1));
    sleep(Duration::from_millis(100));
    let before = (program.status("Threads"), program.descriptors(), program.status("VmRSS"));
    let stop = AtomicBool::new(false);
    let abuses = abuses();
    let served = [AtomicU32::new(0), AtomicU32::new(0)];
    let began = Instant::now();
    thread::scope(|scope| {
        let well = [true, false].map(|keep| {
            let (served, stop, wanted) = (&served[usize::from(keep)], &stop, &wanted.body);
            scope.spawn(move || well_client(at, wanted, keep, served, stop))
        });
        let rude: Vec<_> = abuses
            .iter()
            .map(|(name, abuse)| {
                let stop = &stop;
                scope.spawn(move || {
                    let mut rounds = 0;
                    while !stop.load(SeqCst) {
                        abuse(at);
                        rounds += 1;
                    }
                    (name, rounds)
                })
            })
            .collect();
        // As long as it takes on a machine that has other things to do.
        let since = Instant::now();
        let enough = || served.iter().all(|served| served.load(SeqCst) >= MASKS);
        while since.elapsed() < LEAST_TIME || !enough() && since.elapsed() < 2 * PATIENCE {
            sleep(Duration::from_millis(100));
        }
        stop.store(true, SeqCst);
        for rude in rude {
            let (name, rounds) = rude.join().unwrap();
            println!("{name}: {rounds} rounds");
            assert!(rounds > 0, "{name}");
        }
        for well in well {
            well.join().unwrap();
        }
    });
    println!("well clients served (new connections, kept one): {served:?}");
    assert!(served.iter().all(|served| served.load(SeqCst) >= MASKS), "{served:?}");
    // Pictures of clients that left are worked off first, which takes 20 s at most; a connection that
    // nobody ends by itself would be there for the 60 s between two requests.
    let patience = Instant::now();
    while (program.status("Threads"), program.descriptors()) != (before.0, before.1) {
        let now = (program.status("Threads"), program.descriptors());
        assert!(patience.elapsed() < PATIENCE, "{before:?} became {now:?}");
        sleep(Duration::from_millis(100));
    }
    let most = program.status("VmHWM");
    println!(
        "memory: {} MiB before, {} MiB at most, {} MiB after",
        before.2 >> 10,
        most >> 10,
        program.status("VmRSS") >> 10
    );
    assert!(most < MOST_KIB, "{most} KiB");
    let log = program.log();
    assert!(!log.contains("ERROR") && !log.contains("panicked"), "{log}");
    let warnings = log.lines().filter(|line| line.contains("WARN")).count();
    let most = 5 + began.elapsed().as_secs() / WARNING_PAUSE.as_secs();
    assert!((1..=most).contains(&(warnings as u64)), "{log}");
    assert_eq!(Client::new(at).post(&halves(64, 48, ImageFormat::Png)).status, 200);
}
