//! Bare lists of addresses, as text or JSON: sanctions lists above all.
//!
//! Such a list says nothing but addresses, so its name or the import's defaults say the rest.
//! Files called `sanctioned_addresses_XBT.txt` are those that 0xB10C extracts from the list of
//! the U.S. Treasury's Office of Foreign Assets Control.

use std::borrow::Cow;

use super::{
    Collector, Defaults, Format, Import, Reason, Settings,
    fields::{Field, Fields, Header},
};
use crate::{
    IntelError,
    yaml::{Node, Value},
};

/// How the names of 0xB10C's files begin.
pub(super) const OFAC_PREFIX: &str = "sanctioned_addresses_";

/// One address a line.
pub(super) fn lines(name: &str, text: &str, settings: &Settings) -> Result<Import, IntelError> {
    let defaults = completed(name, &settings.defaults)?;
    let mut header = Header::new(Fields::default(), Fields::of_defaults(&defaults));
    let mut into = Collector::new(name, Format::Lines, settings.network);
    for (line, text) in (1..).zip(text.lines()) {
        let text = text.split('#').next().unwrap_or("").trim();
        if !text.is_empty() {
            take(text, line, &mut header, &mut into);
        }
    }
    Ok(into.finish())
}

/// A JSON array of addresses.
pub(super) fn array(
    name: &str,
    root: Option<&Node<'_>>,
    settings: &Settings,
) -> Result<Import, IntelError> {
    let defaults = completed(name, &settings.defaults)?;
    let mut header = Header::new(Fields::default(), Fields::of_defaults(&defaults));
    let mut into = Collector::new(name, Format::Array, settings.network);
    let items = match root.map(|root| (&root.value, root.line)) {
        None => &[],
        Some((Value::List(items), _)) => &**items,
        Some((_, line)) => {
            let detail = "a list of addresses is a JSON array".to_owned();
            return Err(IntelError::Structure { name: name.to_owned(), line, detail });
        }
    };
    for item in items {
        match item.text() {
            Some(text) => take(text, item.line, &mut header, &mut into),
            None => {
                into.report.rows += 1;
                let reason = Reason::Shape { field: "address".to_owned(), expected: "text" };
                into.reject(item.line, reason);
            }
        }
    }
    Ok(into.finish())
}

fn take(text: &str, line: u64, header: &mut Header<'_>, into: &mut Collector) {
    let mut row = Fields::default();
    // An empty field is the only one that can be set.
    let _ = row.set(Field::Address, Cow::Borrowed(text));
    header.take(&row, line, into);
}

/// The defaults, with what a file's name adds; an error where label or source are still missing.
fn completed(name: &str, given: &Defaults) -> Result<Defaults, IntelError> {
    let mut defaults = given.clone();
    let set = |place: &mut Option<String>, text: &str| {
        place.get_or_insert_with(|| text.to_owned());
    };
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    if let Some(rest) = file.strip_prefix(OFAC_PREFIX) {
        set(&mut defaults.title, "OFAC sanctioned digital currency addresses");
        set(&mut defaults.creator, "0xB10C");
        set(
            &mut defaults.uri,
            "https://github.com/0xB10C/ofac-sanctioned-digital-currency-addresses",
        );
        set(&mut defaults.label, "OFAC SDN list");
        set(&mut defaults.source, "https://sanctionslist.ofac.treas.gov/Home/SdnList");
        set(&mut defaults.confidence, "authority_data");
        set(&mut defaults.abuse, "sanction");
        if defaults.concepts.is_empty() {
            defaults.concepts.push("gov_black_list".to_owned());
        }
        set(&mut defaults.currency, rest.split('.').next().unwrap_or(rest));
    }
    set(&mut defaults.title, file);
    for (field, value) in [("label", &defaults.label), ("source", &defaults.source)] {
        if value.is_none() {
            return Err(IntelError::MissingDefault { name: name.to_owned(), field });
        }
    }
    Ok(defaults)
}
