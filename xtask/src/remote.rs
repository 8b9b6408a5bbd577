//! `cargo xtask remote`: what a mask server that is well, slow, dying, wrong or restarting does to the pictures: rate and
//! latency of `greenroom run --mask-server` against `greenroom run` without, by turns, as a table; and what servers whose
//! masks show the room get to show of it, as another.

mod proxy;
mod room;

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use self::proxy::{HostileMask, ServerFault};
use self::room::Room;
use crate::daemon::{Daemon, build, make_clip, status};
use crate::places::Places;

/// The command line of `cargo xtask remote`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Seconds of each run
    #[arg(long, default_value_t = 12)]
    seconds: u64,
    /// Runs of each kind, by turns with runs without a server; the medians count
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Size of the frames
    #[arg(long, default_value = "640x360")]
    size: String,
    /// Only the servers whose masks show the room
    #[arg(long)]
    hostile: bool,
}

/// What the server does.
#[derive(Debug, Clone, Copy)]
enum Server {
    Spoilt(ServerFault),
    /// Nobody listens.
    Away,
    /// It is killed and started again.
    Restarts(Duration),
}

const LATE: Duration = Duration::from_millis(200);

/// With what latency is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Against {
    /// The server is well, mostly: its masks are waited for, as the user asked for.
    Well,
    /// It is of no use: things are as without it.
    Local,
}

const SERVERS: [(&str, Server, Against); 9] = [
    ("is well", Server::Spoilt(ServerFault::None), Against::Well),
    (
        "takes 200 ms once in 100 answers",
        Server::Spoilt(ServerFault::NowAndThen(100, LATE)),
        Against::Well,
    ),
    ("breaks off one answer in 50", Server::Spoilt(ServerFault::BreaksOff(50)), Against::Well),
    ("is killed and started every 2 s", Server::Restarts(Duration::from_secs(2)), Against::Well),
    ("takes 200 ms", Server::Spoilt(ServerFault::Late(LATE)), Against::Local),
    ("never answers", Server::Spoilt(ServerFault::Hangs), Against::Local),
    ("answers 10 bytes", Server::Spoilt(ServerFault::WrongLength), Against::Local),
    ("answers noise", Server::Spoilt(ServerFault::Noise), Against::Local),
    ("is not there", Server::Away, Against::Local),
];

const fn always(mask: HostileMask) -> ServerFault {
    ServerFault::Hostile { mask, after: 0, every: 1 }
}

/// Servers whose masks are masks, and show the room; the first one is for comparison.
const HOSTILE: [(&str, ServerFault); 11] = [
    ("right masks", ServerFault::None),
    ("all ones", always(HostileMask::AllOnes)),
    ("31 of 32 rows", always(HostileMask::ThirtyOneOf32)),
    ("the room for the person", always(HostileMask::Inverted)),
    ("the person, shifted by half", always(HostileMask::ShiftedByHalf)),
    ("the person's box", always(HostileMask::Box)),
    ("squares", always(HostileMask::Checkerboard)),
    ("the person, 8 pixels wider", always(HostileMask::Wider(8))),
    ("the person, 40 pixels wider", always(HostileMask::Wider(40))),
    (
        "right masks, all ones after 60",
        ServerFault::Hostile { mask: HostileMask::AllOnes, after: 60, every: 1 },
    ),
    (
        "all ones in one of 10",
        ServerFault::Hostile { mask: HostileMask::AllOnes, after: 0, every: 10 },
    ),
];

/// What is read of a status.
#[derive(Deserialize)]
struct Status {
    uptime_s: f64,
    frames: Frames,
    latency_ms: Option<Latency>,
    mask_server: Option<MaskServer>,
}

