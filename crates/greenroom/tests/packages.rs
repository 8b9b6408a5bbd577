//! What packages are described to hold: the two lists of Cargo.toml, docs/packages.md, the files of packaging/.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use greenroom_setup::{Label, files};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn text(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn metadata(of: &str) -> toml::Table {
    let manifest: toml::Table = text("crates/greenroom/Cargo.toml").parse().unwrap();
    manifest["package"]["metadata"][of].as_table().unwrap().clone()
}

/// Where each file of the .deb goes, as a path below `/`: its source, as a path below the repository, and mode.
fn of_deb() -> BTreeMap<String, (String, String)> {
    let assets = metadata("deb")["assets"].as_array().unwrap().clone();
    let entry = |asset: &toml::Value| {
        let words: Vec<_> =
            asset.as_array().unwrap().iter().filter_map(|word| word.as_str()).collect();
        let &[source, target, mode] = words.as_slice() else { panic!("{asset}") };
        let source = source.strip_prefix("../../").unwrap_or(source);
        let name = source.rsplit('/').next().unwrap();
        let target =
            if target.ends_with('/') { format!("/{target}{name}") } else { format!("/{target}") };
        (target, (source.to_owned(), mode.to_owned()))
    };
    assets.iter().map(entry).collect()
}

fn of_rpm() -> BTreeMap<String, (String, String)> {
    let assets = metadata("generate-rpm")["assets"].as_array().unwrap().clone();
    let entry = |asset: &toml::Value| {
        let word = |key: &str| asset[key].as_str().unwrap().to_owned();
        let (source, mut target) = (word("source"), word("dest"));
        if target.ends_with('/') {
            target.push_str(source.rsplit('/').next().unwrap());
        }
        (target, (source, word("mode")))
    };
    assets.iter().map(entry).collect()
}

#[test]
fn the_rpm_has_the_files_of_the_deb() {
    let deb = of_deb().into_iter().filter(|(target, _)| {
        let name = target.rsplit('/').next().unwrap();
        !["copyright", "changelog.Debian.gz"].contains(&name)
    });
    let as_rpm = |(target, entry): (String, (String, String))| {
        (target.replace("/zsh/vendor-completions/", "/zsh/site-functions/"), entry)
    };
    let licence = |name: &str| {
        (format!("/usr/share/licenses/greenroom/{name}"), (name.to_owned(), "644".to_owned()))
    };
    let expected: BTreeMap<_, _> =
        deb.map(as_rpm).chain(["LICENSE-MIT", "LICENSE-APACHE"].map(licence)).collect();
    assert_eq!(of_rpm(), expected);
}

#[test]
fn the_docs_list_every_file() {
    let docs = text("docs/packages.md");
    let (_, list) = docs.split_once("```files\n").unwrap();
    let (list, _) = list.split_once("```").unwrap();
    let listed: BTreeSet<_> = list.lines().map(str::to_owned).collect();
    assert_eq!(listed, of_deb().into_keys().collect());
}

#[test]
fn every_file_that_is_packaged_as_it_is_exists_and_the_program_alone_may_be_run() {
    for (target, (source, mode)) in of_deb() {
        let runs = source == "target/release/greenroom";
        assert_eq!(mode == "755", runs, "{target}");
        if source.starts_with("target/") || source.contains('*') {
            continue;
        }
        assert!(repository().join(&source).is_file(), "{source}");
    }
}

#[test]
fn units_lie_where_setup_and_doctor_look_for_them() {
    let deb = of_deb();
    assert!(deb.contains_key(files::SHIPPED_UNIT_FILE));
    assert!(deb.contains_key(&format!("/usr/lib/systemd/user/{}", files::USER_UNIT)));
    assert!(deb.contains_key("/usr/bin/greenroom"));
    for file in ["dbus/org.greenroom.Greenroom1.service", "polkit/org.greenroom.setup.policy"] {
        assert!(text(&format!("packaging/{file}")).contains("/usr/bin/greenroom"), "{file}");
    }
}

#[test]
fn purging_removes_what_setup_writes_and_no_script_touches_the_module() {
    let postrm = text("packaging/debian/postrm");
    assert!(postrm.contains(&format!("mark='{}'", files::MARK)));
    for path in [files::UNIT_FILE, files::OPTIONS_FILE, files::LOAD_FILE, files::UNIT_LINK] {
        assert!(postrm.contains(path), "{path}");
    }
    let folder = Path::new(files::SETUP_RECORD).parent().unwrap().display().to_string();
    assert!(postrm.contains(&format!("rm -rf {folder}\n")));
    // `greenroom setup` alone does that. rpm has no scripts at all.
    let scripts: Vec<_> = fs::read_dir(repository().join("packaging/debian"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "copyright")
        .collect();
    assert_eq!(scripts, ["postrm"]);
    for word in ["modprobe ", "rmmod", "insmod", "systemctl", "udevadm"] {
        assert!(!postrm.contains(word), "{word}");
    }
    assert!(metadata("generate-rpm").keys().all(|key| !key.contains("script")));
    assert!(!metadata("deb").contains_key("systemd-units"));
}

#[test]
fn the_module_is_suggested_and_ffmpeg_and_pipewire_are_recommended() {
    let deb = metadata("deb");
    let said = |key: &str| deb[key].as_str().unwrap().to_owned();
    assert_eq!(said("depends"), "$auto");
    assert_eq!(said("recommends"), "ffmpeg, pipewire, wireplumber");
    assert!(said("suggests").contains("v4l2loopback-modules"));
    assert!(!metadata("generate-rpm").contains_key("requires"));
}

#[test]
fn rules_name_the_usual_label_and_nothing_wider() {
    let label = Label::default().to_string();
    let conf = text("packaging/wireplumber/60-greenroom.conf");
    assert!(conf.contains(&format!("api.v4l2.cap.card = \"~^{label}( [0-9]+)?$\"")));
    assert!(conf.contains("api.v4l2.cap.driver = \"v4l2 loopback\""));
    let lua = text("packaging/wireplumber/60-greenroom.lua");
    assert!(lua.contains(&format!("\"equals\", \"{label}\"")));
    let udev = text("packaging/udev/60-greenroom.rules");
    assert!(udev.contains(&format!("ATTR{{name}}==\"{label}\"")));
    let says = |line: &&str| !line.starts_with('#') && line.contains("v4l2loopback");
    assert_eq!(udev.lines().find(says), None, "nobody gets the control device");
}

#[test]
fn the_other_packages_have_this_version() {
    let version = env!("CARGO_PKG_VERSION");
    assert!(text("packaging/arch/PKGBUILD").contains(&format!("\npkgver={version}\n")));
    assert!(text("packaging/nix/package.nix").contains(&format!("version = \"{version}\";")));
}
