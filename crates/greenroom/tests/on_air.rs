//! Scenes changed on air, with the binary: what is asked for is shown, what is not is told in one
//! sentence, and files that change are followed.
#![allow(clippy::unwrap_used)]

mod air;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use air::{Air, BLUE, GREY, RED, is_placeholder, picture, yuv};
use greenroom::control;
use greenroom::protocol::{Answer, Reply, Request, SetRequest};

const CONFIG: &str = "scene = 'red'\n[scenes.red]\nbackground = 'red.png'\n[scenes.blue]\n\
                      background = 'blue.png'\neffects = ['greyscale']\n";

#[test]
fn what_is_asked_for_is_shown() {
    let air = Air::new(CONFIG, &[]);
    air.wait_for(yuv(RED));
    assert_eq!(air.scene()["name"], "red");
    air.tell(&["set", "background", "blue.png"]);
    air.wait_for(yuv(BLUE));
    air.tell(&["set", "effect", "greyscale"]);
    air.wait_for([yuv(BLUE)[0], 128, 128]);
    air.tell(&["set", "background", RED, "--fit", "contain"]);
    air.wait_for([yuv(RED)[0], 128, 128]);
    air.tell(&["set", "effect", "none"]);
    air.wait_for(yuv(RED));
    air.tell(&["next"]);
    air.wait_for([yuv(BLUE)[0], 128, 128]);
    air.tell(&["set", "scene", "red"]);
    air.wait_for(yuv(RED));
    air.tell(&["set", "blur", "80"]);
    air.wait_for(GREY);
    air.tell(&["set", "framing", "auto"]);
    air.tell(&["set", "background", "none"]);
    let scene = air.scene();
    assert_eq!((&scene["framing"], &scene["background"]), (&"auto".into(), &"none".into()));

    air.tell(&["pause"]);
    air.wait_for_placeholder();
    air.wait_until("closed", |air| {
        let status = air.ask(&["status"]);
        String::from_utf8(status.stdout).unwrap().contains("camera   closed")
    });
    assert!(air.is_hidden_by("pause"));
    air.tell(&["resume"]);
    air.wait_for(GREY);

    air.tell(&["set", "background", RED]);
    air.wait_for(yuv(RED));
    air.tell(&["snapshot", "shot.png"]);
    let shot = image::open(air.at("shot.png")).unwrap().into_rgb8();
    assert_eq!((shot.width(), shot.height()), (160, 90));
    let seen = shot.get_pixel(4, 4).0;
    assert!(seen[0].abs_diff(0xc8) < 5 && seen[2].abs_diff(0x1e) < 5, "{seen:?}");
}

#[test]
fn what_makes_no_sense_is_told_and_nothing_changes() {
    let air = Air::new(CONFIG, &["--background", BLUE]);
    air.wait_for(yuv(BLUE));
    fs::write(air.at("text.png"), "no picture").unwrap();
    fs::create_dir(air.at("nothing")).unwrap();
    for (args, words) in [
        (&["set", "background", "missing.png"][..], "missing.png"),
        (&["set", "background", "text.png"], "text.png"),
        (&["set", "background", "nothing"], "nothing"),
        (&["set", "background", "blurr"], "did you mean \"blur\"?"),
        (&["set", "background", "/dev/zero"], "/dev/zero"),
        (&["set", "effect", "greyscal"], "did you mean \"greyscale\"?"),
        (&["set", "effect", "vignette=700"], "vignette"),
        (&["set", "framing", "zoom=99"], "zoom"),
        (&["set", "foreground", "missing.png"], "missing.png"),
        (&["set", "blur", "strong"], "strong"),
        (&["set", "scene", "gren"], "there are red, blue"),
        (&["set", "idle-after", "-1"], "write seconds from 0 to 86400"),
        (&["set", "idle-after", "1e300"], "write seconds from 0 to 86400"),
        (&["snapshot", "shot.txt"], ".png"),
    ] {
        let said = air.refusal(args);
        assert!(said.contains(words), "{args:?}: {said}");
    }
    assert_eq!(air.scene()["background"], BLUE);
    assert_eq!(air.status()["idle_after_s"], 3.0);
    air.tell(&["set", "idle-after", "1.5"]);
    assert_eq!(air.status()["idle_after_s"], 1.5);
    air.wait_for(yuv(BLUE));
}

