//! The explanations, each with the next step.

use super::topic::{Explanation, Topic};
use crate::facts::{Facts, ModuleConfig, Node, User};
use crate::{Command, Generation, ModuleVersion, files};

/// What works without the module, and the command for it.
const WITHOUT_MODULE: &str = "without the module, greenroom is a camera on PipeWire alone, which not every program looks for";
const WITHOUT_MODULE_RUN: &str = "greenroom run --output pipewire";
const FILE_OUTPUT: &str = "greenroom run --output call.mkv";

pub(crate) fn container() -> Explanation {
    Explanation::new(
        Topic::Container,
        "This is a container or a sandbox: the kernel and its modules are the host's. Set the \
         camera up on the \
         host, and hand its node to the container (docs/docker.md).",
    )
    .next("greenroom setup    # on the host")
}

pub(crate) fn wsl() -> Explanation {
    Explanation::new(
        Topic::Wsl,
        "This is the Windows Subsystem for Linux, whose kernel has no v4l2loopback; programs of \
         Windows would not see the camera either. Write to a file instead.",
    )
    .next(FILE_OUTPUT)
}

pub(crate) fn atomic_system(facts: &Facts) -> Explanation {
    Explanation::new(
        Topic::AtomicSystem,
        format!(
            "{} is an image into which set-up installs no kernel module, and its kernel comes \
             without v4l2loopback; {WITHOUT_MODULE}.",
            name(facts)
        ),
    )
    .next(WITHOUT_MODULE_RUN)
}

/// `lines` are lines of a configuration of NixOS.
pub(crate) fn nixos(lines: Vec<String>) -> Explanation {
    let text = "NixOS is made from its configuration, where set-up changes nothing. Add these \
                lines to it (configuration.nix), rebuild, restart, and run set-up again.";
    Explanation { next: lines, ..Explanation::new(Topic::NixOs, text) }
        .next("sudo nixos-rebuild boot && systemctl reboot")
}

/// The unit in the user's session is left to the user.
pub(crate) fn user_unit() -> Explanation {
    Explanation::new(
        Topic::UserUnit,
        "Set-up runs as root and does not start greenroom in your session. Run this as yourself.",
    )
    .next("systemctl --user enable --now greenroom.service")
}

pub(crate) fn no_systemd(commands: &[String]) -> Explanation {
    let text = "There is no systemd here, so set-up installs nothing that starts with the system. \
                Run these commands, and have your init system run those from modprobe on at every \
                start (OpenRC: /etc/local.d/greenroom.start).";
    Explanation { next: commands.to_vec(), ..Explanation::new(Topic::NoSystemd, text) }
}

pub(crate) fn read_only_etc(commands: &[String]) -> Explanation {
    let text = "/etc is mounted for reading only, so nothing can be set up that lasts. Make it \
                writable and run `greenroom setup` again; or add the camera until the next restart \
                with these commands.";
    Explanation { next: commands.to_vec(), ..Explanation::new(Topic::ReadOnlyEtc, text) }
}

pub(crate) fn unknown_distribution(facts: &Facts) -> Explanation {
    Explanation::new(
        Topic::UnknownDistribution,
        format!(
            "It is not known in which package {} has the module v4l2loopback. Install it for the \
             kernel that runs, version 0.13 or later, and run `greenroom setup` again; \
             {WITHOUT_MODULE}.",
            name(facts)
        ),
    )
    .next("greenroom setup")
}

pub(crate) fn unknown_kernel() -> Explanation {
    Explanation::new(
        Topic::UnknownKernel,
        "/proc and /sys do not tell which kernel runs and which video nodes there are. See that \
         both are mounted, and run `greenroom setup` again.",
    )
    .next("greenroom setup")
}

pub(crate) fn no_prebuilt_module(facts: &Facts, release: &str, package: &str) -> Explanation {
    let others = facts.packages.variants("linux-modules-v4l2loopback-");
    // Packages for one release only begin with its number.
    let others: Vec<_> =
        others.into_iter().filter(|name| !name.starts_with(|c: char| c.is_ascii_digit())).collect();
    let remedy = if others.is_empty() {
        "Start another of its kernels".to_owned()
    } else {
        format!("It has one for the kernels {}: install and start such a kernel", others.join(", "))
    };
    Explanation::new(
        Topic::NoPrebuiltModule,
        format!(
            "{} has no package {package} with the module for the kernel {release}. {remedy}, and \
             run `greenroom setup` again; {WITHOUT_MODULE}.",
            name(facts)
        ),
    )
    .next(WITHOUT_MODULE_RUN)
}

