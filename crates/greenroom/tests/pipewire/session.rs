//! A session of its own: D-Bus, PipeWire and WirePlumber in a folder that nothing else uses.

use std::fs::{self, File};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Longest wait for something that comes soon on any machine, however slow or busy.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until `is_true`.
pub fn wait_until(what: &str, mut is_true: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_true() {
        assert!(Instant::now() < deadline, "never {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Where a session is, for its programs.
#[derive(Debug, Clone)]
pub struct Place {
    folder: PathBuf,
    address: String,
}

/// One session at a time: all readers of a test are in this process, and libpipewire keeps things for a whole process.
static ALONE: Mutex<()> = Mutex::new(());

pub struct Session {
    /// Deleted at the end.
    _folder: TempDir,
    place: Place,
    bus: Child,
    pipewire: Option<Child>,
    wireplumber: Option<Child>,
    portal: Vec<Child>,
    _alone: MutexGuard<'static, ()>,
}

impl Session {
    /// With a bus alone.
    pub fn new() -> Self {
        // A test that has failed leaves nothing behind that matters.
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bus");
        let address = format!("unix:path={}", path.display());
        let place = Place { folder: folder.path().to_owned(), address: address.clone() };
        // What it starts is of this session, too.
        let mut bus = place.command("dbus-daemon");
        bus.args(["--session", "--nofork", "--address", &address]);
        let bus = bus.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let bus = bus.expect("dbus-daemon is needed: install dbus");
        wait_until("a bus", || path.exists());
        Self {
            _folder: folder,
            place,
            bus,
            pipewire: None,
            wireplumber: None,
            portal: Vec::new(),
            _alone: alone,
        }
    }

    /// With PipeWire and WirePlumber.
    pub fn with_pipewire() -> Self {
        let mut session = Self::new();
        session.start_pipewire();
        session.start_wireplumber();
        session
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.place.at(name)
    }

    pub fn socket(&self) -> PathBuf {
        self.at("pipewire-0")
    }

    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        self.place.command(program)
    }

    /// Nodes and links that PipeWire has, as `pw-dump` tells.
    pub fn objects(&self, kind: &str) -> Vec<serde_json::Value> {
        let dump = self.command("pw-dump").output().expect("install pipewire-bin");
        let all: serde_json::Value = serde_json::from_slice(&dump.stdout).unwrap_or_default();
        let all = all.as_array().cloned().unwrap_or_default();
        all.into_iter().filter(|object| object["type"] == kind).collect()
    }

    /// The number of links at the camera called `name`.
    pub fn links_of(&self, name: &str) -> usize {
        let nodes = self.objects("PipeWire:Interface:Node");
        let node = nodes.iter().find(|node| node["info"]["props"]["node.name"] == name);
        let Some(node) = node else { return 0 };
        let links = self.objects("PipeWire:Interface:Link");
        links.iter().filter(|link| link["info"]["output-node-id"] == node["id"]).count()
    }

    fn daemon(&self, program: &str) -> Child {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.at(&format!("{program}.log")))
            .unwrap();
        let mut command = self.command(program);
        command.stdout(log.try_clone().unwrap()).stderr(log);
        command.spawn().unwrap_or_else(|_| panic!("{program} is needed: install it"))
    }

    pub fn start_pipewire(&mut self) {
        self.pipewire = Some(self.daemon("pipewire"));
        // One that was killed leaves its socket behind, and WirePlumber ends where nobody listens at that.
        wait_until("PipeWire", || UnixStream::connect(self.socket()).is_ok());
    }

    /// Has the next PipeWire refuse `program`; `None` lets all programs in again. False if it cannot: PipeWire 1.x has no list
    /// of programs any more.
    pub fn refuse(&self, program: Option<&str>) -> bool {
        let usual = fs::read_to_string("/usr/share/pipewire/pipewire.conf").unwrap();
        let rule = "#access.rejected = [ ]";
        let refused = program.map(|program| format!("access.rejected = [ {program} ]"));
        let config = refused.map_or(usual.clone(), |refused| usual.replace(rule, &refused));
        fs::create_dir_all(self.at("pipewire")).unwrap();
        fs::write(self.at("pipewire/pipewire.conf"), config).unwrap();
        usual.contains(rule)
    }

    pub fn start_wireplumber(&mut self) {
        self.wireplumber = Some(self.daemon("wireplumber"));
    }

    /// The desktop's portal, with backends that answer yes to every question.
    pub fn start_portal(&mut self) {
        let folder = self.at("portals");
        fs::create_dir_all(&folder).unwrap();
        let interfaces = ["Access", "Lockdown", "ScreenCast"]
            .map(|name| format!("org.freedesktop.impl.portal.{name};"))
            .concat();
        let name = "org.freedesktop.impl.portal.desktop.stub";
        let stub = format!("[portal]\nDBusName={name}\nInterfaces={interfaces}\nUseIn=stub\n");
        fs::write(folder.join("stub.portal"), stub).unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/pipewire/portal.py");
        let mut backends = self.command("/usr/bin/python3");
        self.portal.push(backends.arg(script).spawn().expect("install python3"));
        self.wait_for_name(name);
        let mut portal = self.command("/usr/libexec/xdg-desktop-portal");
        // The bus may have started one that knows no backend.
        portal.arg("--replace");
        self.portal.push(portal.spawn().expect("install xdg-desktop-portal"));
        self.wait_for_name("org.freedesktop.portal.Desktop");
        let mut gdbus = self.command("gdbus");
        gdbus.args(["call", "--session", "--dest", "org.freedesktop.portal.Desktop"]);
        gdbus.args(["--object-path", "/org/freedesktop/portal/desktop", "--method"]);
        gdbus.args(["org.freedesktop.DBus.Properties.Get", "org.freedesktop.portal.ScreenCast"]);
        gdbus.arg("AvailableSourceTypes");
        wait_until("the portal's backend", || {
            let answer = gdbus.output().expect("install libglib2.0-bin");
            String::from_utf8_lossy(&answer.stdout).contains("uint32 7")
        });
    }

    /// The portal and its backends end.
    pub fn end_portal(&mut self) {
        self.portal.drain(..).for_each(|child| end(Some(child)));
    }

    /// Whether programs may use the camera, as if the user had been asked before.
    pub fn permit_camera(&self, answer: &str) {
        let store = "org.freedesktop.impl.portal.PermissionStore";
        let mut gdbus = self.command("gdbus");
        gdbus.args(["call", "--session", "--dest", store, "--object-path"]);
        gdbus.args(["/org/freedesktop/impl/portal/PermissionStore", "--method"]);
        gdbus.arg(format!("{store}.SetPermission")).args(["devices", "true", "camera", ""]);
        let done = gdbus.arg(format!("['{answer}']")).output().expect("install libglib2.0-bin");
        assert!(done.status.success(), "{done:?}");
    }

    fn wait_for_name(&self, name: &str) {
        let mut gdbus = self.command("gdbus");
        gdbus.args(["call", "--session", "--dest", "org.freedesktop.DBus", "--object-path"]);
        gdbus.args(["/org/freedesktop/DBus", "--method"]);
        gdbus.args(["org.freedesktop.DBus.NameHasOwner", name]);
        wait_until(name, || {
            let answer = gdbus.output().expect("install libglib2.0-bin");
            String::from_utf8_lossy(&answer.stdout).contains("true")
        });
    }

    pub fn kill_pipewire(&mut self) {
        end(self.pipewire.take());
    }

    pub fn kill_wireplumber(&mut self) {
        end(self.wireplumber.take());
    }
}

impl Place {
    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A program of this session.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        for name in ["XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"] {
            command.env(name, &self.folder);
        }
        command
            .env("XDG_DESKTOP_PORTAL_DIR", self.at("portals"))
            .env("XDG_CURRENT_DESKTOP", "stub");
        command.env("DBUS_SESSION_BUS_ADDRESS", &self.address).current_dir(&self.folder);
        for name in ["PIPEWIRE_REMOTE", "PIPEWIRE_RUNTIME_DIR", "GREENROOM_LOG"] {
            command.env_remove(name);
        }
        command.stdin(Stdio::null());
        command
    }
}