#[test]
fn files_and_configuration_are_followed() {
    let air = Air::new(CONFIG, &[]);
    air.wait_for(yuv(RED));
    // Replaced: written over, moved over.
    picture(&air.at("red.png"), "#1ea03c");
    air.wait_for(yuv("#1ea03c"));
    fs::copy(air.at("blue.png"), air.at("new.png")).unwrap();
    fs::rename(air.at("new.png"), air.at("red.png")).unwrap();
    air.wait_for(yuv(BLUE));
    // Half-copied: one line, what was shown stays; then whole.
    let whole = {
        picture(&air.at("whole.png"), RED);
        fs::read(air.at("whole.png")).unwrap()
    };
    fs::write(air.at("red.png"), &whole[..whole.len() / 2]).unwrap();
    air.wait_until("told", |air| air.log_has("what was shown before stays") == 1);
    air.wait_for(yuv(BLUE));
    // Another change is made all the same, before the picture that is no more.
    air.tell(&["set", "effect", "greyscale"]);
    air.wait_for([yuv(BLUE)[0], 128, 128]);
    air.tell(&["set", "effect", "none"]);
    fs::write(air.at("red.png"), &whole).unwrap();
    air.wait_for(yuv(RED));

    // The configuration: wrong ones are told once, right ones are followed.
    fs::write(air.at("config.toml"), CONFIG.replace("background", "bakground")).unwrap();
    air.wait_until("told", |air| air.log_has("did you mean \"background\"?") == 1);
    fs::write(air.at("config.toml"), CONFIG.replace("'red.png'", "'#808080'")).unwrap();
    air.wait_for(yuv("#808080"));
    assert_eq!(air.log_has("ERROR"), 0);
}

/// What was said on the command line or on air lies over a configuration that is saved; one whose
/// file is still to come is shown when that is there; nothing hangs on a pipe.
#[test]
fn a_saved_configuration_uncovers_nothing() {
    let air = Air::new(CONFIG, &["--effect", "greyscale"]);
    air.wait_for([yuv(RED)[0], 128, 128]);
    fs::write(air.at("config.toml"), CONFIG.replace("'red.png'", "'blue.png'")).unwrap();
    air.wait_for([yuv(BLUE)[0], 128, 128]);
    // Its file is still to come.
    let later =
        CONFIG.replace("'red.png'", "'later.png'") + "[scenes.new]\nbackground = '#808080'\n";
    fs::write(air.at("config.toml"), later).unwrap();
    air.wait_until("told", |air| air.log_has("what was shown before stays") == 1);
    air.wait_for([yuv(BLUE)[0], 128, 128]);
    picture(&air.at("later.png"), RED);
    air.wait_for([yuv(RED)[0], 128, 128]);
    air.tell(&["set", "scene", "new"]);
    air.wait_for(yuv("#808080"));
    // A pipe in its place is not waited for.
    fs::remove_file(air.at("config.toml")).unwrap();
    assert!(Command::new("mkfifo").arg(air.at("config.toml")).status().unwrap().success());
    air.wait_until("told of the pipe", |air| air.log_has("it is no file") == 1);
    air.tell(&["set", "background", RED]);
    air.wait_for(yuv(RED));
}

/// A pause comes at once, also while a medium is being loaded that never comes.
#[test]
fn a_pause_waits_for_nobody() {
    let air = Air::new(CONFIG, &[]);
    air.wait_for(yuv(RED));
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://me:secret@{}/x.mp4", silent.local_addr().unwrap());
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
    command.args(["set", "background", &address, "--socket", "socket"]);
    command.current_dir(air.folder.path()).stderr(Stdio::piped());
    let asking = command.spawn().unwrap();
    // It is being loaded.
    let _never_answered = silent.accept().unwrap();
    air.tell(&["pause"]);
    assert!(air.is_hidden_by("pause"));
    air.tell(&["resume"]);
    air.wait_for(yuv(RED));
    let refused = asking.wait_with_output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && !said.contains("secret"), "{said}");
    assert_eq!(air.log_has("secret"), 0);
}

fn near(seen: [u8; 3], wanted: [u8; 3]) -> bool {
    seen.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= 4)
}

