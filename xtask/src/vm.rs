//! `cargo xtask vm SCRIPT`: a script as root in a guest with camera modules, on a machine that can load none.
//!
//! The guest is Debian's stock kernel under QEMU's software emulation (no KVM needed) on top of this machine's own
//! root, shared read-only over 9p below an overlay in memory. So programs, libraries and build results are simply
//! there, under the same paths, and whatever the script does to the machine is gone afterwards. Only `$OUT` comes
//! back: it is a real folder of the host, mounted writable under its own path.
//!
//! The host needs qemu-system-x86, busybox-static, cpio, kmod, gcc and make, and must be a Debian (apt, dpkg).
//!
//! Time in the guest: with one processor, which is the default, its clock counts instructions (two nanoseconds each), so
//! that how fast or busy the host is changes nothing that is measured there; while the guest waits, time passes as on the
//! host. What needs two processors at the same time says `--processors 2` and must not judge time.
//!
//! What a script finds: the modules loaded as the options say (or none, with `--no-load`), `modprobe` and `rmmod`
//! for all of the kernel's own and the chosen v4l2loopback, the caller's folder as its own, `$OUT`,
//! `$CARGO_TARGET_DIR`, `GREENROOM_VM=1`. There is no udev, so no `/dev/v4l/by-id`. Files of the host that change
//! while the guest runs may be seen old or new.
//!
//! With `--disk`, the guest is an installed system with systemd on a disk of its own: what must last over a restart. Its
//! modules are the host's all the same, at their usual place.
//!
//! Made once and kept in `target/vm`: the unpacked kernel (`kernel/`), and a tree of modules for each v4l2loopback
//! (`loopback/VERSION/`). A run's files are in `target/vm/runs/NAME/`. Remove `target/vm` to follow Debian to a
//! newer kernel.

mod apt;
mod guest;
mod kernel;
mod loopback;
mod qemu;
mod tools;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use self::guest::Job;
use self::loopback::Choice;
use crate::places::Places;

/// The command line of `cargo xtask vm`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// v4l2loopback in the guest: 0.12.7, 0.13.2, 0.15.0 or 0.15.4, as Debian ships them, or `none`
    #[arg(long, value_name = "VERSION", default_value = "0.12.7")]
    loopback: Choice,
    /// Options v4l2loopback is loaded with, quoted as for a shell
    #[arg(
        long,
        value_name = "OPTIONS",
        default_value = "video_nr=10,11 card_label='greenroom,mjpeg source' exclusive_caps=1,0 max_buffers=4"
    )]
    loopback_options: String,
    /// Options vivid (the kernel's test camera) is loaded with, quoted as for a shell
    #[arg(long, value_name = "OPTIONS", default_value = "n_devs=1 node_types=0x1 vid_cap_nr=0")]
    vivid_options: String,
    /// Load no camera module at all; the script calls modprobe itself
    #[arg(long)]
    no_load: bool,
    /// Boot the installed system on this disk image (tests/vm/debian makes one), with its own systemd; it is changed. The
    /// script is run at each boot, as a unit, and may reboot; the host's files are in /run/greenroom-vm/host
    #[arg(long, value_name = "IMAGE", conflicts_with_all = ["loopback_options", "vivid_options"])]
    disk: Option<PathBuf>,
    /// Keep what earlier runs of this script left in $OUT (it is emptied otherwise)
    #[arg(long)]
    keep: bool,
    /// Memory of the guest; three quarters of it can be filled with files
    #[arg(long, value_name = "N", default_value_t = 2048)]
    memory_mib: u32,
    /// Processors of the guest: with one its clock counts instructions and no speed of the host changes what it
    /// measures; with two, threads run at the same time and the clock is the host's
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    processors: u8,
    /// End the guest, with exit code 124, when it has used this much processor time of the host for each of its
    /// processors; a guest that only waits is ended after ten times as many seconds by the clock
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    timeout: u64,
    /// A script or program to run as root in the guest, in this folder
    script: PathBuf,
    /// Its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Boots the guest, runs the script, and gives back the script's own exit code.
