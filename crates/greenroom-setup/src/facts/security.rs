//! Whether the kernel loads modules without a signature that it trusts.

use std::path::PathBuf;

use serde::Serialize;

use super::root::Root;
use crate::Known;

/// What decides which modules the kernel loads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Security {
    /// Whether Secure Boot is on (and shim's check has not been switched off with mokutil).
    pub secure_boot: Known<bool>,
    /// Whether the kernel is locked down, which refuses modules without a signature.
    pub lockdown: Known<bool>,
    /// Whether the kernel was told to refuse modules without a signature (`module.sig_enforce`).
    pub signatures_enforced: Known<bool>,
    /// The keys with which modules are signed that are built on this machine.
    pub keys: Vec<SigningKey>,
    /// Whether mokutil is installed, with which a key is imported.
    pub mokutil: bool,
}

/// A key that signs modules on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SigningKey {
    /// The certificate (DER).
    pub certificate: PathBuf,
    /// Whether the firmware trusts it.
    pub state: Known<KeyState>,
}

/// Whether the firmware trusts a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// There is no such key yet.
    Absent,
    /// The key is there, and the firmware does not know it.
    NotEnrolled,
    /// Its import was asked for; it is confirmed at the next start.
    Requested,
    /// Modules that it signed are loaded.
    Enrolled,
}

/// Made by DKMS 3 when it builds its first module.
pub(crate) const DKMS_CERTIFICATE: &str = "/var/lib/dkms/mok.pub";
/// Made by Ubuntu's shim-signed for DKMS (log in v4l2loopback#655).
pub(crate) const UBUNTU_CERTIFICATE: &str = "/var/lib/shim-signed/mok/MOK.der";
/// Made by `kmodgenca` of akmods.
pub(crate) const AKMODS_CERTIFICATE: &str = "/etc/pki/akmods/certs/public_key.der";

const EFIVARS: &str = "/sys/firmware/efi/efivars";
const GLOBAL: &str = "8be4df61-93ca-11d2-aa0d-00e098032b8c";
const SHIM: &str = "605dab50-e046-4300-abb6-3dd810dd8b23";

impl Security {
    pub(super) fn read(root: &Root) -> Self {
        let lockdown = root.word("/sys/kernel/security/lockdown");
        Self {
            secure_boot: secure_boot(root),
            // `none [integrity] confidentiality`
            lockdown: lockdown.map(|modes| !modes.contains("[none]")).into(),
            signatures_enforced: root.flag("/sys/module/module/parameters/sig_enforce"),
            keys: [DKMS_CERTIFICATE, UBUNTU_CERTIFICATE, AKMODS_CERTIFICATE]
                .map(|path| key(root, path))
                .into(),
            mokutil: root.any_exists(&["/usr/bin/mokutil", "/bin/mokutil"]),
        }
    }

    /// Whether a module without a trusted signature is refused: as the kernel says, or else as
    /// Secure Boot is.
    pub fn signature_required(&self) -> Known<bool> {
        match (self.lockdown, self.signatures_enforced) {
            (Known::Is(true), _) | (_, Known::Is(true)) => Known::Is(true),
            (Known::Is(false), Known::Is(false)) => Known::Is(false),
            _ => self.secure_boot,
        }
    }

    /// Whether the firmware trusts the key with this certificate.
    pub fn key(&self, certificate: &str) -> Known<KeyState> {
        let key = self.keys.iter().find(|key| key.certificate.to_str() == Some(certificate));
        key.map_or(Known::Unknown, |key| key.state)
    }
}

fn secure_boot(root: &Root) -> Known<bool> {
    if root.exists("/sys/firmware").is_true() && root.exists("/sys/firmware/efi").is_false() {
        // The kernel was not started by UEFI.
        return Known::Is(false);
    }
    // Four bytes of attributes, then the value.
    let value =
        |name: &str, vendor| root.bytes(format!("{EFIVARS}/{name}-{vendor}"))?.get(4).copied();
    match (value("SecureBoot", GLOBAL), value("MokSBStateRT", SHIM)) {
        (Some(1), Some(1)) | (Some(0), _) => Known::Is(false),
        (Some(1), _) => Known::Is(true),
        _ => Known::Unknown,
    }
}

fn key(root: &Root, path: &str) -> SigningKey {
    let contains = |list: &str, certificate: &[u8]| {
        let list = root.bytes(format!("{EFIVARS}/{list}-{SHIM}")).unwrap_or_default();
        list.windows(certificate.len()).any(|window| window == certificate)
    };
    let state = match (root.exists(path), root.bytes(path)) {
        (Known::Is(false), _) => Known::Is(KeyState::Absent),
        (Known::Is(true), Some(certificate)) if !certificate.is_empty() => {
            Known::Is(if contains("MokListRT", &certificate) {
                KeyState::Enrolled
            } else if contains("MokNew", &certificate) {
                KeyState::Requested
            } else {
                KeyState::NotEnrolled
            })
        }
        _ => Known::Unknown,
    };
    SigningKey { certificate: path.into(), state }
}