/// An answer to a pause means that it is done: a picture that is asked for after it is the placeholder, and so is every
/// frame.
#[test]
fn a_pause_is_over_all_when_it_is_answered() {
    let air = Air::new(CONFIG, &[]);
    let ask = |request| control::ask(&air.at("socket"), &request).unwrap();
    let done = Reply::Ok(Answer::Done {});
    let file = air.at("paused.png");
    for number in 0..20 {
        air.wait_for(yuv(RED));
        assert_eq!(ask(Request::Pause {}), done);
        assert_eq!(ask(Request::Snapshot { file: file.clone(), output: None }), done);
        let shot = image::open(&file).unwrap().into_rgb8();
        let [red, green, _] = shot.get_pixel(4, 4).0;
        assert!(red < green, "number {number} shows the picture: {:?}", shot.get_pixel(4, 4));
        air.wait_for_placeholder();
        let first = air.frames();
        air.wait_until("another frame", |air| air.frames() > first);
        assert!(air.corners_since(first).into_iter().all(is_placeholder), "number {number}");
        assert_eq!(ask(Request::Resume {}), done);
    }
}

/// Whoever hid is not shown by a greenroom that starts after a crash, nor after an end.
#[test]
fn a_pause_goes_on_in_the_next_greenroom() {
    let mut air = Air::new(CONFIG, &[]);
    air.wait_for(yuv(RED));
    air.tell(&["pause"]);
    for signal in ["-KILL", "-TERM"] {
        let pid = air.daemon.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        air.daemon.wait().unwrap();
        air.start_again(&["--background", BLUE]);
        air.wait_until("the placeholder", |air| air.frames() > 10);
        assert!(air.corners_since(0).into_iter().all(is_placeholder), "{signal}");
        assert!(air.is_hidden_by("pause"));
        let camera = air.ask(&["status"]).stdout;
        assert!(String::from_utf8(camera).unwrap().contains("camera   closed"));
        assert_eq!(air.log_has("still paused"), 1);
    }
    air.tell(&["resume"]);
    air.wait_for(yuv(BLUE));
    air.daemon.kill().unwrap();
    air.daemon.wait().unwrap();
    air.start_again(&["--background", RED]);
    air.wait_for(yuv(RED));
    assert_eq!(air.log_has("still paused"), 0);
}

/// An output that takes nothing now: who asks for a pause is told that the last picture may stand there.
#[test]
fn a_pause_that_cannot_be_shown_is_told() {
    let folder = tempfile::tempdir().unwrap();
    ffmpeg(folder.path(), "-f lavfi -i color=c=gray:s=640x360:r=30:d=1 -c:v ffv1 room.mkv");
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
    command.args(["run", "--camera", "room.mkv", "--output", "-", "--socket", "socket"]);
    command.current_dir(folder.path()).env("XDG_CONFIG_HOME", folder.path());
    // Nobody reads, so that the pipe is full after a part of the first frame.
    let mut daemon = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let ask = || control::ask(&folder.path().join("socket"), &Request::Pause {});
    let deadline = Instant::now() + Duration::from_secs(60);
    let reply = loop {
        match ask() {
            Ok(reply) => break reply,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        thread::sleep(Duration::from_millis(50));
    };
    let told =
        matches!(&reply, Reply::Error(sentence) if sentence.contains("takes no placeholder"));
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    assert!(told, "{reply:?}");
}

/// What was shown before a pause does not fade out after it.
#[test]
fn what_is_asked_for_in_a_pause_is_the_first_that_comes_after_it() {
    let air = Air::new(CONFIG, &[]);
    let ask = |request| control::ask(&air.at("socket"), &request).unwrap();
    let done = Reply::Ok(Answer::Done {});
    let change = |background: &str| {
        let background = Some(background.to_owned());
        let options = greenroom::scenes::SceneOptions { background, ..Default::default() };
        Request::Set(SetRequest { output: None, options })
    };
    for (before, after) in [(RED, BLUE), (BLUE, RED), (RED, BLUE)] {
        air.wait_for(yuv(before));
        assert_eq!(ask(Request::Pause {}), done);
        air.wait_for_placeholder();
        let first = air.frames();
        assert_eq!(ask(change(after)), done);
        assert_eq!(ask(Request::Resume {}), done);
        air.wait_for(yuv(after));
        for seen in air.corners_since(first) {
            assert!(is_placeholder(seen) || near(seen, yuv(after)), "{seen:?} after {after}");
        }
    }
}

/// Over the socket nobody knows from where a path is meant; what JSON does not hold is refused by who asks.
#[test]
fn paths_that_cannot_be_meant_are_refused_at_once() {
    use std::os::unix::ffi::OsStrExt;
    let air = Air::new(CONFIG, &[]);
    air.wait_for(yuv(RED));
    let ask = |line: &str| {
        use std::io::{BufRead, BufReader, Write};
        let mut stream = std::os::unix::net::UnixStream::connect(air.at("socket")).unwrap();
        stream.write_all(line.as_bytes()).unwrap();
        let mut reply = String::new();
        BufReader::new(stream).read_line(&mut reply).unwrap();
        reply
    };
    let absolute = air.at("no/such/folder/shot.png").display().to_string();
    for (line, words) in [
        ("{\"snapshot\":{\"file\":\"shot.png\"}}\n", "does not begin with /"),
        ("{\"snapshot\":{\"file\":\"../shot.png\"}}\n", "does not begin with /"),
        ("{\"snapshot\":{\"file\":\"\"}}\n", "does not begin with /"),
        ("{\"set\":{\"background\":\"blue.png\"}}\n", "does not begin with /"),
        ("{\"set\":{\"foreground\":\"blue.png\"}}\n", "does not begin with /"),
        ("{\"set\":{\"background\":\"slideshow=5,./pictures\"}}\n", "does not begin with /"),
        (&format!("{{\"snapshot\":{{\"file\":\"{absolute}\"}}}}\n"), "no/such/folder"),
        ("{\"set\":{\"background\":\"blurr\"}}\n", "did you mean"),
    ] {
        let reply = ask(line);
        assert!(reply.starts_with("{\"error\":") && reply.contains(words), "{line}: {reply}");
    }
    // Checked before a frame is waited for: in a pause that nobody watches there is none.
    let name = std::ffi::OsStr::from_bytes(b"shot\xff.png");
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
    command.arg("snapshot").arg(name).args(["--socket", "socket"]);
    let refused = command.current_dir(air.folder.path()).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("not UTF-8") && said.lines().count() == 1, "{said}");
    assert_eq!(refused.status.code(), Some(2));
    air.wait_for(yuv(RED));
}

