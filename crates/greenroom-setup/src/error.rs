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
}
