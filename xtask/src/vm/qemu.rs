//! The machine itself: QEMU with software emulation, watched until it is off.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail};

use super::tools::{command, last_lines};

/// What `timeout` gives for a command it had to end.
const EXIT_TIMED_OUT: u8 = 124;

/// The kernel's options: no waiting on a panic, and nothing that only costs time under emulation. Watchdogs would
/// cry on a busy host, where the guest stands still for seconds, and the check that the timer ticks would end the boot
/// ("IO-APIC + timer doesn't work", seen at a load of 10 on 2 processors).
const KERNEL_OPTIONS: &str = "console=ttyS0 panic=-1 oops=panic mitigations=off nokaslr tsc=reliable no_timer_check \
     nowatchdog rcupdate.rcu_cpu_stall_suppress=1";

/// How much of the console's log is shown after a bad end.
const SHOWN_LINES: usize = 30;

/// A machine to boot.
pub struct Machine {
    pub kernel: PathBuf,
    /// Holds `initramfs.img`; shared with the guest.
    pub run_folder: PathBuf,
    pub memory_mib: u32,
    /// With one, the guest's clock counts instructions; with more it is the host's.
    pub processors: u8,
    pub timeout: Duration,
}

/// How a run ended.
pub struct Outcome {
    /// The script's, or 124 when the guest had to be ended or stopped by itself.
    pub exit_code: u8,
    /// From power-on to the script's begin, when it came that far.
    pub booted_after: Option<Duration>,
    /// From power-on to power-off.
    pub off_after: Duration,
}

/// Boots the machine, passes the script's output on to our stdout, and waits for the end.
pub fn boot(machine: &Machine) -> Result<Outcome> {
    let run = &machine.run_folder;
    let log = File::create(run.join("qemu.log"))?;
    let (begun, begun_at) = (Instant::now(), SystemTime::now());
    // Should we be killed, QEMU goes too.
    let mut child = command("setpriv")
        .args(["--pdeathsig", "KILL", "--", "qemu-system-x86_64"])
        .args(options(machine))
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .context("cannot start qemu-system-x86_64")?;
    let output = child.stdout.take().context("QEMU has no output")?;
    let relay = thread::Builder::new().name("guest output".into()).spawn(move || relay(output))?;

    let in_time = wait(&mut child, begun + machine.timeout)?;
    let off_after = begun.elapsed();
    let _ = relay.join();

    let started = fs::metadata(run.join("started")).and_then(|metadata| metadata.modified()).ok();
    let booted_after = started.and_then(|at| at.duration_since(begun_at).ok());
    let code =
        fs::read_to_string(run.join("exit-code")).ok().and_then(|text| text.trim().parse().ok());
    let exit_code = match (in_time, code) {
        (true, Some(code)) => code,
        (true, None) => {
            let complaint = last_lines(&fs::read(run.join("qemu.log")).unwrap_or_default(), 3);
            if booted_after.is_none() && !complaint.is_empty() {
                bail!("QEMU did not run: {complaint}");
            }
            report(run, "the guest stopped before the script ended");
            EXIT_TIMED_OUT
        }
        (false, _) => {
            report(run, &format!("the guest was ended after {} s", machine.timeout.as_secs()));
            EXIT_TIMED_OUT
        }
    };
    Ok(Outcome { exit_code, booted_after, off_after })
}

