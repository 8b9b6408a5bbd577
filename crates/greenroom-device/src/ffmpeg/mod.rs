//! FFmpeg's programs as children that cannot outlive, block or surprise greenroom: every one is
//! started here, with limits ([`Guard`]) and with what it may open ([`Input`]).

mod guard;
mod input;
mod log;
pub(crate) mod mux;
mod pictures;

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, pidfd_open};

pub(crate) use self::guard::Guard;
use self::guard::PROBE_CPU_SECONDS;
pub use self::guard::tie_to_this_thread;
pub(crate) use self::input::{Arguments, Input, file_url, open_file, printable_address};
use self::log::Log;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use self::log::follow;
pub(crate) use self::log::{Said, Tail};
pub(crate) use self::pictures::{Came, PictureError, RawPictures};
use crate::{DeviceError, Wake};

/// A running `ffmpeg`. Dropping it kills and reaps it.
///
/// If greenroom is killed itself, the pipe between them breaks: a reader's child dies of it, a
/// writer's child completes what it has and ends. A child that is [tied](Guard::tied) is killed
/// with its parent.
#[derive(Debug)]
pub(crate) struct Ffmpeg {
    child: Child,
    log: Log,
}

/// How bytes pass between greenroom and the child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// From the child's standard output.
    Out,
    /// Into the child's standard input.
    In,
}

impl Ffmpeg {
    /// Starts `ffmpeg` with these arguments.
    ///
    /// # Errors
    /// [`DeviceError::MissingProgram`].
    pub fn start(arguments: Arguments, flow: Flow, guard: Guard) -> Result<Self, DeviceError> {
        let (input, output) = match flow {
            Flow::Out => (Stdio::null(), Stdio::piped()),
            Flow::In => (Stdio::piped(), Stdio::null()),
        };
        let mut command = Command::new("ffmpeg");
        command.args(["-hide_banner", "-nostdin", "-loglevel", "error"]);
        command.stdin(input).stdout(output);
        let secrets = arguments.secrets.clone();
        let mut child = spawn(command, arguments, guard)?;
        match Log::of(child.stderr.take(), secrets) {
            Ok(log) => Ok(Self { child, log }),
            Err(error) => {
                let _ = child.kill().and_then(|()| child.wait());
                Err(not_started("ffmpeg", error))
            }
        }
    }

