//! What the guest finds when it wakes: the initramfs and the job.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};

use super::kernel::Kernel;
use super::tools::{self, call, command};

/// What the initramfs must load to reach the host: the virtio bus, the shares, the port for output.
const EARLY_MODULES: &[&str] =
    &["virtio_pci", "virtio_console", "9p", "9pnet_virtio", "overlay", "virtio_rng"];

/// What it must load besides to reach an installed system's disk. systemd mounts with autofs.
const DISK_MODULES: &[&str] = &["virtio_blk", "ext4", "autofs4"];

/// What is to be run in the guest.
pub struct Job {
    /// Shell lines run first.
    pub modprobes: Vec<String>,
    pub script: PathBuf,
    pub arguments: Vec<String>,
    /// The folder to run in.
    pub folder: PathBuf,
    /// cargo's target folder, handed on so that a script finds what was built.
    pub target: PathBuf,
    /// Whether an installed system runs it, at each boot; the host's root is at `/run/greenroom-vm/host` then.
    pub installed: bool,
}

/// Where the guest has the host's root and the run folder, if its own root is an installed system's.
const HOST: &str = "/run/greenroom-vm/host";
const RUN: &str = "/run/greenroom-vm/run";

/// Writes into the run folder all that the guest needs: `initramfs.img`, `modules-folder` and `job.sh`.
pub fn prepare(run_folder: &Path, kernel: &Kernel, modules: &Path, job: &Job) -> Result<()> {
    for stale in ["exit-code", "started", "boots", "console.log", "qemu.log"] {
        let _ = fs::remove_file(run_folder.join(stale));
    }
    fs::write(run_folder.join("modules-folder"), modules.as_os_str().as_bytes())?;
    fs::write(run_folder.join("job.sh"), job_script(run_folder, job)?)?;
    write_initramfs(run_folder, kernel, job.installed)
}

fn job_script(run_folder: &Path, job: &Job) -> Result<Vec<u8>> {
    // A path is made absolute here, a bare name is a program for the guest's PATH.
    let script = match fs::canonicalize(&job.script) {
        Ok(path) => {
            ensure!(
                path.is_file(),
                "{} is not a file; name a script or a program",
                job.script.display()
            );
            path
        }
        Err(_)
            if job.script.components().count() == 1
                && tools::find(&job.script.to_string_lossy()).is_some() =>
        {
            job.script.clone()
        }
        Err(error) => bail!("cannot open the script {}: {error}", job.script.display()),
    };
    let mut text = String::from("# Written by cargo xtask vm; run as root in the guest.\n");
    text.push_str("export HOME=/root TERM=dumb LANG=C.UTF-8 GREENROOM_VM=1\n");
    text.push_str("export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n");
    let mut lines = text.into_bytes();
    let out = if job.installed { Path::new(RUN) } else { run_folder }.join("out");
    for (name, value) in [("OUT", &out), ("CARGO_TARGET_DIR", &on_the_host(&job.target, job))] {
        lines
            .extend_from_slice(format!("export {name}={}\n", quote(value.as_os_str())?).as_bytes());
    }
    for name in ["RUST_LOG", "RUST_BACKTRACE"] {
        if let Some(value) = std::env::var_os(name) {
            lines.extend_from_slice(format!("export {name}={}\n", quote(&value)?).as_bytes());
        }
    }
    let folder = on_the_host(&job.folder, job);
    let mut rest = format!("cd {} || exit 1\n", quote(folder.as_os_str())?);
    for line in &job.modprobes {
        // Without its modules a script would fail later and less clearly.
        let _ = writeln!(
            rest,
            "{line} || {{ echo 'vm: this failed:' {} >&2; exit 1; }}",
            quote(line.as_ref())?
        );
    }
    let runs_alone = script.components().count() == 1
        || fs::metadata(&script).is_ok_and(|metadata| metadata.permissions().mode() & 0o111 != 0);
    let there = if script.is_absolute() { on_the_host(&script, job) } else { script };
    let _ =
        write!(rest, "exec {}{}", if runs_alone { "" } else { "sh " }, quote(there.as_os_str())?);
    for argument in &job.arguments {
        let _ = write!(rest, " {}", quote(argument.as_ref())?);
    }
    rest.push('\n');
    lines.extend_from_slice(rest.as_bytes());
    Ok(lines)
}

/// Where a file of the host is in the guest.
fn on_the_host(path: &Path, job: &Job) -> PathBuf {
    if job.installed {
        Path::new(HOST).join(path.strip_prefix("/").unwrap_or(path))
    } else {
        path.to_owned()
    }
}

/// A word for the shell, whatever it holds.
fn quote(word: &OsStr) -> Result<String> {
    let text = word.to_str().with_context(|| format!("{} is not UTF-8", word.display()))?;
    Ok(format!("'{}'", text.replace('\'', r"'\''")))
}

/// The early root: busybox, the two scripts, the early modules. 4 MB, made in a fraction of a second, so it is not
/// cached and cannot be stale.
fn write_initramfs(run_folder: &Path, kernel: &Kernel, installed: bool) -> Result<()> {
    let scratch = tempfile::tempdir().context("cannot make a scratch folder")?;
    let root = scratch.path();
    for folder in ["bin", "modules"] {
        fs::create_dir(root.join(folder))?;
    }
    let busybox = fs::read(tools::find("busybox").context("busybox is not installed")?)?;
    // A program that needs a loader names it; in the initramfs there is none.
    if busybox.windows(9).any(|bytes| bytes == b"/ld-linux") {
        bail!(
            "busybox here needs shared libraries; run `apt-get install busybox-static` as root, then try again"
        );
    }
    for (name, contents) in [
        ("bin/busybox", busybox.as_slice()),
        ("init", include_bytes!("init.sh").as_slice()),
        ("session.sh", include_bytes!("session.sh").as_slice()),
    ] {
        fs::write(root.join(name), contents)?;
        fs::set_permissions(root.join(name), fs::Permissions::from_mode(0o755))?;
    }
    let mut order = String::new();
    for path in early_modules(kernel, installed)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let plain = copy_module(&path, &name, &root.join("modules"))?;
        order.push_str(&plain);
        order.push('\n');
    }
    fs::write(root.join("modules/order"), order)?;
    pack(root, &run_folder.join("initramfs.img"))
}