pub(crate) fn other_kernel(facts: &Facts, release: &str) -> Explanation {
    Explanation::new(
        Topic::OtherKernel,
        format!(
            "The kernel {release} is not one of those that {} has modules for. Ask whoever makes \
             the kernel for v4l2loopback 0.13 or later, or start the distribution's own kernel, \
             and run `greenroom setup` again; {WITHOUT_MODULE}.",
            name(facts)
        ),
    )
    .next(WITHOUT_MODULE_RUN)
}

pub(crate) fn kernel_without_video(release: &str) -> Explanation {
    Explanation::new(
        Topic::KernelWithoutVideo,
        format!(
            "The kernel {release} is made for clouds and has no video devices at all. Install and \
             start the usual kernel (linux-image-amd64 or linux-image-arm64), and run \
             `greenroom setup` again."
        ),
    )
    .next("greenroom setup")
}

pub(crate) fn module_too_old(facts: &Facts, version: ModuleVersion) -> Explanation {
    let release = facts.kernel.release.get().map_or("", String::as_str);
    Explanation::new(
        Topic::ModuleTooOld,
        format!(
            "{} has v4l2loopback {version}, which does not build for the kernel {release}, and an \
             attempt would leave its package half installed. Upgrade the distribution, or start \
             the kernel that it began with; {WITHOUT_MODULE}.",
            name(facts)
        ),
    )
    .next(WITHOUT_MODULE_RUN)
}

pub(crate) fn signature_required() -> Explanation {
    Explanation::new(
        Topic::SignatureRequired,
        format!(
            "This kernel loads only modules with a signature that it trusts, and this \
             distribution does not sign v4l2loopback. Sign the module with a key of yours, or \
             switch Secure Boot off in the firmware, and run set-up again; {WITHOUT_MODULE}."
        ),
    )
    .next(WITHOUT_MODULE_RUN)
}

pub(crate) fn foreign_options(
    config: &ModuleConfig,
    options: &str,
    generation: Generation,
) -> Explanation {
    let path = config.path.display();
    let begin = match generation {
        Generation::Fixed => "This version of v4l2loopback, before 0.13,",
        _ => "If v4l2loopback turns out to be older than 0.13, it",
    };
    Explanation::new(
        Topic::ForeignOptions,
        format!(
            "{begin} makes its nodes when it is loaded, and {path} says which; a second file would \
             break both, since their lists merge. Add greenroom's node to the lists there, \
             restart, and run `greenroom setup` again."
        ),
    )
    .next(format!("sudo nano {path}"))
    .next(format!("# alone, greenroom's node would be: {options}"))
}

pub(crate) fn install_line(config: &ModuleConfig) -> Explanation {
    Explanation::new(
        Topic::ForeignOptions,
        format!(
            "{} has a command that is run instead of loading v4l2loopback. If the camera does not \
             come, remove that line.",
            config.path.display()
        ),
    )
}

pub(crate) fn unreadable_configs() -> Explanation {
    Explanation::new(
        Topic::ForeignOptions,
        "This version of v4l2loopback (before 0.13) takes one set of options, and a folder of \
         modprobe.d cannot be read, where others may be. Run set-up as root.",
    )
    .next("sudo greenroom setup")
}

pub(crate) fn foreign_node(
    node: &Node,
    maker: Option<&ModuleConfig>,
    generation: Generation,
) -> Explanation {
    let device = format!("/dev/video{}", node.number);
    let text = format!(
        "{device} is called \"{}\", was not made by set-up, and lacks exclusive_caps=1, so that \
         Chrome and Zoom do not list it.",
        node.label
    );
    match maker {
        Some(config) => Explanation::new(
            Topic::ForeignNode,
            format!("{text} Set exclusive_caps=1 where it is made, restart, and run set-up again."),
        )
        .next(format!("sudo nano {}", config.path.display())),
        None => {
            let remedy = match generation {
                Generation::Dynamic => {
                    format!("sudo v4l2loopback-ctl delete {device}    # from v4l2loopback-utils")
                }
                _ => "systemctl reboot    # no file asks for this node".to_owned(),
            };
            Explanation::new(Topic::ForeignNode, format!("{text} Remove it and run set-up again."))
                .next(remedy)
                .next("greenroom setup")
        }
    }
}

