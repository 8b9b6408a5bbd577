use std::io;
use std::path::PathBuf;

/// Why `greenroom doctor` changes nothing. Each is one sentence with the next step.
#[derive(Debug, thiserror::Error)]
pub enum DoctorRefused {
    /// There is nobody to ask.
    #[error(
        "nothing was done, as there is no terminal to ask on; if you agree with what is shown above, \
         run `greenroom doctor {0} --yes`"
    )]
    NobodyToAsk(&'static str),
    /// What is to be done is the user's, and this is root.
    #[error(
        "nothing was done, as some of it is in your own session; run `greenroom doctor {0}` without \
         sudo, and it asks for root's rights where it needs them"
    )]
    IsRoot(&'static str),
    /// There is no folder for the record.
    #[error(
        "nothing was done, as there is no place to write down how it is taken back; set HOME and \
         run `greenroom doctor --fix` again"
    )]
    NoFolder,
    /// The record cannot be written.
    #[error(
        "nothing more was done, as {} cannot be written ({why}), which says how it is taken back; \
         mend that and run `greenroom doctor --fix` again", path.display()
    )]
    RecordNotWritten {
        /// The record.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// The record cannot be read.
    #[error(
        "{} cannot be read ({why}), so it is not known what `greenroom doctor --fix` has done; mend \
         or remove that file", path.display()
    )]
    RecordNotRead {
        /// The record.
        path: PathBuf,
        /// Why.
        why: String,
    },
}
