//! What the files of modprobe.d(5) and modules-load.d(5) say about v4l2loopback.

use std::path::PathBuf;

use serde::Serialize;

use super::root::Root;
use crate::Known;
use crate::files;

/// A file that mentions the module and is not ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModuleConfig {
    /// The file.
    pub path: PathBuf,
    /// Its lines about the module.
    pub lines: Vec<ConfigLine>,
}

/// A line about the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfigLine {
    /// What the line does.
    pub directive: Directive,
    /// The whole line.
    pub text: String,
}

/// What a line about a module does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Directive {
    /// Gives the module options whenever it is loaded.
    Options,
    /// Runs a command instead of loading the module.
    Install,
    /// Keeps the module from being loaded for a device; a load by name goes on working.
    Blacklist,
    /// Loads the module at every start.
    Load,
    /// Anything else.
    Other,
}

impl ModuleConfig {
    /// Whether the file makes a node called `label` when the module is loaded.
    pub fn makes_node(&self, label: &str) -> bool {
        let of_label = |line: &ConfigLine| {
            line.directive == Directive::Options
                && line.text.split(['"', ',', '=', '\'', ' ']).any(|word| word == label)
        };
        self.lines.iter().any(of_label)
    }
}

const OPTION_FOLDERS: [&str; 5] = [
    "/etc/modprobe.d",
    "/run/modprobe.d",
    "/usr/local/lib/modprobe.d",
    "/usr/lib/modprobe.d",
    "/lib/modprobe.d",
];
const LOAD_FOLDERS: [&str; 5] = [
    "/etc/modules-load.d",
    "/run/modules-load.d",
    "/usr/local/lib/modules-load.d",
    "/usr/lib/modules-load.d",
    "/lib/modules-load.d",
];

/// All files about the module, ours left out. Unknown if a folder or file cannot be read: then
/// somebody else's options may be there.
pub(super) fn read(root: &Root) -> Known<Vec<ModuleConfig>> {
    let mut configs = Vec::new();
    let options = files_in(root, &OPTION_FOLDERS);
    let loads = files_in(root, &LOAD_FOLDERS);
    let (Some(options), Some(loads)) = (options, loads) else { return Known::Unknown };
    let loads = loads.into_iter().chain([PathBuf::from("/etc/modules")]);
    let options = options.into_iter().map(|path| (path, option_line as fn(&str) -> _));
    for (path, line) in options.chain(loads.map(|path| (path, load_line as fn(&str) -> _))) {
        match root.optional_text(&path) {
            Known::Is(Some(text)) if !files::is_ours(&text) => {
                let lines: Vec<_> = joined(&text).iter().filter_map(|text| line(text)).collect();
                if !lines.is_empty() {
                    configs.push(ModuleConfig { path, lines });
                }
            }
            Known::Is(_) => {}
            Known::Unknown => return Known::Unknown,
        }
    }
    configs.extend(kernel_command_line(root));
    Known::Is(configs)
}

fn files_in(root: &Root, folders: &[&str]) -> Option<Vec<PathBuf>> {
    let mut files = Vec::new();
    for folder in root.distinct(folders) {
        let names = root.names(folder).get()?.clone();
        let configs = names.into_iter().filter(|name| name.ends_with(".conf"));
        files.extend(configs.map(|name| PathBuf::from(folder).join(name)));
    }
    Some(files)
}

/// The lines, those that end with a backslash joined with the next.
fn joined(text: &str) -> Vec<String> {
    text.replace("\\\n", " ").lines().map(|line| line.trim().to_owned()).collect()
}

fn option_line(line: &str) -> Option<ConfigLine> {
    let mut words = line.split_whitespace();
    let directive = match words.next()? {
        "options" => Directive::Options,
        "install" => Directive::Install,
        "blacklist" => Directive::Blacklist,
        word if word.starts_with('#') => return None,
        _ => Directive::Other,
    };
    // modprobe takes "-" and "_" for the same.
    let module = words.next()?.replace('-', "_");
    (module == "v4l2loopback").then(|| ConfigLine { directive, text: line.to_owned() })
}

fn load_line(line: &str) -> Option<ConfigLine> {
    let module = line.split_whitespace().next()?;
    (module == "v4l2loopback")
        .then(|| ConfigLine { directive: Directive::Load, text: line.to_owned() })
}

/// Options on the kernel's command line: `v4l2loopback.devices=2`.
fn kernel_command_line(root: &Root) -> Option<ModuleConfig> {
    let path = PathBuf::from("/proc/cmdline");
    let text = root.text(&path)?;
    let options = text.split_whitespace().filter(|word| word.starts_with("v4l2loopback."));
    let lines: Vec<_> = options
        .map(|option| ConfigLine { directive: Directive::Options, text: option.to_owned() })
        .collect();
    (!lines.is_empty()).then_some(ModuleConfig { path, lines })
}
