use std::path::Path;

use greenroom_matte::Model;
use greenroom_matte::onnx::{GET_RUNTIME, OnnxOptions, find_runtime};

use crate::models::{KnownModel, known_models, model_folder, package_of_model};
use crate::terminal::Lines;

/// `greenroom model list`.
pub(super) fn list(options: &OnnxOptions) -> Lines {
    let mut text = Lines::default();
    text.push("Built-in models");
    for model in [Model::General, Model::Landscape] {
        let description = model.description();
        let licence = description.licence.unwrap_or_default();
        let kilobytes = model.file().len() / 1000;
        let size = description.input_size.to_string();
        let usual = if model == Model::DEFAULT { " (the default)" } else { "" };
        text.push(format_args!("  {model:<10} {size:<8} {licence}, {kilobytes} kB{usual}"));
    }
    let folder = model_folder();
    let shown =
        folder.as_ref().map_or("nowhere: no home folder".into(), |it| it.display().to_string());
    text.push("Models that greenroom has a description of, and whose file you bring");
    let known = known_models();
    for model in &known {
        list_known(&mut text, model, folder.as_deref());
    }
    text.push(format_args!("Your own models, in {shown}"));
    let own = folder.as_deref().map(|folder| own_files(folder, &known)).unwrap_or_default();
    for name in &own {
        text.push(format_args!("  {name}"));
    }
    if own.is_empty() {
        text.push("  none");
    }
    text.push("ONNX Runtime, which runs ONNX models");
    match find_runtime(options) {
        Ok(runtime) => {
            let providers: Vec<_> = runtime.providers.iter().map(ToString::to_string).collect();
            text.push(format_args!("  {}, {}", runtime.version, runtime.library.display()));
            text.push(format_args!("  providers: {}", providers.join(", ")));
        }
        Err(greenroom_matte::MatteError::NoRuntime { .. }) => text.push(format_args!(
            "  none on this machine; get it with `{GET_RUNTIME}`, or install your distribution's \
             package of it"
        )),
        Err(error) => text.push(format_args!("  {error}")),
    }
    text
}

fn list_known(text: &mut Lines, model: &KnownModel, folder: Option<&Path>) {
    let KnownModel { description, source, .. } = model;
    let size = description.input.size.map(|size| size.to_string()).unwrap_or_default();
    let licence = description.licence.as_deref().unwrap_or("licence unknown");
    text.push(format_args!("  {:<10} {size:<8} {licence}", description.name));
    match folder.and_then(|folder| model.file_in(folder)) {
        Some(file) => text.push(format_args!("    here: {}", file.display())),
        None => match package_of_model(&description.name) {
            Some(package) => {
                text.push(format_args!("    not here; greenroom model get {}", package.name))
            }
            None => text.push(format_args!("    not here; {source}")),
        },
    }
}

/// Names of the models in `folder` that are none of the known ones.
fn own_files(folder: &Path, known: &[KnownModel]) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let is_model = |name: &String| name.ends_with(".onnx") || name.ends_with(".tflite");
    let is_known = |name: &String| known.iter().any(|known| known.is_called(name));
    let mut names: Vec<_> = names.filter(|name| is_model(name) && !is_known(name)).collect();
    names.sort();
    names
}
