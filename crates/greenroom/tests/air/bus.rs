//! A private session bus for a test, called with systemd's busctl.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Instant;

use tempfile::TempDir;

use super::Air;

pub const NAME: &str = "org.greenroom.Greenroom1";
pub const PATH: &str = "/org/greenroom/Greenroom1";
pub const ROOT: [&str; 3] = [NAME, PATH, NAME];
pub const OUTPUT: [&str; 3] =
    [NAME, "/org/greenroom/Greenroom1/outputs/0", "org.greenroom.Greenroom1.Output"];

/// A private session bus.
pub struct Bus {
    pub folder: TempDir,
    daemon: Child,
}

impl Bus {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("services")).unwrap();
        let daemon = daemon(&folder);
        Self { folder, daemon }
    }

    pub fn kill(&mut self) {
        self.daemon.kill().unwrap();
        self.daemon.wait().unwrap();
        let _ = fs::remove_file(self.folder.path().join("bus"));
    }

    pub fn start_again(&mut self) {
        self.daemon = daemon(&self.folder);
    }

    pub fn address(&self) -> String {
        format!("unix:path={}", self.folder.path().join("bus").display())
    }

    pub fn busctl(&self) -> Command {
        let mut command = Command::new("busctl");
        command.args(["--user", "--timeout=100"]);
        command.env("DBUS_SESSION_BUS_ADDRESS", self.address());
        command
    }

    pub fn ask(&self, verb: &str, of: [&str; 3], args: &[&str]) -> Output {
        self.busctl().arg(verb).args(of).args(args).output().unwrap()
    }

    /// The output of a successful busctl call.
    pub fn get(&self, verb: &str, of: [&str; 3], args: &[&str]) -> String {
        let answer = self.ask(verb, of, args);
        assert!(answer.status.success(), "{verb} {args:?}: {answer:?}");
        String::from_utf8(answer.stdout).unwrap().trim_end().to_owned()
    }

    pub fn property(&self, of: [&str; 3], name: &str) -> String {
        self.get("get-property", of, &[name])
    }

    /// The error of a failed busctl call.
    pub fn refusal(&self, verb: &str, of: [&str; 3], args: &[&str]) -> String {
        let answer = self.ask(verb, of, args);
        assert!(!answer.status.success(), "{verb} {args:?}: {answer:?}");
        String::from_utf8(answer.stderr).unwrap()
    }

    /// Waits until greenroom has its name on the bus.
    pub fn wait(&self, air: &Air) {
        air.wait_until("a name on the bus", |_| {
            self.ask("get-property", ROOT, &["Version"]).status.success()
        });
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

fn daemon(folder: &TempDir) -> Child {
    let at = |name: &str| folder.path().join(name).display().to_string();
    let config = format!(
        "<busconfig><type>session</type><listen>unix:path={}</listen><servicedir>{}</servicedir>\
         <policy context='default'><allow send_destination='*' eavesdrop='true'/><allow eavesdrop='true'/>\
         <allow own='*'/></policy></busconfig>",
        at("bus"),
        at("services")
    );
    fs::write(at("bus.conf"), config).unwrap();
    let mut command = Command::new("dbus-daemon");
    command.args(["--nofork", "--print-address", "--config-file", &at("bus.conf")]);
    let mut daemon = command.stdout(Stdio::piped()).spawn().unwrap();
    // The daemon prints its address when it is listening.
    let mut address = String::new();
    BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut address).unwrap();
    assert!(address.starts_with("unix:path="), "{address}");
    daemon
}

/// The lines that a program prints, each with the time when it was read.
pub fn lines(from: impl Read + Send + 'static) -> Receiver<(Instant, String)> {
    let (send, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if send.send((Instant::now(), line)).is_err() {
                break;
            }
        }
    });
    lines
}