pub(crate) fn foreign_node_used(node: &Node, maker: Option<&ModuleConfig>) -> Explanation {
    let by = match maker {
        Some(config) => format!("{} makes it at every start", config.path.display()),
        None => "no file makes it at the next start".to_owned(),
    };
    Explanation::new(
        Topic::ForeignNodeUsed,
        format!(
            "/dev/video{} is called \"{}\" and was not made by set-up ({by}). greenroom uses it; \
             set-up leaves it as it is, also when it is undone.",
            node.number, node.label
        ),
    )
}

pub(crate) fn foreign_file(path: &str) -> Explanation {
    Explanation::new(
        Topic::ForeignFile,
        format!(
            "{path} is there and was not written by set-up, which does not overwrite it. Move it \
             away and run `greenroom setup` again."
        ),
    )
    .next(format!("sudo mv {path} {path}.old"))
    .next("greenroom setup")
}

pub(crate) fn program_not_safe(facts: &Facts) -> Explanation {
    let program = facts.session.program.path.display().to_string();
    let copy =
        Command::words("install -m 755").with([program.as_str(), "/usr/local/bin/greenroom"]);
    Explanation::new(
        Topic::ProgramNotSafe,
        format!(
            "Root would run {program} at every start, and others than root can change it. Install \
             greenroom's package, or a copy for the system, and run set-up from there."
        ),
    )
    .next(copy.as_root())
    .next("/usr/local/bin/greenroom setup")
}

pub(crate) fn no_free_number() -> Explanation {
    Explanation::new(
        Topic::NoFreeNumber,
        "All video nodes from /dev/video10 to /dev/video63 are taken. Remove one, and run \
         `greenroom setup` again.",
    )
    .next("greenroom list")
}

pub(crate) fn no_administrator() -> Explanation {
    Explanation::new(
        Topic::NoAdministrator,
        "Set-up needs root's rights, and there is neither pkexec (with a desktop) nor sudo. Run it \
         as root.",
    )
    .next("su -c 'greenroom setup'")
}

pub(crate) fn node_in_use(node: &Node, again: &str) -> Explanation {
    let users = node.users.get();
    let names = |users: &[User]| {
        let names: Vec<_> =
            users.iter().map(|user| format!("{} (pid {})", user.name, user.pid)).collect();
        names.join(", ")
    };
    let by = match users {
        Some(users) => format!("is in use by {}", names(users)),
        None => "may be in use by a program that cannot be seen from here".to_owned(),
    };
    Explanation::new(
        Topic::NodeInUse,
        format!(
            "/dev/video{} (\"{}\") {by}, and stays as it is. Close that program, and run `{again}` \
             again; or restart the computer.",
            node.number, node.label
        ),
    )
    .next(again)
}

/// `others` are the nodes that somebody else made.
pub(crate) fn module_in_use(others: &[&Node]) -> Explanation {
    let mut text =
        "v4l2loopback is loaded with other options, and is in use or has nodes of others: \
                    set-up does not unload it. The camera is there after the next restart."
            .to_owned();
    let names: Vec<_> = others.iter().map(|node| format!("\"{}\"", node.label)).collect();
    if !names.is_empty() {
        text += &format!(
            " No file makes {} then: if you want that too, add it to the lists in {}.",
            names.join(", "),
            files::OPTIONS_FILE
        );
    }
    Explanation::new(Topic::ModuleInUse, text).next("systemctl reboot")
}

pub(crate) fn maybe_key_import(instructions: &[String]) -> Explanation {
    let text = "It cannot be seen whether this kernel loads modules without a trusted signature. \
                If loading fails with \"Key was rejected by service\", do this:";
    Explanation { next: instructions.to_vec(), ..Explanation::new(Topic::KeyImport, text) }
}

pub(crate) fn broken_dkms() -> Explanation {
    Explanation::new(
        Topic::BrokenDkms,
        "The package v4l2loopback-dkms was left half installed, because it did not build for a \
         kernel; until that is mended, apt stops at it. Remove it and run `greenroom setup` again.",
    )
    .next("sudo apt-get purge v4l2loopback-dkms")
    .next("greenroom setup")
}

pub(crate) fn stays(text: impl Into<String>) -> Explanation {
    Explanation::new(Topic::Stays, text)
}

fn name(facts: &Facts) -> String {
    let os = facts.system.os.get();
    let name = os.map(|os| os.name.clone().unwrap_or_else(|| os.id.clone()));
    name.unwrap_or_else(|| "this system".to_owned())
}
