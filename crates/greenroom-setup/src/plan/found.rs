//! What is there, in sentences: the facts that a plan depends on.

use crate::facts::{Facts, Installed, Loaded, Node, Origin};
use crate::{Known, ModuleVersion};

/// What is there.
pub(super) fn describe(facts: &Facts) -> Vec<String> {
    let mut lines = vec![system(facts), format!("v4l2loopback {}", module(facts))];
    lines.extend(facts.nodes.get().into_iter().flat_map(|nodes| &nodes.loopbacks).map(node));
    for config in facts.configs.get().into_iter().flatten() {
        let texts: Vec<_> = config.lines.iter().map(|line| line.text.as_str()).collect();
        lines.push(format!("{} says: {}", config.path.display(), texts.join("; ")));
    }
    if facts.configs == Known::Unknown {
        lines.push("The files of modprobe.d and modules-load.d cannot be read".to_owned());
    }
    let record = facts.own.record.get().into_iter().flatten().next();
    if let Some(run) = record.and_then(|record| record.in_progress.as_ref()) {
        lines.push(format!(
            "An earlier run was interrupted at step {} of {} ({})",
            run.step, run.of, run.what
        ));
    }
    lines
}

fn system(facts: &Facts) -> String {
    let os = facts.system.os.get().map(|os| os.name.as_deref().unwrap_or(&os.id));
    let secure_boot = match facts.security.secure_boot {
        Known::Is(true) => "Secure Boot on",
        Known::Is(false) => "Secure Boot off",
        Known::Unknown => "Secure Boot not known",
    };
    format!(
        "{}, kernel {}, {secure_boot}",
        os.unwrap_or("A distribution that does not tell its name"),
        facts.kernel.release.get().map_or("not known", String::as_str),
    )
}

fn module(facts: &Facts) -> String {
    let installed = match &facts.module.installed {
        Known::Is(Installed::No) => "is not installed".to_owned(),
        Known::Is(Installed::OnlyFor(kernels)) => {
            format!("is installed for other kernels only ({})", kernels.join(", "))
        }
        Known::Is(Installed::Yes { version: Known::Is(version), .. }) => {
            format!("{} is installed for this kernel", number(*version))
        }
        Known::Is(Installed::Yes { version: Known::Unknown, .. }) => {
            "is installed for this kernel (version not known)".to_owned()
        }
        Known::Is(Installed::BuiltIn) => "is built into this kernel".to_owned(),
        Known::Unknown => "may be installed (this cannot be read)".to_owned(),
    };
    let loaded = match &facts.module.loaded {
        Known::Is(Loaded::No) => "not loaded".to_owned(),
        Known::Is(Loaded::Yes { version, users }) => {
            let version =
                version.get().map_or(String::new(), |version| format!(" ({})", number(*version)));
            let users = match users {
                Known::Is(0) => "not in use".to_owned(),
                Known::Is(users) => format!("in use (its count is {users})"),
                Known::Unknown => "perhaps in use".to_owned(),
            };
            format!("loaded{version} and {users}")
        }
        Known::Unknown => "perhaps loaded".to_owned(),
    };
    format!("{installed}; it is {loaded}")
}

fn number(version: ModuleVersion) -> String {
    match version {
        ModuleVersion::BEFORE_CONTROL => "before 0.13".to_owned(),
        version => version.to_string(),
    }
}

fn node(node: &Node) -> String {
    let origin = match node.origin {
        Origin::Setup => "made by set-up",
        Origin::Foreign => "not made by set-up",
    };
    let exclusive = match node.exclusive_caps {
        Known::Is(true) => ", exclusive_caps=1",
        Known::Is(false) => ", exclusive_caps=0",
        Known::Unknown => "",
    };
    let users = match &node.users {
        Known::Is(users) if users.is_empty() => ", not in use".to_owned(),
        Known::Is(users) => {
            let names: Vec<_> = users.iter().map(|user| user.name.as_str()).collect();
            format!(", in use by {}", names.join(", "))
        }
        Known::Unknown => ", perhaps in use".to_owned(),
    };
    format!("/dev/video{} \"{}\": {origin}{exclusive}{users}", node.number, node.label)
}
