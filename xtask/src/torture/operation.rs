//! An [`Operation`] is what is done in a case.

/// What is done. A word is the ending of the file that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `run` into a pipe, with the fault; `set`, `snapshot`, `pause` and `resume` without; then SIGTERM.
    OnAir,
    /// The same, with a clip as the background; FFmpeg's fault comes when greenroom is on air.
    SetClip,
    /// `run` into a file in place of an old one, for two seconds.
    Record(&'static str),
    /// `render` into a file in place of an old one.
    Render(&'static str),
    /// `set`, `snapshot`, `status` and `pause` with the fault, of a `run` without.
    Clients,
    /// The same with nobody who answers as greenroom does.
    ClientsAlone,
}

impl Operation {
    pub const ALL: [Self; 6] = [
        Self::OnAir,
        Self::Clients,
        Self::Record("y4m"),
        Self::Record("mkv"),
        Self::Render("y4m"),
        Self::Render("mkv"),
    ];
    /// Those that a limit may hit in ways of their own.
    pub const LIMITED: [Self; 4] =
        [Self::OnAir, Self::Clients, Self::Record("mkv"), Self::Render("mkv")];
    pub const WRITING: [Self; 4] =
        [Self::OnAir, Self::Record("y4m"), Self::Record("mkv"), Self::Render("y4m")];

    pub(super) fn name(self) -> String {
        match self {
            Self::OnAir => "run, set, snapshot, pause, resume".to_owned(),
            Self::SetClip => "run, set a clip, pause, resume".to_owned(),
            Self::Record(ending) => format!("run --output old.{ending}"),
            Self::Render(ending) => format!("render old.{ending}"),
            Self::Clients => "clients".to_owned(),
            Self::ClientsAlone => "clients alone".to_owned(),
        }
    }
}
