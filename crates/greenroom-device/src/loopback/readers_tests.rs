use super::*;
use crate::Holder;

fn opener(pid: u32, maps: bool) -> Opener {
    Opener { holder: Holder { pid, name: format!("p{pid}") }, may_write: true, maps }
}

/// A machine with a clock, and a node that programs open.
struct World {
    readers: Readers,
    now: Instant,
    openers: Vec<Opener>,
    scans: u32,
    glances: u32,
    /// When a renewal was due.
    renewals: Vec<Instant>,
}

struct Seen<'a>(&'a mut World);

impl Processes for Seen<'_> {
    fn everywhere(&mut self) -> Vec<Opener> {
        self.0.scans += 1;
        self.0.openers.clone()
    }

    fn among(&mut self, known: &[Opener]) -> Vec<Opener> {
        self.0.glances += 1;
        let is_known = |pid| known.iter().any(|opener| opener.holder.pid == pid);
        self.0.openers.iter().filter(|opener| is_known(opener.holder.pid)).cloned().collect()
    }
}

impl World {
    fn new(tells: ReaderEvents) -> Self {
        let now = Instant::now();
        let readers = Readers::new(tells, now);
        let (openers, renewals) = (Vec::new(), Vec::new());
        let mut world = Self { readers, now, openers, scans: 0, glances: 0, renewals };
        world.tell(Activity::default());
        world
    }

    fn tell(&mut self, told: Activity) {
        let placeholder = Readers::new(ReaderEvents::All, self.now);
        let mut readers = std::mem::replace(&mut self.readers, placeholder);
        readers.update(&told, self.now, &mut Seen(self));
        self.readers = readers;
        if self.readers.audience().renewal_due {
            self.renewals.push(self.now);
        }
    }

    /// Lets time pass; what is due is done. Tells how often something but a renewal was.
    fn pass(&mut self, time: Duration) -> u32 {
        let end = self.now + time;
        let mut wakings = 0;
        while let Some(due) = self.readers.due().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            let renewals = self.renewals.len();
            self.tell(Activity::default());
            wakings += u32::from(self.renewals.len() == renewals);
            assert!(wakings < 1000 && self.renewals.len() < 10_000, "spins");
        }
        self.now = end;
        wakings
    }

    fn opens(&mut self, opener: Opener) {
        self.openers.push(opener);
        self.tell(OPENED);
    }

    fn closes(&mut self, pid: u32) {
        self.openers.retain(|opener| opener.holder.pid != pid);
        self.tell(CLOSED);
    }

    fn write_and_read(&mut self, frames: u32, is_read: bool) {
        for _ in 0..frames {
            self.pass(Duration::from_millis(100));
            let now = self.now;
            self.readers.wrote(|| now);
            if is_read && self.readers.wanted().reads {
                self.tell(READ);
            }
        }
    }

    fn watchers(&self) -> Option<Vec<u32>> {
        let audience = self.readers.audience();
        let pids = audience.watchers.iter().map(|holder| holder.pid).collect();
        audience.watched.then_some(pids)
    }
}

const TOLD: Activity = Activity {
    streaming: None,
    opened: 0,
    closed: 0,
    opened_last: false,
    read: false,
    closed_after_read: false,
};
const OPENED: Activity = Activity { opened: 1, opened_last: true, ..TOLD };
const CLOSED: Activity = Activity { closed: 1, closed_after_read: true, ..TOLD };
const READ: Activity = Activity { read: true, ..TOLD };
const SECOND: Duration = Duration::from_secs(1);

fn streams(streaming: bool) -> Activity {
    Activity { streaming: Some(streaming), ..TOLD }
}

#[test]
fn with_nobody_there_nothing_is_ever_due() {
    for tells in [ReaderEvents::All, ReaderEvents::Streaming, ReaderEvents::Nothing] {
        let mut world = World::new(tells);
        assert_eq!(world.pass(SECOND * 3600), 0);
        assert_eq!(world.watchers(), None);
        assert!(world.scans <= 1);
    }
}

#[test]
fn a_driver_that_tells_all_is_believed() {
    let mut world = World::new(ReaderEvents::All);
    assert!(!world.readers.wanted().reads);
    world.openers = vec![opener(7, true), opener(8, false)];
    world.tell(streams(true));
    assert_eq!(world.watchers(), Some(vec![7]));
    world.tell(streams(false));
    assert_eq!(world.watchers(), None);
    world.openers = vec![opener(8, false)];
    world.tell(streams(true));
    assert_eq!(world.watchers(), Some(vec![8]));
    assert_eq!((world.pass(SECOND * 60), world.scans), (0, 2));
}