/// The files of the early modules and of what they depend on, in the order to load them.
fn early_modules(kernel: &Kernel, installed: bool) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    let disk = if installed { DISK_MODULES } else { &[] };
    for module in EARLY_MODULES.iter().chain(disk) {
        let mut modprobe = command("modprobe");
        modprobe.arg("-d").arg(&kernel.root).arg("-S").arg(&kernel.release);
        modprobe.args(["-C", "/dev/null", "--show-depends", module]);
        // Lines read "insmod PATH [OPTIONS]" or "builtin NAME".
        for line in call(&mut modprobe, &format!("find the module {module}"))?.lines() {
            if let Some(path) =
                line.strip_prefix("insmod ").and_then(|rest| rest.split_terminator(".ko").next())
            {
                let extension = line["insmod ".len() + path.len()..]
                    .split_whitespace()
                    .next()
                    .unwrap_or_default();
                let path = PathBuf::from(format!("{path}{extension}"));
                if !paths.contains(&path) {
                    paths.push(path);
                }
            }
        }
    }
    Ok(paths)
}

/// Copies a module, unpacked (Debian 13 ships them as .ko.xz), and gives its plain name.
fn copy_module(path: &Path, name: &str, folder: &Path) -> Result<String> {
    let Some(plain) = name.strip_suffix(".xz") else {
        fs::copy(path, folder.join(name))
            .with_context(|| format!("cannot copy {}", path.display()))?;
        return Ok(name.to_owned());
    };
    let output = fs::File::create(folder.join(plain))?;
    let status =
        command("xz").arg("-dc").arg(path).stdout(output).status().context("cannot start xz")?;
    ensure!(status.success(), "xz cannot unpack {}", path.display());
    Ok(plain.to_owned())
}

/// Packs a folder as the archive the kernel unpacks. Not compressed: emulated unpacking costs more than reading.
fn pack(root: &Path, image: &Path) -> Result<()> {
    let mut names = Vec::new();
    for top in ["bin", "bin/busybox", "init", "session.sh", "modules"] {
        names.push(PathBuf::from(top));
    }
    for entry in fs::read_dir(root.join("modules"))? {
        names.push(Path::new("modules").join(entry?.file_name()));
    }
    let mut cpio = command("cpio")
        .args(["--create", "--format=newc", "--owner=0:0", "--quiet"])
        .current_dir(root)
        .stdin(Stdio::piped())
        .stdout(
            fs::File::create(image).with_context(|| format!("cannot write {}", image.display()))?,
        )
        .spawn()
        .context("cannot start cpio")?;
    let mut list = cpio.stdin.take().context("cpio has no input")?;
    for name in names {
        writeln!(list, "{}", name.display())?;
    }
    drop(list);
    ensure!(cpio.wait()?.success(), "cpio cannot pack the initramfs");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(script: &str) -> Job {
        Job {
            modprobes: vec!["modprobe v4l2loopback card_label='a b'".into()],
            script: script.into(),
            arguments: vec!["it's".into(), "$HOME".into()],
            folder: "/".into(),
            target: "/nowhere".into(),
            installed: false,
        }
    }

    #[test]
    fn a_job_is_quoted_and_comes_after_the_modules() {
        let text =
            String::from_utf8(job_script(Path::new("/run folder"), &job("sh")).unwrap()).unwrap();
        assert!(text.contains("export OUT='/run folder/out'\n"), "{text}");
        assert!(text.contains("\nmodprobe v4l2loopback card_label='a b' || {"), "{text}");
        assert!(text.ends_with("\nexec 'sh' 'it'\\''s' '$HOME'\n"), "{text}");
    }

    #[test]
    fn a_script_without_the_x_bit_goes_through_sh() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plain.sh");
        fs::write(&path, "true").unwrap();
        let text =
            String::from_utf8(job_script(folder.path(), &job(path.to_str().unwrap())).unwrap())
                .unwrap();
        assert!(text.contains("\nexec sh '/"), "{text}");
    }

    #[test]
    fn an_installed_system_has_the_hosts_files_in_a_folder() {
        let job = Job { installed: true, ..job("/bin/sh") };
        let text = String::from_utf8(job_script(Path::new("/runs/x"), &job).unwrap()).unwrap();
        assert!(text.contains("export OUT='/run/greenroom-vm/run/out'\n"), "{text}");
        assert!(text.contains("\ncd '/run/greenroom-vm/host/' || exit 1\n"), "{text}");
        assert!(text.contains("\nexec '/run/greenroom-vm/host/"), "{text}");
    }

    #[test]
    fn a_script_that_is_not_there_is_one_sentence() {
        let error = job_script(Path::new("/x"), &job("no/such.sh")).unwrap_err().to_string();
        assert!(error.starts_with("cannot open the script no/such.sh: "), "{error}");
        let error = job_script(Path::new("/x"), &job("/")).unwrap_err().to_string();
        assert_eq!(error, "/ is not a file; name a script or a program");
    }
}
