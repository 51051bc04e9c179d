//! Text from outside (labels, memos, names) made harmless for each format.
//!
//! Whoever sends a label can put anything into it: markup, terminal commands, spreadsheet formulas,
//! letters that turn the direction of writing. None of it may change how a report reads.

/// Without characters that are commands: controls, line separators, invisible marks and those
/// that turn the direction of writing (Unicode TR 36). Each becomes U+FFFD.
pub(crate) fn plain(text: &str) -> String {
    let harmless = |c: char| match c {
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => false,
        '\u{61c}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' => false,
        _ => !c.is_control(),
    };
    text.chars().map(|c| if harmless(c) { c } else { '\u{fffd}' }).collect()
}

/// For text and attributes of XML.
pub(crate) fn xml(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

/// A quoted string of Graphviz. Backslashes are doubled, since labels know `\n`, `\N` and more.
pub(crate) fn dot(text: &str) -> String {
    dot_lines(&[text.to_owned()])
}

/// The same for a label of several lines.
pub(crate) fn dot_lines(lines: &[String]) -> String {
    let line = |line: &String| plain(line).replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", lines.iter().map(line).collect::<Vec<_>>().join("\\n"))
}

/// A field of CSV (RFC 4180). Where spreadsheets would take the text for a formula, a quotation
/// mark before it makes it text again (OWASP: CSV injection).
pub(crate) fn csv(text: &str) -> String {
    let mut safe = plain(text);
    if safe.starts_with(['=', '+', '-', '@']) {
        safe.insert(0, '\'');
    }
    if safe.contains([',', '"', ';', '\'']) || safe.starts_with(' ') || safe.ends_with(' ') {
        safe = format!("\"{}\"", safe.replace('"', "\"\""));
    }
    safe
}

/// Text within a paragraph or a table cell of Markdown.
pub(crate) fn markdown(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in plain(text).chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&' | '!')
        {
            safe.push('\\');
        }
        safe.push(c);
    }
    // A bare address of the web would become a link.
    safe.replace("://", ":\\//").replace('@', "\\@")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_become_marks() {
        assert_eq!(plain("a\x1b[31mb\u{202e}c\nd\0"), "a\u{fffd}[31mb\u{fffd}c\u{fffd}d\u{fffd}");
        assert_eq!(plain("取引所 Ω é"), "取引所 Ω é");
    }

    #[test]
    fn each_format_has_its_own_escapes() {
        let hostile = r#"</title><script>alert("1")</script> & \N | `x` [a](http://b)"#;
        assert!(!xml(hostile).contains(['<', '>', '"']));
        assert_eq!(dot(r#"a"b\N"#), r#""a\"b\\N""#);
        assert_eq!(csv("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\"");
        assert_eq!(csv("bc1qxyz"), "bc1qxyz");
        assert_eq!(csv("a,b"), "\"a,b\"");
        assert_eq!(markdown("a|b<i>`"), "a\\|b\\<i\\>\\`");
        assert_eq!(markdown("http://b"), "http:\\//b");
    }
}
