//! The control socket from outside: what it says to good, bad, slow and many clients, and what
//! becomes of its file.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use greenroom::control::{ControlError, MAX_CLIENTS, Replier, Server, ask};
use greenroom::protocol::{Answer, MAX_REQUEST_BYTES, Reply, Request};
use greenroom::status::{CameraStatus, Cpu, Status};
use tempfile::TempDir;

/// Longest wait for something that comes soon on any machine, however slow or busy.
const PATIENCE: Duration = Duration::from_secs(120);

const ASK: &[u8] = b"{\"status\":{}}\n";

/// Does nothing, and says so.
fn done(_request: Request, replier: Replier) {
    replier.reply(Reply::Ok(Answer::Done {}));
}

struct Fixture {
    _folder: TempDir,
    path: PathBuf,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("greenroom.sock");
        Self { _folder: folder, path }
    }

    /// A server whose status is a little further with every question.
    fn serve(&self) -> Server {
        let mut asked = 0;
        let answer = move |_, replier: Replier| {
            asked += 1;
            replier.reply(Reply::Ok(Answer::Status(Box::new(Status {
                version: "1.2.3".into(),
                pid: std::process::id(),
                uptime_s: f64::from(asked) * 10.0,
                camera: CameraStatus { opened: 7, ..Default::default() },
                cpu: Cpu { time_s: f64::from(asked), share: Some(0.1), share_now: None },
                ..Default::default()
            }))));
        };
        Server::start(&self.path, Box::new(answer)).unwrap()
    }

    fn connect(&self) -> Client {
        Client::new(&self.path)
    }
}

struct Client {
    to: UnixStream,
    from: BufReader<UnixStream>,
}

impl Client {
    fn new(path: &Path) -> Self {
        let to = UnixStream::connect(path).unwrap();
        to.set_read_timeout(Some(PATIENCE)).unwrap();
        let from = BufReader::new(to.try_clone().unwrap());
        Self { to, from }
    }

    fn send(&mut self, bytes: &[u8]) -> &mut Self {
        self.to.write_all(bytes).unwrap();
        self
    }

