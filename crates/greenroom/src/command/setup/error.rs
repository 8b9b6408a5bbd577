/// Why `greenroom setup` does nothing, or why its helper did not begin. Each is one sentence with
/// the next step.
#[derive(Debug, thiserror::Error)]
pub enum SetupRefused {
    /// There is nobody to ask.
    #[error(
        "nothing was done, as there is no terminal to ask on; if you agree with the plan, run \
         `greenroom setup {0}--yes`"
    )]
    NobodyToAsk(&'static str),
    /// The plan has no steps, and says why.
    #[error(
        "nothing can be set up here, for the reason above; `greenroom run --output FILE` works \
         without a virtual camera"
    )]
    NotPossible,
    /// As root, the facts were others.
    #[error("nothing was done as root: {0}")]
    NotPossibleAsRoot(String),
    /// `--as-root` without root's rights.
    #[error("--as-root is for pkexec and sudo; run `greenroom setup`, which starts them")]
    NotRoot,
    /// `--as-root` with something that is no wish.
    #[error("--as-root takes a wish as `greenroom setup` writes it ({0}); run `greenroom setup`")]
    Wish(serde_json::Error),
    /// The helper could not be started.
    #[error("{tool} cannot be started ({why}); run `sudo greenroom setup` as an administrator")]
    NoTool {
        /// pkexec or sudo.
        tool: &'static str,
        /// Why.
        why: std::io::Error,
    },
    /// The window that asks for the password was closed.
    #[error(
        "nothing was done, as the question for the password was dismissed; run `greenroom setup` \
         again, or write to a file without a virtual camera: `greenroom run --output FILE`"
    )]
    Dismissed,
    /// Nobody could ask for the password, or it was wrong.
    #[error(
        "nothing was done, as pkexec got no permission: the password was wrong, you are no \
         administrator, or no program of this desktop asks for passwords (a polkit agent); in a \
         terminal, run `sudo greenroom setup`, then `greenroom setup` for your session's part"
    )]
    NotAuthorized,
}
