//! A made-up system that commands change: enough of apt, modprobe, systemctl and the control device
//! for set-up.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use greenroom_setup::apply::{Control, Programs};
use greenroom_setup::{Command, Label, Session, at_boot, files};

/// Changes the files below a root directory as the programs of a real system would.
#[derive(Clone)]
pub struct MadePrograms {
    pub root: PathBuf,
    pub session: Session,
    /// The version of the module that packages install or that is installed.
    pub version: Option<&'static str>,
    /// A command that begins so fails after it has done its work.
    pub fails: Option<&'static str>,
    /// What was run.
    pub log: Vec<String>,
}

impl MadePrograms {
    pub fn new(root: &Path, session: &Session, version: Option<&'static str>) -> Self {
        let (root, session) = (root.to_owned(), session.clone());
        Self { root, session, version, fails: None, log: Vec::new() }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_default()
    }

    fn modprobe(&mut self, words: &[&str]) -> Result<(), String> {
        if words.contains(&"-r") {
            for (number, _) in nodes(&self.root) {
                remove_node(&self.root, number);
            }
            self.write("/proc/modules", "videodev 327680 1 uvcvideo, Live 0x0\n");
            let _ = fs::remove_dir_all(self.path("/sys/module/v4l2loopback"));
            let _ = fs::remove_dir_all(self.path("/sys/class/misc"));
            return Ok(());
        }
        if self.version.is_none() && !self.has_module() {
            return Err("module not found".to_owned());
        }
        self.write("/proc/modules", "v4l2loopback 57344 0 - Live 0x0 (OE)\n");
        match self.version {
            Some(version) => {
                self.write("/sys/module/v4l2loopback/version", &format!("{version}\n"));
                self.write("/sys/class/misc/v4l2loopback/dev", "10:120\n");
            }
            None => self.write("/sys/module/v4l2loopback/refcnt", "0\n"),
        }
        let options = self.read(files::OPTIONS_FILE);
        if let Some((_, rest)) = options.split_once(" card_label=\"")
            && !words.iter().any(|word| word.starts_with("devices="))
        {
            let labels = rest.split('"').next().unwrap().split(',');
            for (index, label) in labels.enumerate() {
                add_node(&self.root, 10 + u32::try_from(index).unwrap(), label);
            }
        }
        Ok(())
    }

    fn has_module(&self) -> bool {
        let release = self.read("/proc/sys/kernel/osrelease");
        let index = format!("/usr/lib/modules/{}/modules.dep", release.trim());
        self.read(&index).contains("v4l2loopback")
    }

    fn apt(&mut self, words: &[&str]) {
        let packages: Vec<_> = words.iter().skip_while(|word| !word.contains("--yes")).collect();
        let packages: Vec<_> = packages.iter().filter(|word| !word.starts_with("--")).collect();
        let status = "/var/lib/dpkg/status";
        let release = self.read("/proc/sys/kernel/osrelease").trim().to_owned();
        let index = format!("/usr/lib/modules/{release}/modules.dep");
        for package in packages {
            let paragraph = format!("Package: {package}\nStatus: install ok installed\n\n");
            let text = self.read(status).replace(&paragraph, "");
            let modules = self.read(&index);
            let line = "kernel/v4l2loopback/v4l2loopback.ko.zst:\n";
            if words.contains(&"install") {
                self.write(status, &(text + &paragraph));
                self.write(&index, &(modules.replace(line, "") + line));
            } else {
                self.write(status, &text);
                self.write(&index, &modules.replace(line, ""));
            }
        }
    }

