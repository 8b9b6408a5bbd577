//! `greenroom bench`, as a user runs it: what it tells adds up, whatever the machine is busy with. No time is judged.
#![allow(clippy::unwrap_used)]

use std::process::{Command, Output};

use serde_json::Value;

fn bench(args: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_greenroom"))
        .arg("bench")
        .args(args)
        // It needs nothing of the user's, and not FFmpeg.
        .env_clear()
        .current_dir(folder.path())
        .output()
        .unwrap()
}

fn told(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?}: {said}", output.status);
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// Frames of each case were taken, and came out or were passed over.
fn assert_adds_up(report: &Value, cases: usize, outputs: u64) {
    assert_eq!(report["cases"].as_array().unwrap().len(), cases);
    for case in report["cases"].as_array().unwrap() {
        let frames = &case["frames"];
        let count = |name: &str| frames[name].as_u64().unwrap();
        let (taken, written, dropped) = (count("taken"), count("written"), count("dropped"));
        assert!(written > 0 && taken > 0, "{case}");
        // Some are under way when counting begins, others when it ends.
        const UNDER_WAY: u64 = 6;
        assert!(written <= (taken + UNDER_WAY) * outputs, "{case}");
        assert!(written + (dropped + UNDER_WAY) * outputs >= taken * outputs, "{case}");
        let processor_ms = number(&case["processor_ms"]);
        let threads: f64 = case["threads_ms"].as_object().unwrap().values().map(number).sum();
        assert!(processor_ms > 0.0, "{case}");
        assert!((threads - processor_ms).abs() <= 0.01 + 0.05 * processor_ms, "{case}");
        let latency = ["p50", "p95", "p99"].map(|name| number(&case["latency_ms"][name]));
        assert!(latency[0] > 0.0 && latency.is_sorted(), "{case}");
        let stages = case["stages_ms"].as_array().unwrap();
        let names: Vec<_> = stages.iter().map(|stage| stage["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["camera", "matte", "upscale", "compose", "pack", "write"]);
        assert!(
            stages.iter().all(|stage| number(&stage["p50"]) <= number(&stage["p99"])),
            "{case}"
        );
        assert!(number(&case["three_copies_ms"]) >= 0.0);
        let (keeps_up, fits) = (case["keeps_up"].as_bool(), case["fits"].as_bool());
        assert_eq!(keeps_up, Some(dropped * 50 <= taken + dropped), "{case}");
        assert!(keeps_up.unwrap() || !fits.unwrap(), "{case}");
    }
}

#[test]
fn every_quality_is_measured_and_the_json_adds_up() {
    let output = bench(&["--json", "--size", "160x90", "--fps", "15", "--seconds", "2"]);
    let report: Value = serde_json::from_str(&told(&output)).unwrap();
    assert_adds_up(&report, 3, 1);
    assert_described(&report, include_str!("../../../docs/speed.md"));
    assert_eq!((number(&report["fps"]), number(&report["seconds"])), (15.0, 2.0));
    assert_eq!(report["version"], env!("CARGO_PKG_VERSION"));
    assert!(report["processors"].as_u64().unwrap() >= 1);
    assert!(!report["processor"].as_str().unwrap().is_empty());
    assert_eq!(report["camera_format"], "MJPG");
    assert_eq!(report["backgrounds"].as_array().unwrap().len(), 1);
    let cases = report["cases"].as_array().unwrap();
    let cases: Vec<_> = cases
        .iter()
        .map(|case| (case["size"].as_str().unwrap(), case["quality"].as_str().unwrap()))
        .collect();
    assert_eq!(cases, ["fast", "balanced", "best"].map(|quality| ("160x90", quality)));
}

/// Asserts that docs/speed.md describes every key of `value`.
fn assert_described(value: &Value, page: &str) {
    // Threads and percentiles are named in the text of the key that holds them.
    let leaves = ["camera", "matte", "output", "second opinion"];
    match value {
        Value::Object(object) => {
            for (key, value) in object.iter().filter(|(key, _)| !leaves.contains(&key.as_str())) {
                let is_described =
                    [format!("`{key}`"), format!("[].{key}`")].iter().any(|it| page.contains(it));
                assert!(is_described, "docs/speed.md does not describe {key}");
                assert_described(value, page);
            }
        }
        Value::Array(array) => array.iter().for_each(|value| assert_described(value, page)),
        _ => {}
    }
}

#[test]
fn what_a_chore_asks_for_is_measured() {
    for (format, name) in [("yuyv", "YUYV"), ("nv12", "NV12")] {
        let args = ["--json", "--size", "161x91", "--seconds", "2", "--quality", "fast"];
        let more = ["--camera-format", format, "--camera-colour", "bt709-full"];
        let output = bench(&[&args[..], &more, &["--outputs", "4", "--own-scenes"]].concat());
        let report: Value = serde_json::from_str(&told(&output)).unwrap();
        assert_adds_up(&report, 1, 4);
        assert_eq!(report["camera_format"], name);
        assert_eq!(report["backgrounds"].as_array().unwrap().len(), 4);
    }
}

#[test]
fn people_get_a_table_and_sentences() {
    let text = told(&bench(&["--size", "160x90", "--seconds", "2"]));
    let rows: Vec<_> = text.lines().filter(|line| line.starts_with("160x90 ")).collect();
    assert_eq!(rows.len(), 3, "{text}");
    for (row, quality) in rows.iter().zip(["fast", "balanced", "best"]) {
        assert!(row.contains(quality), "{row}");
        assert!(text.contains(&format!("quality = \"{quality}\": ")), "{text}");
    }
}

#[test]
fn words_that_make_no_sense_are_refused_in_a_sentence() {
    for (args, words) in [
        (&["--size", "big"][..], &["big", "1280x720"][..]),
        (&["--size", "16x9"], &["16x9", "64x64"]),
        (&["--size", "8192x8192"], &["8192x8192", "4096x4096"]),
        (&["--fps", "0"], &["frame rate"]),
        (&["--fps", "fast"], &["fast", "frame rate"]),
        (&["--seconds", "0"], &["0.5 to 600"]),
        (&["--seconds", "-1"], &["-1", "0.5 to 600"]),
        (&["--seconds", "inf"], &["inf", "0.5 to 600"]),
    ] {
        let output = bench(args);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert!(output.stdout.is_empty(), "{args:?}");
        assert_eq!(said.lines().count(), 1, "{args:?}: {said}");
        for word in words {
            assert!(said.contains(word), "{args:?} does not say {word:?}: {said}");
        }
    }
}
