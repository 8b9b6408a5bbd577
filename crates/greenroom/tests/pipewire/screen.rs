//! `--background screen`: a screen that the desktop's portal shows, behind the person.

use std::process::Output;
use std::time::{Duration, Instant};

use pipewire::spa::sys;
use serde_json::Value;

use super::made_screen::{MadeScreen, Rgb, Shown, answer, calls};
use super::reader::Reader;
use super::session::{Greenroom, PATIENCE, Session, wait_until};

const RED: Rgb = [200, 30, 30];
const GREEN: Rgb = [30, 200, 30];
const BLACK: Rgb = [0, 0, 0];
/// The background before the screen, and what the room is like.
const GREY: &str = "#808080";
const BGRX: u32 = sys::SPA_VIDEO_FORMAT_BGRx;
const TO_NOBODY: [&str; 4] = ["--output", "null", "--size", "320x180"];

fn halves(left: Rgb, right: Rgb) -> Shown {
    Shown { size: (640, 360), left, right }
}

fn red() -> Shown {
    halves(RED, RED)
}

/// With the portal, and a screen that the user will choose.
fn session_with_screen(format: u32, shown: Shown) -> (Session, MadeScreen) {
    let mut session = Session::with_pipewire();
    let screen = MadeScreen::start(&session, format, shown);
    session.start_portal();
    answer(&session, &format!("yes {}", screen.node()));
    (session, screen)
}

fn is_near(seen: [u8; 3], rgb: Rgb) -> bool {
    seen.into_iter().zip(rgb).all(|(seen, wanted)| seen.abs_diff(wanted) < 40)
}

/// The colours of what is shown now at these places, which are shares of width and height in percent.
fn colours<const N: usize>(
    session: &Session,
    greenroom: &Greenroom,
    at: [(u32, u32); N],
) -> [Rgb; N] {
    let shot = session.at("shot.png");
    let done = greenroom.ask(&["snapshot", shot.to_str().unwrap()]);
    assert!(done.status.success(), "{done:?}");
    let shot = image::open(shot).unwrap().into_rgb8();
    at.map(|(x, y)| shot.get_pixel(shot.width() * x / 100, shot.height() * y / 100).0)
}

/// Waits until what is shown has these colours there. Never a pixel of the room.
fn wait_for<const N: usize>(
    session: &Session,
    greenroom: &Greenroom,
    at: [(u32, u32); N],
    wanted: [Rgb; N],
) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let seen = colours(session, greenroom, at);
        let is_room = |[r, _, b]: &Rgb| *b > 120 && *r < 80;
        assert!(!seen.iter().any(is_room), "{seen:?}");
        if seen.into_iter().zip(wanted).all(|(seen, wanted)| is_near(seen, wanted)) {
            return;
        }
        assert!(Instant::now() < deadline, "never {wanted:?}, but {seen:?}");
    }
}

const LEFT_AND_RIGHT: [(u32, u32); 2] = [(10, 50), (90, 50)];

fn wait_for_halves(session: &Session, greenroom: &Greenroom, left: Rgb, right: Rgb) {
    wait_for(session, greenroom, LEFT_AND_RIGHT, [left, right]);
}

/// A plain, dark background, as the placeholder has.
fn wait_for_plain(session: &Session, greenroom: &Greenroom) {
    wait_until("the plain background", || {
        let seen = colours(session, greenroom, LEFT_AND_RIGHT);
        seen.iter().all(|[r, g, b]| *r < 40 && *g < 70 && *b < 60 && g > r)
    });
}

fn choose(greenroom: &Greenroom) -> Output {
    greenroom.ask(&["set", "background", "screen"])
}

fn chosen(greenroom: &Greenroom) {
    let done = choose(greenroom);
    assert!(done.status.success(), "{done:?}\n{}", greenroom.log());
}

fn scene(greenroom: &Greenroom) -> Value {
    greenroom.output(0)["scene"].clone()
}

/// Lines of the log that warn of the screen.
fn warnings(greenroom: &Greenroom) -> Vec<String> {
    let log = greenroom.log();
    let lines = log.lines().filter(|line| line.contains("WARN") && line.contains("screen"));
    lines.map(str::to_owned).collect()
}

fn count(session: &Session, name: &str) -> usize {
    calls(session).iter().filter(|call| call["call"] == name).count()
}

fn last_select(session: &Session) -> Value {
    calls(session).into_iter().rfind(|call| call["call"] == "SelectSources").unwrap()
}

