//! Many clients that change things over both transports at once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Instant;

use greenroom::protocol::{Event, SentEvent};
use greenroom::status::Status;
use serde_json::{Value, json};
use zbus::blocking::Connection;
use zbus::zvariant;

use crate::air::bus::{Bus, NAME, PATH};
use crate::air::socket::Socket;
use crate::air::{Air, BLUE, PATIENCE, RED, yuv};
use crate::random::Random;
use crate::session_bus::{OUTPUT, OUTPUT_PATH, PROPERTIES, connect, on_air};
use crate::subscribers::Subscriber;

/// Clients on each transport.
const CLIENTS: u64 = 10;
/// Changes that each makes.
const CHANGES: usize = 10;
const COLOURS: [&str; 5] = [RED, BLUE, "#1ea03c", "#808080", "#c8c81e"];
/// What is told of a change that a newer one took the place of.
const OVERTAKEN: &str = "a newer request took the place";

/// Something that a client changes.
#[derive(Debug, Clone, Copy)]
enum Change {
    Background(&'static str),
    Effects(&'static [&'static str]),
    Look(&'static str),
    Fit(&'static str),
    IdleAfter(u64),
    Pause,
    Resume,
    Toggle,
}

impl Change {
    fn any(random: &mut Random) -> Self {
        match random.below(11) {
            0..=3 => Self::Background(random.of(&COLOURS)),
            4 => Self::Effects(random.of(&[&[][..], &["greyscale"], &["greyscale", "vignette"]])),
            5 => Self::Look(random.of(&["off", "usual", "wrap=20,match=30"])),
            6 => Self::Fit(random.of(&["cover", "contain", "stretch"])),
            7 => Self::IdleAfter(1000 + random.number() % 1000),
            8 => Self::Pause,
            9 => Self::Resume,
            _ => Self::Toggle,
        }
    }

    fn on_socket(self) -> Value {
        match self {
            Self::Background(text) => json!({ "set": { "background": text } }),
            Self::Effects(texts) => json!({ "set": { "effects": texts } }),
            Self::Look(text) => json!({ "set": { "look": text, "output": "-" } }),
            Self::Fit(text) => json!({ "set": { "fit": text } }),
            Self::IdleAfter(ms) => json!({ "idle_after": { "ms": ms } }),
            Self::Pause => json!({ "pause": {} }),
            Self::Resume => json!({ "resume": {} }),
            Self::Toggle => json!({ "toggle": {} }),
        }
    }

    /// The sentence that refuses, if one does.
    fn on_bus(self, connection: &Connection) -> Option<String> {
        let call = |member: &str| connection.call_method(Some(NAME), PATH, Some(NAME), member, &());
        let set = |path: &str, interface: &str, name: &str, value: zvariant::Value<'_>| {
            let body = (interface, name, value);
            connection.call_method(Some(NAME), path, Some(PROPERTIES), "Set", &body)
        };
        let set_on_output = |name: &str, value| set(OUTPUT_PATH, OUTPUT, name, value);
        let reply = match self {
            Self::Background(text) => set_on_output("Background", text.into()),
            Self::Effects(texts) => set_on_output("Effects", texts.to_vec().into()),
            Self::Look(text) => {
                let properties = HashMap::from([("Look", zvariant::Value::from(text))]);
                connection.call_method(Some(NAME), PATH, Some(NAME), "Set", &properties)
            }
            Self::Fit(text) => set_on_output("Fit", text.into()),
            Self::IdleAfter(ms) => set(PATH, NAME, "IdleAfter", (ms as f64 / 1e3).into()),
            Self::Pause => call("Pause"),
            Self::Resume => set(PATH, NAME, "Paused", false.into()),
            Self::Toggle => call("Toggle"),
        };
        match reply {
            Ok(_) => None,
            Err(zbus::Error::MethodError(_, Some(sentence), _)) => Some(sentence),
            Err(error) => panic!("{self:?}: {error}"),
        }
    }
}

/// Twenty clients make 200 changes, half of them over the bus, while five subscribers listen, one of them on the bus: all five
/// are told the same in the same order, what they are told adds up to what `status` says, and that is in the picture.
#[test]
fn many_clients_and_subscribers_agree_with_the_status_and_the_picture() {
    let bus = Bus::start();
    let air = on_air(&bus, RED);
    air.wait_for(yuv(RED));
    let mut subscribers: Vec<Subscriber> = (0..4).map(|_| Subscriber::on_socket(&air)).collect();
    subscribers.push(Subscriber::on_bus(&bus));
    let begun = Instant::now();
    let overtaken = make_changes(&air, &bus);
    let took = begun.elapsed();

    let mut last = Socket::of(&air);
    for request in [json!({ "resume": {} }), json!({ "set": { "effects": [] } })] {
        assert_eq!(last.ask(&request), json!({ "ok": { "done": {} } }), "{request}");
    }
    let status = followed_to_the_end(&mut last, &mut subscribers);
    // What `status` says is what the pixels show.
    air.wait_for(yuv(&status.outputs[0].scene.background));
    assert_eq!(status.outputs[0].scene.effects, [""; 0]);
    assert!(status.hidden_by.is_empty(), "{status:?}");

    let events = same_events(&subscribers);
    let changes = 2 * CLIENTS as usize * CHANGES;
    println!(
        "{changes} changes by {} clients in {took:.1?}: {overtaken} were overtaken by newer ones; {} subscribers saw the \
         same {events} events and end with the status",
        2 * CLIENTS,
        subscribers.len()
    );
    assert_eq!(air.log_has("ERROR"), 0);
}

/// All clients at once; how many of their changes were overtaken.
fn make_changes(air: &Air, bus: &Bus) -> usize {
    let overtaken = AtomicUsize::new(0);
    let refused = |change: Change, sentence: &str| {
        assert!(sentence.contains(OVERTAKEN), "{change:?}: {sentence}");
        overtaken.fetch_add(1, SeqCst);
    };
    let on_socket = |client| {
        let (mut socket, mut random) = (Socket::of(air), Random::new(client));
        for _ in 0..CHANGES {
            let change = Change::any(&mut random);
            let reply = socket.ask(&change.on_socket());
            if reply.get("ok").is_none() {
                refused(change, reply["error"].as_str().unwrap());
            }
        }
    };
    let on_bus = |client| {
        let (connection, mut random) = (connect(bus), Random::new(client));
        for _ in 0..CHANGES {
            let change = Change::any(&mut random);
            if let Some(sentence) = change.on_bus(&connection) {
                refused(change, &sentence);
            }
        }
    };
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            scope.spawn(move || on_socket(1000 + client));
            scope.spawn(move || on_bus(2000 + client));
        }
    });
    overtaken.into_inner()
}

