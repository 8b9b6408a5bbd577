//! Does scripts/parts.sh run parts side by side, show what they print, and fail when one fails?
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs lines of bash after scripts/lib.sh and scripts/parts.sh.
fn script(folder: &Path, lines: &str) -> Command {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts");
    // A test runner in the background of a script ignores SIGINT, and a shell cannot trap what it was born to ignore.
    let mut command = Command::new("env");
    let text = format!(". {0}/lib.sh; . {0}/parts.sh; {lines}", scripts.display());
    command
        .args(["--default-signal=INT", "bash", "-c"])
        .arg(text)
        .env("CARGO_TARGET_DIR", folder)
        .stdin(Stdio::null());
    command
}

fn texts(output: Output) -> (Option<i32>, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn parts_run_side_by_side_and_each_output_is_in_one_piece() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display();
    // Each waits for the other one's file: they end only if both run at once, and a third one only after one of them.
    let lines = format!(
        "wait_for() {{ until [ -e {at}/$1 ]; do sleep 0.05; done; }}; export -f wait_for
        part one bash -c 'echo one a; touch {at}/one; wait_for two; echo one b'
        part two bash -c 'echo two a; touch {at}/two; wait_for one; wait_for three; echo \"two b\" >&2'
        part three bash -c 'touch {at}/three; echo three'
        run_parts 2; echo after"
    );
    let (code, printed, said) = texts(script(folder.path(), &lines).output().unwrap());
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(printed.matches("one a\none b\n").count(), 1, "{printed}");
    assert_eq!(printed.matches("two a\ntwo b\n").count(), 1, "{printed}");
    assert!(printed.starts_with("one a\n") && printed.ends_with("after\n"), "{printed}");
    assert!(said.contains("== two: begins") && said.contains("== three: ended with 0"), "{said}");
}

#[test]
fn a_part_that_fails_fails_the_script_and_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let lines = "part bad bash -c 'echo how it went wrong; exit 3'
        part killed bash -c 'kill -KILL $$; sleep 3600'
        part good echo still run
        run_parts 1; echo never";
    let (code, printed, said) = texts(script(folder.path(), lines).output().unwrap());
    assert_eq!((code, printed.as_str()), (Some(1), "how it went wrong\nstill run\n"));
    assert!(said.contains("== bad: ended with 3"), "{said}");
    assert!(said.contains("== killed: ended with 137"), "{said}");
    assert!(said.ends_with("== FAILED, their output is above:\n  bad\n  killed\n"), "{said}");
}

#[test]
fn ctrl_c_ends_all_parts_with_their_children() {
    let folder = tempfile::tempdir().unwrap();
    // The children hold our end of a pipe open for as long as they live.
    let lines = "exec 3>&1
        for name in one two; do part $name bash -c 'sleep 3600 & echo $! >&3; wait'; done
        run_parts 2";
    let mut running =
        script(folder.path(), lines).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(running.stdout.take().unwrap()).lines();
    assert!(lines.next().is_some() && lines.next().is_some());
    let interrupt = ["-INT", &running.id().to_string()];
    assert!(Command::new("kill").args(interrupt).status().unwrap().success());
    assert_eq!(running.wait().unwrap().code(), Some(130));
    // Until the last child has ended.
    assert!(lines.next().is_none());
}
