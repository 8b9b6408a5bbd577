//! What a person does where set-up can do nothing that lasts.

use std::path::Path;

use super::module;
use super::nodes::Wanted;
use super::setup::Setting;
use crate::facts::Facts;
use crate::{Generation, files};

/// The commands that a person runs where there is no systemd.
pub(super) fn commands(setting: &Setting<'_>) -> Vec<String> {
    let facts = setting.facts;
    let install = setting
        .source
        .as_ref()
        .map(|source| module::install_commands(facts, source.manager, &source.packages));
    let mut lines: Vec<_> =
        install.into_iter().flatten().map(|command| command.as_root()).collect();
    if setting.generation == Generation::Fixed {
        let options = files::options(&setting.labels(), &setting.numbers());
        let options = options.lines().last().unwrap_or_default().to_owned();
        lines.push(format!("sudo modprobe{}", options.trim_start_matches("options")));
    } else {
        let somebody = facts.foreign_options().next().is_some();
        lines.push(files::load_command(somebody).as_root());
        lines.push(setting.at_boot().as_root());
    }
    lines
}

/// The lines of a NixOS configuration after which the nodes are there at every start.
pub(super) fn nixos_lines(facts: &Facts, wanted: &[Wanted<'_>]) -> Vec<String> {
    let labels: Vec<_> = wanted.iter().map(|wanted| wanted.label.clone()).collect();
    let numbers: Vec<_> = wanted.iter().map(|wanted| wanted.number).collect();
    let mut lines = vec![
        "boot.extraModulePackages = [ config.boot.kernelPackages.v4l2loopback ];".to_owned(),
        "boot.kernelModules = [ \"v4l2loopback\" ];".to_owned(),
    ];
    if facts.foreign_options().next().is_some() {
        // Their options stay; our node is added beside theirs.
        let label = labels.first().cloned().unwrap_or_default();
        let program = Path::new("/run/current-system/sw/bin/greenroom");
        let command = files::at_boot_command(program, &label, &numbers);
        lines.extend([
            "systemd.services.greenroom-camera = {".to_owned(),
            "  wantedBy = [ \"multi-user.target\" ];".to_owned(),
            "  after = [ \"systemd-modules-load.service\" ];".to_owned(),
            "  serviceConfig = { Type = \"oneshot\"; RemainAfterExit = true; };".to_owned(),
            format!("  script = \"{}\";", command.to_string().replace('"', "\\\"")),
            "};".to_owned(),
        ]);
    } else {
        let options = files::options(&labels, &numbers);
        let options = options.lines().last().unwrap_or_default();
        lines.push(format!("boot.extraModprobeConfig = ''{options}'';"));
    }
    lines
}
