//! The findings: a function for each, in one table.

mod camera;
mod dkms;
mod ffmpeg;
mod kernel;
mod module;
mod node;
mod options;
mod own;
mod pipewire;
mod rights;
mod sandbox;
mod service;
mod system;
mod watchers;

use greenroom_setup::facts::{Environment, Node, Nodes, Origin};
use greenroom_setup::{Command, Facts, Known, Label};

use crate::evidence::{Device, Evidence, OutputKind};
use crate::{Area, Finding, FindingId, Instruction, Severity};

/// What every finding is made of.
#[derive(Clone, Copy)]
struct Context<'a> {
    facts: &'a Facts,
    evidence: &'a Evidence,
}

/// What is looked for, in the order in which it is shown.
const CHECKS: &[fn(Context<'_>) -> Vec<Finding>] = &[
    sandbox::container,
    dkms::half_installed,
    dkms::on_ubuntu,
    kernel::updated,
    module::copies,
    module::outdated,
    kernel::headers_missing,
    module::too_old,
    kernel::secure_boot,
    system::fedora_package,
    system::atomic,
    system::nixos,
    options::in_two_files,
    rights::control_device,
    node::obs_took_module,
    node::hidden_from_obs,
    watchers::taken,
    node::no_exclusive_caps,
    node::hides_camera,
    watchers::no_usage_event,
    watchers::unseen,
    watchers::older_program,
    sandbox::flatpak,
    sandbox::snap,
    pipewire::portal_denied,
    pipewire::no_camera_portal,
    pipewire::browser_flag,
    pipewire::browser_in_pipewire,
    pipewire::stale_node,
    camera::none,
    camera::busy,
    rights::video_nodes,
    camera::slow_modes,
    camera::usb_bandwidth,
    ffmpeg::missing,
    ffmpeg::decoder,
    own::no_avx2,
    own::model_missing,
    service::user_unit,
    service::boot_unit,
    service::another,
    service::outdated,
    service::not_running,
];

/// Everything that is wrong, or that cannot be decided: the worst first.
pub fn findings(facts: &Facts, evidence: &Evidence) -> Vec<Finding> {
    let context = Context { facts, evidence };
    let mut found: Vec<_> = CHECKS.iter().flat_map(|check| check(context)).collect();
    // The general finding says nothing new beside the reason for it.
    let explains = |finding: &Finding| {
        finding.severity == Severity::Error
            && matches!(finding.id.area(), Area::Module | Area::VirtualCamera)
    };
    if !found.iter().any(explains) {
        found.extend(node::no_virtual_camera(context));
    }
    found.sort_by_key(|finding| (finding.severity, finding.id));
    found
}

impl<'a> Context<'a> {
    /// Nodes of v4l2loopback.
    fn loopbacks(self) -> &'a [Node] {
        self.facts.nodes.get().map_or(&[], |nodes: &Nodes| &nodes.loopbacks)
    }

    /// Nodes in which greenroom shows its picture: made by set-up, of greenroom's name, or open in
    /// a greenroom.
    fn our_nodes(self) -> impl Iterator<Item = &'a Node> {
        let greenroom_has = move |number: u32| {
            let mut all = self.evidence.processes.greenrooms();
            all.any(|process| process.video_nodes.contains(&number))
        };
        self.loopbacks().iter().filter(move |node| {
            node.origin == Origin::Setup
                || node.label == Label::default().as_str()
                || greenroom_has(node.number)
        })
    }

    /// Whether it is known that no node is greenroom's.
    fn has_no_node(self) -> bool {
        self.facts.nodes.get().is_some() && self.our_nodes().next().is_none()
    }

    /// Whether greenroom is known to show its picture in a camera of PipeWire.
    fn shows_in_pipewire(self) -> bool {
        self.evidence.probes.has_output(OutputKind::PipeWire)
    }

    /// Whether it cannot be seen where greenroom shows its picture: it runs and was not asked.
    fn may_show_in_pipewire(self) -> bool {
        !known(&self.evidence.probes.control)
            && self.evidence.processes.greenrooms().next().is_some()
    }

    /// The cameras: those on USB, and those that the caller has found.
    fn cameras(self) -> impl Iterator<Item = &'a Device> {
        let devices = self.evidence.devices.get().map_or(&[][..], Vec::as_slice);
        devices.iter().filter(move |device| {
            let found = self.evidence.probes.camera(device.number).is_some();
            !device.is_loopback && (found || device.is_usb_camera())
        })
    }

    /// Whether it is known that PipeWire has no camera of greenroom's.
    fn is_missing_in_pipewire(self) -> bool {
        let is_ours = |number: u32| self.our_nodes().any(|node| node.number == number);
        let cameras = &self.evidence.probes.pipewire;
        !self.shows_in_pipewire()
            && cameras.is_and(|all| !all.iter().any(|camera| camera.number.is_some_and(is_ours)))
    }

    /// Whether a virtual camera of the kernel is wanted and not there: only then it matters why.
    fn lacks_node(self) -> bool {
        self.facts.system.environment == Environment::Machine
            && self.has_no_node()
            && !self.shows_in_pipewire()
            && !self.may_show_in_pipewire()
    }

    /// Whether greenroom is started with the user's session.
    fn is_service(self) -> bool {
        matches!(&self.facts.own.user_unit, Known::Is(unit) if unit.enabled)
    }

    /// How greenroom is given other settings: a line of its configuration where it runs as a service,
    /// which has to be restarted, and options else.
    fn with_settings(self, found: Finding, line: &str, options: &[&str]) -> Finding {
        if self.is_service() {
            let line = format!("{line}    # in ~/.config/greenroom/config.toml");
            let restart = Instruction::run("systemctl --user restart greenroom.service");
            return found.command(Instruction::ByHand(line)).command(restart);
        }
        let run = Command::words("greenroom run").with(options.iter().copied());
        found.command(Instruction::Run(run))
    }

    /// greenroom shows its picture in PipeWire as well (`auto` is every camera that there can be), or there alone.
    fn with_pipewire(self, found: Finding, as_well: bool) -> Finding {
        let output = if as_well { "auto" } else { "pipewire" };
        self.with_settings(found, &format!("output = \"{output}\""), &["--output", output])
    }

    /// Whether the module is known to be loaded.
    fn module_is_loaded(self) -> bool {
        self.facts.loaded_generation().is_some()
    }

    /// The release of the running kernel, for people.
    fn kernel_release(self) -> &'a str {
        self.facts.kernel.release.get().map_or("", String::as_str)
    }
}

