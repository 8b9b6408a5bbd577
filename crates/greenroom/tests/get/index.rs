//! Package indexes as pip asks them, on this machine.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use tempfile::TempDir;

use crate::PATIENCE;

/// A wheel with one member.
pub struct Wheel<'a> {
    pub package: &'a str,
    pub version: &'a str,
    pub member: &'a str,
    /// `file:PATH`, or `zeros:`, `random:` or `damaged:` with a number of bytes.
    pub bytes: String,
    pub tag: &'a str,
}

impl<'a> Wheel<'a> {
    /// One for any Python and machine.
    pub fn any(package: &'a str, version: &'a str, member: &'a str, bytes: &str) -> Self {
        Self { package, version, member, bytes: bytes.to_owned(), tag: "py3-none-any" }
    }

    fn file_name(&self) -> String {
        format!("{}-{}-{}.whl", self.package.replace('-', "_"), self.version, self.tag)
    }
}

/// Makes a wheel; its own description is what pip asks for.
const MAKE: &str = r#"
import os, sys, zipfile
path, package, version, member, held, tag = sys.argv[1:]
kind, said = held.split(":", 1)
info = f"{package.replace('-', '_')}-{version}.dist-info"
with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as wheel:
    if kind == "file":
        wheel.write(said, member)
    else:
        with wheel.open(zipfile.ZipInfo(member) if kind == "random" else member, "w") as file:
            for at in range(0, int(said), 1 << 20):
                size = min(1 << 20, int(said) - at)
                file.write(os.urandom(size) if kind == "random" else bytes(size))
    wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
    wheel.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
    wheel.writestr(f"{info}/RECORD", "")
if kind == "damaged":
    with open(path, "r+b") as file:
        file.seek(4000)
        file.write(b"damage" * 100)
"#;

/// An index of files with one package; gives its address.
pub fn file_index(wheel: &Wheel<'_>) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let package = folder.path().join("simple").join(wheel.package);
    fs::create_dir_all(&package).unwrap();
    let name = wheel.file_name();
    let mut make = Command::new("python3");
    make.args(["-c", MAKE]).arg(package.join(&name));
    make.args([wheel.package, wheel.version, wheel.member, &wheel.bytes, wheel.tag]);
    assert!(make.status().unwrap().success());
    let page = format!("<!DOCTYPE html><a href=\"{name}\">{name}</a>");
    fs::write(package.join("index.html"), page).unwrap();
    let address = format!("file://{}/simple", folder.path().display());
    (folder, address)
}

/// An index over HTTP that begins to send the one wheel it has, and never goes on.
pub struct StalledIndex {
    port: u16,
    stalled: Receiver<()>,
    left: Receiver<()>,
}

impl StalledIndex {
    pub fn start(package: &str, version: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let name = Wheel::any(package, version, "", "").file_name();
        let (tell_stalled, stalled) = channel();
        let (tell_left, left) = channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                serve(stream.unwrap(), &name, &tell_stalled, &tell_left);
            }
        });
        Self { port, stalled, left }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/simple", self.port)
    }

    /// Waits until the first part of the wheel has been sent.
    pub fn wait_until_stalled(&self) {
        self.stalled.recv_timeout(PATIENCE).unwrap();
    }

    /// Waits until the client has closed the connection.
    pub fn wait_until_left(&self) {
        self.left.recv_timeout(PATIENCE).unwrap();
    }
}

/// Answers the requests of one connection.
fn serve(mut stream: TcpStream, name: &str, stalled: &Sender<()>, left: &Sender<()>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    while let Some(Ok(request)) = lines.next() {
        // The headers, up to an empty line.
        lines.by_ref().map_while(Result::ok).find(String::is_empty);
        if !request.contains(".whl") {
            let page = format!("<!DOCTYPE html><a href=\"{name}\">{name}</a>");
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n",
                page.len()
            );
            stream.write_all((head + &page).as_bytes()).unwrap();
            continue;
        }
        let head =
            "HTTP/1.1 200 OK\r\nContent-Type: application/zip\r\nContent-Length: 14000000\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&[0; 1 << 20]).unwrap();
        stalled.send(()).unwrap();
        // Nothing more is asked on it, so that this waits for its end; a client that is killed resets it.
        let _ = stream.read(&mut [0]);
        let _ = left.send(());
        return;
    }
}