/// No descriptor is left: a pause gets through all the same.
#[test]
fn a_pause_needs_no_descriptor() {
    let air = Air::new(CONFIG, &[]);
    air.wait_for(yuv(RED));
    let pid = air.daemon.id();
    let open = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let most = open.map(|fd| fd.unwrap().file_name().to_str().unwrap().parse::<u32>().unwrap());
    let most = most.max().unwrap() + 1;
    let limit = Command::new("prlimit")
        .args(["--pid", &pid.to_string(), &format!("--nofile={most}")])
        .status();
    assert!(limit.unwrap().success());
    // Whatever is free below that is taken by clients that say nothing.
    let connect = || std::os::unix::net::UnixStream::connect(air.at("socket")).unwrap();
    let _silent: Vec<_> = (0..12).map(|_| connect()).collect();
    let reply = control::ask(&air.at("socket"), &Request::Pause {}).unwrap();
    assert_eq!(reply, Reply::Ok(Answer::Done {}));
    air.wait_for_placeholder();
}

/// A PNG of 50,000 x 50,000 pixels in a few bytes: 7.5 GB decoded.
fn bomb() -> Vec<u8> {
    let chunk = |kind: &[u8], data: &[u8]| {
        let body = [kind, data].concat();
        let crc = body.iter().fold(u32::MAX, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| {
                if crc & 1 != 0 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 }
            })
        });
        [&(data.len() as u32).to_be_bytes(), &body[..], &(!crc).to_be_bytes()].concat()
    };
    let side = 50_000u32.to_be_bytes();
    let header = [&side[..], &side, &[8, 2, 0, 0, 0]].concat();
    let signature = b"\x89PNG\r\n\x1a\n";
    [&signature[..], &chunk(b"IHDR", &header), &chunk(b"IDAT", &[0x78, 0x9c]), &chunk(b"IEND", &[])]
        .concat()
}

fn ffmpeg(folder: &Path, args: &str) {
    let mut ffmpeg = Command::new("ffmpeg");
    let args = args.split(' ');
    assert!(
        ffmpeg
            .args(["-v", "error", "-y"])
            .args(args)
            .current_dir(folder)
            .status()
            .unwrap()
            .success()
    );
}

