//! Whether this user may open a device node: its owner, group, mode and access control list.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use greenroom_setup::Known;
use serde::Serialize;

use crate::root::Root;

const CONTROL_DEVICE: &str = "/dev/v4l2loopback";

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// The number of the user.
    pub uid: Known<u32>,
    /// The user's name in `/etc/passwd`.
    pub name: Option<String>,
    /// The numbers of the groups that this session has.
    pub groups: Vec<u32>,
}

/// A device node, and whether this user may open it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NodeAccess {
    /// Its path.
    pub path: PathBuf,
    /// Whether this user may read and write it.
    pub access: Known<Access>,
    /// Its group's name, or its number where it has no name.
    pub group: String,
    /// Whether its group may read and write it.
    pub group_may: bool,
    /// When it was made, in seconds since 1970.
    pub made_at_s: Option<i64>,
}

/// Whether a user may open a node for reading and writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Yes.
    Granted,
    /// No.
    Denied,
    /// No; `/etc/group` has the user in the node's group, but this session is older than that.
    DeniedUntilLogin,
}

impl Identity {
    pub(super) fn read(root: &Root) -> Self {
        let status = root.text("/proc/self/status").unwrap_or_default();
        let uid = numbers(&status, "Uid:").nth(1);
        let users = root.text("/etc/passwd").unwrap_or_default();
        let gids = numbers(&status, "Gid:").chain(numbers(&status, "Groups:"));
        Self {
            name: uid.and_then(|uid| name_of(&users, uid)).map(str::to_owned),
            uid: uid.into(),
            groups: gids.collect(),
        }
    }
}

/// The numbers in a line of `/proc/self/status`.
fn numbers<'a>(status: &'a str, key: &str) -> impl Iterator<Item = u32> + 'a {
    let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
    line.split_whitespace().filter_map(|number| number.parse().ok())
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

/// The node through which loopbacks are added.
pub(super) fn control_device(root: &Root, identity: &Identity) -> Known<Option<NodeAccess>> {
    match root.metadata(CONTROL_DEVICE) {
        Known::Is(Some(_)) => Known::Is(Some(node_access(root, identity, CONTROL_DEVICE.as_ref()))),
        Known::Is(None) => Known::Is(None),
        Known::Unknown => Known::Unknown,
    }
}

/// Whose a node is, and whether `identity` may open it.
pub(super) fn node_access(root: &Root, identity: &Identity, path: &Path) -> NodeAccess {
    let Known::Is(Some(found)) = root.metadata(path) else {
        let (group, access) = (String::new(), Known::Unknown);
        return NodeAccess {
            path: path.to_owned(),
            access,
            group,
            group_may: false,
            made_at_s: None,
        };
    };
    let groups = root.text("/etc/group").unwrap_or_default();
    let gid = found.gid();
    let group = name_of(&groups, gid).map_or_else(|| gid.to_string(), str::to_owned);
    NodeAccess {
        path: path.to_owned(),
        access: access(root, identity, path, &found, &groups),
        group_may: may_both(found.mode() >> 3) && group != "root",
        group,
        made_at_s: Some(found.mtime()),
    }
}

/// Read and write, of the three bits of a mode.
fn may_both(bits: u32) -> bool {
    bits & 0o6 == 0o6
}

fn access(
    root: &Root,
    identity: &Identity,
    path: &Path,
    found: &Metadata,
    groups: &str,
) -> Known<Access> {
    let Known::Is(uid) = identity.uid else { return Known::Unknown };
    let acl = match acl(&root.path(path)) {
        Known::Is(acl) => acl,
        Known::Unknown => return Known::Unknown,
    };
    let in_group = |gid: u32| identity.groups.contains(&gid);
    // acl(5): the first entry that fits decides; of the groups, any that grants it.
    let granted = if uid == 0 {
        true
    } else if uid == found.uid() {
        may_both(found.mode() >> 6)
    } else if let Some(entry) = acl.of_user(uid) {
        may_both(entry & acl.mask)
    } else {
        let of_group = acl.group.unwrap_or(found.mode() >> 3);
        let mine = acl.groups.iter().filter(|(gid, _)| in_group(*gid)).map(|(_, bits)| *bits);
        let own = in_group(found.gid()).then_some(of_group);
        let mut mine = mine.chain(own).peekable();
        match mine.peek() {
            Some(_) => mine.any(|bits| may_both(bits & acl.mask)),
            None => may_both(found.mode()),
        }
    };
    if granted {
        return Known::Is(Access::Granted);
    }
    let group_may = may_both(found.mode() >> 3);
    let entered = group_may
        && identity.name.as_deref().is_some_and(|name| is_member(groups, found.gid(), name));
    let session_has_it = in_group(found.gid());
    Known::Is(if entered && !session_has_it { Access::DeniedUntilLogin } else { Access::Denied })
}

/// Whether `/etc/group` has a user in a group.
fn is_member(groups: &str, gid: u32, name: &str) -> bool {
    let gid = gid.to_string();
    groups.lines().any(|line| {
        let fields: Vec<_> = line.split(':').collect();
        fields.get(2) == Some(&gid.as_str())
            && fields.get(3).is_some_and(|members| members.split(',').any(|member| member == name))
    })
}

/// The entries of an access control list beyond the mode.
struct Acl {
    users: Vec<(u32, u32)>,
    groups: Vec<(u32, u32)>,
    /// What the node's own group may, which the mode does not tell beside a mask.
    group: Option<u32>,
    mask: u32,
}

impl Acl {
    fn of_user(&self, uid: u32) -> Option<u32> {
        self.users.iter().find(|(id, _)| *id == uid).map(|(_, bits)| *bits)
    }
}

/// The list of a file; an empty one if it has none.
fn acl(path: &Path) -> Known<Acl> {
    let empty = Acl { users: Vec::new(), groups: Vec::new(), group: None, mask: 0o7 };
    let mut buffer = [0_u8; 4096];
    match rustix::fs::getxattr(path, "system.posix_acl_access", &mut buffer[..]) {
        Ok(length) => Known::Is(parse(buffer.get(..length).unwrap_or_default(), empty)),
        Err(rustix::io::Errno::NODATA | rustix::io::Errno::OPNOTSUPP) => Known::Is(empty),
        Err(_) => Known::Unknown,
    }
}

/// `struct posix_acl_xattr_header`, a version, then entries of tag, permissions and id, all little
/// endian.
fn parse(bytes: &[u8], mut acl: Acl) -> Acl {
    let (entries, _) = bytes.get(4..).unwrap_or_default().as_chunks::<8>();
    for [t0, t1, p0, p1, id @ ..] in entries {
        let bits = u32::from(u16::from_le_bytes([*p0, *p1]));
        let id = u32::from_le_bytes(*id);
        match u16::from_le_bytes([*t0, *t1]) {
            0x02 => acl.users.push((id, bits)),
            0x04 => acl.group = Some(bits),
            0x08 => acl.groups.push((id, bits)),
            0x10 => acl.mask = bits,
            _ => {}
        }
    }
    acl
}