#[test]
fn what_the_driver_tells_of_streams_is_believed() {
    let mut world = World::new(ReaderEvents::Streaming);
    assert_eq!(world.readers.wanted(), Wanted { opens: true, closes: true, reads: true });
    world.openers = vec![opener(7, true)];
    world.tell(streams(true));
    assert_eq!(world.watchers(), Some(vec![7]));
    assert_eq!(world.pass(SECOND * 60), 0);
    world.tell(streams(false));
    assert_eq!(world.watchers(), None);
}

#[test]
fn reads_count_beside_streams() {
    let mut world = World::new(ReaderEvents::Streaming);
    world.openers = vec![opener(7, true), opener(8, false)];
    world.tell(READ);
    assert_eq!(world.watchers(), Some(vec![8]));
    assert!(world.readers.wanted().closes && !world.readers.wanted().reads);
    world.tell(streams(true));
    assert_eq!(world.watchers(), Some(vec![7, 8]));
    world.closes(8);
    assert_eq!(world.watchers(), Some(vec![7]));
    assert_eq!(world.pass(SECOND * 60), 0);
    world.tell(READ);
    world.tell(streams(false));
    assert_eq!(world.watchers(), Some(vec![]));
}

#[test]
fn a_reader_who_stops_reading_has_left_after_two_seconds() {
    for tells in [ReaderEvents::Streaming, ReaderEvents::Nothing] {
        let mut world = World::new(tells);
        world.opens(opener(8, false));
        assert_eq!(world.watchers(), None);
        world.tell(READ);
        world.write_and_read(100, true);
        assert_eq!(world.watchers(), Some(vec![8]));
        world.write_and_read(14, false);
        assert_eq!(world.watchers(), Some(vec![8]));
        world.write_and_read(12, false);
        assert_eq!(world.watchers(), None);
        world.tell(READ);
        assert_eq!(world.watchers(), Some(vec![8]));
    }
}

#[test]
fn a_reader_who_waits_for_a_frame_stays_and_costs_little() {
    let mut world = World::new(ReaderEvents::Streaming);
    world.openers = vec![opener(8, false)];
    world.tell(READ);
    assert!(world.pass(SECOND * 60) <= 121);
    assert_eq!(world.watchers(), Some(vec![8]));
    world.write_and_read(30, true);
    assert_eq!(world.watchers(), Some(vec![8]));
}

#[test]
fn listening_for_reads_wakes_four_times_a_second_at_most() {
    let mut world = World::new(ReaderEvents::Streaming);
    world.openers = vec![opener(8, false)];
    world.tell(READ);
    let mut told = 0;
    for _ in 0..300 {
        world.pass(Duration::from_millis(33));
        if world.readers.wanted().reads {
            world.tell(READ);
            told += 1;
        }
    }
    assert!((17..=20).contains(&told), "{told}");
    assert_eq!(world.watchers(), Some(vec![8]));
}

#[test]
fn a_reader_that_cannot_be_seen_has_left_when_somebody_closes() {
    let mut world = World::new(ReaderEvents::Streaming);
    world.tell(READ);
    assert_eq!(world.watchers(), Some(vec![]));
    world.tell(CLOSED);
    assert_eq!(world.watchers(), None);
}

#[test]
fn one_frame_taken_in_passing_is_no_audience() {
    let mut world = World::new(ReaderEvents::Nothing);
    world.tell(Activity { opened: 1, read: true, closed: 1, closed_after_read: true, ..TOLD });
    assert_eq!(world.watchers(), None);
    world.pass(SECOND);
    assert_eq!((world.watchers(), world.pass(SECOND * 60)), (None, 0));
}

const ALL_DIALECTS: [ReaderEvents; 3] =
    [ReaderEvents::All, ReaderEvents::Streaming, ReaderEvents::Nothing];

/// What the node holds is never older than 100 ms while somebody may begin to stream from it.
#[test]
fn from_opening_to_streaming_the_last_picture_stays_fresh() {
    for (tells, ms) in ALL_DIALECTS.into_iter().zip([3, 977, 8000]) {
        let mut world = World::new(tells);
        world.pass(SECOND * 3600);
        assert!(world.renewals.is_empty(), "{tells:?}: work although nobody is there");
        world.opens(opener(7, false));
        assert_eq!(world.renewals, [world.now], "{tells:?}: not at once");
        world.pass(Duration::from_millis(ms));
        let last = *world.renewals.last().unwrap();
        assert!(world.now - last < Duration::from_millis(100), "{tells:?}: {:?}", world.now - last);
        let gaps = world.renewals.windows(2).map(|pair| pair[1] - pair[0]);
        assert!(gaps.max().unwrap_or_default() < Duration::from_millis(100), "{tells:?}");
        // It streams: pictures come, and nothing is to be renewed.
        world.openers[0].maps = true;
        world.tell(streams(true));
        world.pass(SECOND);
        let renewals = world.renewals.len();
        world.pass(SECOND * 60);
        assert_eq!(world.renewals.len(), renewals, "{tells:?}");
    }
}