/// Hostile media: the old scene goes on, and there is one line for each; what only looks odd is shown.
#[test]
fn hostile_media_change_nothing() {
    let air = Air::new(CONFIG, &[]);
    air.wait_for(yuv(RED));
    let folder = air.folder.path();
    let blue_clip = "-f lavfi -i color=c=0x1e3cc8:s=160x90:r=25:d=2 -pix_fmt yuv420p";
    ffmpeg(folder, &format!("{blue_clip} whole.mp4"));
    ffmpeg(folder, &format!("{blue_clip} -frames:v 1 one.mp4"));
    let whole = fs::read(air.at("whole.mp4")).unwrap();
    fs::write(air.at("cut.mp4"), &whole[..whole.len() / 2]).unwrap();
    fs::write(air.at("text.mp4"), "no video at all").unwrap();
    fs::write(air.at("empty.png"), "").unwrap();
    fs::write(air.at("bomb.png"), bomb()).unwrap();
    fs::create_dir(air.at("folder")).unwrap();
    let fifo = Command::new("mkfifo").arg(air.at("fifo.png")).status().unwrap();
    assert!(fifo.success());
    let hostile =
        ["cut.mp4", "text.mp4", "empty.png", "bomb.png", "folder", "fifo.png", "/dev/zero"];
    let memory = || {
        let status = fs::read_to_string(format!("/proc/{}/status", air.daemon.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap().to_owned();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let before = memory();
    for name in hostile {
        let said = air.refusal(&["set", "background", name]);
        assert!(said.contains(name), "{name}: {said}");
        assert!(air.corner().unwrap()[2] > 200, "{name}: {:?}", air.corner());
    }
    // The same in the place of the picture on air. (Nothing is moved over a device.)
    for (number, name) in hostile[..6].iter().enumerate() {
        let lines = air.log_has("what was shown before stays");
        if *name == "folder" {
            fs::remove_file(air.at("red.png")).unwrap();
        } else {
            let _ = fs::remove_dir(air.at("red.png"));
        }
        fs::rename(air.at(name), air.at("red.png")).unwrap();
        air.wait_until(name, |air| air.log_has("what was shown before stays") > lines);
        thread::sleep(Duration::from_millis(300));
        assert_eq!(
            air.log_has("what was shown before stays"),
            lines + 1,
            "{name}, number {number}"
        );
        assert!(air.corner().unwrap()[2] > 200, "{name}: {:?}", air.corner());
    }
    assert!(memory() < before + (64 << 10), "{} KiB, then {}", before, memory());
    // What only looks odd: a picture and a video of other endings, a video of one frame.
    fs::copy(air.at("blue.png"), air.at("odd.mp4")).unwrap();
    fs::copy(air.at("whole.mp4"), air.at("odd.jpg")).unwrap();
    for name in ["odd.mp4", "odd.jpg", "one.mp4"] {
        air.tell(&["set", "background", RED]);
        air.wait_for(yuv(RED));
        air.tell(&["set", "background", name]);
        air.wait_for(yuv(BLUE));
    }
    // One that never ends.
    air.tell(&["set", "background", RED]);
    air.wait_for(yuv(RED));
    ffmpeg(
        folder,
        "-f lavfi -i color=c=0x1e3cc8:s=160x90:r=25:d=600 -pix_fmt yuv420p -c:v ffv1 endless.mkv",
    );
    air.tell(&["set", "background", "endless.mkv"]);
    air.wait_for(yuv(BLUE));
    assert_eq!(air.log_has("ERROR"), 0);
}

/// Half a configuration can be one that shows the room.
#[test]
fn a_configuration_that_is_still_open_is_not_taken_up() {
    use std::io::Write;
    let air = Air::new("[scenes.one]\nbackground = 'red.png'\n", &["--scene", "one"]);
    air.wait_for(yuv(RED));
    let mut file = fs::File::create(air.at("config.toml")).unwrap();
    file.write_all(b"[scenes.one]\nbackground = 'none'\n").unwrap();
    file.sync_all().unwrap();
    // Longer than any file must rest; that it is not taken up later is not to be seen.
    thread::sleep(Duration::from_secs(3));
    file.write_all(b"foreground = 'blue.png,top-left,100%'\n").unwrap();
    drop(file);
    air.wait_for(yuv(BLUE));
    let near = |seen: [u8; 3]| seen.iter().zip(GREY).all(|(a, b)| a.abs_diff(b) <= 4);
    let corners = air.corners_since(0);
    assert!(!corners.into_iter().any(near), "the room was shown");
}
