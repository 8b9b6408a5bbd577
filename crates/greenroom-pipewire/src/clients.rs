//! Who the programs are that PipeWire links to our camera.

use std::path::Path;

use greenroom_device::{Holder, printable};

use crate::graph::ClientFacts;

/// Length of a process's name, as the kernel keeps it.
const NAME_BYTES: usize = 15;

/// The process that `client` is, by `/proc`. Who comes through the portal is the process that the client names, if that
/// one has the program's name: in a sandbox the number means another process, and then the portal's is given.
pub(crate) fn holder(client: &ClientFacts) -> Holder {
    holder_by(client, |pid| {
        let name = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("comm"));
        name.ok().map(|name| name.trim().to_owned())
    })
}

fn holder_by(client: &ClientFacts, name_of: impl Fn(u32) -> Option<String>) -> Holder {
    let peer = client.peer_pid.and_then(|pid| Some((pid, name_of(pid)?)));
    let is_let_in = peer.as_ref().is_none_or(|(_, name)| name.starts_with("xdg-desktop-por"));
    let own = client.own_pid.filter(|_| is_let_in).and_then(|pid| Some((pid, name_of(pid)?)));
    let is_its_own = |name: &str| {
        client.binary.as_deref().is_some_and(|binary| {
            let start: String = binary.chars().take(NAME_BYTES).collect();
            name.starts_with(&start) || binary.starts_with(name)
        })
    };
    let (pid, name) = match (own.filter(|(_, name)| is_its_own(name)), peer) {
        (Some((pid, name)), _) => (pid, name),
        (None, Some((pid, name))) if !is_let_in => (pid, name),
        (None, peer) => {
            let pid = peer.map(|(pid, _)| pid).or(client.peer_pid).unwrap_or(0);
            let name = client.name.clone().or_else(|| client.binary.clone());
            (pid, name.unwrap_or_default())
        }
    };
    let name = match printable(&name) {
        name if name.is_empty() => "a program".to_owned(),
        name => name,
    };
    Holder { pid, name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_of(pid: u32) -> Option<String> {
        let names = [(1, "xdg-desktop-por"), (7, "obs"), (8, "firefox-esr")];
        names.iter().find(|(of, _)| *of == pid).map(|(_, name)| (*name).to_owned())
    }

    fn told(peer: u32, own: u32, binary: &str, name: &str) -> String {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let client = ClientFacts {
            peer_pid: Some(peer),
            own_pid: Some(own),
            binary: text(binary),
            name: text(name),
            is_complete: true,
        };
        holder_by(&client, name_of).to_string()
    }

    #[test]
    fn who_comes_by_itself_is_its_process_and_cannot_say_otherwise() {
        assert_eq!(told(7, 8, "firefox-esr", "Firefox"), "obs (pid 7)");
    }

    #[test]
    fn who_comes_through_the_portal_is_the_program_behind_it() {
        assert_eq!(told(1, 8, "firefox-esr", "Firefox"), "firefox-esr (pid 8)");
        // In a sandbox: another process has that number here.
        assert_eq!(told(1, 7, "firefox", "org.mozilla.firefox"), "org.mozilla.firefox (pid 1)");
        assert_eq!(told(1, 99, "", ""), "a program (pid 1)");
    }
}
