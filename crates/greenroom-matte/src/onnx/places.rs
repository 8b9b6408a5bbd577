//! Where an ONNX Runtime may lie.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// What the environment says, taken apart so that tests can say it.
pub(super) struct Environment {
    pub ort_dylib_path: Option<PathBuf>,
    pub ld_library_path: Vec<PathBuf>,
    pub virtual_env: Option<PathBuf>,
    pub home: Option<PathBuf>,
    pub data_home: Option<PathBuf>,
    /// `/`, or a folder that stands for it.
    pub root: PathBuf,
}

impl Environment {
    pub fn of_process() -> Self {
        let path = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let libraries = env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
        Self {
            ort_dylib_path: path("ORT_DYLIB_PATH"),
            ld_library_path: env::split_paths(&libraries)
                .filter(|path| path.is_absolute())
                .collect(),
            virtual_env: path("VIRTUAL_ENV"),
            home: env::home_dir(),
            data_home: path("XDG_DATA_HOME").filter(|path| path.is_absolute()),
            root: PathBuf::from("/"),
        }
    }

    /// Every ONNX Runtime there is, the first to be tried first: `ORT_DYLIB_PATH`, where the linker
    /// looks, where pip puts it, greenroom's own folder.
    pub fn candidates(&self) -> Vec<PathBuf> {
        let mut found: Vec<PathBuf> = self.ort_dylib_path.iter().cloned().collect();
        for folder in self.folders() {
            found.extend(libraries_in(&folder));
        }
        let mut seen = HashSet::new();
        found.retain(|path| seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())));
        found
    }

    fn folders(&self) -> Vec<PathBuf> {
        let mut folders = self.ld_library_path.clone();
        let triplet = format!("{}-linux-gnu", env::consts::ARCH);
        for place in ["usr/local/lib", "usr/lib", "lib"] {
            folders.push(self.root.join(place).join(&triplet));
            folders.push(self.root.join(place));
        }
        folders.extend(["usr/local/lib64", "usr/lib64"].map(|place| self.root.join(place)));
        let installed = entries(&self.root.join("opt"), "onnxruntime");
        folders.extend(installed.into_iter().flat_map(|folder| [folder.join("lib"), folder]));
        // pip: a virtual environment, the user's packages, the system's.
        let local = self.home.as_ref().map(|home| home.join(".local"));
        let mut pythons = Vec::new();
        for prefix in [self.virtual_env.clone(), local, Some(self.root.join("usr/local"))] {
            let pythons_of = |prefix: PathBuf| entries(&prefix.join("lib"), "python3");
            pythons.extend(prefix.map(pythons_of).unwrap_or_default());
        }
        pythons.push(self.root.join("usr/lib/python3"));
        for python in pythons {
            folders.push(python.join("site-packages/onnxruntime/capi"));
            folders.push(python.join("dist-packages/onnxruntime/capi"));
        }
        // What `pip install --target` makes there, and what `greenroom model get onnxruntime` brings.
        if let Some(own) = self.data_folder() {
            folders.push(own.join("python/onnxruntime/capi"));
            folders.push(own.join("lib"));
        }
        folders
    }

    fn data_folder(&self) -> Option<PathBuf> {
        let home = || Some(self.home.as_ref()?.join(".local/share"));
        Some(self.data_home.clone().or_else(home)?.join("greenroom"))
    }
}

/// The library under every name it has in `folder`, the newest version first.
fn libraries_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = entries(folder, "libonnxruntime.so");
    found.sort_by_key(|path| Reverse(version(path)));
    found
}

/// The numbers behind `.so`; none is the newest: a link that somebody set.
fn version(path: &Path) -> Vec<u32> {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let numbers = name.trim_start_matches("libonnxruntime.so").split('.').skip(1);
    let numbers: Vec<u32> = numbers.map(|number| number.parse().unwrap_or(0)).collect();
    if numbers.is_empty() { vec![u32::MAX] } else { numbers }
}

/// What lies in `folder` under a name that begins with `prefix`, by name.
fn entries(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| entry.file_name().as_encoded_bytes().starts_with(prefix.as_bytes()))
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_looked_into_in_its_order() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let arch = env::consts::ARCH;
        let site = "site-packages/onnxruntime/capi/libonnxruntime.so.1.32.0";
        let places = [
            "said/ort.so".to_owned(),
            "ld/libonnxruntime.so.1".to_owned(),
            format!("usr/lib/{arch}-linux-gnu/libonnxruntime.so.1.21"),
            format!("usr/lib/{arch}-linux-gnu/libonnxruntime.so.1.9"),
            "usr/lib64/libonnxruntime.so".to_owned(),
            "opt/onnxruntime-linux-x64-1.20.1/lib/libonnxruntime.so.1.20.1".to_owned(),
            format!("venv/lib/python3.11/{site}"),
            format!("home/.local/lib/python3.13/{site}"),
            "usr/lib/python3/dist-packages/onnxruntime/capi/libonnxruntime.so.1".to_owned(),
            "home/.local/share/greenroom/python/onnxruntime/capi/libonnxruntime.so.1.32.0"
                .to_owned(),
            "home/.local/share/greenroom/lib/libonnxruntime.so".to_owned(),
        ]
        .map(|place| root.join(place));
        for place in &places {
            std::fs::create_dir_all(place.parent().unwrap()).unwrap();
            std::fs::write(place, "").unwrap();
        }
        // Neither a part of it nor a link to what is there already is another one.
        let pip = places[6].parent().unwrap();
        std::fs::write(pip.join("libonnxruntime_providers_shared.so"), "").unwrap();
        std::os::unix::fs::symlink(&places[6], pip.join("libonnxruntime.so.1")).unwrap();
        let environment = Environment {
            ort_dylib_path: Some(places[0].clone()),
            ld_library_path: vec![root.join("ld")],
            virtual_env: Some(root.join("venv")),
            home: Some(root.join("home")),
            data_home: None,
            root: root.to_owned(),
        };
        assert_eq!(environment.candidates(), places);
    }
}
