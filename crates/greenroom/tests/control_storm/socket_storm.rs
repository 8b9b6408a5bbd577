//! Hostile messages to the control socket.

use std::collections::VecDeque;
use std::path::Path;

use crate::client::Client;
use crate::hostile;
use crate::random::Random;
use crate::storms::Counts;

/// Silent connections that are held at once.
const SILENT: usize = 64;
/// Lines that are sent at once, by a client that reads none of the replies.
const AT_ONCE: usize = 40;

/// Sends `count` messages.
pub fn send(path: &Path, seed: u64, count: usize) -> Counts {
    let mut random = Random::new(seed);
    let mut counts = Counts::default();
    let mut silent = VecDeque::new();
    let mut client = Client::connect(path);
    let mut sent = 0;
    while sent < count {
        sent += 1;
        match random.below(100) {
            // Half a line, then gone.
            0..=9 => {
                let line = hostile::line(&mut random);
                let half = random.below(line.len() + 1);
                Client::connect(path).send(&line[..half]);
            }
            // Nothing at all.
            10..=39 => {
                silent.push_back(Client::connect(path));
                if silent.len() > SILENT {
                    silent.pop_front();
                }
            }
            // Many at once, and no reply is read.
            40 => {
                let lines = (0..AT_ONCE).map(|_| [hostile::line(&mut random), b"\n".into()]);
                Client::connect(path).send(&lines.flatten().flatten().collect::<Vec<u8>>());
                sent += AT_ONCE - 1;
            }
            _ => {
                let mut line = hostile::line(&mut random);
                line.push(b'\n');
                let reply = client.send(&line).then(|| client.reply()).flatten();
                match &reply {
                    Some(reply) if reply["error"].is_string() => counts.refused += 1,
                    Some(reply) if reply["ok"].is_object() => counts.answered += 1,
                    Some(reply) => panic!("{reply}"),
                    // Another took its place.
                    None => client = Client::connect(path),
                }
            }
        }
    }
    counts
}
