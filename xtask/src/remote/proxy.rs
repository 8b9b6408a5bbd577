//! What stands between greenroom and a mask server, and spoils what it says.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// What happens to answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerFault {
    /// They pass.
    None,
    /// Each comes later.
    Late(Duration),
    /// One of so many comes later.
    NowAndThen(u64, Duration),
    /// One of so many is broken off in the middle, and the connection with it.
    BreaksOff(u64),
    /// None ever comes.
    Hangs,
    /// They are as long as a mask should not be.
    WrongLength,
    /// They are of the right length, and noise.
    Noise,
    /// They are masks, and show the room: from the answer with this number on, one of so many.
    Hostile {
        /// What is done to the right mask.
        mask: HostileMask,
        /// Answers before the first hostile one.
        after: u64,
        /// One of so many is hostile.
        every: u64,
    },
}

/// A mask in place of the right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostileMask {
    /// All is person.
    AllOnes,
    /// All but the last 32nd is.
    ThirtyOneOf32,
    /// The room in place of the person.
    Inverted,
    /// The person half a picture further to the right.
    ShiftedByHalf,
    /// The person's bounding box.
    Box,
    /// Squares of 16 pixels.
    Checkerboard,
    /// The right one with so many pixels on each side of the person.
    Wider(usize),
}

impl HostileMask {
    /// Spoils `mask`, whose rows are `width` pixels long.
    fn spoil(self, mask: &mut [u8], width: usize) {
        match self {
            Self::AllOnes => mask.fill(1),
            Self::ThirtyOneOf32 => {
                let most = mask.len() - mask.len() / 32;
                mask.iter_mut().enumerate().for_each(|(at, byte)| *byte = u8::from(at < most));
            }
            Self::Inverted => mask.iter_mut().for_each(|byte| *byte ^= 1),
            Self::ShiftedByHalf => {
                mask.chunks_exact_mut(width).for_each(|row| row.rotate_right(width / 2));
            }
            Self::Box => {
                let rows: Vec<_> = mask.chunks_exact(width).map(|row| row.contains(&1)).collect();
                let column = |x: &usize| mask.iter().skip(*x).step_by(width).any(|&byte| byte == 1);
                let columns: Vec<_> = (0..width).filter(column).collect();
                let (Some(&left), Some(&right)) = (columns.first(), columns.last()) else { return };
                let top = rows.iter().position(|some| *some).unwrap_or_default();
                for row in mask.chunks_exact_mut(width).skip(top) {
                    row[left..=right].fill(1);
                }
            }
            Self::Checkerboard => {
                for (at, byte) in mask.iter_mut().enumerate() {
                    *byte = u8::from((at % width / 16 + at / width / 16).is_multiple_of(2));
                }
            }
            Self::Wider(by) => {
                for row in mask.chunks_exact_mut(width) {
                    let edges = [
                        row.iter().position(|&byte| byte == 1),
                        row.iter().rposition(|&byte| byte == 1),
                    ];
                    if let [Some(left), Some(right)] = edges {
                        row[left.saturating_sub(by)..=(right + by).min(width - 1)].fill(1);
                    }
                }
            }
        }
    }
}

/// Listens on a port of its own until the process ends; where. The rows of masks are `width` pixels long.
///
/// # Errors
/// If there is no port.
pub fn start(server: SocketAddr, fault: ServerFault, width: usize) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let count = Arc::new(AtomicU64::new(0));
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let count = Arc::clone(&count);
            // A client that has enough, or a server that is down, ends the connection.
            thread::spawn(move || drop(pass_on(client, server, fault, width, &count)));
        }
    });
    Ok(address)
}

fn pass_on(
    mut client: TcpStream,
    server: SocketAddr,
    fault: ServerFault,
    width: usize,
    count: &AtomicU64,
) -> Result<()> {
    let mut server = TcpStream::connect(server)?;
    server.set_nodelay(true)?;
    client.set_nodelay(true)?;
    loop {
        let (head, body) = message(&mut client)?;
        server.write_all(&[head, body].concat())?;
        let (head, mut body) = message(&mut server)?;
        let nth = count.fetch_add(1, Relaxed) + 1;
        match fault {
            ServerFault::None => {}
            ServerFault::Late(delay) => thread::sleep(delay),
            ServerFault::NowAndThen(every, delay) if nth.is_multiple_of(every) => {
                thread::sleep(delay)
            }
            ServerFault::BreaksOff(every) if nth.is_multiple_of(every) => {
                client.write_all(&[&head[..], &body[..body.len() / 2]].concat())?;
                return Ok(());
            }
            ServerFault::NowAndThen(..) | ServerFault::BreaksOff(_) => {}
            ServerFault::Hostile { mask, after, every }
                if nth > after && nth.is_multiple_of(every) =>
            {
                mask.spoil(&mut body, width);
            }
            ServerFault::Hostile { .. } => {}
            ServerFault::Hangs => thread::sleep(Duration::from_secs(3600)),
            ServerFault::WrongLength => {
                client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789")?;
                continue;
            }
            ServerFault::Noise => {
                body.iter_mut().enumerate().for_each(|(at, byte)| *byte = (at * 7919 % 251) as u8);
            }
        }
        client.write_all(&[head, body].concat())?;
    }
}

/// One message with a Content-Length: its head with the empty line, its body.
fn message(stream: &mut TcpStream) -> Result<(Vec<u8>, Vec<u8>)> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
        if head.len() > 16_384 {
            bail!("a head without an end");
        }
    }
    let text = String::from_utf8_lossy(&head).to_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.context("no length")?.trim().parse()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok((head, body))
}
