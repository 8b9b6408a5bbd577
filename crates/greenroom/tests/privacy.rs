//! Nobody is uncovered: a scene that asks for `anonymise` and would show people as they are is
//! refused, whichever way it is asked for. With the binary.
#![allow(clippy::unwrap_used)]

mod air;

use std::fs;
use std::process::{Command, Output};

use air::{Air, BLUE, RED, yuv};
use tempfile::TempDir;

/// One person is cut out; everybody else is room.
const MAIN: &str = "[cut]\npeople = 'main'\n";
/// What every refusal says.
const REFUSAL: &str = "anonymise hides the main person only";
/// Backgrounds that show people, plainly or weakly, in a picture of 90 rows.
const OPEN: [&str; 4] = ["none", "blur=1", "bokeh=3", "pixelate=4"];

fn greenroom(folder: &TempDir, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
    command.args(args).current_dir(folder.path()).env("XDG_CONFIG_HOME", folder.path());
    command.env_remove("GREENROOM_LOG").output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn room(folder: &TempDir) {
    let mut ffmpeg = Command::new("ffmpeg");
    let source = "color=c=gray:s=160x90:r=30:d=0.2";
    ffmpeg.args(["-v", "error", "-f", "lavfi", "-i", source, "-c:v", "ffv1"]);
    assert!(ffmpeg.arg(folder.path().join("room.mkv")).status().unwrap().success());
}

#[test]
fn the_command_line_and_the_configuration_are_refused_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    room(&folder);
    let write = |text: &str| fs::write(folder.path().join("config.toml"), text).unwrap();
    let refused = |args: &[&str]| {
        let output = greenroom(&folder, args);
        assert!(!output.status.success(), "{args:?}");
        let said = said(&output);
        assert!(
            said.contains(REFUSAL) && !folder.path().join("out.mkv").exists(),
            "{args:?}: {said}"
        );
    };
    let render = ["render", "room.mkv", "out.mkv", "--config", "config.toml"];
    let run = [
        "run",
        "--camera",
        "room.mkv",
        "--output",
        "out.mkv",
        "--config",
        "config.toml",
        "--socket",
        "socket",
    ];
    for open in OPEN {
        let words = ["--background", open, "--effect", "anonymise"];
        write(MAIN);
        refused(&[&render[..], &words].concat());
        refused(&[&run[..], &words].concat());
        write(&format!(
            "scene = 'a'\n{MAIN}[scenes.a]\nbackground = '{open}'\neffects = ['anonymise']"
        ));
        refused(&render);
        refused(&run);
        refused(&["config", "check", "config.toml"]);
        // Half of it in the file.
        write(&format!("scene = 'a'\n{MAIN}[scenes.a]\nbackground = '{open}'"));
        refused(
            &[&render[..], &["--effect", "sepia", "--effect", "anonymise=silhouette"]].concat(),
        );
        write(&format!("scene = 'a'\n{MAIN}[scenes.a]\neffects = ['anonymise']"));
        refused(&[&run[..], &["--background", open]].concat());
    }
    // What hides everybody is taken, and what hides weakly is named so.
    write(MAIN);
    let words = ["--background", "none", "--effect", "all:anonymise"];
    let output = greenroom(&folder, &[&render[..], &words].concat());
    assert!(output.status.success(), "{output:?}");
    write(&format!(
        "{MAIN}[scenes.a]\nbackground = 'blur=1'\n[scenes.b]\nbackground = 'pixelate=4'"
    ));
    let output = greenroom(&folder, &["config", "check", "config.toml"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(said(&output).matches("hides the room weakly").count(), 2, "{}", said(&output));
}

#[test]
fn nothing_on_air_uncovers_anybody() {
    let scenes = |background: &str| {
        format!(
            "scene = 'safe'\n{MAIN}[scenes.safe]\nbackground = '{RED}'\neffects = ['anonymise']\n\
             [scenes.open]\nbackground = '{background}'\neffects = ['anonymise']\n"
        )
    };
    let air = Air::new(&scenes("none"), &[]);
    air.wait_for(yuv(RED));
    let refused = |args: &[&str]| {
        let said = air.refusal(args);
        assert!(said.contains(REFUSAL), "{args:?}: {said}");
        let scene = air.scene();
        assert_eq!(
            (&scene["background"], &scene["effects"][0]),
            (&RED.into(), &"anonymise".into())
        );
    };
    for open in OPEN {
        refused(&["set", "background", open]);
    }
    refused(&["set", "blur", "1"]);
    refused(&["set", "scene", "open"]);
    refused(&["next"]);
    // The background goes on as it is, and is the plain camera.
    air.tell(&["set", "effect", "none"]);
    air.tell(&["set", "background", "none"]);
    for effects in [&["anonymise"][..], &["greyscale", "anonymise"]] {
        let said = air.refusal(&[&["set", "effect"], effects].concat());
        assert!(said.contains(REFUSAL), "{said}");
        assert_eq!(air.scene()["background"], "none");
        assert!(air.scene()["effects"].as_array().unwrap().is_empty());
    }
    air.tell(&["set", "effect", "all:anonymise"]);
    // A configuration that is saved.
    air.tell(&["set", "scene", "safe"]);
    air.wait_for(yuv(RED));
    for (lines, open) in OPEN.into_iter().enumerate() {
        let config = scenes("none").replace(RED, open);
        fs::write(air.at("config.toml"), config).unwrap();
        let told = |air: &Air| air.log_has("what was shown before stays") == lines + 1;
        air.wait_until(open, told);
        assert_eq!(air.scene()["background"], RED);
    }
    air.wait_for(yuv(RED));
    fs::write(air.at("config.toml"), scenes("none").replace(RED, BLUE)).unwrap();
    air.wait_for(yuv(BLUE));
    // What hides weakly is named.
    air.tell(&["set", "effect", "none"]);
    let answer = air.ask(&["set", "background", "blur=1"]);
    assert!(answer.status.success() && said(&answer).contains("warning: the background blur=1"));
    let warning = air.scene()["warning"].as_str().unwrap().to_owned();
    assert!(warning.contains("weakly") && air.log_has("weakly") == 1, "{warning}");
    air.tell(&["set", "background", "blur"]);
    assert!(air.scene()["warning"].is_null());
}

/// The environment of the program before, with a background that is still to come.
#[test]
fn the_old_environment_uncovers_nobody() {
    let folder = tempfile::tempdir().unwrap();
    room(&folder);
    let config = format!("scene = 'a'\n{MAIN}[scenes.a]\nbackground = 'none'\n");
    fs::write(folder.path().join("config.toml"), config).unwrap();
    let args = [
        "run",
        "--camera",
        "room.mkv",
        "--output",
        "out.mkv",
        "--config",
        "config.toml",
        "--socket",
        "socket",
        "--stop-after",
        "1",
    ];
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
    command.args(args).current_dir(folder.path()).env("XDG_CONFIG_HOME", folder.path());
    let output = command.env("EFFECT", "anonymise").output().unwrap();
    let log = said(&output);
    // The plain camera is not shown: with the variables, the blurred room is instead.
    assert!(log.contains(REFUSAL), "{log}");
    assert!(output.status.success() && log.contains("the blurred room is shown"), "{log}");
}
