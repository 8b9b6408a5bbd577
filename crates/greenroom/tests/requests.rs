//! Requests that come faster than they can be carried out, with the binary: newer ones overtake older
//! ones, nothing piles up, and nobody is obeyed who was told that nothing came of it.
#![allow(clippy::unwrap_used)]

mod air;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use air::{Air, BLUE, RED, yuv};

const CONFIG: &str = "scene = 'red'\n[scenes.red]\nbackground = '#c81e1e'\n[scenes.clip]\n\
                      background = 'one.mkv'\n[scenes.other]\nbackground = 'two.mkv'\n";
/// What is told of a request that was overtaken.
const OVERTAKEN: &str = "a newer request took the place";

fn clip(air: &Air, name: &str, colour: &str, seconds: u32) {
    let mut ffmpeg = Command::new("ffmpeg");
    let source = format!("color=c={}:s=160x90:r=25:d={seconds}", colour.replace('#', "0x"));
    ffmpeg.args(["-v", "error", "-f", "lavfi", "-i", &source, "-c:v", "ffv1"]);
    assert!(ffmpeg.args(["-pix_fmt", "yuv420p"]).arg(air.at(name)).status().unwrap().success());
}

/// A connection to the control socket.
struct Client {
    to: UnixStream,
    from: BufReader<UnixStream>,
}

impl Client {
    fn new(air: &Air) -> Self {
        let to = UnixStream::connect(air.at("socket")).unwrap();
        let from = BufReader::new(to.try_clone().unwrap());
        Self { to, from }
    }

    fn send(&mut self, request: &str) {
        self.to.write_all(format!("{request}\n").as_bytes()).unwrap();
    }

    fn reply(&mut self) -> String {
        let mut line = String::new();
        self.from.read_line(&mut line).unwrap();
        line
    }

    fn is_answered(&self) -> bool {
        self.to.set_nonblocking(true).unwrap();
        let answered = self.from.get_ref().peek_one();
        self.to.set_nonblocking(false).unwrap();
        answered
    }
}

trait PeekOne {
    fn peek_one(&self) -> bool;
}

impl PeekOne for UnixStream {
    fn peek_one(&self) -> bool {
        let mut byte = [0];
        rustix::net::recv(self, &mut byte[..], rustix::net::RecvFlags::PEEK).is_ok()
    }
}

fn set_background(background: &str) -> String {
    format!("{{\"set\":{{\"background\":\"{background}\"}}}}")
}

/// The FFmpeg processes that a greenroom has started for backgrounds.
fn children(pid: u32) -> usize {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let parent = pid.to_string();
    let is_ours = |process: &fs::DirEntry| {
        let read = |name: &str| fs::read_to_string(process.path().join(name)).ok();
        let Some(stat) = read("stat") else { return false };
        let Some((before, behind)) = stat.rsplit_once(") ") else { return false };
        let is_ffmpeg = before.ends_with("(ffmpeg") || before.ends_with("(ffprobe");
        // A child that has ended and is not reaped yet holds nothing.
        let mut fields = behind.split(' ');
        let is_child = fields.next() != Some("Z") && fields.next() == Some(&parent);
        // Files are handed over open, not by name.
        let files = fs::read_dir(process.path().join("fd")).into_iter().flatten().flatten();
        let mut files = files.filter_map(|file| fs::read_link(file.path()).ok());
        is_ffmpeg && is_child && !files.any(|file| file.ends_with("room.mkv"))
    };
    processes.filter(is_ours).count()
}

fn memory_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap().to_owned();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// A server of one video that holds back its answers until it is opened.
struct HttpGate {
    address: String,
    open: Arc<(Mutex<bool>, Condvar)>,
    asked: Arc<AtomicU64>,
}