fn options(machine: &Machine) -> Vec<OsString> {
    let run = &machine.run_folder;
    let mut options: Vec<OsString> = Vec::new();
    // 5-level page tables (la57) only make the emulated walks longer. AVX2 is emulated element by element: greenroom
    // takes 4.1 s a frame with it and 0.55 s without (320x240, QEMU 7.2).
    for word in
        "-machine q35 -cpu max,la57=off,-avx2 -nodefaults -no-user-config -display none -no-reboot \
                 -device virtio-rng-pci"
            .split_whitespace()
    {
        options.push(word.into());
    }
    let mut push = |flag: &str, value: String| options.extend([flag.into(), value.into()]);
    push("-smp", machine.processors.to_string());
    if machine.processors == 1 {
        // The guest's clock counts instructions, two nanoseconds each: how fast or busy the host is changes nothing
        // that the guest can measure. (Two processors hang at boot with it.)
        push("-accel", "tcg,thread=single".into());
        push("-icount", "shift=1".into());
    } else {
        push("-accel", "tcg,thread=multi".into());
    }
    push("-m", machine.memory_mib.to_string());
    push("-kernel", machine.kernel.display().to_string());
    push("-initrd", run.join("initramfs.img").display().to_string());
    push("-append", format!("{KERNEL_OPTIONS} greenroom.run={}", run.display()));
    push("-chardev", format!("file,id=console,path={}", run.join("console.log").display()));
    push("-serial", "chardev:console".into());
    // The script's output: a port whose other end is QEMU's stdout. (A `stdio` chardev would report the host's end
    // as closed when our stdin is empty, and the guest would drop everything.)
    push("-device", "virtio-serial-pci".into());
    push("-chardev", "file,id=script,path=/proc/self/fd/1".into());
    push("-device", "virtserialport,chardev=script,name=greenroom.script".into());
    for (tag, path, access) in
        [("root", Path::new("/"), ",readonly=on"), ("run", run.as_path(), "")]
    {
        let path = path.display();
        push(
            "-fsdev",
            format!("local,id={tag},path={path},security_model=none,multidevs=remap{access}"),
        );
        push("-device", format!("virtio-9p-pci,fsdev={tag},mount_tag={tag}"));
    }
    options
}

/// Waits for the machine's end; at the deadline it is switched off the hard way and the answer is false.
fn wait(child: &mut Child, deadline: Instant) -> Result<bool> {
    loop {
        if child.try_wait()?.is_some() {
            return Ok(true);
        }
        if Instant::now() >= deadline {
            child.kill().context("cannot end QEMU")?;
            child.wait()?;
            return Ok(false);
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Passes on what the guest prints as it comes, not line by line.
fn relay(mut output: ChildStdout) {
    let mut chunk = vec![0; 1 << 14];
    while let Ok(read_bytes @ 1..) = output.read(&mut chunk) {
        let mut stdout = io::stdout().lock();
        // Our reader may be gone (`| head`); the guest must still be able to write to its end.
        let _ = stdout.write_all(&chunk[..read_bytes]).and_then(|()| stdout.flush());
    }
}

/// Says what went wrong, with the part of the console's log that tells most.
fn report(run: &Path, what: &str) {
    let console = run.join("console.log");
    let log = fs::read(&console).unwrap_or_default();
    eprintln!(
        "vm: {what}; from {}:\n{}",
        console.display(),
        telling_part(&String::from_utf8_lossy(&log))
    );
}

/// The kernel's own complaint if it made one, else the last lines.
fn telling_part(log: &str) -> String {
    let complaint = ["BUG:", "Oops", "Kernel panic"].iter().filter_map(|word| log.find(word)).min();
    match complaint {
        Some(at) => {
            let line_start = log[..at].rfind('\n').map_or(0, |newline| newline + 1);
            log[line_start..].lines().take(SHOWN_LINES).collect::<Vec<_>>().join("\n")
        }
        None => last_lines(log.as_bytes(), SHOWN_LINES),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_complaint_is_shown_before_the_last_lines() {
        let quiet: String = (0..100).map(|number| format!("line {number}\n")).collect();
        assert!(telling_part(&quiet).starts_with("line 70\n"));
        let panic = format!("all well\n[ 1.0] Kernel panic - not syncing: Oops\n{quiet}");
        assert!(telling_part(&panic).starts_with("[ 1.0] Kernel panic"));
    }

    #[test]
    fn a_machine_that_hangs_is_ended() {
        let mut child = command("sleep").arg("60").spawn().unwrap();
        let begun = Instant::now();
        assert!(!wait(&mut child, begun + Duration::from_millis(50)).unwrap());
        assert!(begun.elapsed() < Duration::from_secs(5));
        let mut child = command("true").spawn().unwrap();
        assert!(wait(&mut child, Instant::now() + Duration::from_secs(5)).unwrap());
    }
}
