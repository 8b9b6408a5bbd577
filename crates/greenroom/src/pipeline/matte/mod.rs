//! Who finds the person: the thread that makes mattes, and their way to a frame's size.

mod planes;
mod server_report;
mod thread;

use std::sync::Arc;

use greenroom_matte::{MatteError, MatteMaker, RefineSteps};

pub use planes::MattePlanes;
pub use server_report::MaskServerReport;
pub(super) use thread::MatteThread;

use crate::governor::CpuBudget;
use crate::masks::MaskClient;

/// Makes the network anew after it failed beyond use.
pub type MakeMatte = Box<dyn FnMut() -> Result<MatteMaker, MatteError> + Send>;

/// Who finds the person.
pub struct MatteFeed {
    /// Warm from the start, and kept warm while nobody watches.
    pub maker: MatteMaker,
    /// Makes another.
    pub remake: MakeMatte,
    /// Asked first.
    pub server: Option<MaskServer>,
    /// What is done about the matte's edges at full size, whoever found the person.
    pub steps: RefineSteps,
    /// Less is done when frames come late, or the budget is used up.
    pub is_governed: bool,
    /// How much processor time may be used.
    pub cpu_budget: Option<CpuBudget>,
}

/// A mask server that is asked before the network here.
pub struct MaskServer {
    /// Asks it.
    pub client: MaskClient,
    /// Is told how it does.
    pub report: Arc<MaskServerReport>,
}
