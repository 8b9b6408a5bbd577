use clap::Args;

/// Arguments of `greenroom setup`.
#[derive(Debug, Default, Args)]
pub struct SetupArgs {
    /// Only show what would be done, and why. Needs no rights and changes nothing.
    #[arg(long)]
    pub plan: bool,
    /// With --plan: print JSON, for programs.
    #[arg(long, requires = "plan")]
    pub json: bool,
    /// Do what the plan says without asking first.
    #[arg(short, long)]
    pub yes: bool,
    /// Take back what set-up has done.
    #[arg(long, conflicts_with_all = ["nodes", "label"])]
    pub undo: bool,
    /// How many virtual cameras there are to be [default: 1]. With v4l2loopback 0.13 and later, one
    /// program at a time can read a camera.
    #[arg(long, value_name = "N")]
    pub nodes: Option<usize>,
    /// The name under which programs list the camera [default: greenroom]; further ones get a
    /// number behind it.
    #[arg(long, value_name = "TEXT")]
    pub label: Option<String>,
    /// What the boot unit runs: add the nodes that are missing.
    #[arg(long, hide = true, requires = "number", conflicts_with_all = ["plan", "undo", "nodes"])]
    pub at_boot: bool,
    /// With --at-boot: the number of a node, once for each.
    #[arg(long, hide = true, value_name = "N", requires = "at_boot")]
    pub number: Vec<u32>,
    /// What pkexec or sudo run: do root's part. Takes the wish as JSON.
    #[arg(
        long,
        hide = true,
        value_name = "WISH",
        conflicts_with_all = ["plan", "undo", "nodes", "label", "at_boot"]
    )]
    pub as_root: Option<String>,
}
