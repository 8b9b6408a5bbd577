//! greenroom's own files: the configured model, and the program that each unit starts.

use std::path::{Path, PathBuf};

use greenroom_setup::facts::OwnFile;
use greenroom_setup::{Facts, Known, files};
use serde::Serialize;

use super::Folders;
use crate::root::Root;

/// greenroom's own files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Own {
    /// The model of the configuration; `Is(None)` if it names none.
    pub model: Known<Option<Model>>,
    /// The unit with which greenroom runs in the user's session; `Is(None)` if there is none.
    pub user_unit: Known<Option<Unit>>,
    /// The boot unit; `Is(None)` if there is none.
    pub boot_unit: Known<Option<Unit>>,
}

/// A model that the configuration names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Model {
    /// As the configuration names it.
    pub name: String,
    /// The configuration.
    pub config: PathBuf,
    /// Whether it is built in, or its file is there.
    pub is_there: Known<bool>,
}

/// A unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unit {
    /// Its file.
    pub path: PathBuf,
    /// Whether set-up wrote it.
    pub by_setup: bool,
    /// The program that it starts: a path, or a name that systemd looks for.
    pub program: String,
    /// Whether that program is there.
    pub program_is_there: Known<bool>,
}

impl Own {
    pub(super) fn read(root: &Root, facts: &Facts, folders: &Folders) -> Self {
        Self {
            model: model(root, folders),
            user_unit: user_unit(root, facts),
            boot_unit: boot_unit(root, facts),
        }
    }
}

/// Names of models that are built in, and the beginnings of the files of those that greenroom
/// describes (`models/*.toml`, `files`).
const BUILT_IN: [&str; 2] = ["general", "landscape"];
const DESCRIBED: [(&str, &str); 2] = [("rvm", "rvm_mobilenetv3"), ("u2netp", "u2netp")];

fn model(root: &Root, folders: &Folders) -> Known<Option<Model>> {
    let Some(config) = &folders.config else { return Known::Unknown };
    let config = config.join("greenroom/config.toml");
    let text = match root.optional_text(&config) {
        Known::Is(Some(text)) => text,
        Known::Is(None) => return Known::Is(None),
        Known::Unknown => return Known::Unknown,
    };
    let Ok(table) = text.parse::<toml::Table>() else { return Known::Unknown };
    let Some(name) = table.get("model").and_then(|model| model.as_str()) else {
        return Known::Is(None);
    };
    let is_there = model_is_there(root, folders, name);
    Known::Is(Some(Model { name: name.to_owned(), config, is_there }))
}

fn model_is_there(root: &Root, folders: &Folders, name: &str) -> Known<bool> {
    if BUILT_IN.contains(&name) {
        return Known::Is(true);
    }
    let is_file = |path: &Path| match root.metadata(path) {
        Known::Is(found) => Known::Is(found.is_some_and(|found| found.is_file())),
        Known::Unknown => Known::Unknown,
    };
    if name.starts_with('/') {
        return is_file(name.as_ref());
    }
    if Path::new(name).components().count() != 1 {
        // It depends on the folder in which greenroom is started.
        return Known::Unknown;
    }
    // The service is started in the home folder.
    if let Some(home) = &folders.home
        && !is_file(&home.join(name)).is_false()
    {
        return is_file(&home.join(name));
    }
    let Some(data) = &folders.data else { return Known::Unknown };
    let Known::Is(names) = root.names(data.join("greenroom/models")) else {
        return Known::Unknown;
    };
    let described = DESCRIBED.iter().find(|(model, _)| *model == name).map(|(_, start)| *start);
    Known::Is(names.iter().any(|file| {
        ["", ".onnx", ".tflite"].iter().any(|ending| *file == format!("{name}{ending}"))
            || described.is_some_and(|start| file.starts_with(start) && file.ends_with(".onnx"))
    }))
}

fn user_unit(root: &Root, facts: &Facts) -> Known<Option<Unit>> {
    let Known::Is(found) = &facts.own.user_unit else { return Known::Unknown };
    let home = facts.session.home.as_deref().map(files::user_unit_file);
    let path = match (&found.in_home, home) {
        (OwnFile::Ours(_) | OwnFile::Foreign, Some(path)) => path,
        _ => match &found.shipped {
            Some(path) => path.clone(),
            None => return Known::Is(None),
        },
    };
    unit(root, path)
}

fn boot_unit(root: &Root, facts: &Facts) -> Known<Option<Unit>> {
    match (&facts.own.unit, &facts.own.shipped_unit) {
        (Known::Is(OwnFile::Ours(_) | OwnFile::Foreign), _) => unit(root, files::UNIT_FILE.into()),
        (Known::Is(OwnFile::Absent), Known::Is(Some(_))) => {
            unit(root, files::SHIPPED_UNIT_FILE.into())
        }
        (Known::Is(OwnFile::Absent), Known::Is(None)) => Known::Is(None),
        _ => Known::Unknown,
    }
}

fn unit(root: &Root, path: PathBuf) -> Known<Option<Unit>> {
    let Some(text) = root.text(&path) else { return Known::Unknown };
    let start = text.lines().filter_map(|line| line.strip_prefix("ExecStart=")).next_back();
    let program = program(start.unwrap_or_default());
    Known::Is(Some(Unit {
        by_setup: files::is_ours(&text),
        program_is_there: program_is_there(root, &program),
        program,
        path,
    }))
}

/// The first word of a command line, as systemd reads it.
fn program(line: &str) -> String {
    let line = line.trim_start_matches(['-', '@', ':', '+', '!']);
    let word = match line.strip_prefix('"') {
        Some(rest) => rest.split('"').next(),
        None => line.split_whitespace().next(),
    };
    word.unwrap_or_default().replace("%%", "%").replace("$$", "$")
}

fn program_is_there(root: &Root, program: &str) -> Known<bool> {
    if program.starts_with('/') {
        return root.exists(program);
    }
    if program.is_empty() || program.contains('%') {
        // With a specifier (%h) only systemd knows the path.
        return Known::Unknown;
    }
    let folders = ["/usr/local/bin", "/usr/bin", "/usr/local/sbin", "/usr/sbin"];
    let paths = folders.map(|folder| format!("{folder}/{program}"));
    Known::Is(root.any_exists(&paths.each_ref().map(String::as_str)))
}
