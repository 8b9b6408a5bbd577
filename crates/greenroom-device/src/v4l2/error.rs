use rustix::io::Errno;

/// Why an ioctl did not give what was asked for. Becomes a [`DeviceError`](crate::DeviceError)
/// where the device's name is known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum V4l2Error {
    /// The kernel refused.
    #[error("{call}: {errno}")]
    Os {
        /// Name of the ioctl or system call.
        call: &'static str,
        /// Its answer.
        errno: Errno,
    },
    /// The driver's answer contradicts itself or the standard.
    #[error("the driver answered {call} with {what}")]
    Nonsense {
        /// Name of the ioctl.
        call: &'static str,
        /// What was wrong.
        what: String,
    },
}

impl V4l2Error {
    /// The kernel's answer, if that was it.
    pub(crate) fn errno(&self) -> Option<Errno> {
        match self {
            V4l2Error::Os { errno, .. } => Some(*errno),
            V4l2Error::Nonsense { .. } => None,
        }
    }

    /// Whether the driver does not know the call at all.
    pub(crate) fn is_unknown_call(&self) -> bool {
        self.errno() == Some(Errno::NOTTY)
    }
}
