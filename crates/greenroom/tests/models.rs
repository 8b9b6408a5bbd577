//! Users' models, as a user brings them: from their descriptions through `greenroom render`, and
//! what `greenroom model` tells of files.
#![allow(clippy::unwrap_used)]

#[path = "../../greenroom-matte/tests/tiny_onnx/mod.rs"]
mod tiny_onnx;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;
use tiny_onnx::{FLOAT, Graph, brightness, left_out, runtime};

const WIDTH: usize = 400;
const HEIGHT: usize = 300;

/// Runs greenroom in `folder`, which is also where its data lies, with the tests' ONNX Runtime.
fn greenroom(folder: &Path, args: &[&str]) -> Output {
    let mut greenroom = Command::new(env!("CARGO_BIN_EXE_greenroom"));
    greenroom.args(args).current_dir(folder).env_remove("GREENROOM_LOG").env("HOME", folder);
    greenroom.env("XDG_DATA_HOME", folder).env("XDG_CONFIG_HOME", folder);
    if !args.contains(&"--onnx-library") {
        greenroom.env("GREENROOM_ONNX_LIBRARY", runtime().unwrap_or_default());
    }
    greenroom.output().unwrap()
}

fn out(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Asserts exit code 2 and one sentence that holds all of `words`; gives standard output.
fn refused(output: &Output, words: &[&str]) -> String {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    let lines: Vec<_> = said.lines().filter(|line| line.starts_with("greenroom: ")).collect();
    assert!(lines.len() == 1 && said.lines().count() == 1, "one sentence: {said}");
    for word in words {
        assert!(said.contains(word), "{word:?} is not in: {said}");
    }
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn asset(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name);
    if !path.is_file() {
        left_out(&format!("{name} is not there"));
    }
    path.is_file().then(|| path.canonicalize().unwrap())
}

/// A folder with some frames of the demo clip.
fn folder_with_clip(frames: u32) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let demo = asset("assets/footage/demo.mp4").expect("cargo xtask assets has got the demo clip");
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-i"])
        .arg(demo)
        .args(["-frames:v", &frames.to_string(), "-c:v", "ffv1", "clip.mkv"])
        .current_dir(folder.path())
        .status();
    assert!(status.unwrap().success());
    folder
}

