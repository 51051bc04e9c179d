//! Whether a text is well-formed XML, as far as we write it: no declarations but the first line, no
//! CDATA, no comments.

use std::collections::HashSet;

#[track_caller]
pub(crate) fn check(text: &str) {
    let mut rest =
        text.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").unwrap_or(text);
    let mut open: Vec<&str> = Vec::new();
    let mut ids = HashSet::new();
    while let Some(start) = rest.find('<') {
        content(&rest[..start]);
        let end = start + rest[start..].find('>').expect("a tag that does not end");
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
            continue;
        }
        let (tag, empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "<{name}>");
        attribute_names(attributes, &mut ids);
        if !empty {
            open.push(name);
        }
        assert!(!open.is_empty() || empty || rest.trim().is_empty());
    }
    assert!(open.is_empty(), "not closed: {open:?}");
    assert!(rest.trim().is_empty());
}

fn attribute_names<'a>(mut attributes: &'a str, ids: &mut HashSet<&'a str>) {
    let mut names = HashSet::new();
    while !attributes.trim().is_empty() {
        let (name, rest) = attributes.split_once("=\"").expect("an attribute without a value");
        let (value, rest) = rest.split_once('"').expect("a value that does not end");
        assert!(names.insert(name.trim()), "{name} twice");
        content(value);
        if name.trim() == "id" {
            assert!(ids.insert(value), "id {value} twice");
        }
        attributes = rest;
    }
}

#[track_caller]
fn content(text: &str) {
    assert!(!text.contains(['<', '>']), "{text}");
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    for entity in text.split('&').skip(1) {
        let (name, _) = entity.split_once(';').expect("an & alone");
        assert!(["amp", "lt", "gt", "quot", "#39", "#10"].contains(&name), "&{name};");
    }
}