impl HttpGate {
    fn new(video: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/video.mkv", listener.local_addr().unwrap());
        let (open, asked) = (Arc::new((Mutex::new(false), Condvar::new())), Arc::default());
        let gate = Self { address, open: Arc::clone(&open), asked: Arc::clone(&asked) };
        let video = Arc::new(video);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                asked.fetch_add(1, SeqCst);
                let (open, video) = (Arc::clone(&open), Arc::clone(&video));
                thread::spawn(move || answer(stream, &open, &video));
            }
        });
        gate
    }

    fn open(&self) {
        *self.open.0.lock().unwrap() = true;
        self.open.1.notify_all();
    }

    fn is_asked(&self) -> bool {
        self.asked.load(SeqCst) > 0
    }
}

fn answer(mut stream: TcpStream, open: &(Mutex<bool>, Condvar), video: &[u8]) {
    let mut head = [0; 4096];
    let _ = stream.read(&mut head);
    drop(open.1.wait_while(open.0.lock().unwrap(), |is_open| !*is_open).unwrap());
    let length = video.len();
    let answer =
        format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(answer.as_bytes());
    let _ = stream.write_all(video);
}

/// Eight clients each ask for videos over and over, a script writes the configuration, another takes
/// snapshots: the processes and the memory stay few, and everybody gets an answer.
#[test]
fn a_storm_of_requests_piles_nothing_up() {
    let air = Air::new(CONFIG, &[]);
    air.wait_for(yuv(RED));
    clip(&air, "one.mkv", BLUE, 20);
    clip(&air, "two.mkv", "#1ea03c", 20);
    let (is_over, most_children, most_kib) =
        (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let pid = air.daemon.id();
    let before_kib = memory_kib(pid);
    let storm = |client: usize| {
        let mut connection = Client::new(&air);
        for round in 0..15 {
            let request = match (client, (client + round) % 4) {
                (0, 0) => "{\"next\":{}}".to_owned(),
                (0, _) => "{\"scene\":{\"name\":\"clip\"}}".to_owned(),
                (1, _) => {
                    format!("{{\"snapshot\":{{\"file\":\"{}\"}}}}", air.at("shot.png").display())
                }
                (_, 0) => set_background("#404040"),
                (_, 1) => set_background(air.at("one.mkv").to_str().unwrap()),
                (_, 2) => set_background(air.at("two.mkv").to_str().unwrap()),
                _ => "{\"set\":{\"effects\":[\"greyscale\"]}}".to_owned(),
            };
            connection.send(&request);
            let reply = connection.reply();
            let is_known = ["\"done\"", OVERTAKEN, "snapshots are being taken"];
            assert!(is_known.iter().any(|known| reply.contains(known)), "{request}: {reply}");
        }
    };
    let watch = || {
        while !is_over.load(SeqCst) {
            most_children.fetch_max(children(pid) as u64, SeqCst);
            most_kib.fetch_max(memory_kib(pid), SeqCst);
            thread::sleep(Duration::from_millis(5));
        }
    };
    let touch = || {
        for count in 0.. {
            if is_over.load(SeqCst) {
                return;
            }
            fs::write(air.at("new.toml"), format!("# {count}\n{CONFIG}")).unwrap();
            fs::rename(air.at("new.toml"), air.at("config.toml")).unwrap();
            thread::sleep(Duration::from_millis(10));
        }
    };
    thread::scope(|scope| {
        let (watch, touch) = (scope.spawn(watch), scope.spawn(touch));
        let clients: Vec<_> = (0..7).map(|client| scope.spawn(move || storm(client))).collect();
        let ended: Vec<_> = clients.into_iter().map(|client| client.join()).collect();
        is_over.store(true, SeqCst);
        watch.join().unwrap();
        touch.join().unwrap();
        assert!(ended.iter().all(Result::is_ok));
    });
    // One shown, one that fades in, one that waits for that, one that is loaded; each may have its
    // next round started already.
    let (most_children, most_kib) = (most_children.into_inner(), most_kib.into_inner());
    assert!(most_children <= 8, "{most_children} processes of FFmpeg");
    assert!(most_kib < before_kib + (150 << 10), "{before_kib} KiB, then {most_kib}");
    // What is asked for last is shown, and the rest has ended.
    air.tell(&["set", "scene", "red"]);
    air.wait_for(yuv(RED));
    air.wait_until("no FFmpeg is left", |_| children(pid) == 0);
    assert_eq!(air.log_has("ERROR"), 0);
}

/// What needs no file waits for nothing that loads; what it leaves nothing of is given up.
#[test]
fn what_needs_no_file_overtakes_what_loads() {
    let air = Air::new(CONFIG, &[]);
    air.wait_for(yuv(RED));
    let silent = HttpGate::new(Vec::new());
    let mut waiting: Vec<Client> = (0..4).map(|_| Client::new(&air)).collect();
    for (number, client) in waiting.iter_mut().enumerate() {
        client.send(&set_background(&format!("{}?{number}", silent.address)));
    }
    air.wait_until("asked for", |_| silent.is_asked());
    air.tell(&["set", "background", BLUE]);
    air.wait_for(yuv(BLUE));
    for client in &mut waiting {
        let reply = client.reply();
        assert!(reply.contains(OVERTAKEN), "{reply}");
    }
    air.wait_until("no FFmpeg is left", |air| children(air.daemon.id()) == 0);

    // A scene whose background is overtaken is gone to all the same.
    let config = format!(
        "{CONFIG}[scenes.net]\nbackground = '{}'\neffects = ['greyscale']\n",
        silent.address
    );
    fs::write(air.at("config.toml"), config).unwrap();
    air.wait_until("read", |air| air.log_has("the configuration was read again") == 1);
    let client = &mut waiting[0];
    client.send("{\"scene\":{\"name\":\"net\"}}");
    air.wait_until("loading", |air| children(air.daemon.id()) > 0);
    air.tell(&["set", "background", RED]);
    air.wait_for([yuv(RED)[0], 128, 128]);
    assert!(client.reply().contains("done"));
    assert_eq!(air.scene()["name"], "net");
}

/// An effect that is asked for while a video loads is shown at once, and over the video.
#[test]
fn what_is_asked_for_meanwhile_is_laid_over_what_loads() {
    let air = Air::new(CONFIG, &[]);
    air.wait_for(yuv(RED));
    clip(&air, "blue.mkv", BLUE, 2);
    let gate = HttpGate::new(fs::read(air.at("blue.mkv")).unwrap());
    let mut client = Client::new(&air);
    client.send(&set_background(&gate.address));
    air.wait_until("asked for", |_| gate.is_asked());
    air.tell(&["set", "effect", "greyscale"]);
    air.wait_for([yuv(RED)[0], 128, 128]);
    assert!(!client.is_answered());
    gate.open();
    assert!(client.reply().contains("done"));
    air.wait_for([yuv(BLUE)[0], 128, 128]);
}

/// Who goes away before the answer is not obeyed later; who only has nothing more to say is.
#[test]
fn a_request_goes_with_its_asker() {
    let air = Air::new(CONFIG, &[]);
    air.wait_for(yuv(RED));
    clip(&air, "blue.mkv", BLUE, 2);
    let video = fs::read(air.at("blue.mkv")).unwrap();
    for stays in [false, true] {
        let gate = HttpGate::new(video.clone());
        let mut client = Client::new(&air);
        client.send(&set_background(&gate.address));
        air.wait_until("asked for", |_| gate.is_asked());
        if stays {
            client.to.shutdown(Shutdown::Write).unwrap();
            gate.open();
            assert!(client.reply().contains("done"));
            air.wait_for(yuv(BLUE));
        } else {
            drop(client);
            gate.open();
            air.wait_until("dropped", |air| air.log_has("whoever asked for http://") == 1);
            air.wait_until("no FFmpeg is left", |air| children(air.daemon.id()) == 0);
            assert_eq!(air.scene()["background"], RED);
            air.wait_for(yuv(RED));
        }
    }
}
