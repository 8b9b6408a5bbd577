//! The desktop's portal on the session bus, by `busctl`.

use greenroom_doctor::Known;
use greenroom_doctor::evidence::PortalPermission;
use serde_json::Value;

use super::ask;
use crate::command::setup::System;

const STORE: &str = "org.freedesktop.impl.portal.PermissionStore";

/// The end of [`ask_program`](greenroom_device::ask_program)'s patience comes later.
const BUSCTL: [&str; 3] = ["--user", "--json=short", "--timeout=4"];

/// `IsCameraPresent` of the camera portal. One that does not run is not started.
pub(super) fn portal(system: &System) -> Known<Option<bool>> {
    let question = [
        "--auto-start=no",
        "get-property",
        "org.freedesktop.portal.Desktop",
        "/org/freedesktop/portal/desktop",
        "org.freedesktop.portal.Camera",
        "IsCameraPresent",
    ];
    match ask(system, "busctl", BUSCTL.iter().chain(&question)) {
        Ok(answer) => match serde_json::from_slice::<Value>(&answer) {
            Ok(answer) => answer["data"].as_bool().map(Some).into(),
            Err(_) => Known::Unknown,
        },
        Err(why) if is_no_such_interface(&why) || is_not_installed(&why) => Known::Is(None),
        Err(_) => Known::Unknown,
    }
}

/// In the words of GDBus, systemd and dbus-daemon. What a service says in another language is not
/// known.
fn is_no_such_interface(why: &str) -> bool {
    let gone = ["No such interface", "Unknown interface"];
    gone.iter().any(|words| why.contains(words))
        || (why.contains("Interface \"") && why.ends_with("not found"))
}

/// Nobody has the name, and nobody could: in the words of dbus-daemon and dbus-broker.
fn is_not_installed(why: &str) -> bool {
    let words = ["was not provided by any .service files", "is not activatable"];
    words.iter().any(|words| why.contains(words))
}

/// What the permission store has for cameras. It is started by being asked, as programs do.
pub(super) fn permissions(system: &System) -> Known<Vec<PortalPermission>> {
    let path = "/org/freedesktop/impl/portal/PermissionStore";
    let question = ["call", STORE, path, STORE, "Lookup", "ss", "devices", "camera"];
    match ask(system, "busctl", BUSCTL.iter().chain(&question)) {
        Ok(answer) => match serde_json::from_slice(&answer) {
            Ok(answer) => of_answer(&answer).into(),
            Err(_) => Known::Unknown,
        },
        Err(why) if why.contains("No entry for") || is_not_installed(&why) => Known::Is(Vec::new()),
        Err(_) => Known::Unknown,
    }
}

/// The answer is of type `a{sas}v`: the words of each program, and data that cameras have not.
fn of_answer(answer: &Value) -> Option<Vec<PortalPermission>> {
    let programs = answer["data"].get(0)?.as_object()?;
    let permission = |(app, words): (&String, &Value)| {
        // "ask" asks again.
        let allowed = words.get(0).and_then(Value::as_str) != Some("no");
        PortalPermission { app: app.clone(), allowed }
    };
    Some(programs.iter().map(permission).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_there_is_told_from_what_does_not_answer() {
        let property =
            "Failed to get property IsCameraPresent on interface org.freedesktop.portal.Camera: ";
        for end in
            ["Interface \"org.freedesktop.portal.Camera\" not found", "No such interface “x”"]
        {
            assert!(is_no_such_interface(&format!("{property}{end}")), "{end}");
        }
        let end = "The name org.freedesktop.portal.Desktop was not provided by any .service files";
        assert!(is_not_installed(&format!("{property}{end}")));
        for end in ["Connection timed out", "Failed to set bus address: not defined"] {
            let why = format!("{property}{end}");
            assert!(!is_no_such_interface(&why) && !is_not_installed(&why), "{end}");
        }
    }

    #[test]
    fn permissions_are_read() {
        let answer = json!({
            "type": "a{sas}v",
            "data": [{ "org.mozilla.firefox": ["no"], "x": ["ask"], "y": [] }, { "type": "y", "data": 0 }],
        });
        let denied: Vec<_> = of_answer(&answer).unwrap();
        let denied: Vec<_> = denied.iter().filter(|one| !one.allowed).collect();
        assert_eq!(denied.len(), 1);
        assert_eq!(denied[0].app, "org.mozilla.firefox");
        assert_eq!(of_answer(&json!({ "data": [{}, {}] })), Some(Vec::new()));
        for nonsense in [json!(null), json!({}), json!({ "data": [7] })] {
            assert_eq!(of_answer(&nonsense), None);
        }
    }
}
