use greenroom_device::DeviceError;

/// Why there is no camera on PipeWire. Every text is one sentence with the next step to take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PipewireError {
    /// Nobody listens at the socket.
    #[error(
        "no PipeWire is running here; start it with: systemctl --user start pipewire wireplumber"
    )]
    NotRunning,
    /// It was connected to, and does not answer.
    #[error("PipeWire does not answer; restart it with: systemctl --user restart pipewire")]
    Silent,
    /// Another program has a camera of this name.
    #[error(
        "PipeWire has a camera called \"{name}\" already, which {holder} made; end that program, or take another name: \
         pipewire:NAME"
    )]
    NameTaken {
        /// The node's name.
        name: String,
        /// Whose it is.
        holder: String,
    },
    /// The session does not let us make a camera.
    #[error(
        "PipeWire does not let greenroom make a camera ({why}); allow it in the access rules of PipeWire or WirePlumber"
    )]
    Denied {
        /// PipeWire's words.
        why: String,
    },
    /// Libpipewire or the daemon failed in another way.
    #[error(
        "PipeWire makes no camera ({why}); look into its log with: journalctl --user -u pipewire"
    )]
    Failed {
        /// Its words.
        why: String,
    },
    /// The session does not let us see its cameras.
    #[error(
        "PipeWire does not let greenroom use its cameras ({why}); allow it in the access rules of PipeWire or WirePlumber"
    )]
    InputDenied {
        /// PipeWire's words.
        why: String,
    },
    /// Libpipewire or the daemon failed in another way while a camera was looked for or started.
    #[error(
        "PipeWire gives no camera ({why}); look into its log with: journalctl --user -u pipewire"
    )]
    NoCamera {
        /// Its words.
        why: String,
    },
    /// The screen or window is shown no more.
    #[error(
        "the screen or window that was shown has gone; choose another with: greenroom set background screen"
    )]
    ScreenGone,
    /// PipeWire gives no pictures of a screen any more.
    #[error(
        "PipeWire gives no picture of the screen ({why}); choose it again with: greenroom set background screen"
    )]
    NoScreen {
        /// Its words.
        why: String,
    },
}

impl PipewireError {
    /// What it means to whoever takes from a screen.
    pub(crate) fn of_screen(self) -> Self {
        let why = match self {
            Self::NotRunning => "it has ended".to_owned(),
            Self::NoCamera { why } | Self::InputDenied { why } | Self::Failed { why } => why,
            other => return other,
        };
        Self::NoScreen { why }
    }

    /// What an error of the connection means to whoever takes from a camera; `None` if nothing.
    pub(crate) fn of_input(result: i32, why: &str) -> Option<Self> {
        // EPIPE, ECONNRESET, ECONNREFUSED; EPERM, EACCES.
        match result {
            -32 | -104 | -111 => Some(Self::NotRunning),
            -1 | -13 => Some(Self::InputDenied { why: why.to_owned() }),
            _ => None,
        }
    }
}

impl From<PipewireError> for DeviceError {
    fn from(error: PipewireError) -> Self {
        DeviceError::Elsewhere(Box::new(error))
    }
}
