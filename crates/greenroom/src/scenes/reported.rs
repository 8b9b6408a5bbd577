//! What the log has already, so that it is logged once.

/// What was told last of what cannot be shown, of the configuration, of the screen, and of what hides too little:
/// one line an event.
#[derive(Debug, Default)]
pub(super) struct Reported {
    pub(super) scene: Option<String>,
    pub(super) config: Option<String>,
    pub(super) screen: Option<String>,
    pub(super) warning: Option<String>,
}