/// The matte of the last frame of the clip.
fn last_matte(folder: &Path, model: &str) -> Vec<u8> {
    let args = ["render", "clip.mkv", "-", "--model", model, "--matte", "matte.y4m"];
    let output = greenroom(folder, &[&args[..], &["--background", "#00b140"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let video = std::fs::read(folder.join("matte.y4m")).unwrap();
    assert!(video.starts_with(format!("YUV4MPEG2 W{WIDTH} H{HEIGHT}").as_bytes()));
    video[video.len() - WIDTH * HEIGHT..].to_vec()
}

/// How much two mattes have in common.
fn iou(one: &[u8], other: &[u8]) -> f64 {
    let pairs = || one.iter().zip(other).map(|(a, b)| (*a > 127, *b > 127));
    let both = pairs().filter(|(a, b)| *a && *b).count();
    both as f64 / pairs().filter(|(a, b)| *a || *b).count() as f64
}

/// Renders with the model at `file` under its own name and under the known one's, and holds the
/// matte against the built-in model's.
fn is_the_person(file: &Path, name: &str, frames: u32, least_iou: f64) {
    let folder = folder_with_clip(frames);
    let matte = last_matte(folder.path(), &file.display().to_string());
    let general = last_matte(folder.path(), "general");
    let common = iou(&matte, &general);
    assert!(common >= least_iou, "{name}: {common:.3}");
    // In the user's folder, its name is enough.
    let models = folder.path().join("greenroom/models");
    std::fs::create_dir_all(&models).unwrap();
    std::os::unix::fs::symlink(file, models.join(file.file_name().unwrap())).unwrap();
    let said = out(&greenroom(folder.path(), &["model", "check", name]));
    for word in ["ONNX Runtime", "float32", "greenroom's own", "one inference takes", "general"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert!(out(&greenroom(folder.path(), &["model", "list"])).contains("here: "));
}

// Measured on these frames: RVM 0.987, BodyPix 0.919, U2NetP 0.780 (it leaves out a shoulder).
#[test]
fn rvm_finds_the_person() {
    let (Some(_), Some(file)) = (runtime(), asset("assets/tests/rvm_mobilenetv3_fp32.onnx")) else {
        return;
    };
    is_the_person(&file, "rvm", 8, 0.95);
}

#[test]
fn u2netp_finds_the_person() {
    let (Some(_), Some(file)) = (runtime(), asset("assets/tests/u2netp.onnx")) else { return };
    is_the_person(&file, "u2netp", 2, 0.7);
}

#[test]
fn body_pix_finds_the_person() {
    let file = asset("../shared/models/body-pix-float-050-8.onnx");
    let (Some(_), Some(file)) = (runtime(), file) else { return };
    is_the_person(&file, "body-pix", 4, 0.88);
}

#[test]
fn a_file_without_a_description_gets_one_to_begin_with() {
    let Some(_) = runtime() else { return };
    let folder = folder_with_clip(2);
    let path = folder.path();
    std::fs::write(path.join("tiny.onnx"), brightness(90, 160).file(13)).unwrap();
    let check = || greenroom(path, &["model", "check", "tiny.onnx"]);
    let said = refused(&check(), &["no description of tiny.onnx", "tiny.toml"]);
    assert!(said.contains("\"in\", float32 1x3x90x160"), "{said}");
    // What it prints is a description that fits.
    let (_, template) = said.split_once("tiny.toml:\n").unwrap();
    std::fs::write(path.join("tiny.toml"), template).unwrap();
    let said = out(&check());
    assert!(said.contains("description: tiny.toml") && said.contains("160x90"), "{said}");
    last_matte(path, "./tiny.onnx");
    // And what does not fit is told, in the words of the file.
    for (from, to, words) in [
        ("layout = \"nchw\"", "layout = \"nhwc\"", &["nhwc", "1x3x90x160"][..]),
        ("channels", "size = \"320x180\"\nchannels", &["320x180", "160x90"]),
        ("name = \"out\"", "name = \"pha\"", &["\"pha\"", "\"out\""]),
        ("layout", "layot", &["layot", "did you mean \"layout\"?"]),
        ("meaning = \"probability\"", "", &["missing: meaning in [output]"]),
    ] {
        let wrong = template.replacen(from, to, 1);
        assert_ne!(wrong, template, "{from}");
        std::fs::write(path.join("tiny.toml"), wrong).unwrap();
        let output = greenroom(path, &["render", "clip.mkv", "x.mkv", "--model", "tiny.onnx"]);
        refused(&output, words);
        refused(&check(), words);
        assert!(!path.join("x.mkv").exists());
    }
}

/// `file` with a description, as NAME.onnx in `folder`.
fn put_model(folder: &Path, name: &str, file: &[u8], more: &str) {
    std::fs::write(folder.join(format!("{name}.onnx")), file).unwrap();
    let description = format!(
        "[input]\nname = \"in\"\nlayout = \"nchw\"\nrange = [0, 1]\n[output]\nname = \"out\"\n\
         meaning = \"alpha\"\n{more}"
    );
    std::fs::write(folder.join(format!("{name}.toml")), description).unwrap();
}

#[test]
fn a_model_that_shows_the_room_is_overruled_and_told_of() {
    let Some(_) = runtime() else { return };
    let folder = folder_with_clip(12);
    let path = folder.path();
    let graph = || {
        Graph::default()
            .input("in", FLOAT, &[1, 3, 90, 160])
            .output("out", FLOAT, &[1, 1, 90, 160])
            .mean("in", "mean", 1)
    };
    // e to the brightness is 1 and more: all are persons. The other one adds up what it has seen.
    put_model(path, "ones", &graph().node("Exp", &["mean"], "out").file(13), "");
    let growing = graph()
        .input("before", FLOAT, &[1, 1, 90, 160])
        .output("after", FLOAT, &[1, 1, 90, 160])
        .node("Add", &["mean", "before"], "out")
        .node("Identity", &["out"], "after");
    let memory = "[[recurrent]]\ninput = \"before\"\noutput = \"after\"\n";
    put_model(path, "growing", &growing.file(13), memory);
    let general = last_matte(path, "general");
    let args = |model| {
        [
            "render",
            "clip.mkv",
            "-",
            "--background",
            "#00b140",
            "--matte",
            "matte.y4m",
            "--model",
            model,
        ]
    };
    for model in ["./ones.onnx", "./growing.onnx"] {
        let output = greenroom(path, &args(model));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        let told = said.lines().filter(|line| line.contains("WARN"));
        assert_eq!(told.count(), 1, "{said}");
        assert!(said.contains("the built-in network takes over"), "{said}");
        let video = std::fs::read(path.join("matte.y4m")).unwrap();
        let frame = "FRAME\n".len() + WIDTH * HEIGHT;
        let mattes: Vec<_> = video[video.len() - 12 * frame..].chunks(frame).collect();
        for (nth, matte) in mattes.iter().enumerate() {
            let shown = matte.iter().filter(|alpha| **alpha > 127).count();
            assert!(shown < WIDTH * HEIGHT * 6 / 10, "{model}, frame {nth}: {shown}");
        }
        let common = iou(&mattes[11]["FRAME\n".len()..], &general);
        assert!(common > 0.97, "{model}: {common}");
        let said = out(&greenroom(path, &["model", "check", model]));
        assert!(said.contains("warning: it takes room for a person"), "{said}");
    }
    let said = out(&greenroom(path, &["model", "check", "./ones.onnx"]));
    assert!(said.contains("of a picture of an empty room it shows 100.0 %"), "{said}");
    // One that finds nobody.
    put_model(path, "nobody", &graph().node("Sub", &["mean", "mean"], "out").file(13), "");
    let said = out(&greenroom(path, &["model", "check", "./nobody.onnx"]));
    assert!(said.contains("warning: it does not find the person"), "{said}");
    let said = out(&greenroom(path, &["model", "check", "landscape"]));
    assert!(said.contains("it agrees with the built-in model about both"), "{said}");
}

#[test]
fn files_that_are_no_models_get_a_sentence() {
    let Some(_) = runtime() else { return };
    let folder = folder_with_clip(2);
    let path = folder.path();
    let whole = brightness(90, 160).file(13);
    let mut damaged = whole.clone();
    damaged.truncate(whole.len() - 20);
    std::fs::create_dir(path.join("folder.onnx")).unwrap();
    for (name, bytes) in [
        ("empty.onnx", &b""[..]),
        ("text.onnx", b"<!doctype html>"),
        ("damaged.onnx", &damaged),
        ("text.tflite", b"<!doctype html>"),
    ] {
        std::fs::write(path.join(name), bytes).unwrap();
    }
    for (name, words) in [
        ("empty.onnx", &["empty.onnx", "it is empty"][..]),
        ("text.onnx", &["text.onnx is not an ONNX model"]),
        ("damaged.onnx", &["damaged.onnx is cut short"]),
        ("folder.onnx", &["folder.onnx", "it is a folder"]),
        ("text.tflite", &["text.tflite is not a TFLite model"]),
        ("none.onnx", &["no file is called \"none.onnx\""]),
        ("rvm", &["rvm is not here", "greenroom model get rvm"]),
        ("body-pix", &["body-pix is not here", "converted to ONNX", "greenroom/models"]),
    ] {
        refused(&greenroom(path, &["render", "clip.mkv", "x.mkv", "--model", name]), words);
        if !["rvm", "body-pix"].contains(&name) {
            refused(&greenroom(path, &["model", "check", name]), words);
        }
    }
}

#[test]
fn the_built_in_models_touch_no_onnx_runtime() {
    let folder = folder_with_clip(2);
    let nowhere = ["--onnx-library", "/nowhere/libonnxruntime.so"];
    let with = |args: &[&str]| greenroom(folder.path(), &[args, &nowhere].concat());
    out(&with(&["render", "clip.mkv", "x.mkv"]));
    let said = out(&with(&["model", "check", "landscape"]));
    assert!(said.contains("256x144") && said.contains("one inference takes"), "{said}");
    let said = out(&with(&["model", "list"]));
    for word in
        ["general", "landscape", "rvm", "GPL-3.0-only", "/nowhere/", "model get onnxruntime"]
    {
        assert!(said.contains(word), "{word}: {said}");
    }
    std::fs::write(folder.path().join("tiny.onnx"), brightness(90, 160).file(13)).unwrap();
    refused(
        &with(&["model", "check", "tiny.onnx"]),
        &["/nowhere/", "No such file", "model get onnxruntime"],
    );
    let provider = with(&["model", "list", "--onnx-providers", "gpu"]);
    refused(&provider, &["\"gpu\"", "cuda", "openvino"]);
}

#[test]
fn a_provider_that_is_not_there_costs_one_line() {
    let Some(_) = runtime() else { return };
    let folder = folder_with_clip(2);
    let path = folder.path();
    std::fs::write(path.join("rvm_tiny.onnx"), brightness(90, 160).file(13)).unwrap();
    let said = greenroom(path, &["model", "check", "rvm_tiny.onnx"]);
    let template = refused(&said, &["rvm_tiny.toml"]);
    let (_, template) = template.split_once("rvm_tiny.toml:\n").unwrap();
    std::fs::write(path.join("rvm_tiny.toml"), template).unwrap();
    std::fs::create_dir(path.join("greenroom")).unwrap();
    let config = "model = 'rvm_tiny.onnx'\n[onnx]\nproviders = ['cuda', 'cpu']\nthreads = 1\n";
    std::fs::write(path.join("greenroom/config.toml"), config).unwrap();
    let output = greenroom(path, &["render", "clip.mkv", "x.mkv"]);
    out(&output);
    let said = String::from_utf8(output.stderr).unwrap();
    // That what is bright is no person is told in another.
    let warnings = said.lines().filter(|line| line.contains("WARN"));
    let warnings = warnings.filter(|line| !line.contains("takes over"));
    assert_eq!(warnings.count(), 1, "{said}");
    assert!(said.contains("has no cuda"), "{said}");
}

#[test]
fn a_known_model_whose_file_is_not_here_is_told_with_how_to_get_it() {
    let folder = tempfile::tempdir().unwrap();
    for args in [&["model", "check", "rvm"][..], &["run", "--model", "rvm", "--output", "null"]] {
        refused(&greenroom(folder.path(), args), &["rvm is not here", "greenroom model get rvm"]);
    }
}