    fn reply(&mut self) -> Reply {
        let mut line = String::new();
        self.from.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    fn error(&mut self) -> String {
        match self.reply() {
            Reply::Error(sentence) => sentence,
            Reply::Ok(answer) => panic!("{answer:?}"),
        }
    }

    fn is_let_go(&mut self) -> bool {
        match self.from.read(&mut [0]) {
            Ok(read) => read == 0,
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        }
    }
}

fn is_status(reply: &Reply) -> bool {
    matches!(reply, Reply::Ok(Answer::Status(status)) if status.version == "1.2.3")
}

fn greenroom(socket: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
    command.arg("status").arg("--socket").arg(socket).args(args).output().unwrap()
}

#[test]
fn another_process_sees_the_status() {
    let fixture = Fixture::new();
    let server = fixture.serve();
    let json = greenroom(&fixture.path, &["--json"]);
    assert!(json.status.success() && json.stderr.is_empty(), "{json:?}");
    let status: Status = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((status.pid, status.camera.opened), (std::process::id(), 7));
    // The second question came ten seconds after the first, by the daemon's clock, and a second of
    // processor time.
    assert_eq!((status.uptime_s, status.cpu.share_now), (20.0, Some(0.1)));
    let text = greenroom(&fixture.path, &[]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.starts_with("greenroom 1.2.3, pid"), "{text}");
    assert!(text.contains("closed     opened 7 times"), "{text}");

    drop(server);
    let nobody = greenroom(&fixture.path, &[]);
    assert_eq!(nobody.status.code(), Some(1));
    assert!(nobody.stdout.is_empty());
    let sentence = String::from_utf8(nobody.stderr).unwrap();
    assert_eq!(sentence, "greenroom: no greenroom runs here; start one with: greenroom run\n");
}

#[test]
fn bad_lines_are_answered_and_the_connection_lives_on() {
    let fixture = Fixture::new();
    let _server = fixture.serve();
    let mut client = fixture.connect();
    let long = [&[b'x'; MAX_REQUEST_BYTES + 1][..], b"\n"].concat();
    let bad: [(&[u8], &str); 6] = [
        (b"hello\n", "not JSON"),
        (b"\n", "not JSON"),
        (b"{\"dance\":{}}\n", "there is no request"),
        (b"\xc3\x28\n", "not UTF-8"),
        (b"\0\0\0\n", "not JSON"),
        (&long, "longer than 64 KiB"),
    ];
    for (line, words) in bad {
        let sentence = client.send(line).error();
        assert!(sentence.contains(words) && sentence.contains("{\"status\":{}}"), "{sentence}");
        assert!(is_status(&client.send(ASK).reply()), "after {words}");
    }
    // Three in one piece, one in pieces, one that ends with the connection.
    client.send(b"{\"status\":{}}\nx\n{\"status\":{}}\n");
    assert!(is_status(&client.reply()));
    client.error();
    assert!(is_status(&client.reply()));
    for piece in ASK.chunks(3) {
        client.send(piece);
        thread::sleep(Duration::from_millis(2));
    }
    assert!(is_status(&client.reply()));
    client.send(ASK.trim_ascii_end()).to.shutdown(std::net::Shutdown::Write).unwrap();
    assert!(is_status(&client.reply()) && client.is_let_go());
}

#[test]
fn half_a_line_is_waited_for_five_seconds_while_others_are_served() {
    let fixture = Fixture::new();
    let _server = fixture.serve();
    let (mut slow, mut silent, mut quick) =
        (fixture.connect(), fixture.connect(), fixture.connect());
    let begun = Instant::now();
    slow.send(b"{\"status\"");
    let (mut served, mut line) = (0, String::new());
    slow.to.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    // A byte now and then is no way to stay.
    while slow.from.read_line(&mut line).is_err() {
        assert!(begun.elapsed() < PATIENCE, "it was waited for on and on");
        let _ = slow.to.write_all(b" ");
        assert!(is_status(&quick.send(ASK).reply()));
        served += 1;
    }
    assert!(begun.elapsed() >= Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(served > 1);
    let Reply::Error(sentence) = serde_json::from_str(&line).unwrap() else { panic!("{line}") };
    assert!(sentence.contains("within 5 seconds"), "{sentence}");
    assert!(slow.is_let_go());
    assert!(is_status(&silent.send(ASK).reply()), "who is silent may stay");
}

#[test]
fn for_one_client_too_many_the_idlest_is_let_go() {
    let fixture = Fixture::new();
    let _server = fixture.serve();
    let mut all: Vec<Client> = (0..MAX_CLIENTS).map(|_| fixture.connect()).collect();
    for client in &mut all {
        assert!(is_status(&client.send(ASK).reply()));
    }
    // The first speaks again, so that the second has been silent for longest.
    assert!(is_status(&all[0].send(ASK).reply()));
    let mut one_more = fixture.connect();
    assert!(is_status(&one_more.send(ASK).reply()));
    let sentence = all[1].error();
    assert!(sentence.contains("connect again") && all[1].is_let_go(), "{sentence}");
    all.remove(1);
    for client in &mut all {
        assert!(is_status(&client.send(ASK).reply()));
    }
    // The client of our own, which speaks first, among many that say nothing at all.
    let _silent: Vec<Client> = (0..50).map(|_| fixture.connect()).collect();
    for _ in 0..20 {
        assert!(is_status(&ask(&fixture.path, &Request::Status {}).unwrap()));
        assert!(is_status(&ask(&fixture.path, &Request::Pause {}).unwrap()));
    }
}

/// Who waits for a reply is never let go; a pause finds a place all the same.
#[test]
fn a_pause_finds_a_place_where_all_wait_for_replies() {
    let fixture = Fixture::new();
    let (tell, told) = mpsc::channel();
    let answer = move |request, replier: Replier| match request {
        Request::Next { .. } => tell.send(replier).unwrap(),
        _ => replier.reply(Reply::Ok(Answer::Done {})),
    };
    let _server = Server::start(&fixture.path, Box::new(answer)).unwrap();
    let mut all: Vec<Client> = (0..MAX_CLIENTS).map(|_| fixture.connect()).collect();
    let held: Vec<Replier> = all
        .iter_mut()
        .map(|client| {
            client.send(b"{\"next\":{}}\n");
            told.recv().unwrap()
        })
        .collect();
    // Those who say nothing take no place from it either.
    let _silent: Vec<Client> = (0..40).map(|_| fixture.connect()).collect();
    for _ in 0..20 {
        let reply = ask(&fixture.path, &Request::Pause {}).unwrap();
        assert_eq!(reply, Reply::Ok(Answer::Done {}));
    }
    let reply = ask(&fixture.path, &Request::Status {}).unwrap();
    assert!(matches!(reply, Reply::Error(sentence) if sentence.contains("32 programs")));
    for (client, replier) in all.iter_mut().zip(held) {
        replier.reply(Reply::Error("its own".into()));
        assert_eq!(client.reply(), Reply::Error("its own".into()));
    }
}

/// A pause is done, however many requests of the same connection wait; its reply keeps its place.
#[test]
fn a_pause_overtakes_the_requests_before_it() {
    let fixture = Fixture::new();
    let (tell, told) = mpsc::channel();
    let (say_paused, paused) = mpsc::channel();
    let answer = move |request, replier: Replier| match request {
        Request::Next { .. } => tell.send(replier).unwrap(),
        _ => {
            say_paused.send(()).unwrap();
            replier.reply(Reply::Ok(Answer::Done {}));
        }
    };
    let _server = Server::start(&fixture.path, Box::new(answer)).unwrap();
    let mut client = fixture.connect();
    client.send(&b"{\"next\":{}}\n".repeat(40)).send(b"{\"pause\":{}}\n");
    paused.recv_timeout(PATIENCE).unwrap();
    for replier in told.try_iter().collect::<Vec<_>>() {
        replier.reply(Reply::Ok(Answer::Done {}));
    }
    let replies: Vec<Reply> = (0..41).map(|_| client.reply()).collect();
    let is_done = |reply: &Reply| *reply == Reply::Ok(Answer::Done {});
    assert!(replies[..32].iter().all(is_done) && is_done(&replies[40]));
    assert!(replies[32..40].iter().all(|reply| matches!(reply, Reply::Error(_))));
}

/// Another user can lock the folder of the socket for ever.
#[test]
fn a_locked_folder_is_told_and_not_waited_for() {
    let fixture = Fixture::new();
    let folder = fs::File::open(fixture.path.parent().unwrap()).unwrap();
    rustix::fs::flock(&folder, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let error = Server::start(&fixture.path, Box::new(done)).unwrap_err();
    assert!(matches!(error, ControlError::Locked { .. }), "{error}");
    assert!(error.to_string().contains("--socket PATH"), "{error}");
    drop(folder);
    drop(fixture.serve());
    // A pipe in the place of the folder.
    let pipe = fixture.path.with_file_name("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let error = Server::start(&pipe.join("socket"), Box::new(done)).unwrap_err();
    assert!(matches!(error, ControlError::Unusable { .. }), "{error}");
}

/// A daemon that stands still lets nobody in any more when its queue is full.
#[test]
fn a_daemon_that_lets_nobody_in_is_told() {
    let fixture = Fixture::new();
    let _hangs = UnixListener::bind(&fixture.path).unwrap();
    let address = rustix::net::SocketAddrUnix::new(&fixture.path).unwrap();
    let full = (0..10_000).find_map(|_| {
        use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with};
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).unwrap();
        let refused = connect(&socket, &address).err();
        std::mem::forget(socket);
        refused
    });
    assert_eq!(full, Some(rustix::io::Errno::AGAIN));
    let error = ask(&fixture.path, &Request::Status {}).unwrap_err();
    assert!(matches!(error, ControlError::NoAnswer { .. }), "{error}");
}

/// What answers at a socket need not be greenroom, and greenroom tells of files and programs with names of any kind.
#[test]
fn replies_command_no_terminal() {
    let fixture = Fixture::new();
    let hostile = "\x1b[2J\nroot# \u{9b}31m\u{202e}\r";
    let answer = move |request, replier: Replier| {
        replier.reply(match request {
            Request::Status {} => Reply::Ok(Answer::Status(Box::new(Status {
                version: hostile.into(),
                camera: CameraStatus { name: Some(hostile.into()), ..Default::default() },
                ..Default::default()
            }))),
            _ => Reply::Error(hostile.into()),
        });
    };
    let _server = Server::start(&fixture.path, Box::new(answer)).unwrap();
    let is_shown =
        |text: &str| text.chars().all(|c| c == '\n' || greenroom_device::is_printable(c));
    let text = String::from_utf8(greenroom(&fixture.path, &[]).stdout).unwrap();
    assert!(is_shown(&text) && text.contains("\\u{1b}[2J\\nroot# "), "{text:?}");
    assert!(text.lines().all(|line| !line.starts_with("root#")), "{text}");
    let json = String::from_utf8(greenroom(&fixture.path, &["--json"]).stdout).unwrap();
    assert!(is_shown(&json), "{json:?}");
    let status: Status = serde_json::from_str(&json).unwrap();
    assert_eq!(status.camera.name.as_deref(), Some(hostile));
    let mut next = Command::new(env!("CARGO_BIN_EXE_greenroom"));
    let said = next.arg("next").arg("--socket").arg(&fixture.path).output().unwrap().stderr;
    let said = String::from_utf8(said).unwrap();
    assert!(is_shown(&said) && said.lines().count() == 1, "{said:?}");
    // On the wire, too.
    let mut client = fixture.connect();
    client.send(b"{\"next\":{}}\n");
    let mut line = String::new();
    client.from.read_line(&mut line).unwrap();
    assert!(is_shown(&line), "{line:?}");
}

#[test]
fn who_reads_no_answers_is_let_go() {
    let fixture = Fixture::new();
    let _server = fixture.serve();
    let mut deaf = fixture.connect();
    deaf.to.set_write_timeout(Some(PATIENCE)).unwrap();
    let refused = (0..100_000).find_map(|_| deaf.to.write_all(ASK).err());
    let kind = refused.map(|error| error.kind());
    assert!(matches!(kind, Some(ErrorKind::BrokenPipe | ErrorKind::ConnectionReset)), "{kind:?}");
    assert!(is_status(&fixture.connect().send(ASK).reply()));
}

#[test]
fn a_request_that_panics_is_answered_and_the_next_is_too() {
    let fixture = Fixture::new();
    let mut asked = 0;
    let answer = move |_, replier: Replier| {
        asked += 1;
        assert!(asked > 1, "the first one fails");
        replier.reply(Reply::Ok(Answer::Done {}));
    };
    let _server = Server::start(&fixture.path, Box::new(answer)).unwrap();
    let mut client = fixture.connect();
    assert!(client.send(ASK).error().contains("our bug"));
    assert_eq!(client.send(ASK).reply(), Reply::Ok(Answer::Done {}));
}

#[test]
fn what_takes_long_holds_up_nobody_else_and_replies_keep_their_order() {
    let fixture = Fixture::new();
    let (tell, told) = mpsc::channel();
    let answer = move |request, replier: Replier| match request {
        Request::Next { .. } => tell.send(replier).unwrap(),
        _ => replier.reply(Reply::Ok(Answer::Done {})),
    };
    let _server = Server::start(&fixture.path, Box::new(answer)).unwrap();
    let mut slow = fixture.connect();
    slow.send(b"{\"next\":{}}\n{\"pause\":{}}\n{\"next\":{}}\n");
    let (first, third) = (told.recv().unwrap(), told.recv().unwrap());
    // Another client is served meanwhile.
    assert_eq!(fixture.connect().send(b"{\"resume\":{}}\n").reply(), Reply::Ok(Answer::Done {}));
    third.reply(Reply::Error("third".into()));
    thread::sleep(Duration::from_millis(50));
    first.reply(Reply::Error("first".into()));
    assert_eq!(slow.reply(), Reply::Error("first".into()));
    assert_eq!(slow.reply(), Reply::Ok(Answer::Done {}));
    assert_eq!(slow.reply(), Reply::Error("third".into()));
    // A request that is dropped is answered all the same; a client that has gone harms nobody.
    slow.send(b"{\"next\":{}}\n");
    drop(told.recv().unwrap());
    assert!(slow.error().contains("our bug"));
    slow.send(b"{\"next\":{}}\n");
    let late = told.recv().unwrap();
    drop(slow);
    late.reply(Reply::Ok(Answer::Done {}));
    assert_eq!(fixture.connect().send(b"{\"pause\":{}}\n").reply(), Reply::Ok(Answer::Done {}));
}

/// Whoever has nothing more to say waits for the reply all the same; whoever closes the connection does
/// not; and whoever had closed it before the request was read never meant to.
#[test]
fn it_is_known_who_has_gone_without_a_reply() {
    let fixture = Fixture::new();
    let (tell, told) = mpsc::channel();
    let (go_on, waits) = mpsc::channel::<()>();
    let answer = move |request, replier: Replier| {
        if request == (Request::Pause {}) {
            waits.recv().unwrap();
            return replier.reply(Reply::Ok(Answer::Done {}));
        }
        tell.send(replier).unwrap();
    };
    let _server = Server::start(&fixture.path, Box::new(answer)).unwrap();
    let mut client = fixture.connect();
    client.send(b"{\"next\":{}}\n");
    let replier = told.recv().unwrap();
    let watch = replier.watch();
    assert!(!watch.is_abandoned());
    client.to.shutdown(std::net::Shutdown::Write).unwrap();
    assert!(!watch.is_abandoned());
    drop(client);
    assert!(watch.is_abandoned());
    replier.reply(Reply::Ok(Answer::Done {}));

    let mut blocking = fixture.connect();
    blocking.send(b"{\"pause\":{}}\n");
    fixture.connect().send(b"{\"next\":{}}\n");
    go_on.send(()).unwrap();
    assert!(!told.recv().unwrap().watch().is_abandoned());
}

#[test]
fn the_socket_is_private_and_goes_with_its_server() {
    let fixture = Fixture::new();
    let server = fixture.serve();
    let made = fs::symlink_metadata(&fixture.path).unwrap();
    assert_eq!(made.permissions().mode() & 0o7777, 0o600);
    drop(server);
    assert!(!fixture.path.exists());

    // Another one in its place is left alone.
    let server = fixture.serve();
    fs::remove_file(&fixture.path).unwrap();
    let other = UnixListener::bind(&fixture.path).unwrap();
    drop(server);
    assert!(fixture.path.exists());
    drop(other);
}

#[test]
fn a_dead_socket_is_replaced_and_a_living_one_is_not() {
    let fixture = Fixture::new();
    // What a killed daemon leaves.
    drop(UnixListener::bind(&fixture.path).unwrap());
    let dead = fs::symlink_metadata(&fixture.path).unwrap();
    let server = fixture.serve();
    assert_ne!(fs::symlink_metadata(&fixture.path).unwrap().ctime_nsec(), dead.ctime_nsec());
    assert_eq!(fs::symlink_metadata(&fixture.path).unwrap().mode() & 0o777, 0o600);

    let second = Server::start(&fixture.path, Box::new(done));
    let error = second.unwrap_err();
    let pid = std::process::id();
    assert!(matches!(error, ControlError::AlreadyRunning { pid: Some(at) } if at == pid));
    assert!(error.to_string().contains(&format!("(pid {pid})")), "{error}");
    assert!(is_status(&ask(&fixture.path, &Request::Status {}).unwrap()), "the first lives on");
    drop(server);
    drop(fixture.serve());
}

#[test]
fn of_many_that_start_at_once_on_a_dead_socket_one_wins() {
    for _ in 0..30 {
        let fixture = Fixture::new();
        drop(UnixListener::bind(&fixture.path).unwrap());
        let start = || Server::start(&fixture.path, Box::new(done));
        let started: Vec<_> = thread::scope(|scope| {
            let racers: Vec<_> = (0..6).map(|_| scope.spawn(start)).collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).collect()
        });
        assert_eq!(started.iter().filter(|server| server.is_ok()).count(), 1);
        let reply = ask(&fixture.path, &Request::Status {}).unwrap();
        assert_eq!(reply, Reply::Ok(Answer::Done {}), "the winner is the one at the path");
    }
}

#[test]
fn what_is_no_socket_is_left_alone() {
    let fixture = Fixture::new();
    fs::write(&fixture.path, "precious").unwrap();
    let start = |path: &Path| {
        let error = Server::start(path, Box::new(done)).unwrap_err();
        let sentence = error.to_string();
        assert!(sentence.contains("--socket PATH") && !sentence.contains('\n'), "{sentence}");
        // `main` prints the sources behind a sentence, too.
        assert!(std::error::Error::source(&error).is_none(), "told twice: {sentence}");
        error
    };
    assert!(matches!(start(&fixture.path), ControlError::NotASocket { .. }));
    assert_eq!(fs::read(&fixture.path).unwrap(), b"precious");
    let nowhere = fixture.path.with_file_name("no-such-folder/greenroom.sock");
    assert!(matches!(start(&nowhere), ControlError::Unusable { .. }));
    let long = fixture.path.with_file_name("x".repeat(200));
    assert!(matches!(start(&long), ControlError::Unusable { .. }));
}

#[test]
fn a_daemon_that_hangs_is_told_after_ten_seconds() {
    let fixture = Fixture::new();
    let _hangs = UnixListener::bind(&fixture.path).unwrap();
    let begun = Instant::now();
    let error = ask(&fixture.path, &Request::Status {}).unwrap_err();
    assert!(matches!(error, ControlError::NoAnswer { .. }), "{error}");
    assert!(begun.elapsed() >= Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn silent_clients_wake_nobody_and_leave_nothing_behind() {
    let fixture = Fixture::new();
    let (tell, told) = mpsc::channel();
    let answer = move |_, replier: Replier| {
        tell.send(fs::read_link("/proc/thread-self").unwrap()).unwrap();
        replier.reply(Reply::Ok(Answer::Done {}));
    };
    let _server = Server::start(&fixture.path, Box::new(answer)).unwrap();
    let mut silent: Vec<Client> = (0..4).map(|_| fixture.connect()).collect();
    silent.iter_mut().for_each(|client| drop(client.send(ASK).reply()));
    let status = Path::new("/proc").join(told.recv().unwrap()).join("status");
    let switches = || {
        let status = fs::read_to_string(&status).unwrap();
        assert!(status.starts_with("Name:\tcontrol\n"), "{status}");
        let counts = status.lines().filter(|line| line.contains("ctxt_switches"));
        counts.map(|line| line.rsplit('\t').next().unwrap().parse::<u64>().unwrap()).sum::<u64>()
    };
    // The last reply may still be under way.
    let begun = Instant::now();
    let is_quiet = || {
        let before = switches();
        thread::sleep(Duration::from_secs(2));
        switches() == before
    };
    while !is_quiet() {
        assert!(begun.elapsed() < PATIENCE, "it is woken again and again");
    }

    let descriptors = || fs::read_dir("/proc/self/fd").unwrap().count();
    let before = descriptors();
    for _ in 0..2000 {
        ask(&fixture.path, &Request::Status {}).unwrap();
        told.recv().unwrap();
    }
    // Other tests of this process come and go beside this one.
    assert!(descriptors() < before + 200);
}
