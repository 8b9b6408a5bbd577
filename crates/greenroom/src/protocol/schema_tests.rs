//! Compares `docs/control.md` and `docs/control.schema.json` with the types of the protocol.
//!
//! `GREENROOM_WRITE_DOCS=1 cargo test -p greenroom --lib protocol::` writes the schema again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::*;

/// The fields of a type by their paths (`outputs[].name`), and whether each field is a leaf without fields of its own.
type Fields = BTreeMap<String, bool>;

#[test]
fn the_schema_in_the_documentation_is_that_of_the_types() {
    let (schema, path) = (schema(), docs("control.schema.json"));
    if std::env::var_os("GREENROOM_WRITE_DOCS").is_some() {
        let text = serde_json::to_string_pretty(&schema).unwrap();
        return fs::write(path, text + "\n").unwrap();
    }
    let text = fs::read_to_string(path).unwrap_or_else(|_| "null".to_owned());
    let mut found = Vec::new();
    differences(&serde_json::from_str(&text).unwrap(), &schema, "", &mut found);
    assert!(
        found.is_empty(),
        "docs/control.schema.json differs from the types; write it anew as CONTRIBUTING.md says:\n{}",
        found.join("\n")
    );
}

#[test]
fn the_names_are_those_of_the_variants() {
    let schema = schema();
    for (kind, names) in [("Request", Request::NAMES), ("SentEvent", Event::NAMES)] {
        let variants: Vec<&str> =
            variants(&schema, kind).into_iter().map(|(name, _)| name).collect();
        assert_eq!(variants, names, "NAMES of {kind}, and its variants in their order");
    }
}

/// Each request has a section whose table lists exactly the fields of the request and of its answer.
#[test]
fn the_document_describes_every_request() {
    let (schema, text) = (schema(), document());
    let sections = subsections(&text, "Requests");
    assert_same("sections of requests", Request::NAMES, sections.keys());
    let answers: BTreeMap<&str, &Value> = variants(&schema, "Answer").into_iter().collect();
    let mut described = BTreeSet::new();
    for (name, request) in variants(&schema, "Request") {
        let section = &sections[name];
        let answer = section.split_once("Answer: `").and_then(|(_, rest)| rest.split_once('`'));
        let answer =
            answer.map_or_else(|| panic!("no \"Answer: `…`\" in {name}"), |(word, _)| word);
        assert!(answers.contains_key(answer), "{name}: no answer is called {answer}");
        described.insert(answer);
        let mut fields = fields_of(&schema, request);
        fields.extend(fields_of(&schema, answers[answer]));
        check_table(&format!("request {name}"), section, &fields);
        assert!(section.contains(&format!("> {{\"{name}\":")), "no example of request {name}");
    }
    assert_same("answers", answers.keys(), described);
}

#[test]
fn the_document_describes_every_event() {
    let (schema, text) = (schema(), document());
    let sections = subsections(&text, "Events");
    assert_same("sections of events", Event::NAMES, sections.keys());
    for (name, event) in variants(&schema, "SentEvent") {
        check_table(&format!("event {name}"), &sections[name], &fields_of(&schema, event));
        assert!(sections[name].contains("< {\"event\":"), "no example of event {name}");
    }
}

#[test]
fn the_document_describes_the_status() {
    let (schema, text) = (schema(), document());
    let fields = fields_of(&schema, &schema["$defs"]["Status"]);
    check_table("the status", &section(&text, "## Status"), &fields);
}

/// The document mentions every value of every enum, and the limits of the protocol.
#[test]
fn the_document_names_every_word() {
    let (schema, text) = (schema(), document());
    for (kind, definition) in schema["$defs"].as_object().unwrap() {
        let choices = definition["oneOf"].as_array().into_iter().flatten();
        for word in choices.filter_map(|choice| choice["const"].as_str()) {
            assert!(text.contains(&format!("`{word}`")), "{kind}: the document lacks {word}");
        }
    }
    for limit in [PROTOCOL.to_string(), "64 KiB".to_owned(), "3,600,000".to_owned()] {
        assert!(text.contains(&limit), "the document lacks {limit}");
    }
}

/// The JSON Schema of the protocol. Requests are described as greenroom deserializes them, replies and events as it
/// serializes them.
fn schema() -> Value {
    let mut sent = SchemaSettings::draft2020_12().into_generator();
    let mut received = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let properties = json!({
        "request": sent.subschema_for::<Request>(),
        "reply": received.subschema_for::<Reply>(),
        "event": received.subschema_for::<EventLine>(),
    });
    let mut definitions = sent.take_definitions(true);
    for (name, definition) in received.take_definitions(true) {
        let other = definitions.insert(name.clone(), definition.clone());
        assert!(other.is_none_or(|other| other == definition), "{name} has two meanings");
    }
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "greenroom's control protocol",
        "description": "A line that a client sends is a Request; a line that it receives is a Reply or an EventLine. See \
                        control.md.",
        "type": "object",
        "properties": properties,
        "$defs": definitions,
    });
    tidy_descriptions(&mut schema);
    schema
}

/// Removes line feeds and links into the code from all descriptions: ``[`Answer::Hello`]`` becomes `` `hello` ``.
fn tidy_descriptions(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(tidy_descriptions),
        Value::Object(object) => {
            for (key, value) in object {
                match value {
                    Value::String(text) if key == "description" => *text = without_links(text),
                    other => tidy_descriptions(other),
                }
            }
        }
        _ => {}
    }
}

