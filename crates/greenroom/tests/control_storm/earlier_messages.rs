//! The messages of the control socket before the protocol had a version: each still works, or is refused in the new words.

use std::fs;

use serde_json::{Value, json};

use crate::air::{Air, RED, yuv};
use crate::client::Client;

/// What is answered.
#[derive(Debug, Clone, Copy)]
enum Expected {
    Status,
    Done,
    /// A refusal that has these words in it.
    Refused(&'static str),
}

use Expected::{Done, Refused, Status};

/// Requests of before in the order in which they are sent; FOLDER is one of the test's own.
const REQUESTS: &[(&str, Expected)] = &[
    ("{\"status\":{}}", Status),
    (" { \"status\" : { } } \r", Status),
    ("{\"set\":{\"background\":\"#1e3cc8\"}}", Done),
    ("{\"set\":{\"background\":\"blur\",\"output\":\"-\"}}", Done),
    ("{\"set\":{\"background\":\"blur\",\"output\":null,\"fit\":null}}", Done),
    ("{\"set\":{\"fit\":\"contain\"}}", Done),
    ("{\"set\":{\"foreground\":\"none\"}}", Done),
    ("{\"set\":{\"effects\":[\"greyscale\",\"vignette\"]}}", Done),
    ("{\"set\":{\"effects\":[]}}", Done),
    ("{\"set\":{\"framing\":\"auto\"}}", Done),
    ("{\"set\":{\"look\":\"off\"}}", Done),
    ("{\"scene\":{\"name\":\"red\"}}", Done),
    ("{\"scene\":{\"name\":\"blue\",\"output\":\"-\"}}", Done),
    ("{\"next\":{}}", Done),
    ("{\"next\":{\"output\":\"-\"}}", Done),
    ("{\"pause\":{}}", Done),
    ("{\"resume\":{}}", Done),
    ("{\"idle_after\":{\"ms\":4000}}", Done),
    ("{\"snapshot\":{\"file\":\"FOLDER/a.png\"}}", Done),
    ("{\"snapshot\":{\"file\":\"FOLDER/b.webp\",\"output\":\"-\"}}", Done),
    ("{\"record\":{\"file\":\"FOLDER/a.mkv\"}}", Done),
    ("{\"stop_recording\":{}}", Done),
    ("{\"record\":{\"file\":\"FOLDER/b.mkv\",\"output\":\"-\",\"opens_camera\":true}}", Done),
    ("{\"stop_recording\":{\"output\":\"-\"}}", Done),
    // Refused as before.
    ("", Refused("is not JSON")),
    ("status", Refused("is not JSON")),
    ("{\"status\":{}", Refused("is not JSON")),
    ("{\"status\":{}} x", Refused("is not JSON")),
    ("{}", Refused("an object with one key")),
    ("null", Refused("an object with one key")),
    ("{\"status\":{},\"pause\":{}}", Refused("an object with one key")),
    ("{\"scene\":{}}", Refused("missing field `name`")),
    ("{\"snapshot\":{\"file\":\"a.png\"}}", Refused("does not begin with /")),
    ("{\"set\":{\"background\":\"a.png\"}}", Refused("does not begin with /")),
    ("{\"scene\":{\"name\":\"green\"}}", Refused("there are red, blue")),
    ("{\"stop_recording\":{}}", Refused("nothing is being recorded")),
    ("{\"idle_after\":{\"ms\":86400001}}", Refused("more than a day")),
    // Refused in other words: the requests that there are, the keys that there are.
    ("{\"dance\":{}}", Refused("there is no request \"dance\"; the requests are hello, status,")),
    // A build for tests of faults knows it.
    #[cfg(not(feature = "faults"))]
    ("{\"fault\":{\"name\":\"leak\"}}", Refused("there is no request \"fault\"")),
    ("{\"status\":{},\"dance\":{}}", Refused("an object with one key")),
    ("{\"set\":{\"backgruond\":\"blur\"}}", Refused("it sets nothing of background, fit,")),
    // Was done, and did nothing.
    ("{\"set\":{}}", Refused("it sets nothing of background, fit,")),
    // Were refused for what is not known in them, which is passed over now.
    ("{\"status\":{\"of\":1}}", Status),
    ("{\"set\":{\"background\":\"#c81e1e\",\"backgruond\":\"blur\"}}", Done),
];

/// All that `status` said before: values that programs may have read.
const STATUS_POINTERS: [&str; 40] = [
    "/version",
    "/pid",
    "/uptime_s",
    "/camera/state",
    "/camera/name",
    "/camera/mode",
    "/camera/reason",
    "/camera/opened",
    "/outputs/0/name",
    "/outputs/0/sink",
    "/outputs/0/state",
    "/outputs/0/mode",
    "/outputs/0/watchers",
    "/outputs/0/reason",
    "/outputs/0/written",
    "/outputs/0/placeholders",
    "/outputs/0/dropped",
    "/outputs/0/scene/name",
    "/outputs/0/scene/background",
    "/outputs/0/scene/foreground",
    "/outputs/0/scene/effects",
    "/outputs/0/scene/framing",
    "/outputs/0/scene/trouble",
    "/outputs/0/scene/warning",
    "/outputs/0/recording",
    "/hidden_by",
    "/idle_after_s",
    "/mask_server",
    "/frames/taken",
    "/frames/composed",
    "/frames/dropped/in_camera",
    "/frames/dropped/before_matte",
    "/frames/dropped/before_output",
    "/frames/dropped/unwatched",
    "/frames/corrupt",
    "/frames/failed",
    "/frames/placeholders",
    "/latency_ms/p99",
    "/stages_ms/0/p50",
    "/cpu/share",
];

/// Each message that the socket took before is sent to a real greenroom: it does what it did, or is refused in a sentence.
#[test]
fn messages_of_before_work_or_are_refused_in_the_new_words() {
    let config = "[scenes.red]\nbackground = '#c81e1e'\n[scenes.blue]\nbackground = '#1e3cc8'\n";
    let air = Air::new(config, &["--scene", "red"]);
    air.wait_for(yuv(RED));
    let mut client = Client::connect(&air.at("socket"));
    let mut status = Value::Null;
    for &(request, expected) in REQUESTS {
        let request = request.replace("FOLDER", air.folder.path().to_str().unwrap());
        assert!(client.send(format!("{request}\n").as_bytes()));
        let reply = client.reply().unwrap();
        let is_expected = match expected {
            Status => reply["ok"]["status"].is_object(),
            Done => reply == json!({ "ok": { "done": {} } }),
            Refused(words) => reply["error"].as_str().is_some_and(|said| said.contains(words)),
        };
        assert!(is_expected, "{request}: {expected:?}, and it is {reply}");
        if request.starts_with("{\"record\"") {
            // An empty recording is refused at its end.
            let frames = |air: &Air| air.status()["outputs"][0]["recording"]["frames"].as_u64();
            air.wait_until("recorded frames", |air| frames(air) > Some(5));
        }
        if matches!(expected, Status) {
            status = reply["ok"]["status"].clone();
        }
    }
    for pointer in STATUS_POINTERS {
        assert!(status.pointer(pointer).is_some(), "{pointer} is missing in {status}");
    }
    // They were done, not only answered.
    air.wait_for(yuv(RED));
    for file in ["a.png", "b.webp", "a.mkv", "b.mkv"] {
        assert!(fs::metadata(air.at(file)).unwrap().len() > 100, "{file}");
    }
    assert_eq!(air.status()["idle_after_s"], 4.0);
}
