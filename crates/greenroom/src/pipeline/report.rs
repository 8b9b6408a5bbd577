use std::sync::Arc;

use super::MaskServerReport;
use super::output::{Output, OutputReport};
use super::shared::Shared;
use crate::status::{Cpu, Quantiles, Status};

/// Tells what is going on in a pipeline.
#[derive(Clone)]
pub struct Reporter {
    shared: Arc<Shared>,
    outputs: Vec<Arc<OutputReport>>,
    mask_server: Option<Arc<MaskServerReport>>,
}

impl Reporter {
    pub(super) fn new(
        shared: Arc<Shared>,
        outputs: &[Output],
        mask_server: Option<Arc<MaskServerReport>>,
    ) -> Self {
        Self { shared, outputs: outputs.iter().map(Output::report).collect(), mask_server }
    }

    /// What is going on now.
    pub fn status(&self) -> Status {
        let stats = &self.shared.stats;
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            uptime_s: self.shared.started.elapsed().as_secs_f64(),
            camera: self.shared.camera_status(),
            outputs: self.outputs.iter().map(|output| output.status()).collect(),
            // Whoever changes scenes tells of them, and of what hides them.
            hidden_by: Vec::new(),
            idle_after_s: 0.0,
            mask_server: self.mask_server.as_ref().map(|server| server.status()),
            governor: Some(self.shared.governing.status()),
            frames: stats.frames(),
            latency_ms: Quantiles::of(&stats.latency),
            stages_ms: stats.steps(),
            cpu: Cpu::of_this_process(self.shared.started.elapsed()),
        }
    }
}