#[derive(Deserialize)]
struct Frames {
    composed: u64,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct Latency {
    p50: f64,
    p99: f64,
}

#[derive(Deserialize)]
struct MaskServer {
    masks: u64,
    local: u64,
}

/// What came of one run.
#[derive(Debug, Clone, Copy)]
struct Outcome {
    rate_fps: f64,
    latency: Latency,
    masks: u64,
    local: u64,
}

/// A mask server of ours; killed when dropped.
struct MaskServers {
    greenroom: PathBuf,
    address: SocketAddr,
}

/// Runs all kinds and prints the table.
///
/// # Errors
/// If something does not start. Rate and median latency more than 10 % worse than without a server (latency: than with one
/// that is well, where masks are waited for) make the exit code 1.
pub fn run(places: &Places, arguments: &Arguments) -> Result<ExitCode> {
    let folder = tempfile::tempdir()?;
    let clip = folder.path().join("camera.y4m");
    make_clip(places, &arguments.size, &clip)?;
    let greenroom = build(places)?;
    let socket = folder.path().join("socket");
    let seconds = Duration::from_secs(arguments.seconds);
    let width = arguments.size.split('x').next().and_then(|width| width.parse().ok());
    let width: usize = width.context("a size is WIDTHxHEIGHT")?;
    let is_private = hostile_servers(&greenroom, &clip, folder.path(), width, arguments.seconds)?;
    if arguments.hostile {
        return Ok(if is_private { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let once = |server: Option<SocketAddr>| watch(&greenroom, &clip, &socket, server, seconds);
    println!(
        "| the server … | rate | without | latency p50 | without | p99 | without | masks | local |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let mut worse = Vec::new();
    let mut well: Option<Outcome> = None;
    for (words, server, against) in SERVERS {
        let (mut with, mut without) = (Vec::new(), Vec::new());
        for _ in 0..arguments.rounds {
            without.push(once(None)?);
            with.push(with_server(&greenroom, server, width, &|address| once(Some(address)))?);
        }
        let (with, without) = (median(with), median(without));
        println!(
            "| {words} | {:.1} fps | {:.1} fps | {:.1} ms | {:.1} ms | {:.1} ms | {:.1} ms | {} | {} |",
            with.rate_fps,
            without.rate_fps,
            with.latency.p50,
            without.latency.p50,
            with.latency.p99,
            without.latency.p99,
            with.masks,
            with.local
        );
        let usual = match against {
            Against::Well => *well.get_or_insert(with),
            Against::Local => without,
        };
        if with.rate_fps < 0.9 * without.rate_fps || with.latency.p50 > 1.1 * usual.latency.p50 {
            worse.push(words);
        }
    }
    if worse.is_empty() {
        return Ok(if is_private { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    println!("more than 10 % worse than it should be: where the server {}", worse.join(", "));
    Ok(ExitCode::FAILURE)
}

/// Prints what each of [`HOSTILE`] gets to show of the room; `false` if one shows more than the most that README
/// promises.
fn hostile_servers(
    greenroom: &Path,
    clip: &Path,
    folder: &Path,
    width: usize,
    seconds: u64,
) -> Result<bool> {
    let room = Room::find(greenroom, clip, folder)?;
    println!(
        "| the server sends … | frames | masks used | frames with room | most room in a frame |"
    );
    println!("|---|---|---|---|---|");
    let mut is_private = true;
    for (words, fault) in HOSTILE {
        let video = folder.join("out.y4m");
        let (socket, seconds) = (folder.join("socket"), seconds.to_string());
        let run = |address: SocketAddr| -> Result<u64> {
            let mut command = Command::new(greenroom);
            command.args(["run", "--background", room::BACKGROUND, "--camera"]).arg(clip);
            command.arg("--output").arg(&video).arg("--socket").arg(&socket);
            command.arg("--mask-server").arg(format!("http://{address}"));
            let mut daemon = Daemon(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
            thread::sleep(Duration::from_secs(seconds.parse()?));
            let status: Status = status(greenroom, &socket)?;
            let pid = daemon.0.id().to_string();
            Command::new("kill").args(["-TERM", &pid]).status()?;
            daemon.0.wait()?;
            Ok(status.mask_server.map_or(0, |server| server.masks))
        };
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let servers = MaskServers { greenroom: greenroom.to_owned(), address };
        let _server = servers.start()?;
        let masks = run(proxy::start(address, fault, width)?)?;
        let shown = room.shown_in(&video)?;
        let with_room = shown.iter().filter(|share| **share > room::NOTICEABLE).count();
        let most = shown.iter().copied().fold(0.0, f64::max);
        println!("| {words} | {} | {masks} | {with_room} | {:.2} % |", shown.len(), 100.0 * most);
        is_private &= with_room == 0 && !shown.is_empty();
    }
    if !is_private {
        println!("the room was shown");
    }
    Ok(is_private)
}

fn with_server(
    greenroom: &Path,
    server: Server,
    width: usize,
    run: &dyn Fn(SocketAddr) -> Result<Outcome>,
) -> Result<Outcome> {
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let servers = MaskServers { greenroom: greenroom.to_owned(), address };
    match server {
        Server::Away => run(address),
        Server::Spoilt(fault) => {
            let _server = servers.start()?;
            run(proxy::start(address, fault, width)?)
        }
        Server::Restarts(every) => {
            let over = Arc::new(AtomicBool::new(false));
            let ours = Arc::clone(&over);
            let restarting = thread::spawn(move || -> Result<()> {
                while !ours.load(Relaxed) {
                    let server = servers.start()?;
                    thread::sleep(every);
                    drop(server);
                }
                Ok(())
            });
            let outcome = run(address);
            over.store(true, Relaxed);
            restarting.join().map_err(|_| anyhow::anyhow!("the restarting thread panicked"))??;
            outcome
        }
    }
}

impl MaskServers {
    fn start(&self) -> Result<Daemon> {
        let mut command = Command::new(&self.greenroom);
        command.args(["serve-masks", "--listen", &self.address.to_string()]);
        let server = Daemon(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
        let started = Instant::now();
        while std::net::TcpStream::connect(self.address).is_err() {
            if started.elapsed() > Duration::from_secs(10) {
                bail!("the mask server does not listen");
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }
}

fn watch(
    greenroom: &Path,
    clip: &Path,
    socket: &Path,
    server: Option<SocketAddr>,
    time: Duration,
) -> Result<Outcome> {
    let mut command = Command::new(greenroom);
    command.args(["run", "--output", "null", "--background", "#00b140"]);
    command.arg("--camera").arg(clip).arg("--socket").arg(socket);
    if let Some(server) = server {
        command.arg("--mask-server").arg(format!("http://{server}"));
    }
    let _daemon = Daemon(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
    // What is slow at the start is the same for all.
    thread::sleep(Duration::from_secs(2));
    let first: Status = status(greenroom, socket)?;
    thread::sleep(time);
    let last: Status = status(greenroom, socket)?;
    let frames = last.frames.composed - first.frames.composed;
    let (masks, local) = last.mask_server.map_or((0, 0), |server| (server.masks, server.local));
    Ok(Outcome {
        rate_fps: frames as f64 / (last.uptime_s - first.uptime_s),
        latency: last.latency_ms.context("no frame was written")?,
        masks,
        local,
    })
}

/// The run with the median latency.
fn median(mut outcomes: Vec<Outcome>) -> Outcome {
    outcomes.sort_by(|a, b| a.latency.p50.total_cmp(&b.latency.p50));
    outcomes[outcomes.len() / 2]
}