#[test]
fn renewals_end_with_the_visit_and_after_ten_seconds() {
    for tells in ALL_DIALECTS {
        let mut world = World::new(tells);
        world.opens(opener(7, false));
        world.closes(7);
        world.pass(SECOND * 60);
        assert!((2..=5).contains(&world.renewals.len()), "{tells:?}: {}", world.renewals.len());
        let mut world = World::new(tells);
        world.opens(opener(7, false));
        world.pass(SECOND * 60);
        assert!((110..=126).contains(&world.renewals.len()), "{tells:?}: {}", world.renewals.len());
        // A second program comes and goes while the first one has it open.
        let mut world = World::new(tells);
        world.opens(opener(7, false));
        world.opens(opener(8, false));
        world.closes(8);
        world.pass(SECOND * 5);
        assert!(world.renewals.len() > 55, "{tells:?}: {}", world.renewals.len());
    }
}

#[test]
fn who_maps_it_watches() {
    let mut world = World::new(ReaderEvents::Nothing);
    world.opens(opener(7, false));
    assert_eq!(world.watchers(), None);
    world.pass(Duration::from_millis(60));
    assert_eq!(world.watchers(), None);
    world.openers[0].maps = true;
    world.pass(Duration::from_millis(100));
    assert_eq!(world.watchers(), Some(vec![7]));
    assert_eq!(world.scans, 2);
    // A second one, then the first one leaves.
    world.opens(opener(9, true));
    world.pass(Duration::from_millis(60));
    assert_eq!(world.watchers(), Some(vec![7, 9]));
    world.closes(7);
    assert_eq!(world.watchers(), Some(vec![9]));
    // Gives its buffers back and keeps it open.
    world.openers[0].maps = false;
    world.pass(SECOND);
    assert_eq!(world.watchers(), None);
    world.closes(9);
    assert_eq!((world.watchers(), world.pass(SECOND * 60)), (None, 0));
    assert_eq!(world.scans, 3);
}

#[test]
fn who_was_there_first_is_found() {
    let mut world = World { openers: vec![opener(5, true)], ..World::new(ReaderEvents::Nothing) };
    world.readers = Readers::new(ReaderEvents::Nothing, world.now);
    assert_eq!(world.readers.due(), Some(world.now));
    world.tell(Activity::default());
    assert_eq!(world.watchers(), Some(vec![5]));
}

#[test]
fn one_who_only_opens_is_looked_at_more_and_more_rarely() {
    let mut world = World::new(ReaderEvents::Nothing);
    world.opens(opener(7, false));
    assert!(world.pass(SECOND) <= 5);
    // One of them ends the visit.
    assert_eq!(world.pass(SECOND * 60), 61);
    assert_eq!((world.watchers(), world.scans), (None, 2));
    world.openers[0].maps = true;
    world.pass(SECOND);
    assert_eq!(world.watchers(), Some(vec![7]));
}

#[test]
fn one_who_lists_cameras_every_second_never_watches() {
    let mut world = World::new(ReaderEvents::Nothing);
    for index in 0..60 {
        let time = Duration::from_millis(if index % 2 == 0 { 20 } else { 400 });
        world.opens(opener(7, false));
        assert!(world.pass(time) <= 3);
        assert_eq!(world.watchers(), None);
        world.closes(7);
        assert!(world.pass(SECOND - time) <= 2);
        assert_eq!(world.watchers(), None);
    }
    // Opened and closed before anything was heard of it.
    for _ in 0..60 {
        world.tell(Activity { opened: 1, closed: 1, ..TOLD });
        assert!(world.pass(SECOND) <= 2);
        assert_eq!(world.watchers(), None);
    }
    assert_eq!(world.pass(SECOND * 60), 0);
}

#[test]
fn one_that_cannot_be_seen_and_does_not_close_watches() {
    let mut world = World::new(ReaderEvents::Nothing);
    world.tell(OPENED);
    world.pass(Duration::from_millis(900));
    assert_eq!(world.watchers(), None);
    world.pass(Duration::from_millis(200));
    assert_eq!(world.watchers(), Some(vec![]));
    assert_eq!(world.pass(SECOND * 60), 0);
    // Somebody lists cameras meanwhile.
    world.opens(opener(7, false));
    world.closes(7);
    world.pass(SECOND);
    assert_eq!(world.watchers(), Some(vec![]));
    world.tell(CLOSED);
    assert_eq!((world.watchers(), world.pass(SECOND * 60)), (None, 0));
}

#[test]
fn a_node_handed_on_to_a_child_is_found_there() {
    let mut world = World::new(ReaderEvents::Nothing);
    world.opens(opener(7, true));
    world.pass(SECOND);
    assert_eq!(world.watchers(), Some(vec![7]));
    world.openers = vec![opener(8, true)];
    world.pass(SECOND);
    assert_eq!(world.watchers(), Some(vec![8]));
}
