//! Options of the module in files of modprobe.d.

use greenroom_setup::facts::{Directive, ModuleConfig, OwnFile};
use greenroom_setup::{Command, Known, files};

use super::{Context, list, note, warning};
use crate::{Finding, FindingId, Instruction};

/// The lists of two files merge, and both break: v4l2loopback#551.
pub(super) fn in_two_files(context: Context<'_>) -> Vec<Finding> {
    let symptom = "Virtual cameras have wrong names or numbers, or some are missing.";
    let cure = "Leave the options in one of the files. From v4l2loopback 0.13 on, greenroom needs \
                no options, as set-up adds its camera at run time.";
    let Known::Is(configs) = &context.facts.configs else {
        let cause = "Files in modprobe.d cannot be read, and may give v4l2loopback options.";
        let ask = "Run doctor as root, who may read them.";
        let found = note(FindingId::OptionsInTwoFiles, symptom, cause, ask).undecided();
        return vec![found.command(Instruction::root("greenroom doctor"))];
    };
    let has_options = |config: &&ModuleConfig| {
        config.lines.iter().any(|line| line.directive == Directive::Options)
    };
    let foreign = configs.iter().filter(has_options).map(|config| config.path.display());
    let mut paths: Vec<_> = foreign.map(|path| path.to_string()).collect();
    let theirs = paths.last().cloned();
    if matches!(context.facts.own.options, Known::Is(OwnFile::Ours(_))) {
        paths.push(files::OPTIONS_FILE.to_owned());
    }
    let (Some(theirs), true) = (theirs, paths.len() > 1) else { return Vec::new() };
    let cause = format!(
        "{} give v4l2loopback options. Lists like video_nr merge, so that the values of one file \
         overwrite those of another.",
        list(&paths)
    );
    let found = warning(FindingId::OptionsInTwoFiles, symptom, cause, cure);
    let edit = Command::words("nano").with([theirs]);
    vec![found.command(Instruction::RunAsRoot(edit))]
}
