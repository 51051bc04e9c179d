//! What was done, step by step, each line with the digest of the one before it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, Result, digest::sha256_hex, evidence::LineFault};

/// What comes before the first line.
const START: &str = "0000000000000000000000000000000000000000000000000000000000000000";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    n: u64,
    action: String,
    detail: BTreeMap<String, Value>,
    /// SHA-256 of the line before, without its line break.
    before: String,
}

/// A log that is being written.
pub(super) struct Log {
    lines: Vec<String>,
}

impl Log {
    pub(super) fn new() -> Self {
        Self { lines: Vec::new() }
    }

    pub(super) fn add(&mut self, action: &str, detail: &[(&str, Value)]) -> Result<()> {
        let line = Line {
            n: self.lines.len() as u64,
            action: action.to_owned(),
            detail: detail.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect(),
            before: self.lines.last().map_or(START.to_owned(), |line| sha256_hex(line.as_bytes())),
        };
        self.lines.push(serde_json::to_string(&line).map_err(|e| Error::proof("log", e))?);
        Ok(())
    }

    /// A file of the bundle was written.
    pub(super) fn wrote(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let digest = sha256_hex(bytes);
        self.add("wrote", &[("file", name.into()), ("sha256", digest.into())])
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        let mut text = self.lines.join("\n");
        text.push('\n');
        text.into_bytes()
    }
}

/// Checks the chain of lines, and that the files which it says were written have those digests.
pub(super) fn check(
    text: &str,
    digest_of: impl Fn(&str) -> Option<String>,
) -> Result<u64, LineFault> {
    let mut before = START.to_owned();
    let mut count = 0;
    for (number, text) in (1..).zip(text.lines()) {
        let fault = |detail: String| LineFault { line: number, detail };
        let line: Line = serde_json::from_str(text).map_err(|error| fault(error.to_string()))?;
        if line.before != before {
            return Err(fault(format!(
                "follows a line with the digest {}, and the line before has {before}",
                line.before
            )));
        }
        if line.n != count {
            return Err(fault(format!("is number {} and should be {count}", line.n)));
        }
        let said = |key: &str| line.detail.get(key).and_then(Value::as_str);
        if let (Some(file), Some(sha256)) = (said("file"), said("sha256")) {
            let found = digest_of(file);
            if found.as_deref() != Some(sha256) {
                let found = found.unwrap_or_else(|| "nothing".to_owned());
                return Err(fault(format!(
                    "says that {file} has the digest {sha256}; it has {found}"
                )));
            }
        }
        before = sha256_hex(text.as_bytes());
        count += 1;
    }
    match count {
        0 => Err(LineFault { line: 1, detail: "there are no lines".to_owned() }),
        _ => Ok(count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_cannot_be_changed_left_out_or_moved() {
        let mut log = Log::new();
        for n in 0..4 {
            log.add("did", &[("what", n.into())]).unwrap();
        }
        log.wrote("a", b"x").unwrap();
        let text = String::from_utf8(log.into_bytes()).unwrap();
        let digest = |name: &str| (name == "a").then(|| sha256_hex(b"x"));
        assert_eq!(check(&text, digest), Ok(5));
        assert_eq!(check(&text, |_| None).unwrap_err().line, 5);
        let lines: Vec<&str> = text.lines().collect();
        let without = [&lines[..2], &lines[3..]].concat().join("\n");
        assert_eq!(check(&without, digest).unwrap_err().line, 3);
        let changed = text.replace("\"what\":1", "\"what\":9");
        assert_eq!(check(&changed, digest).unwrap_err().line, 3);
        let swapped = [lines[1], lines[0]].join("\n");
        assert_eq!(check(&swapped, digest).unwrap_err().line, 1);
        assert!(check("", digest).is_err());
    }
}