/// Has each follow until it knows what `status` says; the status. The camera, which is opened again after a pause, may still
/// change meanwhile.
fn followed_to_the_end(socket: &mut Socket, subscribers: &mut [Subscriber]) -> Status {
    let begun = Instant::now();
    for ms in 5000.. {
        socket.ask(&json!({ "idle_after": { "ms": ms } }));
        let last = Event::IdleAfter { ms };
        subscribers.iter_mut().for_each(|subscriber| subscriber.follow_until(&last));
        let status = socket.ask(&json!({ "status": {} }))["ok"]["status"].take();
        let status: Status = serde_json::from_value(status).unwrap();
        let missing = |subscriber: &Subscriber| Event::changes(&subscriber.known, &status);
        let missing: Vec<Event> = subscribers.iter().flat_map(missing).collect();
        if missing.is_empty() {
            return status;
        }
        assert!(begun.elapsed() < PATIENCE, "never told: {missing:?}");
    }
    unreachable!("there is time for as many")
}

/// How many events all have seen, from when the last of them had subscribed. They are the same, and none is missing.
fn same_events(subscribers: &[Subscriber]) -> usize {
    let number = |event: &SentEvent| event.seq.unwrap();
    let first = |subscriber: &Subscriber| match subscriber.since {
        Some(since) => since + 1,
        None => number(&subscriber.seen[0]),
    };
    let first = subscribers.iter().map(first).max().unwrap();
    let seen = |subscriber: &Subscriber| {
        let events = subscriber.seen.iter().filter(|event| number(event) >= first);
        events.cloned().collect::<Vec<SentEvent>>()
    };
    let expected = seen(&subscribers[0]);
    assert!(expected.iter().map(number).eq(first..first + expected.len() as u64), "{expected:?}");
    for subscriber in &subscribers[1..] {
        assert_eq!(seen(subscriber), expected);
    }
    expected.len()
}
