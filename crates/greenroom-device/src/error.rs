use std::io;

/// What can go wrong with a device or file, sorted by what helps. Every text is one sentence that
/// names the thing and the next step to take.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// There is no such device or file: name another, or plug it in.
    #[error("{what} does not exist; {remedy}")]
    NotFound {
        /// The device or file, as the user named it.
        what: String,
        /// The next step to take.
        remedy: String,
    },
    /// There is none of its kind at all: get one, or wait for one.
    #[error("there is no {kind}; {remedy}")]
    NoneHere {
        /// What there is none of.
        kind: &'static str,
        /// The next step to take.
        remedy: String,
    },
    /// It exists and is the wrong kind of thing: name another.
    #[error("{what} is {found}, not {wanted}; {remedy}")]
    WrongKind {
        /// The device or file, as the user named it.
        what: String,
        /// What it is.
        found: String,
        /// What was needed.
        wanted: String,
        /// The next step to take.
        remedy: String,
    },
    /// Somebody else has it: stop them, or wait.
    #[error("{what} is in use by {holder}; {remedy}")]
    Busy {
        /// The device.
        what: String,
        /// Who has it, by name and pid where that may be seen.
        holder: String,
        /// The next step to take.
        remedy: String,
    },
    /// It was there and went away (unplugged, module unloaded): wait for its return.
    #[error("{what} has gone away; plug it in again or choose another")]
    Gone {
        /// The device.
        what: String,
    },
    /// Whoever read it has closed it: start them again.
    #[error("whoever read {what} has closed it")]
    ReaderLeft {
        /// The pipe.
        what: String,
    },
    /// Whoever reads it takes nothing more: end them.
    #[error("whoever reads {what} takes nothing more; its last frame is not whole")]
    Stalled {
        /// The pipe.
        what: String,
    },
    /// We may not open it: get the right.
    #[error("no permission to open {what}; {remedy}")]
    Denied {
        /// The device or file.
        what: String,
        /// The next step to take.
        remedy: String,
    },
    /// It has no mode, format or size that greenroom can use.
    #[error("{what} cannot be used: {why}")]
    Unsupported {
        /// The device or file.
        what: String,
        /// What is missing, and the next step.
        why: String,
    },
    /// What came out of it makes no sense: a broken file, or a driver's answer that contradicts
    /// itself.
    #[error("{what} is broken: {why}")]
    Broken {
        /// The device or file.
        what: String,
        /// What was wrong with it, and the next step.
        why: String,
    },
    /// A program or library that is needed is not installed.
    #[error("{program} is needed for {purpose}; install it with: {command}")]
    MissingProgram {
        /// The program.
        program: String,
        /// What it is needed for.
        purpose: String,
        /// The command that installs it.
        command: String,
    },
    /// The operating system said no in a way that has no variant of its own.
    #[error("{what}: {doing} failed")]
    Io {
        /// The device or file.
        what: String,
        /// What was being done.
        doing: &'static str,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// A source or sink of another crate says why, in a sentence that names the thing and the next step to take.
    #[error(transparent)]
    Elsewhere(Box<dyn std::error::Error + Send + Sync>),
    /// A picture's description was refused.
    #[error(transparent)]
    Frame(#[from] greenroom_frame::FrameError),
}
