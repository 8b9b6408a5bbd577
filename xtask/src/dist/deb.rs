//! The .deb, packed tighter than its tool does: the networks, most of it, are words of four bytes.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// What an archive of `ar` begins with.
const MAGIC: &[u8] = b"!<arch>\n";
/// A member's name, time, owner, group, mode and size, each padded with spaces, and an end.
const HEADER_BYTES: usize = 60;
/// Where the size is in it.
const SIZE_AT: std::ops::Range<usize> = 48..58;
/// Of a header before a member that ends at an odd place.
const PAD: &[u8] = b"\n";

/// Compresses the files of the package anew.
pub(super) fn pack_tighter(deb: &Path) -> Result<()> {
    let archive = fs::read(deb).with_context(|| format!("cannot read {}", deb.display()))?;
    let mut rest = archive.strip_prefix(MAGIC).context("the .deb is no archive of ar")?;
    let mut packed = MAGIC.to_vec();
    while !rest.is_empty() {
        ensure!(rest.len() >= HEADER_BYTES, "the .deb is cut short");
        let (header, behind) = rest.split_at(HEADER_BYTES);
        let len_bytes: usize = std::str::from_utf8(&header[SIZE_AT])?.trim().parse()?;
        ensure!(behind.len() >= len_bytes, "the .deb is cut short");
        let (member, behind) = behind.split_at(len_bytes);
        rest = behind.strip_prefix(PAD).filter(|_| len_bytes % 2 == 1).unwrap_or(behind);
        let member = if header.starts_with(b"data.tar.xz ") {
            xz(&["--decompress", "--stdout"], member)
                .and_then(|tar| xz(&["--threads=1", "--lzma2=preset=9,lc=1,lp=2,pb=2"], &tar))?
        } else if header.starts_with(b"data.tar") {
            bail!("the files of the .deb are not compressed with xz");
        } else {
            member.to_vec()
        };
        packed.extend_from_slice(&header[..SIZE_AT.start]);
        packed.extend_from_slice(format!("{:<10}", member.len()).as_bytes());
        packed.extend_from_slice(&header[SIZE_AT.end..]);
        packed.extend_from_slice(&member);
        if member.len() % 2 == 1 {
            packed.extend_from_slice(PAD);
        }
    }
    fs::write(deb, packed).with_context(|| format!("cannot write {}", deb.display()))
}

/// Runs xz on bytes. It reads a file, so that nobody waits for anybody.
fn xz(arguments: &[&str], bytes: &[u8]) -> Result<Vec<u8>> {
    let mut input = tempfile::tempfile().context("cannot make a file")?;
    input.write_all(bytes)?;
    std::io::Seek::rewind(&mut input)?;
    let mut command = Command::new("xz");
    command.args(arguments).stdin(Stdio::from(input)).stderr(Stdio::inherit());
    command.env_remove("XZ_OPT").env_remove("XZ_DEFAULTS");
    super::output(&mut command)
}
