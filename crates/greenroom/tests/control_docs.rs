//! Every example of docs/control.md is run, against a greenroom on a session bus; and its tables of the bus are what the
//! bus has.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use greenroom::protocol::EventLine;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};

mod air;

use air::bus::{Bus, NAME, OUTPUT, ROOT, lines};
use air::socket::Socket;
use air::{Air, BLUE, PATIENCE};

/// A piece of code in the document.
struct Block {
    language: String,
    text: String,
    /// Where it begins.
    line: usize,
}

/// A greenroom that is as the document says, in a folder that stands for the home folder of its reader.
struct Reader {
    bus: Bus,
    air: Air,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn document() -> String {
    fs::read_to_string(root().join("docs/control.md")).unwrap()
}

fn blocks(language: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_open = false;
    for (number, line) in document().lines().enumerate() {
        if let Some(language) = line.strip_prefix("```") {
            is_open = !is_open;
            if is_open {
                let language = language.to_owned();
                blocks.push(Block { language, text: String::new(), line: number + 1 });
            }
        } else if is_open {
            let block = blocks.last_mut().unwrap();
            block.text += line;
            block.text.push('\n');
        }
    }
    blocks.retain(|block| block.language == language);
    assert!(!blocks.is_empty(), "docs/control.md has no {language}");
    blocks
}

impl Reader {
    fn new() -> Self {
        let bus = Bus::start();
        let folder = tempfile::tempdir().unwrap();
        let config = blocks("toml").remove(0).text;
        assert!(config.contains("to = \"auto\""), "{config}");
        let config = config.replace("to = \"auto\"", "to = \"-\"");
        fs::write(folder.path().join("config.toml"), config).unwrap();
        air::picture(&folder.path().join("office.png"), BLUE);
        std::os::unix::fs::symlink("socket", folder.path().join("greenroom.sock")).unwrap();
        let args = ["--camera", "room.mkv", "--model", "landscape"];
        let args = [&args[..], &["--config", "config.toml", "--scene", "office"]].concat();
        let air = Air::start(folder, &args, &[("DBUS_SESSION_BUS_ADDRESS", &bus.address())]);
        bus.wait(&air);
        air.wait_until("frames", |air| air.frames() > 0);
        Self { bus, air }
    }

    fn home(&self) -> String {
        self.air.folder.path().display().to_string()
    }

    /// A program of the document, as its reader starts it.
    fn command(&self, program: &str, args: &[&str]) -> Command {
        let bin = Path::new(env!("CARGO_BIN_EXE_greenroom")).parent().unwrap();
        let path = std::env::var("PATH").unwrap();
        let mut command = Command::new(program);
        command.args(args).current_dir(root()).env("HOME", self.home());
        command.env("PATH", format!("{}:{path}", bin.display()));
        command.env("XDG_RUNTIME_DIR", self.home()).env_remove("GREENROOM_SOCKET");
        command.env("DBUS_SESSION_BUS_ADDRESS", self.bus.address());
        command
    }

    fn run(&self, text: &str) {
        let output = self.command("sh", &["-euc", text]).output().unwrap();
        assert!(output.status.success(), "{text}\n{output:?}");
    }

