use greenroom_device::SinkOpener;

/// What one output means to the whole.
pub struct OutputPolicy {
    /// While something is shown on it, the camera is wanted for it.
    pub counts_as_demand: bool,
    /// What becomes of it when its sink is lost.
    pub on_loss: OnLoss,
    /// What is shown while nobody watches.
    pub idle: Idle,
}

/// What becomes of an output whose sink is lost.
pub enum OnLoss {
    /// It is opened again when it is there.
    Retry(Box<dyn SinkOpener>),
    /// All ends: it was what everything was done for.
    End,
    /// It ends; the others go on.
    Drop,
}

/// What is shown on an output that nobody watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idle {
    /// The placeholder, in every buffer; then nothing is written.
    Blank,
    /// Pictures, as if somebody did.
    Keep,
}

impl OutputPolicy {
    /// A device, which `opener` gets again when it is lost.
    pub fn device(opener: impl SinkOpener + 'static) -> Self {
        let on_loss = OnLoss::Retry(Box::new(opener));
        Self { counts_as_demand: true, on_loss, idle: Idle::Blank }
    }

    /// A file or pipe, which is watched as long as it is there.
    pub fn recording(on_loss: OnLoss) -> Self {
        Self { counts_as_demand: true, on_loss, idle: Idle::Keep }
    }
}
