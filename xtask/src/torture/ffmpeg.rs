//! An FFmpeg that is missing, hangs, floods, or is killed.

use super::case::Case;
use super::fake_ffmpeg::FakeFfmpeg;
use super::fault::{Effect, Fault};
use super::operation::Operation;

const HANGS: &str = "exec sleep 3600";
const FLOODS_STDOUT: &str = "exec cat /dev/zero";
const FLOODS_STDERR: &str = "exec cat /dev/zero >&2";
const LINES_ON_STDERR: &str = "exec yes 'something is wrong' >&2";
const KILLED_AT_ONCE: &str = "kill -9 $$";
/// The real one, killed after it has written (or read) 800 kB.
const KILLED_MIDWAY: &str = r#"real=$(PATH=${PATH#*:} command -v ffmpeg)
case "${@: -1}" in
    -|pipe:*) exec "$real" "$@" > >(head -c 800000; kill -9 $$) ;;
    -encoders) exec "$real" "$@" ;;
    *) exec "$real" "$@" < <(head -c 800000; kill -9 $$) ;;
esac"#;

const REAL: FakeFfmpeg = FakeFfmpeg { ffmpeg: None, ffprobe: None, is_missing: false };

fn faults() -> Vec<(Fault, bool)> {
    let both = |script| FakeFfmpeg { ffmpeg: Some(script), ffprobe: Some(script), ..REAL };
    let ffmpeg = |script| FakeFfmpeg { ffmpeg: Some(script), ..REAL };
    let fault = |name: &str, effect, ffmpeg| Fault {
        ffmpeg: Some(ffmpeg),
        effect,
        ..Fault::new(format!("ffmpeg/{name}"))
    };
    let (may, must) = (Effect::MayRefuse, Effect::MustRefuse);
    vec![
        (fault("missing", must("ffmpeg"), FakeFfmpeg { is_missing: true, ..REAL }), true),
        (fault("hangs", must("room.mkv"), both(HANGS)), true),
        (fault("floods-stdout", must("room.mkv"), both(FLOODS_STDOUT)), true),
        (fault("floods-stderr", must("room.mkv"), both(FLOODS_STDERR)), false),
        (fault("says-lines-without-end", must("room.mkv"), both(LINES_ON_STDERR)), false),
        (fault("killed-at-once", must("room.mkv"), both(KILLED_AT_ONCE)), true),
        (fault("only-ffmpeg-hangs", may, ffmpeg(HANGS)), true),
        (fault("only-ffmpeg-floods-stdout", may, ffmpeg(FLOODS_STDOUT)), false),
        (fault("only-ffmpeg-floods-stderr", may, ffmpeg(FLOODS_STDERR)), true),
        (fault("only-ffmpeg-killed-at-once", may, ffmpeg(KILLED_AT_ONCE)), false),
        (fault("only-ffmpeg-killed-midway", may, ffmpeg(KILLED_MIDWAY)), true),
    ]
}

/// Whatever FFmpeg does, nothing hangs, and no old file is lost.
pub fn cases(short: bool) -> Vec<Case> {
    let faults = faults().into_iter().filter(|(_, is_short)| !short || *is_short);
    let operations = match short {
        true => &[Operation::OnAir, Operation::Render("mkv")][..],
        false => &[
            Operation::OnAir,
            Operation::SetClip,
            Operation::Render("mkv"),
            Operation::Render("y4m"),
            Operation::Record("mkv"),
        ],
    };
    faults.flat_map(|(fault, _)| Case::of_each(&fault, operations)).collect()
}
