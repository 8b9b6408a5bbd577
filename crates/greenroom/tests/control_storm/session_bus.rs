//! The session bus as a program of greenroom's kind uses it: with zbus.

use std::fs::{self, File};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use zbus::blocking::Connection;
use zbus::blocking::connection::Builder;
use zbus::message::Message;

use crate::air::bus::{Bus, NAME, PATH};
use crate::air::{Air, PATIENCE, Stderr, greenroom_heard_by};

pub const OUTPUT_PATH: &str = "/org/greenroom/Greenroom1/outputs/0";
pub const OUTPUT: &str = "org.greenroom.Greenroom1.Output";
pub const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

pub fn connect(bus: &Bus) -> Connection {
    let builder = Builder::address(bus.address().as_str()).unwrap();
    builder.method_timeout(PATIENCE).build().unwrap()
}

/// A greenroom on `bus` that shows `background`, once it has its name. Its memory is all of one arena, so that what it keeps
/// does not hang on which of its threads was asked.
pub fn on_air(bus: &Bus, background: &str) -> Air {
    let folder = tempfile::tempdir().unwrap();
    let config = format!("[scenes.first]\nbackground = '{background}'\n");
    fs::write(folder.path().join("config.toml"), config).unwrap();
    let args = ["--camera", "room.mkv", "--model", "landscape", "--output", "-"];
    let args = [&args[..], &["--config", "config.toml", "--scene", "first"]].concat();
    let address = bus.address();
    let variables = [("DBUS_SESSION_BUS_ADDRESS", &*address), ("MALLOC_ARENA_MAX", "1")];
    let air = Air::start(folder, &args, &variables);
    let connection = connect(bus);
    air.wait_until("a name on the bus", |_| version(&connection).is_ok());
    air
}

/// The version of the greenroom on the bus.
pub fn version(connection: &Connection) -> zbus::Result<Message> {
    connection.call_method(Some(NAME), PATH, Some(PROPERTIES), "Get", &(NAME, "Version"))
}

/// A greenroom of which nothing is read. It ends with the test.
pub struct Daemon {
    pub folder: TempDir,
    child: Child,
}

impl Daemon {
    /// With the demo as its camera and that output, once it has its name on `bus`.
    pub fn start(bus: &Bus, output: &str, size: &str, stdout: Stdio) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let mut command = greenroom_heard_by(Stderr::To(log.into()));
        command.args(["run", "--camera", "demo", "--model", "landscape", "--socket", "socket"]);
        command.args(["--output", output, "--size", size]).env_remove("GREENROOM_LOG");
        // The configuration of whoever runs the tests is none of ours.
        command.env("XDG_CONFIG_HOME", folder.path());
        command.env("DBUS_SESSION_BUS_ADDRESS", bus.address()).current_dir(&folder);
        let daemon = Self { child: command.stdout(stdout).spawn().unwrap(), folder };
        let (connection, begun) = (connect(bus), Instant::now());
        while version(&connection).is_err() {
            let log = fs::read_to_string(daemon.folder.path().join("log")).unwrap();
            assert!(begun.elapsed() < PATIENCE, "no name on the bus: {log}");
            thread::sleep(Duration::from_millis(20));
        }
        daemon
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