    /// Until it has printed `count` lines, while something happens again and again; the lines.
    fn follow(&self, program: &str, args: &[&str], count: usize) -> Vec<String> {
        let mut command = self.command(program, args);
        let mut child = command.process_group(0).stdout(Stdio::piped()).spawn().unwrap();
        let printed = lines(child.stdout.take().unwrap());
        let mut found = Vec::new();
        let mut socket = Socket::of(&self.air);
        let begun = Instant::now();
        while found.len() < count && begun.elapsed() < PATIENCE {
            assert!(socket.ask(&json!({ "toggle": {} }))["ok"].is_object());
            found.extend(printed.recv_timeout(Duration::from_millis(200)).map(|(_, line)| line));
        }
        let group = Pid::from_child(&child);
        kill_process_group(group, Signal::KILL).unwrap();
        child.wait().unwrap();
        assert!(socket.ask(&json!({ "resume": {} }))["ok"].is_object());
        assert_eq!(found.len(), count, "{args:?} printed {found:?}");
        found
    }
}

#[test]
fn every_message_of_the_document_is_sent_and_comes() {
    let reader = Reader::new();
    let mut socket = Socket::of(&reader.air);
    let blocks = blocks("text").into_iter();
    let mut examples = 0;
    for block in blocks.filter(|block| block.text.starts_with(['>', '<'])) {
        println!("docs/control.md, line {}", block.line);
        play(&block.text.replace("/home/me", &reader.home()), &mut socket, &reader.air);
        examples += 1;
    }
    assert!(examples > 20, "{examples}");
    // What a user breaks is told.
    assert!(socket.ask(&json!({ "scene": { "name": "office" } }))["ok"].is_object());
    fs::write(reader.air.at("office.png"), "no picture").unwrap();
    wait_for_event(&mut socket, &json!({ "trouble": { "sentences": ["scene of call: …"] } }));
}

/// Sends the requests, and waits for the replies and events. Where there is no request, only the form of the event is
/// checked: it comes of devices and programs that are not here.
fn play(text: &str, socket: &mut Socket, air: &Air) {
    let is_outside = !text.contains("> {");
    socket.events.clear();
    for line in text.lines() {
        let (side, message) = line.split_once(' ').unwrap();
        let message: Value = serde_json::from_str(message).expect(line);
        match side {
            ">" => {
                // Something has been shown meanwhile: there is something to record.
                let first = air.frames();
                air.wait_until("frames", |air| air.frames() > first + 5);
                writeln!(socket.to, "{message}").unwrap();
            }
            "<" if is_outside => {
                let event: EventLine = serde_json::from_value(message.clone()).expect(line);
                matches(&message, &serde_json::to_value(event).unwrap(), "").expect(line);
            }
            "<" if message.get("event").is_some() => wait_for_event(socket, &message["event"]),
            "<" => {
                let reply = socket.reply();
                let same = matches(&message, &reply, "");
                same.unwrap_or_else(|why| panic!("{why}\n{line}\nbut it was: {reply}"));
            }
            _ => panic!("neither > nor <: {line}"),
        }
    }
}

fn wait_for_event(socket: &mut Socket, wanted: &Value) {
    let (mut seen, begun) = (Vec::new(), Instant::now());
    while begun.elapsed() < PATIENCE {
        let event = socket.event();
        if matches(wanted, &event, "").is_ok() {
            return;
        }
        seen.push(event);
    }
    panic!("no event is like {wanted}, but {seen:?}");
}

/// Whether `actual` is of the form of `example`, which may leave keys out. `null` stands for anything, and so do numbers
/// and texts for others, except for those that are a contract: states, reasons, sentences.
fn matches(example: &Value, actual: &Value, path: &str) -> Result<(), String> {
    let differs = || Err(format!("{path} is {actual}, not like {example}"));
    match (example, actual) {
        (Value::Null, _) | (Value::Number(_), Value::Number(_)) => Ok(()),
        (Value::Object(example), Value::Object(actual)) => {
            example.iter().try_for_each(|(key, value)| {
                let path = format!("{path}/{key}");
                let found = actual.get(key).ok_or_else(|| format!("{path} is not there"))?;
                matches(value, found, &path)
            })
        }
        (Value::Array(example), Value::Array(actual)) => {
            let is_a_list_of_words = path.ends_with("/reasons") && example.len() != actual.len();
            match actual.first().filter(|_| !is_a_list_of_words) {
                Some(first) => example.iter().try_for_each(|example| matches(example, first, path)),
                None if is_a_list_of_words => differs(),
                None => Ok(()),
            }
        }
        (Value::String(example), Value::String(actual)) => {
            let words = ["/state", "/reasons", "/sentences", "/error"];
            let is_a_word = words.iter().any(|end| path.ends_with(end));
            let is_same = match example.strip_suffix('…') {
                Some(begin) => actual.starts_with(begin),
                None => example == actual,
            };
            if is_a_word && !is_same { differs() } else { Ok(()) }
        }
        (Value::Bool(example), Value::Bool(actual)) if example == actual => Ok(()),
        _ => differs(),
    }
}

#[test]
fn every_command_of_the_document_works() {
    let reader = Reader::new();
    for Block { text, line, .. } in blocks("sh") {
        println!("docs/control.md, line {line}");
        let is_there = |program: &str| {
            let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
            found.unwrap().status.success()
        };
        // They change the settings of whoever runs the tests.
        let is_forbidden = text.contains("gsettings");
        let missing = ["socat", "nc", "jq", "gdbus"].into_iter().find(|program| {
            text.split([' ', '\n']).any(|word| word == *program) && !is_there(program)
        });
        if is_forbidden || missing.is_some() {
            println!("not run; missing: {missing:?}");
        } else if text.contains(" monitor ") || text.contains("--follow") {
            // What gdbus says of itself is two lines.
            let found = reader.follow("sh", &["-euc", &text], 4);
            println!("{found:#?}");
        } else {
            reader.run(&text);
        }
    }
    let service = ".local/share/dbus-1/services/org.greenroom.Greenroom1.service";
    let service = fs::read_to_string(reader.air.at(service)).unwrap();
    let exec = format!("\nExec={}/.cargo/bin/greenroom run\n", reader.home());
    assert!(service.contains(&exec) && service.contains(&format!("\nName={NAME}\n")), "{service}");
}

#[test]
fn the_programs_of_the_document_follow() {
    let reader = Reader::new();
    let modules = blocks("json");
    for module in &modules {
        let bar: Value = serde_json::from_str(&format!("{{{}}}", module.text)).unwrap();
        let module = &bar["custom/greenroom"];
        let text = |key: &str| module[key].as_str().unwrap();
        let printed = reader.follow("sh", &["-euc", text("exec")], 3);
        for line in printed {
            let line: Value = serde_json::from_str(&line).unwrap();
            let icon = &module["format-icons"][line["alt"].as_str().unwrap()];
            assert!(icon.is_string() && line["class"] == line["alt"], "{line}");
            assert!(line["text"].is_string() && line["tooltip"].is_string(), "{line}");
        }
        reader.run(text("on-click"));
        assert!(reader.air.is_hidden_by("pause"));
        reader.run(text("on-click"));
        let table = rows(&section(&document(), "### Waybar"), "word");
        let icons: Vec<&String> = module["format-icons"].as_object().unwrap().keys().collect();
        assert_eq!(icons, table.keys().collect::<Vec<_>>(), "icons, and the table of words");
    }
    for program in blocks("python") {
        println!("docs/control.md, line {}", program.line);
        let found = reader.follow("python3", &["-c", &program.text], 3);
        println!("{found:#?}");
    }
}

/// What an interface has: `method Set`, with what it takes and returns; `property Paused`, with its type and access.
type Members = BTreeMap<String, Vec<String>>;

#[test]
fn the_bus_has_what_the_document_says_and_nothing_else() {
    let reader = Reader::new();
    for [name, path, interface] in [ROOT, OUTPUT] {
        let mut busctl = reader.bus.busctl();
        let xml = busctl.args(["--xml-interface", "introspect", name, path]).output().unwrap();
        assert!(xml.status.success(), "{xml:?}");
        let actual = members(&String::from_utf8(xml.stdout).unwrap(), interface);
        assert!(actual.len() > 10, "{actual:?}");
        let section = section(&document(), &format!("### `{interface}`"));
        let mut described = Members::new();
        for kind in ["method", "property", "signal"] {
            let named = rows(&section, kind).into_iter();
            described.extend(named.map(|(name, cells)| {
                let cells = match kind {
                    "signal" => vec![cells[0].replace('`', "")],
                    _ => vec![cells[0].replace('`', ""), cells[1].replace('`', "")],
                };
                (format!("{kind} {name}"), cells)
            }));
        }
        for (member, shape) in &actual {
            let found = described.get(member);
            assert_eq!(found, Some(shape), "the document, and {member} of {interface}");
        }
        for member in described.keys() {
            assert!(actual.contains_key(member), "{interface} has no {member} (any more)");
        }
    }
}

/// From a heading to the next.
fn section(text: &str, heading: &str) -> String {
    let begin = text.find(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no {heading}"));
    let rest = &text[begin + heading.len() + 2..];
    rest[..rest.find("\n##").unwrap_or(rest.len())].to_owned()
}

/// The rows of the table with that word at the head of its first column, by their names; the cells behind them.
fn rows(section: &str, kind: &str) -> BTreeMap<String, Vec<String>> {
    let head = format!("| {kind} |");
    let table = section.lines().skip_while(|line| !line.starts_with(&head)).skip(2);
    let rows = table.take_while(|line| line.starts_with('|')).map(|line| {
        let cells: Vec<String> = line.split('|').map(|cell| cell.trim().to_owned()).collect();
        (cells[1].trim_matches('`').to_owned(), cells[2..].to_vec())
    });
    rows.collect()
}

/// What the introspection says of an interface.
fn members(xml: &str, interface: &str) -> Members {
    let begin = xml.find(&format!("<interface name=\"{interface}\">")).expect(xml);
    let xml = &xml[begin..];
    let xml = &xml[..xml.find("</interface>").unwrap()];
    let attribute = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        Some(rest.split_once('"')?.0.to_owned())
    };
    let mut members = Members::new();
    let mut last = String::new();
    for tag in xml.split('<') {
        let kind = tag.split([' ', '>']).next().unwrap_or_default();
        let name = attribute(tag, "name").unwrap_or_default();
        match kind {
            "method" | "signal" => {
                last = format!("{kind} {name}");
                let parts = if kind == "method" { 2 } else { 1 };
                members.insert(last.clone(), vec![String::new(); parts]);
            }
            "arg" => {
                let place = usize::from(attribute(tag, "direction").as_deref() == Some("out"));
                let member = members.get_mut(&last).unwrap();
                let place = place.min(member.len() - 1);
                member[place] += &attribute(tag, "type").unwrap();
            }
            "property" => {
                let access = match attribute(tag, "access").as_deref() {
                    Some("readwrite") => "read, write".to_owned(),
                    other => other.unwrap().to_owned(),
                };
                let shape = vec![attribute(tag, "type").unwrap(), access];
                members.insert(format!("property {name}"), shape);
            }
            _ => {}
        }
    }
    members
}
