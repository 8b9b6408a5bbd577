//! What the log has already, so that it is logged once.

/// What was told last of what cannot be shown, of the configuration, and of what hides too little:
/// one line an event.
#[derive(Debug, Default)]
pub(super) struct Reported {
    pub(super) scene: Option<String>,
    pub(super) config: Option<String>,
    pub(super) warning: Option<String>,
}
