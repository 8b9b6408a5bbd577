//! The files that set-up writes: where they are, and what is in them.
//!
//! Nodes are added at every start by a unit of the system, [`boot_unit`], which runs
//! `greenroom setup --at-boot` ([`at_boot()`](crate::at_boot())).

mod records;

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

pub use records::{InProgress, NodeRecord, RunRecord, SetupRecord};

use crate::{Command, Label};

/// The first line of each of our files; a file without it is somebody else's.
pub const MARK: &str =
    "# Written by `greenroom setup`; `greenroom setup --undo` removes this file.";

/// Numbers for our nodes. Below are webcams, and programs that take the first node that they find;
/// OBS ignores 64 and above.
pub const NUMBERS: RangeInclusive<u32> = 10..=63;

/// Buffers of a node: GStreamer wants more than two.
pub const BUFFERS: u32 = 4;

/// The name of the boot unit.
pub const UNIT: &str = "greenroom-camera.service";
/// The boot unit that set-up writes.
pub const UNIT_FILE: &str = "/etc/systemd/system/greenroom-camera.service";
/// The boot unit of greenroom's package: for one node with the usual label and number.
pub const SHIPPED_UNIT_FILE: &str = "/usr/lib/systemd/system/greenroom-camera.service";
/// There if the boot unit is enabled.
pub const UNIT_LINK: &str = "/etc/systemd/system/multi-user.target.wants/greenroom-camera.service";
/// The module's options, for a module before 0.13 alone. The name sorts late, so that no option of
/// ours is changed by a file that is read afterwards; nobody else's may be there at all.
pub const OPTIONS_FILE: &str = "/etc/modprobe.d/greenroom.conf";
/// What loads a module before 0.13 at every start.
pub const LOAD_FILE: &str = "/etc/modules-load.d/greenroom.conf";
/// What set-up installed ([`SetupRecord`]), so that undoing removes that and nothing else.
pub const SETUP_RECORD: &str = "/var/lib/greenroom/setup.json";
/// The nodes that were added since the system's start ([`RunRecord`]).
pub const RUN_RECORD: &str = "/run/greenroom/nodes.json";
/// All files that set-up writes as root.
pub const ALL: [&str; 5] = [UNIT_FILE, OPTIONS_FILE, LOAD_FILE, SETUP_RECORD, RUN_RECORD];
/// The name of the unit with which greenroom runs in the user's session.
pub const USER_UNIT: &str = "greenroom.service";

/// Whether set-up wrote this file.
pub fn is_ours(text: &str) -> bool {
    text.lines().next() == Some(MARK)
}

/// Where the user's own unit is.
pub fn user_unit_file(home: &Path) -> PathBuf {
    home.join(".config/systemd/user").join(USER_UNIT)
}

/// The command that adds the nodes.
pub fn at_boot_command(program: &Path, label: &Label, numbers: &[u32]) -> Command {
    let numbers = numbers.iter().flat_map(|number| ["--number".to_owned(), number.to_string()]);
    Command(vec![program.display().to_string()])
        .with(["setup", "--at-boot", "--label", label.as_str()])
        .with(numbers)
}

/// The command that loads a module that adds nodes at run time. It makes no node of its own then,
/// which would take the number of a webcam, unless somebody's options ask for nodes: `devices=0`
/// would override those. Without `max_buffers`, versions before 0.15 let nobody use the fourth buffer
/// of a node.
pub fn load_command(somebody_has_options: bool) -> Command {
    Command::words(if somebody_has_options {
        "modprobe v4l2loopback"
    } else {
        "modprobe v4l2loopback devices=0 max_buffers=4"
    })
}

/// The boot unit, [`UNIT_FILE`].
pub fn boot_unit(program: &Path, label: &Label, numbers: &[u32]) -> String {
    let words: Vec<_> =
        at_boot_command(program, label, numbers).0.iter().map(|word| unit_word(word)).collect();
    format!(
        "{MARK}\n\
         [Unit]\n\
         Description=Virtual camera of greenroom (adds a node to v4l2loopback)\n\
         After=systemd-modules-load.service\n\
         \n\
         [Service]\n\
         Type=oneshot\n\
         RemainAfterExit=yes\n\
         ExecStart={}\n\
         TimeoutStartSec=30\n\
         # The record of our nodes, which a restart of this unit keeps.\n\
         RuntimeDirectory=greenroom\n\
         RuntimeDirectoryPreserve=yes\n\
         # It loads a module, opens /dev/v4l2loopback, and does nothing else.\n\
         CapabilityBoundingSet=CAP_SYS_MODULE\n\
         NoNewPrivileges=yes\n\
         ProtectSystem=strict\n\
         ProtectHome=yes\n\
         PrivateTmp=yes\n\
         PrivateNetwork=yes\n\
         RestrictAddressFamilies=AF_UNIX\n\
         MemoryDenyWriteExecute=yes\n\
         \n\
         [Install]\n\
         WantedBy=multi-user.target\n",
        words.join(" ")
    )
}

/// The program and options that a unit runs: two units with the same do the same.
pub(crate) fn exec_start(unit: &str) -> Option<&str> {
    unit.lines().find_map(|line| line.strip_prefix("ExecStart="))
}

