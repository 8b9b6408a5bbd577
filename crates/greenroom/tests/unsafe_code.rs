//! Where `unsafe` is: what ARCHITECTURE.md lists, and nowhere else; and each `unsafe fn` says what it asks for.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every Rust file below `folder`, with its text.
fn sources(folder: &Path, into: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            into.push((path, text));
        }
    }
}

fn sources_of_all_crates() -> Vec<(PathBuf, String)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        sources(&entry.unwrap().path().join("src"), &mut all);
    }
    assert!(all.len() > 100, "{} files", all.len());
    all
}

/// Whether the line has the word as code.
fn has(line: &str, word: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|found| found == word)
}

#[test]
fn unsafe_code_is_where_the_architecture_says() {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let section = text.split("## Where `unsafe` is").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let places: Vec<&str> = rows.map(|row| row.split('`').next().unwrap()).collect();
    assert!(places.len() > 3, "{places:?}");
    let mut used = vec![false; places.len()];
    for (path, text) in sources_of_all_crates() {
        let path = path.strip_prefix(root()).unwrap();
        if !text.lines().any(|line| has(line, "unsafe")) {
            continue;
        }
        let place = places.iter().position(|place| path.starts_with(place));
        let place = place.unwrap_or_else(|| panic!("ARCHITECTURE.md does not list {path:?}"));
        used[place] = true;
    }
    let unused: Vec<_> = places.iter().zip(used).filter(|(_, used)| !used).collect();
    assert!(unused.is_empty(), "nothing is unsafe in {unused:?}");
}

#[test]
fn each_unsafe_function_says_what_it_asks_for() {
    for (path, text) in sources_of_all_crates() {
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            if !(has(line, "unsafe") && has(line, "fn") && line.contains("unsafe fn")) {
                continue;
            }
            // The comments and attributes right before it.
            let before = lines[..at].iter().rev().map(|line| line.trim_start());
            let mut before =
                before.take_while(|line| line.starts_with("//") || line.starts_with("#["));
            let says = before.any(|line| line.contains("# Safety") || line.contains("SAFETY:"));
            assert!(says, "{}:{}: {line}", path.display(), at + 1);
        }
    }
}