    fn systemctl(&mut self, words: &[&str]) -> Result<(), String> {
        let user = words[0] == "--user";
        let words = if user { &words[1..] } else { words };
        let unit = words[words.len() - 1];
        let (folder, target) = if user {
            let home = self.session.home.as_ref().unwrap().display();
            (format!("{home}/.config/systemd/user"), "default.target.wants")
        } else {
            ("/etc/systemd/system".to_owned(), "multi-user.target.wants")
        };
        let link = self.path(&format!("{folder}/{target}/{unit}"));
        let runs = self.path(&format!("/run/made/{unit}"));
        let is_there = |path: &Path| path.symlink_metadata().is_ok();
        match words[0] {
            "daemon-reload" => Ok(()),
            "is-enabled" => is_there(&link).then_some(()).ok_or("disabled".to_owned()),
            "is-failed" => Err("active".to_owned()),
            "is-active" => is_there(&runs).then_some(()).ok_or("inactive".to_owned()),
            "enable" => {
                fs::create_dir_all(link.parent().unwrap()).unwrap();
                let _ = symlink("x", &link);
                if words.contains(&"--now") {
                    self.write(&format!("/run/made/{unit}"), "");
                }
                Ok(())
            }
            "disable" => {
                let _ = fs::remove_file(&link);
                let _ = fs::remove_dir(link.parent().unwrap());
                let _ = fs::remove_file(&runs);
                Ok(())
            }
            "start" => {
                self.write(&format!("/run/made/{unit}"), "");
                Ok(())
            }
            "stop" => fs::remove_file(&runs).map_err(|error| error.to_string()),
            "restart" => {
                let text = self.read(files::UNIT_FILE);
                let line = text.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
                let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
                self.at_boot(&words.iter().map(String::as_str).collect::<Vec<_>>())
            }
            other => Err(format!("what is {other}?")),
        }
    }

    /// `greenroom setup --at-boot --label L --number N …`.
    fn at_boot(&mut self, words: &[&str]) -> Result<(), String> {
        let after = |key: &str| {
            let key = key.to_owned();
            words.windows(2).filter(move |pair| pair[0] == key).map(|pair| pair[1])
        };
        let label = Label::new(after("--label").next().unwrap()).unwrap();
        let numbers: Vec<u32> = after("--number").map(|number| number.parse().unwrap()).collect();
        let (root, session) = (self.root.clone(), self.session.clone());
        let mut control = MadeControl(self.root.clone());
        let mut machine = greenroom_setup::apply::Machine {
            root: &root,
            programs: self,
            control: &mut control,
            watch: &mut |_| {},
            stop: &|| false,
        };
        at_boot(&mut machine, &session, &label, &numbers)
            .map(drop)
            .map_err(|error| error.to_string())
    }
}

impl Programs for MadePrograms {
    fn run(&mut self, command: &Command) -> Result<String, String> {
        let line = command.0.join(" ");
        self.log.push(line.clone());
        let words: Vec<_> = command.0.iter().map(String::as_str).collect();
        let words = &words[if words[0] == "env" { 2 } else { 0 }..];
        match words[0] {
            "modprobe" => self.modprobe(words)?,
            "apt-get" => self.apt(words),
            "dpkg" => {}
            "modinfo" => {
                let error = || "not found".to_owned();
                return self
                    .has_module()
                    .then(|| self.version.unwrap_or("").to_owned())
                    .ok_or_else(error);
            }
            "systemctl" => self.systemctl(&words[1..])?,
            program if program.ends_with("greenroom") => self.at_boot(words)?,
            other => return Err(format!("{other} is not there")),
        }
        match self.fails {
            Some(fails) if line.contains(fails) => Err("exit status 100: E: it broke".to_owned()),
            _ => Ok(String::new()),
        }
    }
}

/// Nodes that are folders in the made-up `/sys`.
pub struct MadeControl(pub PathBuf);

impl Control for MadeControl {
    fn add(&mut self, number: u32, label: &str, _buffers: u32) -> Result<u32, String> {
        add_node(&self.0, number, label);
        Ok(number)
    }

    fn remove(&mut self, number: u32) -> Result<(), String> {
        remove_node(&self.0, number);
        Ok(())
    }
}

fn class(root: &Path) -> PathBuf {
    root.join("sys/class/video4linux")
}

pub fn add_node(root: &Path, number: u32, label: &str) {
    let folder = class(root).join(format!("video{number}"));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("name"), format!("{label}\n")).unwrap();
    for name in ["format", "buffers", "max_openers"] {
        fs::write(folder.join(name), "").unwrap();
    }
}

fn remove_node(root: &Path, number: u32) {
    let _ = fs::remove_dir_all(class(root).join(format!("video{number}")));
}

/// The loopbacks that are there.
pub fn nodes(root: &Path) -> Vec<(u32, String)> {
    let entries = fs::read_dir(class(root)).unwrap().flatten();
    let node = |entry: fs::DirEntry| {
        let number = entry.file_name().to_str()?.strip_prefix("video")?.parse().ok()?;
        let name = fs::read_to_string(entry.path().join("name")).ok()?;
        entry.path().join("max_openers").exists().then(|| (number, name.trim().to_owned()))
    };
    let mut nodes: Vec<_> = entries.filter_map(node).collect();
    nodes.sort();
    nodes
}