#[test]
fn it_is_shown_while_somebody_watches_and_only_then() {
    let (session, screen) = session_with_screen(BGRX, red());
    let args = ["--output", "pipewire", "--size", "320x180"];
    let greenroom = Greenroom::start_before(&session, GREY, &args);
    greenroom.wait_for_state(0, "holding");
    chosen(&greenroom);
    assert_eq!(
        (&scene(&greenroom)["background"], &scene(&greenroom)["trouble"]),
        (&"screen".into(), &Value::Null)
    );
    let select = calls(&session).into_iter().find(|call| call["call"] == "SelectSources").unwrap();
    assert_eq!(
        (&select["types"], &select["cursor_mode"], &select["persist_mode"], &select["restores"]),
        (&3.into(), &2.into(), &2.into(), &false.into())
    );
    // Nobody watches.
    wait_until("no link", || session.links_of("screen") == 0);
    let sent = screen.sent();
    screen.show(halves(GREEN, GREEN));
    screen.show(red());
    for _ in 0..2 {
        let reader = Reader::start(session.socket(), "greenroom", true);
        reader.wait_for_picture();
        assert_eq!(session.links_of("screen"), 1);
        assert!(screen.sent() > sent);
        assert_eq!(reader.stop().leaks, 0);
        greenroom.wait_for_camera("closed");
        wait_until("no link", || session.links_of("screen") == 0);
    }
    let sent = screen.sent();
    screen.show(halves(GREEN, RED));
    // Another background: the portal hears that it is over.
    let done = greenroom.ask(&["set", "background", GREY]);
    assert!(done.status.success(), "{done:?}");
    wait_until("the end of the session", || {
        calls(&session).iter().any(|call| call["call"] == "Session.Close")
    });
    assert_eq!(screen.sent(), sent);
}

#[test]
fn changes_and_other_sizes_are_followed_in_every_order_of_pixels() {
    for format in [BGRX, sys::SPA_VIDEO_FORMAT_RGBA] {
        let (session, screen) = session_with_screen(format, halves(RED, GREEN));
        let greenroom = Greenroom::start_before(&session, GREY, &TO_NOBODY).ready();
        chosen(&greenroom);
        wait_for_halves(&session, &greenroom, RED, GREEN);
        let sent = screen.sent();
        // What stands still goes on being shown.
        wait_until("many frames", || greenroom.status()["frames"]["composed"].as_u64() > Some(100));
        assert_eq!(screen.sent(), sent);
        wait_for_halves(&session, &greenroom, RED, GREEN);
        screen.show(halves(GREEN, BLACK));
        wait_for_halves(&session, &greenroom, GREEN, BLACK);
        // A window that is made higher: of a square, the picture shows the middle.
        screen.show(Shown { size: (250, 250), left: RED, right: GREEN });
        wait_for_halves(&session, &greenroom, RED, GREEN);
        let done = greenroom.ask(&["set", "background", "screen", "--fit", "contain"]);
        assert!(done.status.success(), "{done:?}");
        let places = [(5, 50), (40, 50), (60, 50), (95, 50)];
        wait_for(&session, &greenroom, places, [BLACK, RED, GREEN, BLACK]);
        screen.show(Shown { size: (1280, 240), left: GREEN, right: RED });
        let places = [(50, 5), (10, 50), (90, 50), (50, 95)];
        wait_for(&session, &greenroom, places, [BLACK, GREEN, RED, BLACK]);
        // The picker was opened once.
        let starts = calls(&session).iter().filter(|call| call["call"] == "Start").count();
        assert_eq!((starts, warnings(&greenroom)), (1, Vec::new()));
    }
}

