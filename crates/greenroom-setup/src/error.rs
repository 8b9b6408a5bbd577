use std::io;
use std::path::PathBuf;

/// Why a wish or a system cannot be planned for. Every text is one sentence with the next step.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The label cannot be given to a node.
    #[error(
        "\"{label}\" cannot be the name of a virtual camera; use 1 to 29 letters, digits, spaces, \
         dots and dashes that begin with a letter or digit"
    )]
    Label {
        /// What was asked for.
        label: String,
    },
    /// No node or too many nodes are asked for.
    #[error("{count} virtual cameras cannot be set up; ask for 1 to {most}")]
    NodeCount {
        /// What was asked for.
        count: usize,
        /// The largest number that can be set up.
        most: usize,
    },
    /// The root directory of the system is not there.
    #[error("{path} is not a directory; name the root directory of a system")]
    Root {
        /// What was named.
        path: PathBuf,
    },
    /// A file cannot be written or removed.
    #[error("{} cannot be written{}", path.display(), next_step(source))]
    File {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A file is not set-up's.
    #[error("{path} is there and was not written by set-up, which leaves it alone: move it away")]
    ForeignFile {
        /// The file.
        path: PathBuf,
    },
    /// A program failed.
    #[error("`{command}` failed: {why}")]
    Program {
        /// The command.
        command: String,
        /// Why.
        why: String,
    },
    /// A node cannot be added or removed.
    #[error("/dev/video{number}: {why}")]
    Node {
        /// N of `/dev/videoN`.
        number: u32,
        /// Why.
        why: String,
    },
    /// A step was done, and what it was to bring about is not there.
    #[error("it was done, and yet this does not hold: {expected}")]
    Check {
        /// What was expected.
        expected: String,
    },
    /// The user stopped the run.
    #[error("it was stopped")]
    Stopped,
    /// A step of a plan failed, and the run was undone.
    #[error("{what}: {why}; {}", undone(remains))]
    Step {
        /// What was to be done.
        what: String,
        /// Why that failed.
        why: String,
        /// What could not be undone; empty if all was.
        remains: String,
    },
    /// No number for a node is free.
    #[error(
        "all numbers from /dev/video{first} to /dev/video{last} are taken; remove a video device \
         that you do not need"
    )]
    NoFreeNumber {
        /// The first.
        first: u32,
        /// The last.
        last: u32,
    },
}

/// What the user can do about a refusal of the file system.
fn next_step(source: &io::Error) -> String {
    use io::ErrorKind;
    match source.kind() {
        ErrorKind::ReadOnlyFilesystem => {
            ", as its file system is mounted for reading only: make it writable".to_owned()
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            ", as the disk is full: free some space".to_owned()
        }
        ErrorKind::PermissionDenied => {
            ", as there is no permission: see whether its folder is protected (`lsattr -d`)"
                .to_owned()
        }
        _ => format!(" ({source})"),
    }
}

fn undone(remains: &str) -> String {
    if remains.is_empty() {
        "what this run had done is undone; mend that and run `greenroom setup` again".to_owned()
    } else {
        format!(
            "what this run had done is undone, but not this: {remains}; `greenroom setup --undo` \
             takes that back"
        )
    }
}