    /// The end that frames are read from ([`Flow::Out`]).
    pub fn take_output(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// The end that frames are written to ([`Flow::In`]).
    pub fn take_input(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// Waits until it has ended by itself: how, and what it said.
    pub fn wait(&mut self) -> io::Result<(ExitStatus, Said)> {
        let status = self.child.wait()?;
        Ok((status, self.log.finish()))
    }

    /// As [`wait`](Self::wait), once its output is closed. One that has nothing more to give and lives
    /// on is ended.
    pub fn wait_at_end(&mut self) -> io::Result<(ExitStatus, Said)> {
        if let Some(pid) = Pid::from_raw(self.child.id().cast_signed())
            && let Ok(child) = pidfd_open(pid, PidfdFlags::empty())
            && crate::wait_readable(&[child.as_fd()], Some(LINGERING)) == 0
        {
            self.child.kill()?;
        }
        self.wait()
    }
}

impl Drop for Ffmpeg {
    fn drop(&mut self) {
        // Fails only for a child that has ended and been reaped.
        if self.child.kill().is_ok() {
            let _ = self.child.wait();
        }
        self.log.finish();
    }
}

/// How long a child may live on with its output closed: it has only its memory to give back.
const LINGERING: Duration = Duration::from_secs(10);

/// Limits of a question to one of FFmpeg's programs.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// How long it is waited for. Work is limited by [`Guard::probe`], in processor time, so that a
    /// busy machine changes nothing; this is for a disk or a host that does not answer.
    patience: Duration,
    /// What it may say on each of its two outputs. A description has some hundred bytes.
    max_bytes: usize,
    /// What it is bound by.
    guard: Guard,
}

/// For a file: a disk that sleeps, or is in another house, takes its time.
const FILE: Limits =
    Limits { patience: Duration::from_secs(30), max_bytes: 1 << 20, guard: Guard::probe() };
/// For an address: three times as long as TCP tries at first to reach a host that is there.
const ADDRESS: Limits = Limits { patience: Duration::from_secs(20), ..FILE };
/// For a program of the session that describes it: pw-dump says up to some megabytes.
const SESSION: Limits =
    Limits { patience: Duration::from_secs(5), max_bytes: 16 << 20, guard: Guard::question() };

/// What `ffprobe` answers to `question` about `input`; `Ok(Err(reason))` when it cannot read it, or
/// when `stop` rings before it has answered.
///
/// # Errors
/// As [`Arguments::add_input`]; [`DeviceError::MissingProgram`].
pub(crate) fn ffprobe(
    question: &[&str],
    input: Input<'_>,
    stop: Option<&Wake>,
) -> Result<Result<Vec<u8>, String>, DeviceError> {
    let mut arguments = Arguments::default();
    arguments.add(question);
    arguments.add_input(input)?;
    let limits = if matches!(input, Input::Address(_)) { ADDRESS } else { FILE };
    let mut command = Command::new("ffprobe");
    command.args(["-hide_banner", "-loglevel", "error"]);
    ask(command, arguments, limits, stop)
}

/// What `ffmpeg -encoders` lists.
///
/// # Errors
/// [`DeviceError::MissingProgram`]; [`DeviceError::Unsupported`] when it lists none.
pub(crate) fn encoders() -> Result<String, DeviceError> {
    list("encoders")
}

/// The names of FFmpeg's decoders.
///
/// # Errors
/// [`DeviceError::MissingProgram`]; [`DeviceError::Unsupported`] when it lists none.
pub fn decoders() -> Result<BTreeSet<String>, DeviceError> {
    Ok(names_of_list(&list("decoders")?))
}

/// What `ffmpeg -encoders` or `-decoders` prints.
fn list(what: &str) -> Result<String, DeviceError> {
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-loglevel", "error"]).arg(format!("-{what}"));
    let listed = ask(command, Arguments::default(), FILE, None)?;
    let listed = listed.map_err(|why| DeviceError::Unsupported {
        what: "ffmpeg".to_owned(),
        why: format!("it lists no {what} ({why}); install FFmpeg anew"),
    })?;
    Ok(String::from_utf8_lossy(&listed).into_owned())
}

/// The names in such a list: behind its legend, the second word of each line.
fn names_of_list(text: &str) -> BTreeSet<String> {
    let is_rule = |line: &&str| line.trim().starts_with("---");
    let lines = text.lines().skip_while(|line| !is_rule(line)).skip(1);
    lines.filter_map(|line| line.split_whitespace().nth(1)).map(str::to_owned).collect()
}

/// What a program of the session writes to its standard output, within 5 seconds and 16 MiB. It is
/// started as FFmpeg's programs are: it cannot outlive or block greenroom.
///
/// # Errors
/// If it cannot be started, fails, or says too much or too slowly: the reason, in words.
pub fn ask_program(program: Command) -> Result<Vec<u8>, String> {
    match ask(program, Arguments::default(), SESSION, None) {
        Ok(answer) => answer,
        Err(DeviceError::Io { source, .. }) => Err(source.to_string()),
        Err(DeviceError::MissingProgram { .. }) => Err("it is not installed".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// All that a program writes to its standard output, within the limits and before `stop` rings.
fn ask(
    mut command: Command,
    arguments: Arguments,
    limits: Limits,
    stop: Option<&Wake>,
) -> Result<Result<Vec<u8>, String>, DeviceError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let io = |source| DeviceError::Io { what: program.clone(), doing: "asking it", source };
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut tail = Tail::new(arguments.secrets.clone());
    let mut child = spawn(command, arguments, limits.guard)?;
    let answer = read_answer(&mut child, &mut tail, limits, stop);
    let is_whole = matches!(answer, Ok(Ok(_)));
    if !is_whole {
        let _ = child.kill();
    }
    let status = child.wait().map_err(io)?;
    let answer = match answer.map_err(io)? {
        Ok(answer) => answer,
        Err(reason) => return Ok(Err(reason)),
    };
    tail.end();
    if status.signal() == Some(rustix::process::Signal::XCPU.as_raw()) {
        return Ok(Err(format!("FFmpeg was not done with it after {PROBE_CPU_SECONDS} seconds")));
    }
    if status.success() {
        return Ok(Ok(answer));
    }
    Ok(Err(tail.reason().unwrap_or_else(|| status.to_string())))
}

/// Reads both outputs of a child to their ends; `Ok(Err(reason))` if that is too much or too slow, or
/// `stop` rings.
fn read_answer(
    child: &mut Child,
    tail: &mut Tail,
    limits: Limits,
    stop: Option<&Wake>,
) -> io::Result<Result<Vec<u8>, String>> {
    let mut output = child.stdout.take().expect("the output was asked for as a pipe");
    let mut errors = child.stderr.take();
    let deadline = Instant::now() + limits.patience;
    let (mut answer, mut error_bytes) = (Vec::new(), 0);
    let mut is_open = true;
    // Without a bell, an output stands in for it.
    const STOP: u64 = 0b100;
    while is_open || errors.is_some() {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(Err(format!("nothing came in {} seconds", limits.patience.as_secs())));
        }
        if answer.len().max(error_bytes) > limits.max_bytes {
            return Ok(Err("FFmpeg says endlessly much about it".to_owned()));
        }
        let mut piece = [0; 4096];
        // Whatever has ended is not waited for any more: the other one stands in for it.
        let output_fd = if is_open { Some(output.as_fd()) } else { None };
        let errors_fd = errors.as_ref().map(AsFd::as_fd);
        let Some(any) = output_fd.or(errors_fd) else { break };
        let fds =
            [output_fd.unwrap_or(any), errors_fd.unwrap_or(any), stop.map_or(any, Wake::as_fd)];
        let ready = crate::wait_readable(&fds, Some(left));
        if stop.is_some() && ready & STOP != 0 {
            return Ok(Err("it was given up".to_owned()));
        }
        if is_open && ready & 1 != 0 {
            let bytes = output.read(&mut piece)?;
            is_open = bytes > 0;
            answer.extend_from_slice(&piece[..bytes]);
        }
        if ready & 2 != 0
            && let Some(pipe) = &mut errors
        {
            let bytes = pipe.read(&mut piece)?;
            error_bytes += bytes;
            tail.feed(&piece[..bytes]);
            if bytes == 0 {
                errors = None;
            }
        }
    }
    Ok(Ok(answer))
}

/// Starts a child with all that binds it.
fn spawn(mut command: Command, arguments: Arguments, guard: Guard) -> Result<Child, DeviceError> {
    let program = command.get_program().to_string_lossy().into_owned();
    // Ctrl-C goes to the terminal's whole group; only greenroom is to hear it, and ends its
    // children in order.
    command.process_group(0).args(arguments.words).stderr(Stdio::piped());
    guard::hand_over(&mut command, arguments.files);
    guard.put_on(&mut command);
    let child = command.spawn().map_err(|error| not_started(&program, error))?;
    guard.calm(child.id());
    Ok(child)
}

fn not_started(program: &str, error: io::Error) -> DeviceError {
    if error.kind() == io::ErrorKind::NotFound {
        return DeviceError::MissingProgram {
            program: program.to_owned(),
            purpose: "video files".to_owned(),
            command: "sudo apt install ffmpeg".to_owned(),
        };
    }
    DeviceError::Io { what: program.to_owned(), doing: "starting it", source: error }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits =
        Limits { patience: Duration::from_secs(600), max_bytes: 1 << 16, ..FILE };

    fn ask_shell(script: &str, limits: Limits) -> Result<Vec<u8>, String> {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        ask(command, Arguments::default(), limits, None).unwrap()
    }

    #[test]
    fn an_answer_is_all_that_was_said() {
        assert_eq!(ask_shell("printf abc; echo log >&2; printf def", LIMITS).unwrap(), b"abcdef");
        assert_eq!(ask_shell("echo why >&2; exit 3", LIMITS).unwrap_err(), "why");
        assert!(ask_shell("exit 3", LIMITS).unwrap_err().contains('3'));
    }

    /// With its output closed there is nothing more to come.
    #[test]
    fn a_reader_that_lives_on_with_its_output_closed_is_ended() {
        let mut command = Command::new("sh");
        command.args(["-c", "exec yes >&2"]).stdout(Stdio::piped());
        let mut child = spawn(command, Arguments::default(), Guard::writer()).unwrap();
        let log = Log::of(child.stderr.take(), Vec::new()).unwrap();
        let mut ffmpeg = Ffmpeg { child, log };
        let mut output = ffmpeg.take_output().unwrap();
        assert_eq!(output.read(&mut [0]).unwrap(), 0);
        let (status, _) = ffmpeg.wait_at_end().unwrap();
        assert_eq!(status.signal(), Some(9));
    }

    /// Whoever floods us is told that, at once, and does not live on.
    #[test]
    fn a_flood_is_called_one() {
        for script in ["yes", "yes >&2", "yes >&2 & yes"] {
            let reason = ask_shell(&format!("{script}; sleep 1000"), LIMITS).unwrap_err();
            assert!(reason.contains("endlessly"), "{script}: {reason}");
        }
    }

    #[test]
    fn a_child_that_is_silent_is_not_waited_for_longer_than_the_limit() {
        let limits = Limits { patience: Duration::from_secs(1), ..LIMITS };
        let reason = ask_shell("sleep 1000", limits).unwrap_err();
        assert_eq!(reason, "nothing came in 1 seconds");
    }

    /// Of every use: an encoder's limits too can be seen in the child.
    #[test]
    fn children_have_limits() {
        for (guard, files) in
            [(Guard::probe(), "0"), (Guard::reader(), "0"), (Guard::writer(), "u")]
        {
            let mut command = Command::new("cat");
            command.arg("/proc/self/limits").stdout(Stdio::piped());
            let child = spawn(command, Arguments::default(), guard).unwrap();
            let said = child.wait_with_output().unwrap().stdout;
            let said = String::from_utf8(said).unwrap();
            let limit = |name: &str| {
                let line = said.lines().find(|line| line.starts_with(name)).unwrap();
                line[name.len()..].split_whitespace().next().unwrap().to_owned()
            };
            assert!(limit("Max data size").parse::<u64>().is_ok(), "{said}");
            assert!(limit("Max file size").starts_with(files), "{said}");
            assert_eq!(limit("Max core file size"), "0");
        }
    }

    #[test]
    fn names_of_decoders_are_behind_the_legend() {
        let text =
            "Decoders:\n V..... = Video\n ------\n V....D h264    H.264 / AVC\n A....D aac  AAC\n";
        let names: Vec<_> = names_of_list(text).into_iter().collect();
        assert_eq!(names, ["aac", "h264"]);
        assert!(names_of_list("").is_empty());
    }

    #[test]
    fn a_program_of_the_session_is_given_up() {
        let mut command = Command::new("sh");
        command.args(["-c", "yes"]);
        assert!(ask_program(command).unwrap_err().contains("endlessly"));
        assert_eq!(
            ask_program(Command::new("/no/such/program")).unwrap_err(),
            "it is not installed"
        );
        let mut command = Command::new("sh");
        command.args(["-c", "echo it broke >&2; exit 1"]);
        assert!(ask_program(command).unwrap_err().contains("it broke"));
    }
}