#[test]
fn a_no_leaves_what_was_shown_and_says_so_in_one_sentence() {
    let (session, screen) = session_with_screen(BGRX, red());
    let greenroom = Greenroom::start_before(&session, GREY, &TO_NOBODY).ready();
    answer(&session, "no");
    let refused = choose(&greenroom);
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success());
    assert!(told.contains("no screen was chosen") && told.lines().count() == 1, "{told}");
    assert_eq!(scene(&greenroom)["background"], GREY);
    wait_until("no trouble", || scene(&greenroom)["trouble"].is_null());
    wait_for_halves(&session, &greenroom, [128; 3], [128; 3]);
    // While the picker is open, that is told; whoever asks for something else closes it.
    answer(&session, "wait");
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| choose(&greenroom));
        let waiting =
            || scene(&greenroom)["trouble"].as_str().unwrap_or_default().contains("asks which");
        wait_until("the picker", || {
            waiting() && calls(&session).iter().filter(|it| it["call"] == "Start").count() == 2
        });
        let done = greenroom.ask(&["set", "background", "#1ec81e"]);
        assert!(done.status.success(), "{done:?}");
        let told = waits.join().unwrap();
        assert!(!told.status.success(), "{told:?}");
        assert!(String::from_utf8_lossy(&told.stderr).contains("a newer request"), "{told:?}");
    });
    wait_until("the picker's end", || {
        calls(&session).iter().any(|it| it["call"] == "Request.Close")
    });
    wait_for_halves(&session, &greenroom, GREEN, GREEN);
    // Chosen at last; then another is asked for, and nothing chosen: the first stays.
    answer(&session, &format!("yes {}", screen.node()));
    chosen(&greenroom);
    wait_for_halves(&session, &greenroom, RED, RED);
    answer(&session, "no");
    assert!(!choose(&greenroom).status.success());
    screen.show(halves(RED, BLACK));
    wait_for_halves(&session, &greenroom, RED, BLACK);
    assert_eq!(scene(&greenroom)["background"], "screen");
    // Whoever asks, and goes, leaves no picker behind.
    answer(&session, "wait");
    let [starts, closes] = ["Start", "Request.Close"].map(|name| count(&session, name));
    let mut asking = session.command(env!("CARGO_BIN_EXE_greenroom"));
    asking.args(["set", "background", "screen", "--socket", "socket"]);
    let mut asking = asking.spawn().unwrap();
    wait_until("the picker", || count(&session, "Start") > starts);
    asking.kill().unwrap();
    asking.wait().unwrap();
    wait_until("the picker's end", || count(&session, "Request.Close") > closes);
    wait_for_halves(&session, &greenroom, RED, BLACK);
    assert_eq!(warnings(&greenroom), Vec::<String>::new());
}

#[test]
fn a_window_that_is_closed_at_once_replaces_nothing() {
    let mut session = Session::with_pipewire();
    session.start_portal();
    let greenroom = Greenroom::start_before(&session, GREY, &TO_NOBODY).ready();
    // On a busy machine it may not be gone before its first picture is waited for no more.
    wait_until("a refusal", || {
        let window = MadeScreen::start(&session, BGRX, red());
        window.leave_when_wanted();
        answer(&session, &format!("yes {}", window.node()));
        let done = choose(&greenroom);
        if done.status.success() {
            greenroom.ask(&["set", "background", GREY]);
            return false;
        }
        let told = String::from_utf8(done.stderr).unwrap();
        assert!(told.contains("has gone") && told.lines().count() == 1, "{told}");
        true
    });
    assert_eq!(scene(&greenroom)["background"], GREY);
    wait_for_halves(&session, &greenroom, [128; 3], [128; 3]);
}

#[test]
fn a_portal_that_starts_late_is_asked_when_somebody_begins_to_watch() {
    let (mut session, screen) = session_with_screen(BGRX, red());
    let token = session.at("greenroom/screen-token");
    let kept = || std::fs::read_to_string(&token).unwrap();
    let greenroom = Greenroom::start_before(&session, "screen", &TO_NOBODY).ready();
    wait_for_halves(&session, &greenroom, RED, RED);
    drop(greenroom);
    let first = kept();
    session.end_portal();
    let asked = count(&session, "SelectSources");
    let args = ["--output", "pipewire", "--size", "320x180"];
    let greenroom = Greenroom::start_before(&session, "screen", &args).ready();
    greenroom.wait_for_state(0, "holding");
    assert_eq!((scene(&greenroom)["trouble"].clone(), warnings(&greenroom)), (Value::Null, vec![]));
    for watched in [1, 2] {
        let reader = Reader::start(session.socket(), "greenroom", true);
        reader.wait_for(1);
        wait_until("a sentence", || scene(&greenroom)["trouble"].is_string());
        assert_eq!(reader.stop().leaks, 0);
        greenroom.wait_for_camera("closed");
        let told = warnings(&greenroom);
        assert_eq!(told.len(), 1, "{watched}: {told:?}");
        assert!(told[0].contains("install xdg-desktop-portal"), "{told:?}");
        assert_eq!(kept(), first);
        // From then on, somebody who watches begins to.
        std::thread::sleep(Duration::from_secs(3));
    }
    session.start_portal();
    answer(&session, &format!("yes {}", screen.node()));
    assert_eq!(count(&session, "SelectSources"), asked);
    let reader = Reader::start(session.socket(), "greenroom", true);
    wait_for_halves(&session, &greenroom, RED, RED);
    assert_eq!(count(&session, "SelectSources"), asked + 1);
    assert_eq!(last_select(&session)["restores"], true);
    wait_until("no trouble", || scene(&greenroom)["trouble"].is_null());
    assert_eq!((reader.stop().leaks, warnings(&greenroom).len()), (0, 1));
}

