//! `greenroom model`.

mod check;
mod get;
mod list;

use greenroom_matte::onnx::OnnxOptions;

use self::check::check;
use self::get::get;
use self::list::list;
use crate::cli::{ModelArgs, ModelCommand, ModelTools};
use crate::settings::{config, onnx_options};

/// `greenroom model`.
pub(super) fn model(args: &ModelArgs) -> anyhow::Result<()> {
    match &args.command {
        ModelCommand::List { tools } => list(&options(tools)?).print(),
        ModelCommand::Get { name, yes, tools } => get(*name, *yes, options(tools)?),
        ModelCommand::Check { file, tools } => check(file, options(tools)?),
    }
}

fn options(tools: &ModelTools) -> anyhow::Result<OnnxOptions> {
    let (config, _) = config(tools.config.as_deref())?;
    Ok(onnx_options(&tools.onnx, &config)?)
}
