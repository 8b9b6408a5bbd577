//! The binary: its options, its words, its end.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use image::ImageFormat;
use tempfile::TempDir;

use crate::http::{Client, PATIENCE, post};
use crate::pictures::{flat, halves, photo};

/// A running `greenroom serve-masks`.
pub struct Program {
    _home: TempDir,
    child: Child,
    pub address: SocketAddr,
    log: Arc<Mutex<String>>,
    /// Reads the log to its end.
    reader: Option<JoinHandle<()>>,
}

fn command(home: &TempDir, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
    command.arg("serve-masks").args(args).env("XDG_CONFIG_HOME", home.path());
    for name in ["GREENROOM_LOG", "GREENROOM_MODEL", "GREENROOM_LISTEN", "GREENROOM_CONFIG"] {
        command.env_remove(name);
    }
    command
}

impl Program {
    pub fn start(args: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = command(&home, args);
        if !args.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = String::new();
        let address = loop {
            let line = lines.next().expect("it ended before it listened").unwrap();
            said += &format!("{line}\n");
            if let Some((_, rest)) = line.split_once("listening at ") {
                break rest.split(',').next().unwrap().parse().unwrap();
            }
        };
        let log = Arc::new(Mutex::new(said));
        let into = Arc::clone(&log);
        let reader = thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                *into.lock().unwrap() += &format!("{line}\n");
            }
        });
        Self { _home: home, child, address, log, reader: Some(reader) }
    }

    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    fn proc(&self, name: &str) -> String {
        format!("/proc/{}/{name}", self.child.id())
    }

    /// A number of `/proc/PID/status`.
    pub fn status(&self, key: &str) -> u64 {
        let status = std::fs::read_to_string(self.proc("status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
        line.trim_matches([':', '\t', ' ', 'k', 'B']).parse().unwrap()
    }

    pub fn descriptors(&self) -> usize {
        std::fs::read_dir(self.proc("fd")).unwrap().count()
    }

    /// Sends a signal; how it ended. The log is whole then.
    fn end(&mut self, signal: &str) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        let code = self.child.wait().unwrap().code();
        self.reader.take().into_iter().for_each(|reader| reader.join().unwrap());
        code
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn failed(args: &[&str]) -> (i32, String) {
    let home = tempfile::tempdir().unwrap();
    let Output { status, stderr, .. } = command(&home, args).output().unwrap();
    (status.code().unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn it_ends_at_once_whatever_its_clients_do() {
    for signal in ["-TERM", "-INT"] {
        let mut program = Program::start(&[]);
        let mut idle = Client::new(program.address);
        assert_eq!(idle.post(&photo()).status, 200);
        let mut slow = Client::new(program.address);
        slow.send(b"POST / HTTP/1.1\r\nContent-Length: 500\r\n\r\nabc");
        let mut large = Client::new(program.address);
        large.send(&post(&flat(4000, 4000, ImageFormat::Png)));
        thread::sleep(Duration::from_millis(100));
        // No client is waited for: they would stay for a minute and more.
        let since = Instant::now();
        assert_eq!(program.end(signal), Some(0), "{}", program.log());
        assert!(since.elapsed() < Duration::from_secs(50), "{:?}", since.elapsed());
        assert!(program.log().contains("mask server: stopped"));
        // The place is free again, at once.
        drop(TcpListener::bind(program.address).unwrap());
    }
}

#[test]
fn what_the_user_has_to_mend_is_one_sentence_and_a_2() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (args, part) in [
        (["--listen", &taken], "another program listens"),
        (["--listen", ":9000"], "is not an address"),
        (["--listen", "192.0.2.7:9000"], "no address of this machine"),
        (["--model", "none-such"], "no model and no file"),
        (["--config", "/nowhere/at/all.toml"], "/nowhere/at/all.toml"),
    ] {
        let (code, said) = failed(&args);
        assert_eq!(code, 2, "{said}");
        assert!(said.contains(part) && said.lines().count() == 1, "{said}");
    }
}

#[test]
fn who_listens_to_all_the_world_is_warned() {
    let open = Program::start(&["--listen", "0.0.0.0:0", "--model", "landscape"]);
    let wait = Instant::now();
    while !open.log().contains("pictures travel unencrypted") {
        assert!(wait.elapsed() < PATIENCE, "{}", open.log());
        thread::sleep(Duration::from_millis(20));
    }
    assert!(open.log().contains("model selfie-landscape"), "{}", open.log());
    let near = SocketAddr::from(([127, 0, 0, 1], open.address.port()));
    assert_eq!(Client::new(near).post(&halves(64, 48, ImageFormat::Png)).status, 200);
    let closed = Program::start(&["--listen", "localhost:0"]);
    assert_eq!(Client::new(closed.address).post(&halves(64, 48, ImageFormat::Png)).status, 200);
    assert!(!closed.log().contains("unencrypted"), "{}", closed.log());
}

#[test]
fn the_configuration_names_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, "model = \"landscape\"\n").unwrap();
    let path = path.to_str().unwrap();
    let program = Program::start(&["--config", path]);
    assert!(program.log().contains("selfie-landscape"), "{}", program.log());
    let program = Program::start(&["--config", path, "--model", "general"]);
    assert!(program.log().contains("selfie-general"), "{}", program.log());
}

#[test]
fn ten_clients_at_once_get_the_masks_that_one_gets() {
    let program = Program::start(&[]);
    let pictures = [photo(), halves(640, 360, ImageFormat::Jpeg), flat(99, 77, ImageFormat::Png)];
    let mut alone = Client::new(program.address);
    let wanted: Vec<_> = pictures.iter().map(|picture| alone.post(picture).body).collect();
    assert!(wanted[0].contains(&1) && wanted[0].contains(&0), "there is a man in the photo");
    thread::scope(|scope| {
        for nth in 0..10 {
            let (pictures, wanted, at) = (&pictures, &wanted, program.address);
            scope.spawn(move || {
                // As the old client does it: a connection for each picture.
                for round in nth..nth + 6 {
                    let which = round % pictures.len();
                    let answer = Client::new(at).post(&pictures[which]);
                    assert!(answer.body == wanted[which], "client {nth}, picture {which}");
                }
            });
        }
    });
}
