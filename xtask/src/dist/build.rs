//! The program, built so that it does not know where.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, ensure};

use crate::dist::{call, output};
use crate::places::Places;

/// Separates the words of `CARGO_ENCODED_RUSTFLAGS`.
const SEPARATOR: &str = "\u{1f}";

/// How a build is made.
pub(super) struct Build {
    pub(super) profile: String,
    repository: PathBuf,
    target: PathBuf,
    /// The time of the last commit, in seconds since 1970: that of every file in the packages.
    pub(super) epoch_s: String,
}

/// Where libjpeg-turbo is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Jpeg {
    /// A package depends on it, and gets its updates.
    OfTheSystem,
    /// The tarball's program needs nothing but the C library and libpipewire, which every desktop has.
    InTheProgram,
}

impl Build {
    pub(super) fn new(places: &Places, profile: &str) -> Result<Self> {
        let absolute = |path: &Path| {
            fs::create_dir_all(path)
                .and_then(|()| path.canonicalize())
                .with_context(|| path.display().to_string())
        };
        let repository = absolute(&places.repository)?;
        let epoch_s = match env::var("SOURCE_DATE_EPOCH") {
            Ok(epoch) => epoch,
            Err(_) => {
                let mut git = Command::new("git");
                git.current_dir(&repository).args(["log", "-1", "--format=%ct"]);
                let time = output(&mut git).context("without Git, set SOURCE_DATE_EPOCH")?;
                String::from_utf8_lossy(&time).trim().to_owned()
            }
        };
        ensure!(
            epoch_s.parse::<u64>().is_ok(),
            "SOURCE_DATE_EPOCH is {epoch_s}, not seconds since 1970"
        );
        Ok(Self {
            profile: profile.to_owned(),
            repository,
            target: absolute(&places.target)?,
            epoch_s,
        })
    }

    /// Where cargo puts what it builds with the profile.
    pub(super) fn folder(&self) -> PathBuf {
        self.target.join(if self.profile == "dev" { "debug" } else { &self.profile })
    }

    pub(super) fn program(&self) -> PathBuf {
        self.folder().join("greenroom")
    }

    /// The environment of a tool: the time, the target folder, and one language.
    pub(super) fn environment<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command
            .env("SOURCE_DATE_EPOCH", &self.epoch_s)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("LC_ALL", "C.UTF-8")
    }

    /// Builds the program.
    pub(super) fn make(&self, jpeg: Jpeg) -> Result<()> {
        // The sources of crates are unpacked before they are listed.
        call(self.cargo().args(["fetch", "--locked", "--quiet"]))?;
        let mut build = self.cargo();
        build.args([
            "build",
            "--locked",
            "--package",
            "greenroom",
            "--features",
            "packaged",
            "--profile",
            &self.profile,
        ]);
        build
            .env("CARGO_ENCODED_RUSTFLAGS", self.flags()?.join(SEPARATOR))
            .env("CARGO_INCREMENTAL", "0");
        build.env_remove("RUSTFLAGS");
        for name in ["TURBOJPEG_STATIC", "TURBOJPEG_SOURCE", "TURBOJPEG_LIB_DIR"] {
            build.env_remove(name);
        }
        if jpeg == Jpeg::InTheProgram {
            // By its folder: what pkg-config finds among the system's own libraries is linked as a shared one all the same.
            let folder = static_jpeg()?;
            build.env("TURBOJPEG_STATIC", "1").env("TURBOJPEG_SOURCE", "explicit");
            build.env("TURBOJPEG_LIB_DIR", folder);
        }
        call(&mut build)
    }

    fn cargo(&self) -> Command {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        self.environment(&mut cargo).current_dir(&self.repository);
        cargo
    }

    /// What is written into the program in place of this machine's folders; the last one that fits counts.
    fn flags(&self) -> Result<Vec<String>> {
        let home = env::var_os("CARGO_HOME").map(PathBuf::from);
        let home =
            home.or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")));
        let sources = home.context("neither CARGO_HOME nor HOME is set")?.join("registry/src");
        let registries = fs::read_dir(&sources).with_context(|| sources.display().to_string())?;
        let mut registries =
            registries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
        registries.sort();
        let mut flags = vec![remap(&self.repository, "/greenroom")];
        flags.extend(registries.iter().map(|registry| remap(registry, "/registry")));
        flags.push(remap(&self.target, "/target"));
        Ok(flags)
    }
}

/// The folder of libturbojpeg.a.
fn static_jpeg() -> Result<PathBuf> {
    let told = output(Command::new("pkg-config").args(["--variable=libdir", "libturbojpeg"]))?;
    let folder = PathBuf::from(String::from_utf8_lossy(&told).trim());
    ensure!(
        folder.join("libturbojpeg.a").exists(),
        "{} has no libturbojpeg.a, which the tarball's program is linked with; install it (Debian: libturbojpeg0-dev), \
         or make the others alone: --only deb --only rpm",
        folder.display()
    );
    Ok(folder)
}

fn remap(from: &Path, to: &str) -> String {
    format!("--remap-path-prefix={}={to}", from.display())
}