/// A file instead of a virtual camera.
fn to_file() -> Instruction {
    Instruction::run("greenroom run --output call.mkv")
}

/// The path of a video node.
fn device(number: u32) -> String {
    format!("/dev/video{number}")
}

/// Items as a list for people: `a, b and c`.
fn list<T: AsRef<str>>(items: &[T]) -> String {
    match items {
        [] => String::new(),
        [only] => only.as_ref().to_owned(),
        [rest @ .., last] => {
            let rest: Vec<_> = rest.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", rest.join(", "), last.as_ref())
        }
    }
}

/// A finding that is an error.
fn error(
    id: FindingId,
    symptom: impl Into<String>,
    cause: impl Into<String>,
    cure: impl Into<String>,
) -> Finding {
    Finding::new(id, Severity::Error, symptom, cause, cure)
}

/// A finding that is a warning.
fn warning(
    id: FindingId,
    symptom: impl Into<String>,
    cause: impl Into<String>,
    cure: impl Into<String>,
) -> Finding {
    Finding::new(id, Severity::Warning, symptom, cause, cure)
}

/// A finding that is good to know.
fn note(
    id: FindingId,
    symptom: impl Into<String>,
    cause: impl Into<String>,
    cure: impl Into<String>,
) -> Finding {
    Finding::new(id, Severity::Note, symptom, cause, cure)
}

/// Whether something is known.
fn known<T>(value: &Known<T>) -> bool {
    value.get().is_some()
}
