use super::*;

#[test]
fn requests_and_replies_are_what_the_protocol_says() {
    assert_eq!(Request::parse(b"{\"status\":{}}"), Ok(Request::Status {}));
    assert_eq!(Request::parse(b" { \"status\" : { } } \r"), Ok(Request::Status {}));
    assert_eq!(serde_json::to_string(&Request::Status {}).unwrap(), "{\"status\":{}}");
    let done = serde_json::to_string(&Reply::Ok(Answer::Done {})).unwrap();
    assert_eq!(done, "{\"ok\":{\"done\":{}}}");
    let status = serde_json::to_string(&Reply::Ok(Answer::Status(Box::default()))).unwrap();
    assert!(status.starts_with("{\"ok\":{\"status\":{\"version\":\"\","), "{status}");
    let error = serde_json::to_string(&Reply::Error("No.".into())).unwrap();
    assert_eq!(error, "{\"error\":\"No.\"}");
    let event = Event::IdleAfter { ms: 5 };
    let line = EventLine { event: SentEvent { seq: Some(7), event } };
    let json = serde_json::to_string(&line).unwrap();
    assert_eq!(json, "{\"event\":{\"seq\":7,\"idle_after\":{\"ms\":5}}}");
    assert_eq!(serde_json::from_str::<EventLine>(&json).unwrap(), line);
}

#[test]
fn each_bad_request_gets_its_own_sentence() {
    let cases: [(&[u8], &str); 15] = [
        (b"", "not JSON"),
        (b"status", "not JSON"),
        (b"{\"status\":{}", "not JSON"),
        (b"{\"status\":{}} x", "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"{}", "an object with one key"),
        (b"null", "an object with one key"),
        (b"\"status\"", "an object with one key"),
        (b"{\"pause\":null}", "the fields of \"pause\" are an object"),
        (b"{\"dance\":{}}", "there is no request \"dance\"; the requests are hello, status,"),
        (b"{\"status\":{},\"pause\":{}}", "an object with one key"),
        (b"{\"scene\":{}}", "missing field `name`"),
        (b"{\"set\":{}}", "it sets nothing of background, fit,"),
        (b"{\"set\":{\"output\":\"a\",\"backgruond\":\"blur\"}}", "it sets nothing of"),
        (&[b'['; MAX_REQUEST_BYTES], "the request is not"),
    ];
    for (line, words) in cases {
        let sentence = Request::parse(line).unwrap_err().to_string();
        assert!(sentence.contains(words), "{sentence}");
        assert!(sentence.contains(bad_request::EXAMPLE) && !sentence.contains('\n'), "{sentence}");
        assert!(sentence.len() < 400, "{sentence}");
    }
    assert_eq!(Request::parse(&[b' '; MAX_REQUEST_BYTES + 1]), Err(BadRequest::TooLong));
    let long = format!("{{\"{}\":{{}}}}", "x\\n".repeat(20_000));
    let sentence = Request::parse(long.as_bytes()).unwrap_err().to_string();
    assert!(sentence.len() < 400 && !sentence.contains('\n'), "{sentence}");
}

/// A newer client may send fields that this version does not know.
#[test]
fn unknown_fields_are_ignored() {
    for (text, plain) in [
        ("{\"status\":{\"of\":1}}", "{\"status\":{}}"),
        ("{\"pause\":{\"for_s\":60}}", "{\"pause\":{}}"),
        (
            "{\"set\":{\"background\":\"blur\",\"mood\":\"good\"}}",
            "{\"set\":{\"background\":\"blur\"}}",
        ),
        ("{\"next\":{\"output\":null,\"by\":2}}", "{\"next\":{}}"),
    ] {
        let [request, plain] = [text, plain].map(|text| Request::parse(text.as_bytes()).unwrap());
        assert_eq!(request, plain);
    }
}
