//! The files that set-up writes: which of them are there.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::root::Root;
use super::session::Session;
use crate::Known;
use crate::apply::temporary;
use crate::files::{self, InProgress, RunRecord, SetupRecord};

/// The files that set-up writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OwnFiles {
    /// The boot unit, [`files::UNIT_FILE`].
    pub unit: Known<OwnFile>,
    /// The boot unit of greenroom's package, [`files::SHIPPED_UNIT_FILE`].
    pub shipped_unit: Known<Option<String>>,
    /// Whether the boot unit is started with the system.
    pub unit_is_enabled: Known<bool>,
    /// The module's options, [`files::OPTIONS_FILE`].
    pub options: Known<OwnFile>,
    /// What loads the module at every start, [`files::LOAD_FILE`].
    pub load: Known<OwnFile>,
    /// What set-up installed, [`files::SETUP_RECORD`].
    pub record: Known<Option<SetupRecord>>,
    /// The nodes that were added since the system's start, [`files::RUN_RECORD`].
    pub run_record: Known<Option<RunRecord>>,
    /// The unit with which greenroom runs in the user's session.
    pub user_unit: Known<UserUnit>,
}

/// A file at a path where set-up writes one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnFile {
    /// There is none.
    Absent,
    /// Set-up wrote this.
    Ours(String),
    /// Somebody else wrote it: it has not our first line.
    Foreign,
}

/// The unit with which greenroom runs in the user's session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserUnit {
    /// Where a package put it, if one did.
    pub shipped: Option<PathBuf>,
    /// What is in the user's own folder.
    pub in_home: OwnFile,
    /// Whether it is started with the session.
    pub enabled: bool,
}

impl OwnFiles {
    pub(super) fn read(root: &Root, session: &Session) -> Self {
        Self {
            unit: own_file(root, files::UNIT_FILE),
            shipped_unit: root.optional_text(files::SHIPPED_UNIT_FILE),
            unit_is_enabled: root.exists(files::UNIT_LINK),
            options: own_file(root, files::OPTIONS_FILE),
            load: own_file(root, files::LOAD_FILE),
            record: record(root),
            run_record: json(root, files::RUN_RECORD),
            user_unit: user_unit(root, session),
        }
    }
}

/// The record. If only a half-written one is there, a run was interrupted at its very beginning.
fn record(root: &Root) -> Known<Option<SetupRecord>> {
    let record = json(root, files::SETUP_RECORD);
    let half = temporary(Path::new(files::SETUP_RECORD));
    if record == Known::Is(None) && root.exists(half).is_true() {
        let what = "Write its record".to_owned();
        let run = InProgress { step: 1, of: 1, what, packages: false };
        return Known::Is(Some(SetupRecord { in_progress: Some(run), ..SetupRecord::default() }));
    }
    record
}

fn json<T: DeserializeOwned>(root: &Root, path: &str) -> Known<Option<T>> {
    match root.optional_text(path) {
        Known::Is(Some(text)) => serde_json::from_str(&text).map(Some).ok().into(),
        Known::Is(None) => Known::Is(None),
        Known::Unknown => Known::Unknown,
    }
}

fn own_file(root: &Root, path: impl AsRef<std::path::Path>) -> Known<OwnFile> {
    match root.optional_text(path) {
        Known::Is(None) => Known::Is(OwnFile::Absent),
        Known::Is(Some(text)) if files::is_ours(&text) => Known::Is(OwnFile::Ours(text)),
        Known::Is(Some(_)) => Known::Is(OwnFile::Foreign),
        Known::Unknown => Known::Unknown,
    }
}

fn user_unit(root: &Root, session: &Session) -> Known<UserUnit> {
    const SHIPPED: [&str; 4] = [
        "/usr/lib/systemd/user",
        "/usr/local/lib/systemd/user",
        "/etc/systemd/user",
        "/run/current-system/sw/share/systemd/user",
    ];
    let Some(home) = &session.home else { return Known::Unknown };
    let own = files::user_unit_file(home);
    let Known::Is(in_home) = own_file(root, &own) else { return Known::Unknown };
    let shipped = SHIPPED.map(|folder| PathBuf::from(folder).join(files::USER_UNIT));
    let folders = own.parent().into_iter().map(PathBuf::from).chain(["/etc/systemd/user".into()]);
    let enabled = folders.into_iter().any(|folder| {
        let Known::Is(names) = root.names(&folder) else { return false };
        names
            .iter()
            .filter(|name| name.ends_with(".wants"))
            .any(|name| root.exists(folder.join(name).join(files::USER_UNIT)).is_true())
    });
    let shipped = shipped.into_iter().find(|path| root.exists(path).is_true());
    Known::Is(UserUnit { shipped, in_home, enabled })
}