#[test]
fn what_is_ended_elsewhere_leaves_a_plain_background_and_one_line() {
    let (mut session, screen) = session_with_screen(BGRX, red());
    let greenroom = Greenroom::start_before(&session, GREY, &TO_NOBODY).ready();
    let is_back = |node: u32| {
        answer(&session, &format!("yes {node}"));
        chosen(&greenroom);
        // Whoever is to choose another is not given the one that was lost.
        assert_eq!(last_select(&session)["restores"], false);
        wait_for_halves(&session, &greenroom, RED, RED);
        assert_eq!(scene(&greenroom)["trouble"], Value::Null);
    };
    let is_lost = |count: usize, words: &str| {
        wait_for_plain(&session, &greenroom);
        let told = warnings(&greenroom);
        assert_eq!(told.len(), count, "{told:?}");
        assert!(told[count - 1].contains(words), "{told:?}");
        assert!(told[count - 1].contains("greenroom set background screen"), "{told:?}");
        wait_until("the trouble", || {
            scene(&greenroom)["trouble"].as_str().is_some_and(|it| it.contains(words))
        });
        assert_eq!(scene(&greenroom)["background"], "screen");
    };
    is_back(screen.node());
    let mut gdbus = session.command("gdbus");
    gdbus.args(["call", "--session", "--dest", "org.freedesktop.impl.portal.desktop.stub"]);
    gdbus.args(["--object-path", "/org/freedesktop/portal/desktop"]);
    assert!(gdbus.args(["--method", "org.greenroom.Stub.Revoke"]).status().unwrap().success());
    is_lost(1, "has ended the sharing");
    is_back(screen.node());
    // The window is closed.
    drop(screen);
    is_lost(2, "has gone");
    let screen = MadeScreen::start(&session, BGRX, red());
    is_back(screen.node());
    drop(screen);
    is_lost(3, "has gone");
    let screen = MadeScreen::start(&session, BGRX, red());
    is_back(screen.node());
    session.kill_pipewire();
    session.kill_wireplumber();
    drop(screen);
    let told = || warnings(&greenroom);
    wait_until("a line", || told().len() == 4);
    assert!(told()[3].contains("PipeWire") || told()[3].contains("has gone"), "{:?}", told());
    wait_for_plain(&session, &greenroom);
    session.start_pipewire();
    session.start_wireplumber();
    let screen = MadeScreen::start(&session, BGRX, red());
    answer(&session, &format!("yes {}", screen.node()));
    chosen(&greenroom);
    wait_for_halves(&session, &greenroom, RED, RED);
    session.end_portal();
    wait_until("a line", || told().len() == 5);
    assert!(told()[4].contains("portal has ended"), "{:?}", told());
    wait_for_plain(&session, &greenroom);
    assert_eq!(greenroom.status()["frames"]["failed"], 0);
}

#[test]
fn the_picker_is_not_opened_at_every_start() {
    let (session, _screen) = session_with_screen(BGRX, red());
    let token = session.at("greenroom/screen-token");
    let restores = || {
        let greenroom = Greenroom::start_before(&session, "screen", &TO_NOBODY).ready();
        wait_for_halves(&session, &greenroom, RED, RED);
        assert_eq!(warnings(&greenroom), Vec::<String>::new());
        last_select(&session)["restores"].as_bool().unwrap()
    };
    let kept = || std::fs::read_to_string(&token).unwrap();
    assert!(!restores());
    let first = kept();
    assert!(!first.is_empty());
    assert!(restores() && restores());
    // One that means nothing is replaced; one that is lost is no error.
    for wrong in ["nonsense", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"] {
        std::fs::write(&token, wrong).unwrap();
        assert!(!restores());
        assert_ne!(kept(), wrong);
    }
    std::fs::remove_file(&token).unwrap();
    assert!(!restores() && restores());
    // A no at the start.
    std::fs::remove_file(&token).unwrap();
    answer(&session, "no");
    let greenroom = Greenroom::start_before(&session, "screen", &TO_NOBODY).ready();
    wait_for_plain(&session, &greenroom);
    wait_until("a line", || warnings(&greenroom).len() == 1);
    assert!(scene(&greenroom)["trouble"].as_str().unwrap().contains("no screen was chosen"));
}

#[test]
fn without_a_portal_one_sentence_says_what_helps() {
    let session = Session::with_pipewire();
    let greenroom = Greenroom::start_before(&session, GREY, &TO_NOBODY).ready();
    let refused = choose(&greenroom);
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success());
    assert!(told.contains("install xdg-desktop-portal") && told.lines().count() == 1, "{told}");
    wait_for_halves(&session, &greenroom, [128; 3], [128; 3]);
}
