//! Whose a node is that we may not open, and what gives access to it.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::io::Errno;

use crate::DeviceError;
use crate::node_name::{display_name, sysfs_of};
use crate::printable::printable;

/// The bits of a mode that let a group read and write.
const GROUP_MAY: u32 = 0o060;

/// We may not open `node`; `what` is how the user knows it.
pub(crate) fn denied(what: String, node: &Path, errno: Errno) -> DeviceError {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let Ok(found) = fs::metadata(node) else {
        let remedy = "its node cannot be looked at".to_owned();
        return DeviceError::Denied { what, remedy };
    };
    let facts = Facts {
        node,
        owner: found.uid(),
        group: found.gid(),
        mode: found.mode() & 0o777,
        users: &read("/etc/passwd"),
        groups: &read("/etc/group"),
        process: &read("/proc/self/status"),
        user: std::env::var("USER").ok().filter(|name| !name.is_empty()),
        is_forbidden: errno == Errno::PERM,
    };
    // By what it is called, where that can be known.
    let what = match card_of(node) {
        Some(card) => display_name(&card, node),
        None => what,
    };
    DeviceError::Denied { what, remedy: facts.to_string() }
}

/// What a node calls itself, by sysfs: it need not be opened for that.
pub(crate) fn card_of(node: &Path) -> Option<String> {
    let card = fs::read_to_string(sysfs_of(node)?.join("name")).ok()?;
    let card = printable(card.trim());
    (!card.is_empty()).then_some(card)
}

/// What is known of a node and of us; its text is whose the node is and the next step to take.
struct Facts<'a> {
    node: &'a Path,
    owner: u32,
    group: u32,
    mode: u32,
    /// Contents of `/etc/passwd`.
    users: &'a str,
    /// Contents of `/etc/group`.
    groups: &'a str,
    /// Contents of `/proc/self/status`.
    process: &'a str,
    /// Who we are, by the environment.
    user: Option<String>,
    /// The kernel said EPERM, which has nothing to do with owner and mode.
    is_forbidden: bool,
}

impl Facts<'_> {
    /// Our user's number.
    fn own_uid(&self) -> Option<u32> {
        numbers(self.process, "Uid:").nth(1)
    }

    fn is_ours(&self) -> bool {
        numbers(self.process, "Gid:")
            .chain(numbers(self.process, "Groups:"))
            .any(|gid| gid == self.group)
    }

    /// Our name: by our number, else by the environment.
    fn user(&self) -> String {
        let by_number = self.own_uid().and_then(|uid| name_of(self.users, uid));
        by_number.map(str::to_owned).or_else(|| self.user.clone()).unwrap_or("$USER".to_owned())
    }

    fn group_name(&self) -> String {
        name_of(self.groups, self.group).map_or_else(|| self.group.to_string(), str::to_owned)
    }

    /// Whether we are entered as one of its group, whatever this session has.
    fn is_entered(&self) -> bool {
        let (user, group) = (self.user(), self.group.to_string());
        let fields = self.groups.lines().map(|line| line.split(':').collect::<Vec<_>>());
        fields.filter(|fields| fields.get(2) == Some(&group.as_str())).any(|fields| {
            fields.get(3).is_some_and(|members| members.split(',').any(|member| member == user))
        })
    }
}

impl fmt::Display for Facts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owner = name_of(self.users, self.owner);
        let owner = owner.map_or_else(|| self.owner.to_string(), str::to_owned);
        let (group, user) = (self.group_name(), self.user());
        write!(f, "it belongs to {owner}, group {group}, mode {:03o}: ", self.mode)?;
        let node = self.node.display();
        let group_may = self.mode & GROUP_MAY == GROUP_MAY;
        if self.is_forbidden || self.own_uid() == Some(0) || (group_may && self.is_ours()) {
            let option = "start a container with `--device";
            write!(f, "something else forbids it; {option} {node}`, or allow it in your sandbox")
        } else if group_may && self.is_entered() {
            write!(f, "{user} is in that group, but this session is not; log out and in again")
        } else if group_may && self.group != 0 {
            write!(f, "run `sudo usermod -aG {group} {user}`, then log out and in again")
        } else {
            write!(f, "run `sudo chown {user} {node}`")
        }
    }
}

/// The name that a line of `/etc/passwd` or `/etc/group` gives a number.
fn name_of(table: &str, number: u32) -> Option<&str> {
    let number = number.to_string();
    table.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1) == Some(&number)).then_some(name)
    })
}

/// The numbers in a line of `/proc/self/status`.
fn numbers<'a>(status: &'a str, key: &str) -> impl Iterator<Item = u32> + 'a {
    let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
    line.split_whitespace().filter_map(|number| number.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str =
        "root:x:0:0:root:/root:/bin/bash\nanna:x:1000:1000:Anna:/home/anna:/bin/sh\n";
    const GROUPS: &str = "root:x:0:\nvideo:x:44:tom\nanna:x:1000:\n";
    const ANNA: &str =
        "Name:\tx\nUid:\t1000\t1000\t1000\t1000\nGid:\t1000\t1000\nGroups:\t27 1000 \n";

    fn facts() -> Facts<'static> {
        Facts {
            node: Path::new("/dev/video10"),
            owner: 0,
            group: 44,
            mode: 0o660,
            users: USERS,
            groups: GROUPS,
            process: ANNA,
            user: None,
            is_forbidden: false,
        }
    }

    #[test]
    fn who_is_not_in_the_group_gets_the_command() {
        assert_eq!(
            facts().to_string(),
            "it belongs to root, group video, mode 660: run `sudo usermod -aG video anna`, then log \
             out and in again"
        );
        // In a container, where nobody has a name.
        let nameless = Facts { users: "", groups: "", user: Some("anna".into()), ..facts() };
        let text = nameless.to_string();
        assert!(text.contains("belongs to 0, group 44,"), "{text}");
        assert!(text.contains("`sudo usermod -aG 44 anna`"), "{text}");
        let text = Facts { users: "", ..facts() }.to_string();
        assert!(text.contains("-aG video $USER`"), "{text}");
    }

    #[test]
    fn who_has_run_it_already_logs_in_again() {
        let entered = Facts { groups: "video:x:44:tom,anna\n", ..facts() };
        let text = entered.to_string();
        assert!(text.contains("anna is in that group") && !text.contains("sudo"), "{text}");
    }

    #[test]
    fn where_the_group_is_no_way_in_another_one_is_named() {
        for facts in [Facts { mode: 0o600, ..facts() }, Facts { group: 0, ..facts() }] {
            let text = facts.to_string();
            assert!(text.ends_with("run `sudo chown anna /dev/video10`"), "{text}");
        }
        let in_group = "Uid:\t1000\t1000\nGid:\t1000\nGroups:\t44 1000\n";
        let root = "Uid:\t0\t0\nGid:\t0\nGroups:\t0\n";
        for facts in [
            Facts { process: in_group, ..facts() },
            Facts { process: root, ..facts() },
            Facts { is_forbidden: true, ..facts() },
        ] {
            let text = facts.to_string();
            assert!(text.contains("--device /dev/video10`") && !text.contains("sudo"), "{text}");
        }
    }

    #[test]
    fn tables_that_make_no_sense_name_nobody() {
        for table in ["", "::::", "video", "video:x", "video:x:forty-four:", "\0\n:\n"] {
            assert_eq!(name_of(table, 44), None, "{table:?}");
        }
        assert_eq!(numbers("Groups:\tx 3 -1\n", "Groups:").collect::<Vec<_>>(), [3]);
    }
}
