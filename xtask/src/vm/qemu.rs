//! The machine itself: QEMU with software emulation, watched until it is off.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
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

/// The signal that the kernel sends to a process which has used up its processor time (`signal(7)`).
const SIGXCPU: i32 = 24;

/// A guest that waits for ever uses hardly any processor time. It may run for so many times its processor time by the
/// clock: 0.1 of a processor is more than what three busy loops on two cores leave to it.
const CLOCK_PER_PROCESSOR_TIME: u32 = 10;

/// How much of the console's log is shown after a bad end.
const SHOWN_LINES: usize = 30;

/// A machine to boot.
pub struct Machine {
    pub kernel: PathBuf,
    /// Holds `initramfs.img`; shared with the guest.
    pub run_folder: PathBuf,
    /// The disk of an installed system, which is booted in place of the host's root, and may reboot.
    pub disk: Option<PathBuf>,
    pub memory_mib: u32,
    /// With one, the guest's clock counts instructions; with more it is the host's.
    pub processors: u8,
    /// Processor time that QEMU may use, in whole seconds: on a slow or busy machine it lasts as long as the guest needs.
    pub timeout: Duration,
}

/// How the machine came to its end.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// QEMU ended by itself.
    ByItself(ExitStatus),
    /// Its processor time was used up.
    ProcessorTime,
    /// It waited for so long that it was ended.
    Clock,
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
    let mut child = limited("qemu-system-x86_64", machine.timeout)
        .args(options(machine))
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .context("cannot start qemu-system-x86_64")?;
    let output = child.stdout.take().context("QEMU has no output")?;
    let relay = thread::Builder::new().name("guest output".into()).spawn(move || relay(output))?;

    let longest = machine.timeout * CLOCK_PER_PROCESSOR_TIME;
    let end = wait(&mut child, begun + longest)?;
    let off_after = begun.elapsed();
    let _ = relay.join();

    let started = fs::metadata(run.join("started")).and_then(|metadata| metadata.modified()).ok();
    let booted_after = started.and_then(|at| at.duration_since(begun_at).ok());
    let code =
        fs::read_to_string(run.join("exit-code")).ok().and_then(|text| text.trim().parse().ok());
    let exit_code = match (end, code) {
        (End::ByItself(_), Some(code)) => code,
        (End::ByItself(status), None) => {
            let complaint = last_lines(&fs::read(run.join("qemu.log")).unwrap_or_default(), 3);
            if booted_after.is_none() && !complaint.is_empty() {
                bail!("QEMU did not run: {complaint}");
            }
            report(run, &format!("the guest stopped before the script ended (QEMU: {status})"));
            EXIT_TIMED_OUT
        }
        (End::ProcessorTime, _) => {
            let seconds = machine.timeout.as_secs();
            report(run, &format!("the guest was ended after {seconds} s of processor time"));
            EXIT_TIMED_OUT
        }
        (End::Clock, _) => {
            let seconds = longest.as_secs();
            report(
                run,
                &format!("the guest was ended after {seconds} s, in which it mostly waited"),
            );
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
    for word in "-machine q35 -cpu max,la57=off,-avx2 -nodefaults -no-user-config -display none \
                 -device virtio-rng-pci"
        .split_whitespace()
    {
        options.push(word.into());
    }
    if machine.disk.is_none() {
        options.push("-no-reboot".into());
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
    let mut append = format!("{KERNEL_OPTIONS} greenroom.run={}", run.display());
    if let Some(disk) = &machine.disk {
        append.push_str(" greenroom.disk=/dev/vda");
        // The host's own crash loses nothing that anybody wants: no flush to the real disk is waited for.
        let file = disk.display();
        push("-drive", format!("file={file},format=raw,if=none,id=disk,cache=unsafe"));
        push("-device", "virtio-blk-pci,drive=disk".into());
    }
    push("-append", append);
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

/// A command that may use so much processor time, counted by the kernel over all its threads, and that is killed when
/// we are.
fn limited(program: &str, processor_time: Duration) -> Command {
    let seconds = processor_time.as_secs().max(1);
    let mut command = command("setpriv");
    command.args(["--pdeathsig", "KILL", "--", "prlimit", "--core=0"]);
    // SIGXCPU at the first limit tells what happened; who survives it is killed at the second one.
    command.arg(format!("--cpu={seconds}:{}", seconds + 5)).args(["--", program]);
    command
}

/// Waits for the machine's end; at the deadline it is switched off the hard way.
fn wait(child: &mut Child, deadline: Instant) -> Result<End> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(match status.signal() {
                Some(SIGXCPU) => End::ProcessorTime,
                _ => End::ByItself(status),
            });
        }
        if Instant::now() >= deadline {
            child.kill().context("cannot end QEMU")?;
            child.wait()?;
            return Ok(End::Clock);
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

    const HOUR: Duration = Duration::from_secs(3600);

    fn shell(processor_time: Duration, line: &str) -> Child {
        limited("sh", processor_time).args(["-c", line]).spawn().unwrap()
    }

    #[test]
    fn a_machine_that_waits_for_ever_is_ended_by_the_clock() {
        let mut child = shell(HOUR, "exec sleep 3600");
        let deadline = Instant::now() + Duration::from_millis(50);
        assert_eq!(wait(&mut child, deadline).unwrap(), End::Clock);
        assert!(Instant::now() >= deadline);
    }

    #[test]
    fn processor_time_counts_and_not_the_clock() {
        let far = Instant::now() + HOUR;
        // It works on, and the clock is never reached.
        let mut child = shell(Duration::from_secs(1), "while :; do :; done");
        assert_eq!(wait(&mut child, far).unwrap(), End::ProcessorTime);
        // Longer by the clock than it may work, and it is left alone.
        let mut child = shell(Duration::from_secs(1), "sleep 1.5; exit 7");
        let End::ByItself(status) = wait(&mut child, far).unwrap() else { panic!("it was ended") };
        assert_eq!(status.code(), Some(7));
    }
}
