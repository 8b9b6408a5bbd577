//! Limits of descriptors, threads, memory and file sizes.

use super::case::Case;
use super::fault::Fault;
use super::operation::Operation;

/// Descriptors that greenroom may have open: fewer than it ever needs up to plenty.
const DESCRIPTORS: std::ops::RangeInclusive<u32> = 5..=40;
const THREADS: std::ops::RangeInclusive<u32> = 3..=12;
/// Address space and data. Libraries alone take some 20 MiB.
const MEMORY_MIB: [u32; 14] = [32, 48, 64, 80, 96, 128, 160, 192, 256, 320, 384, 512, 768, 1024];
/// Largest file. Who writes more gets a signal. Standard error is kept in a file, which these must hold.
const FILE_BYTES: [u32; 3] = [4096, 65_536, 300_000];

/// Too little of anything is a sentence, or no trouble.
pub fn cases(short: bool) -> Vec<Case> {
    let mut cases = Vec::new();
    let (on_air, all) = (&[Operation::OnAir][..], &Operation::LIMITED);
    // With 26, a run into a file begins and comes nearly on air.
    for count in DESCRIPTORS.filter(|count| !short || count % 5 == 0 || *count == 26) {
        let limits = vec![format!("--nofile={count}:{count}")];
        let fault = Fault { limits, ..Fault::may_refuse(format!("descriptors/{count}")) };
        cases.extend(Case::of_each(&fault, if short && count != 26 { on_air } else { all }));
    }
    for count in THREADS.filter(|count| !short || count % 3 == 0) {
        let limits = vec![format!("--nproc={count}:{count}")];
        let fault = Fault {
            limits,
            is_unprivileged: true,
            ..Fault::may_refuse(format!("threads/{count}"))
        };
        cases.extend(Case::of_each(&fault, if short && count != 6 { on_air } else { all }));
    }
    for (number, mib) in
        MEMORY_MIB.into_iter().enumerate().filter(|(number, _)| !short || number % 4 == 2)
    {
        for kind in ["as", "data"].into_iter().take(if short { 1 + number % 2 } else { 2 }) {
            let bytes = u64::from(mib) << 20;
            let limits = vec![format!("--{kind}={bytes}:{bytes}")];
            let fault = Fault { limits, ..Fault::may_refuse(format!("memory/{kind}-{mib}-MiB")) };
            cases.extend(Case::of_each(&fault, if short { on_air } else { all }));
        }
    }
    for bytes in FILE_BYTES.into_iter().filter(|bytes| !short || *bytes == 4096) {
        let limits = vec![format!("--fsize={bytes}:{bytes}")];
        let fault = Fault { limits, ..Fault::may_refuse(format!("file-size/{bytes}")) };
        cases.extend(Case::of_each(&fault, &Operation::WRITING));
    }
    cases
}