fn end(child: Option<Child>) {
    if let Some(mut child) = child {
        let _ = child.kill();
        let _ = child.wait();
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.end_portal();
        self.kill_wireplumber();
        self.kill_pipewire();
        let _ = self.bus.kill();
        let _ = self.bus.wait();
    }
}

/// What the tests show: a red background before a room that is blue.
const RED: &str = "#c81e1e";
const USUAL: [&str; 4] = ["--model", "landscape", "--idle-after", "1"];

/// A greenroom in a session.
pub struct Greenroom {
    place: Place,
    daemon: Child,
}

impl Greenroom {
    pub fn start(session: &Session, args: &[&str]) -> Self {
        Self::start_before(session, RED, args)
    }

    /// Before another background.
    pub fn start_before(session: &Session, background: &str, args: &[&str]) -> Self {
        let room = session.at("room.mkv");
        if !room.exists() {
            let source = "color=c=0x2040ff:s=320x180:r=30000/1001:d=2";
            let mut ffmpeg = Command::new("ffmpeg");
            ffmpeg.args(["-v", "error", "-f", "lavfi", "-i", source, "-c:v", "ffv1"]);
            ffmpeg.args(["-pix_fmt", "yuv420p"]).arg(&room);
            assert!(ffmpeg.status().unwrap().success());
        }
        Self::start_with(session, "room.mkv", background, args)
    }