fn without_links(text: &str) -> String {
    let text = text.replace('\n', " ");
    let mut pieces = text.split("[`");
    let mut tidy = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (link, rest) = piece.split_once("`]").unwrap_or((piece, ""));
        let name = link.rsplit("::").next().unwrap_or(link).to_lowercase();
        tidy += &format!("`{name}`{rest}");
    }
    tidy
}

/// The variants of an enum: their names and the schemas of their content.
fn variants<'a>(schema: &'a Value, kind: &str) -> Vec<(&'a str, &'a Value)> {
    let variants = schema["$defs"][kind]["oneOf"].as_array().unwrap_or_else(|| panic!("no {kind}"));
    let only =
        |variant: &'a Value| variant["properties"].as_object().unwrap().iter().next().unwrap();
    variants.iter().map(only).map(|(name, inner)| (name.as_str(), inner)).collect()
}

fn fields_of(schema: &Value, of: &Value) -> Fields {
    let mut fields = Fields::new();
    collect_fields(schema, of, "", &mut fields);
    fields
}

/// Collects the fields below `path`. The fields of `Status` inside another type are left out, because the status has a
/// section of its own.
fn collect_fields(schema: &Value, of: &Value, path: &str, fields: &mut Fields) {
    let name = of["$ref"].as_str().and_then(|link| link.strip_prefix("#/$defs/"));
    if let Some(name) = name.filter(|name| *name != "Status") {
        collect_fields(schema, &schema["$defs"][name], path, fields);
    }
    for (key, property) in of["properties"].as_object().into_iter().flatten() {
        let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let before = fields.len();
        collect_fields(schema, property, &below, fields);
        let has_none = fields.len() == before;
        fields.insert(below, has_none);
    }
    if of["items"].is_object() {
        collect_fields(schema, &of["items"], &format!("{path}[]"), fields);
    }
    for key in ["anyOf", "allOf", "oneOf"] {
        let parts = of[key].as_array().into_iter().flatten();
        parts.for_each(|part| collect_fields(schema, part, path, fields));
    }
}

/// Checks that the first column of the section's tables lists exactly `fields`.
fn check_table(of: &str, section: &str, fields: &Fields) {
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let named: BTreeSet<&str> = rows.map(|(name, _)| name).collect();
    let all: BTreeSet<&str> = fields.keys().map(String::as_str).collect();
    let missing =
        fields.iter().filter(|(field, is_leaf)| **is_leaf && !named.contains(field.as_str()));
    let missing: Vec<&String> = missing.map(|(field, _)| field).collect();
    assert!(missing.is_empty(), "{of}: the tables of docs/control.md lack {missing:?}");
    let gone: Vec<&&str> = named.difference(&all).collect();
    assert!(
        gone.is_empty(),
        "{of}: the tables of docs/control.md have {gone:?}, which is no field"
    );
}

fn docs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)
}

/// The text of `docs/control.md`, without the leading `#` of lines in code blocks, which would look like headings.
fn document() -> String {
    let text = fs::read_to_string(docs("control.md")).unwrap();
    let mut is_code = false;
    let lines = text.lines().map(|line| {
        is_code ^= line.starts_with("```");
        if is_code { line.trim_start_matches('#') } else { line }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The section from `heading` to the next heading of the same level.
fn section(text: &str, heading: &str) -> String {
    let rest = format!("\n{text}");
    let begin = rest.find(&format!("\n{heading}\n"));
    let rest = &rest[begin.unwrap_or_else(|| panic!("docs/control.md has no {heading}")) + 1..];
    let level = heading.split(' ').next().unwrap();
    let end = rest.find(&format!("\n{level} ")).unwrap_or(rest.len());
    rest[..end].to_owned()
}

/// The subsections of a section whose headings are names in backticks, by these names.
fn subsections(text: &str, of: &str) -> BTreeMap<String, String> {
    let whole = section(text, &format!("## {of}"));
    let parts = whole.split("\n### `").skip(1).map(|part| part.split_once("`\n"));
    parts.flatten().map(|(name, part)| (name.to_owned(), part.to_owned())).collect()
}

fn assert_same<A: AsRef<str> + Ord, B: AsRef<str> + Ord>(
    what: &str,
    code: impl IntoIterator<Item = A>,
    document: impl IntoIterator<Item = B>,
) {
    let code: BTreeSet<String> = code.into_iter().map(|name| name.as_ref().to_owned()).collect();
    let document: BTreeSet<String> =
        document.into_iter().map(|name| name.as_ref().to_owned()).collect();
    let missing: Vec<_> = code.difference(&document).collect();
    let gone: Vec<_> = document.difference(&code).collect();
    assert!(missing.is_empty(), "docs/control.md, {what}: {missing:?} are missing");
    assert!(gone.is_empty(), "docs/control.md, {what}: there are no {gone:?} (any more)");
}

fn differences(file: &Value, types: &Value, path: &str, found: &mut Vec<String>) {
    match (file, types) {
        (Value::Object(old), Value::Object(new)) => {
            for key in old.keys().chain(new.keys().filter(|key| !old.contains_key(*key))) {
                differences(&file[key], &types[key], &format!("{path}/{key}"), found);
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (number, (old, new)) in old.iter().zip(new).enumerate() {
                differences(old, new, &format!("{path}/{number}"), found);
            }
        }
        _ if file != types => found.push(format!("{path}: {file:.80} is now {types:.80}")),
        _ => {}
    }
}
