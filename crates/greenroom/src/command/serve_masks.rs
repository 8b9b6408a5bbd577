use anyhow::Context;
use greenroom_device::Wake;

use greenroom_matte::RefineSteps;

use super::signals::{Parts, Signals};
use crate::cli::ServeMasksArgs;
use crate::masks::{Limits, Server, listen};
use crate::service;
use crate::settings::{Answers, ModelChoice, config};

/// `greenroom serve-masks`.
pub(super) fn serve_masks(args: &ServeMasksArgs) -> anyhow::Result<()> {
    // Nothing is written here, but the moment of a signal shall make no difference.
    let signals = Signals::catch(Parts::Remove).context("catching signals")?;
    let (config, _) = config(args.config.as_deref())?;
    let model = ModelChoice::new(args.model.as_deref(), &args.onnx, &config)?;
    // Clients send small and much compressed pictures; at the size it was trained at, the network minds that less:
    // of 61 such frames the least IoU with the mask of the whole frame is 0.99, and 0.83 at the larger size.
    let model = match model {
        ModelChoice::BuiltIn(model) => ModelChoice::BuiltInAsTrained(model),
        other => other,
    };
    // Each picture stands for itself: there is nothing to follow or to smooth.
    let steps = RefineSteps::NONE;
    let matte = model.build(steps, Answers::AtOnce)?;
    let name = matte.description().name.clone();
    let listener = listen(&args.listen)?;
    let make = Box::new(move || model.build(steps, Answers::AtOnce));
    let server = Server::start(listener, Limits::default(), matte, make);
    let server = server.context("starting the mask server")?;
    let address = server.address();
    tracing::info!("mask server: listening at {address}, model {name}");
    if !address.ip().to_canonical().is_loopback() {
        tracing::warn!(
            "{address} can be reached from other machines: everybody there can use this server, \
             and pictures travel unencrypted; --listen 127.0.0.1:{} keeps it to this machine",
            address.port()
        );
    }
    service::status_line(&format!("Masks at {address}, model {name}"));
    service::ready();
    Wake::wait([signals.started()], None);
    service::stopping();
    drop(server);
    tracing::info!("mask server: stopped");
    Ok(())
}
