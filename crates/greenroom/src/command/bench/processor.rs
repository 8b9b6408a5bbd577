//! Processor time: of this process, of its threads, and of copies as a yardstick.

use std::collections::BTreeMap;
use std::fs;
use std::hint::black_box;
use std::thread;
use std::time::Duration;

use greenroom_device::FrameRate;
use greenroom_frame::SizePx;
use rustix::time::{ClockId, clock_gettime};

/// Threads whose time is told by name; that of all others is summed.
const THREADS: [&str; 4] = ["camera", "matte", "output", "second opinion"];
/// The name for all others.
const OTHERS: &str = "others";
/// Rounds of copies.
const ROUNDS: u32 = 12;
/// The longest pause before one: caches are cold by then.
const MOST_PAUSE: Duration = Duration::from_millis(40);

/// Processor time so far.
pub(super) struct ProcessorTime {
    process: Duration,
    threads: BTreeMap<String, Duration>,
}

impl ProcessorTime {
    pub(super) fn now() -> Self {
        let mut threads = BTreeMap::new();
        for task in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
            // A thread may have ended meanwhile.
            let read = |name: &str| fs::read_to_string(task.path().join(name)).unwrap_or_default();
            let nanos = read("schedstat").split(' ').next().and_then(|text| text.parse().ok());
            let time = Duration::from_nanos(nanos.unwrap_or(0));
            *threads.entry(read("comm").trim().to_owned()).or_default() += time;
        }
        Self { process: time_of(ClockId::ProcessCPUTime), threads }
    }

    /// Milliseconds a frame since `earlier`: of the process, and of its threads with the sum of all others.
    pub(super) fn ms_a_frame_since(
        &self,
        earlier: &Self,
        frames: u64,
    ) -> (f64, BTreeMap<String, f64>) {
        let ms = |time: Duration| time.as_secs_f64() * 1e3 / frames.max(1) as f64;
        let of = |times: &Self, name: &str| times.threads.get(name).copied().unwrap_or_default();
        let process = ms(self.process.saturating_sub(earlier.process));
        let mut threads: BTreeMap<_, _> = THREADS
            .map(|name| (name.to_owned(), ms(of(self, name).saturating_sub(of(earlier, name)))))
            .into();
        let others = (process - threads.values().sum::<f64>()).max(0.0);
        threads.insert(OTHERS.to_owned(), others);
        (process, threads)
    }
}

fn time_of(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec.max(0) as u64, time.tv_nsec.clamp(0, 999_999_999) as u32)
}

/// Processor time of three copies of a picture of two bytes a pixel, at the camera's pace: about the least that any
/// program between camera and call does.
pub(super) fn three_copies(size: SizePx, rate: FrameRate) -> Duration {
    let from = vec![100u8; 2 * size.area_px() as usize];
    let mut into = [(); 3].map(|()| vec![0u8; from.len()]);
    let mut times: Vec<_> = (0..ROUNDS)
        .map(|_| {
            thread::sleep(rate.interval().min(MOST_PAUSE));
            let start = time_of(ClockId::ThreadCPUTime);
            for copy in &mut into {
                black_box(&mut *copy).copy_from_slice(black_box(&from));
            }
            time_of(ClockId::ThreadCPUTime).saturating_sub(start)
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

/// The processors' name, and how many there are for us.
pub(super) fn processors() -> (String, usize) {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name"));
    let name = name.map(|rest| rest.trim_start_matches(['\t', ' ', ':']).to_owned());
    let count = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    (name.unwrap_or_else(|| std::env::consts::ARCH.to_owned()), count)
}

/// How long something takes is judged by nobody here.
#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn the_threads_times_make_the_processes_time() {
        let before = ProcessorTime::now();
        let begun = Instant::now();
        while before.process + Duration::from_millis(50) > time_of(ClockId::ProcessCPUTime) {
            black_box(begun.elapsed());
        }
        let (process, threads) = ProcessorTime::now().ms_a_frame_since(&before, 10);
        assert!(process >= 5.0, "{process}");
        assert_eq!(threads.keys().collect::<Vec<_>>().len(), THREADS.len() + 1);
        let sum: f64 = threads.values().sum();
        // The clocks of process and threads are not read in the same moment.
        assert!((sum - process).abs() <= 0.05 * process, "{sum} {process}");
    }
}