/// The numbers of the nodes that a boot unit adds.
pub(crate) fn unit_numbers(unit: &str) -> Vec<u32> {
    let words = exec_start(unit).unwrap_or_default().split(" --number ").skip(1);
    words.filter_map(|word| word.split(' ').next()?.parse().ok()).collect()
}

/// A word of a command line as systemd reads it.
fn unit_word(word: &str) -> String {
    let word = word.replace('%', "%%").replace('$', "$$");
    if word.contains([' ', '"', '\'', '\\', ';']) {
        format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        word
    }
}

/// The module's options, [`OPTIONS_FILE`].
pub fn options(labels: &[Label], numbers: &[u32]) -> String {
    let list = |items: Vec<String>| items.join(",");
    format!(
        "{MARK}\n\
         # This version of v4l2loopback makes its nodes when it is loaded.\n\
         options v4l2loopback devices={} video_nr={} card_label=\"{}\" exclusive_caps={} \
         max_buffers={BUFFERS}\n",
        labels.len(),
        list(numbers.iter().map(u32::to_string).collect()),
        list(labels.iter().map(Label::to_string).collect()),
        list(labels.iter().map(|_| "1".to_owned()).collect()),
    )
}

/// What loads the module at every start, [`LOAD_FILE`].
pub fn load() -> String {
    format!("{MARK}\nv4l2loopback\n")
}

/// The unit with which greenroom runs in the user's session, where no package has brought it.
pub fn user_unit(program: &Path) -> String {
    const SHIPPED: &str = include_str!("../../../packaging/systemd/greenroom.service");
    let start = format!("\nExecStart={} run\n", unit_word(&program.display().to_string()));
    format!("{MARK}\n{}", SHIPPED.replace("\nExecStart=greenroom run\n", &start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> Vec<Label> {
        vec![Label::default(), Label::default().numbered(2)]
    }

    #[test]
    fn our_options_make_nodes_that_chromium_sees_and_are_read_back() {
        let text = options(&two(), &[10, 12]);
        assert!(text.contains(
            "options v4l2loopback devices=2 video_nr=10,12 card_label=\"greenroom,greenroom 2\" \
             exclusive_caps=1,1 max_buffers=4\n"
        ));
        let nodes = RunRecord::of_options(&text).nodes;
        let numbers: Vec<_> = nodes.iter().map(|node| (node.number, node.label.as_str())).collect();
        assert_eq!(numbers, [(10, "greenroom"), (12, "greenroom 2")]);
        assert!(nodes.iter().all(|node| node.exclusive_caps));
        assert!(RunRecord::of_options("").nodes.is_empty());
    }

    #[test]
    fn all_our_text_files_have_the_mark() {
        let program = Path::new("/usr/bin/greenroom");
        let unit = boot_unit(program, &Label::default(), &[10]);
        for text in [&unit, &options(&two(), &[10, 11]), &load(), &user_unit(program)] {
            assert!(is_ours(text), "{text}");
        }
        assert!(!is_ours("") && !is_ours("[Unit]\n"));
    }

    #[test]
    fn the_boot_unit_is_a_oneshot_that_never_unloads_or_removes_anything() {
        let unit = boot_unit(Path::new("/usr/bin/greenroom"), &Label::default(), &[10, 11]);
        assert_eq!(
            exec_start(&unit),
            Some("/usr/bin/greenroom setup --at-boot --label greenroom --number 10 --number 11")
        );
        assert!(unit.contains("Type=oneshot\n") && unit.contains("WantedBy=multi-user.target\n"));
        assert!(!unit.contains("ExecStop") && !unit.contains("modprobe"));
    }

    #[test]
    fn the_units_of_the_package_are_those_that_setup_would_write() {
        let shipped = include_str!("../../../packaging/systemd/greenroom-camera.service");
        let ours = boot_unit(Path::new("/usr/bin/greenroom"), &Label::default(), &[10]);
        let begin = |text: &str| text.find("[Unit]").map(|at| text[at..].to_owned());
        assert_eq!(begin(shipped), begin(&ours));
        assert!(!is_ours(shipped), "undoing set-up removes no file of a package");
        // Replaced by `user_unit`.
        let user = include_str!("../../../packaging/systemd/greenroom.service");
        assert!(user.contains("\nExecStart=greenroom run\n"));
        assert!(user.contains("\nWantedBy=default.target graphical-session.target\n"));
    }

    #[test]
    fn words_of_units_are_quoted_as_systemd_reads_them() {
        assert_eq!(unit_word("/opt/100%/a b\"c$d"), "\"/opt/100%%/a b\\\"c$$d\"");
        let unit = boot_unit(Path::new("/x"), &Label::new("My Camera").unwrap(), &[10]);
        assert_eq!(exec_start(&unit), Some("/x setup --at-boot --label \"My Camera\" --number 10"));
    }

    #[test]
    fn the_users_unit_runs_the_program_by_its_path() {
        let text = user_unit(Path::new("/home/ada/.cargo/bin/greenroom"));
        assert!(text.contains("\nExecStart=/home/ada/.cargo/bin/greenroom run\n"));
        assert!(!text.contains("\nExecStart=greenroom"));
    }
}