    /// Waits until it answers.
    #[must_use]
    pub fn ready(self) -> Self {
        wait_until("greenroom", || self.status().is_object());
        self
    }

    /// With that camera.
    pub fn start_at(session: &Session, camera: &str, args: &[&str]) -> Self {
        Self::start_with(session, camera, RED, args)
    }

    fn start_with(session: &Session, camera: &str, background: &str, args: &[&str]) -> Self {
        let log = File::create(session.at("log")).unwrap();
        let mut command = session.command(env!("CARGO_BIN_EXE_greenroom"));
        command.args(["run", "--socket", "socket", "--camera", camera]);
        command.args(["--background", background]);
        command.args(USUAL).args(args).stderr(log);
        let daemon = command.stdout(Stdio::null()).spawn().unwrap();
        Self { place: session.place.clone(), daemon }
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.place.at("log")).unwrap()
    }

    pub fn ask(&self, args: &[&str]) -> std::process::Output {
        let mut command = self.place.command(env!("CARGO_BIN_EXE_greenroom"));
        command.args(args).args(["--socket", "socket"]).output().unwrap()
    }

    #[cfg(feature = "faults")]
    pub fn tell(&self, args: &[&str]) {
        let answer = self.ask(args);
        assert!(answer.status.success(), "{args:?}: {answer:?}");
    }

    /// Nothing before the daemon answers.
    pub fn status(&self) -> serde_json::Value {
        serde_json::from_slice(&self.ask(&["status", "--json"]).stdout).unwrap_or_default()
    }

    pub fn output(&self, at: usize) -> serde_json::Value {
        self.status()["outputs"][at].clone()
    }

    pub fn wait_for_state(&self, at: usize, state: &str) {
        let log = || self.log();
        let deadline = Instant::now() + PATIENCE;
        while self.output(at)["state"] != state {
            assert!(Instant::now() < deadline, "never {state}: {}\n{}", self.output(at), log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn wait_for_camera(&self, state: &str) {
        wait_until(state, || self.camera()["state"] == state);
    }

    pub fn camera(&self) -> serde_json::Value {
        self.status()["camera"].clone()
    }
}

impl Drop for Greenroom {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
        if thread::panicking() {
            eprintln!("{}", self.log());
        }
    }
}
