//! What greenroom itself needs: a fast processor, and the configured model.

use greenroom_setup::{Command, Known};

use super::{Context, note, warning};
use crate::evidence::Cpu;
use crate::{Finding, FindingId, Instruction};

/// Models that `greenroom model get` downloads.
const DOWNLOADED: [&str; 2] = ["rvm", "u2netp"];

/// greenroom's fast code needs AVX2 and FMA.
pub(super) fn no_avx2(context: Context<'_>) -> Vec<Finding> {
    if context.evidence.cpu != Known::Is(Cpu::X86 { avx2: false }) {
        return Vec::new();
    }
    let found = note(
        FindingId::NoAvx2,
        "The picture may be jerky, and the fan loud.",
        "The processor has no AVX2, so that greenroom's slow code runs.",
        "Use the network with the least work.",
    );
    let options = ["--model", "landscape"];
    vec![context.with_settings(found, "model = \"landscape\"", &options)]
}

/// The model that the configuration names is not there.
pub(super) fn model_missing(context: Context<'_>) -> Vec<Finding> {
    let symptom = "greenroom does not start, and says that there is no such model.";
    let Known::Is(model) = &context.evidence.own.model else {
        let cause = "greenroom's configuration cannot be read, or has an error.";
        let cure = "See what greenroom says of it.";
        let found = warning(FindingId::ModelMissing, symptom, cause, cure).undecided();
        return vec![found.command(Instruction::run("greenroom config check"))];
    };
    let Some(model) = model else { return Vec::new() };
    let (name, config) = (&model.name, model.config.display());
    match model.is_there {
        Known::Is(true) => Vec::new(),
        Known::Unknown => {
            let cause = format!(
                "{config} names the model \"{name}\", and it cannot be seen from here whether \
                 there is such a file."
            );
            let cure = "See which models greenroom finds.";
            let found = warning(FindingId::ModelMissing, symptom, cause, cure).undecided();
            vec![found.command(Instruction::run("greenroom model list"))]
        }
        Known::Is(false) => {
            let cause = format!("{config} names the model \"{name}\", and there is no such file.");
            let get = DOWNLOADED.contains(&name.as_str());
            let (cure, command) = if get {
                let get = Command::words("greenroom model get").with([name]);
                ("Download it, or remove the line \"model\".", get)
            } else {
                let list = Command::words("greenroom model list");
                ("Name one of the models that greenroom lists, or remove the line \"model\".", list)
            };
            let found = warning(FindingId::ModelMissing, symptom, cause, cure);
            vec![found.command(Instruction::Run(command))]
        }
    }
}
