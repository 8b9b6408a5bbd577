//! Whether a file is a whole shared library for this machine. The linker maps what it is given: a
//! library that is cut short kills the process with SIGBUS instead of giving an error.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Of a 64-bit ELF file.
const HEADER_BYTES: usize = 64;
const PROGRAM_HEADER_BYTES: u64 = 56;
const LOAD: u32 = 1;
/// `e_machine` of what this program is built for; 0 where it is not known here.
const MACHINE: u16 = match () {
    _ if cfg!(target_arch = "x86_64") => 62,
    _ if cfg!(target_arch = "aarch64") => 183,
    _ if cfg!(target_arch = "riscv64") => 243,
    _ => 0,
};

/// Fails with what is wrong with the library at `path`.
pub(super) fn check(path: &Path) -> Result<(), String> {
    let meta = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !meta.is_file() {
        return Err("it is no file".to_owned());
    }
    let mut file = File::open(path).map_err(|error| error.to_string())?;
    whole(&mut file, meta.len()).unwrap_or_else(|error| {
        Err(match error.kind() {
            io::ErrorKind::UnexpectedEof => "it is cut short".to_owned(),
            _ => error.to_string(),
        })
    })
}

fn whole(file: &mut (impl Read + Seek), len_bytes: u64) -> io::Result<Result<(), String>> {
    let mut header = [0; HEADER_BYTES];
    file.read_exact(&mut header)?;
    // Magic, 64 bits, little-endian: what the machines above have.
    if header[..6] != [0x7F, b'E', b'L', b'F', 2, 1] {
        return Ok(Err("it is no shared library of this kind of machine".to_owned()));
    }
    let machine = u16::from_le_bytes([header[18], header[19]]);
    if MACHINE != 0 && machine != MACHINE {
        return Ok(Err("it is for another kind of processor".to_owned()));
    }
    let first = u64_at(&header, 32);
    let (size, count) = (u16_at(&header, 54), u16_at(&header, 56));
    if u64::from(size) != PROGRAM_HEADER_BYTES {
        return Ok(Err("it is damaged".to_owned()));
    }
    file.seek(SeekFrom::Start(first))?;
    for _ in 0..count {
        let mut entry = [0; PROGRAM_HEADER_BYTES as usize];
        file.read_exact(&mut entry)?;
        let kind = u32::from_le_bytes([entry[0], entry[1], entry[2], entry[3]]);
        let end = u64_at(&entry, 8).saturating_add(u64_at(&entry, 32));
        if kind == LOAD && end > len_bytes {
            return Ok(Err(format!("it is cut short: {len_bytes} bytes of {end} or more")));
        }
    }
    Ok(Ok(()))
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut value = [0; 8];
    value.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ourselves: an ELF file that is there wherever the tests run.
    fn whole_file() -> Vec<u8> {
        std::fs::read(std::env::current_exe().unwrap()).unwrap()
    }

    fn checked(bytes: &[u8]) -> Result<(), String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        check(file.path())
    }

    #[test]
    fn a_whole_one_passes_and_a_damaged_one_is_told() {
        let whole = whole_file();
        checked(&whole).unwrap();
        assert!(checked(&[]).unwrap_err().contains("cut short"));
        assert!(checked(&whole[..50]).unwrap_err().contains("cut short"));
        assert!(checked(&whole[..4096]).unwrap_err().contains("cut short"));
        assert!(checked(&[7; 5000]).unwrap_err().contains("no shared library"));
        let mut other = whole;
        other[18] ^= 0xFF;
        assert!(checked(&other).unwrap_err().contains("processor"));
        assert!(check(Path::new("/")).unwrap_err().contains("no file"));
        assert!(check(Path::new("/nowhere")).is_err());
    }
}