pub fn run(places: &Places, arguments: Arguments) -> Result<ExitCode> {
    tools::require(tools::TO_RUN)?;
    let cache = places.target.join("vm");
    require_plain(&cache)?;
    fs::create_dir_all(&cache).with_context(|| format!("cannot make {}", cache.display()))?;

    let begun = Instant::now();
    let (kernel, modules) = {
        // One preparation at a time; another run waits here until the parts it needs are made.
        let _lock = lock(&cache.join("lock"))?;
        let kernel = kernel::prepare(&cache)?;
        let modules = loopback::prepare(&cache, &kernel, arguments.loopback)?;
        (kernel, modules)
    };
    let run_folder = RunFolder::take(&cache.join("runs"), &arguments)?;
    let job = Job {
        modprobes: modprobes(&arguments),
        script: arguments.script,
        arguments: arguments.arguments,
        folder: std::env::current_dir().context("the current folder is gone")?,
        target: places.target.clone(),
        installed: arguments.disk.is_some(),
    };
    guest::prepare(&run_folder.path, &kernel, &modules, &job)?;
    let preparation = begun.elapsed();

    let outcome = qemu::boot(&qemu::Machine {
        kernel: kernel.image(),
        run_folder: run_folder.path.clone(),
        disk: arguments.disk,
        memory_mib: arguments.memory_mib,
        processors: arguments.processors,
        timeout: Duration::from_secs(arguments.timeout) * arguments.processors.into(),
    })?;
    eprintln!(
        "vm: exit code {}; prepared in {:.1} s, script began {:.1} s after power-on, off after {:.1} s; files in {}",
        outcome.exit_code,
        preparation.as_secs_f64(),
        outcome.booted_after.unwrap_or_default().as_secs_f64(),
        outcome.off_after.as_secs_f64(),
        run_folder.path.join("out").display()
    );
    Ok(ExitCode::from(outcome.exit_code))
}

/// The shell lines that load the camera modules before the script begins.
fn modprobes(arguments: &Arguments) -> Vec<String> {
    if arguments.no_load || arguments.disk.is_some() {
        return Vec::new();
    }
    let mut lines =
        vec!["modprobe videodev".to_owned(), format!("modprobe vivid {}", arguments.vivid_options)];
    if arguments.loopback != Choice::None {
        lines.push(format!("modprobe v4l2loopback {}", arguments.loopback_options));
    }
    lines
}

/// The path becomes part of makefiles, of the kernel's command line and of QEMU's options, which take no blanks,
/// colons or commas, each in its own way. A plain path spares three kinds of escapes.
fn require_plain(cache: &Path) -> Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@".contains(c);
    ensure!(
        cache.to_str().is_some_and(|path| path.chars().all(plain)),
        "the VM cannot be made in {}: the path may hold only letters, digits and ._-+@; set CARGO_TARGET_DIR to a \
         folder with such a path",
        cache.display()
    );
    Ok(())
}

/// The folder of one run, locked against another run under the same name.
struct RunFolder {
    path: PathBuf,
    _lock: File,
}

impl RunFolder {
    /// Takes `runs/SCRIPT-LOOPBACK`, or the first of `-2`, `-3` ... while an earlier one is in use.
    fn take(runs: &Path, arguments: &Arguments) -> Result<Self> {
        let script = arguments.script.file_stem().unwrap_or_default().to_string_lossy();
        let script = script.replace(|c: char| !c.is_ascii_alphanumeric() && c != '_', "-");
        let name = format!("{script}-{}", arguments.loopback);
        for number in 1.. {
            let path =
                runs.join(if number == 1 { name.clone() } else { format!("{name}-{number}") });
            fs::create_dir_all(path.join("out"))
                .with_context(|| format!("cannot make {}", path.display()))?;
            let file = File::create(path.join("lock"))?;
            if file.try_lock().is_ok() {
                if !arguments.keep {
                    fs::remove_dir_all(path.join("out"))?;
                    fs::create_dir(path.join("out"))?;
                }
                return Ok(Self { path, _lock: file });
            }
        }
        unreachable!("the loop over names has no end")
    }
}

/// Waits for the lock file and holds it until the value is dropped.
fn lock(path: &Path) -> Result<File> {
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_cannot_be_an_option_is_refused() {
        require_plain(Path::new("/work/green-room_2/target/vm")).unwrap();
        for path in ["/my files/target/vm", "/a:b/vm", "/a,b/vm", "/grün/vm"] {
            let error = require_plain(Path::new(path)).unwrap_err().to_string();
            assert!(error.contains("set CARGO_TARGET_DIR"), "{error}");
        }
    }
}
