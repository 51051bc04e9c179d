//! Mining pools: what they write into their blocks, and where they are paid.
//!
//! `pools-v2.json` is a list of pools with addresses and tags; the older `pools.json` has two maps,
//! `coinbase_tags` and `payout_addresses`. Both are of the collection `mempool/mining-pools`.

use std::borrow::Cow;

use super::{
    Collector, Format, Import, Reason, Settings,
    fields::{Field, Fields, Header},
};
use crate::{
    IntelError,
    yaml::{Node, Value, quoted},
};

pub(super) fn read(
    name: &str,
    root: Option<&Node<'_>>,
    settings: &Settings,
) -> Result<Import, IntelError> {
    let mut defaults = settings.defaults.clone();
    let home = "https://github.com/mempool/mining-pools";
    for (place, text) in [
        (&mut defaults.title, "Mining pools"),
        (&mut defaults.creator, "mempool/mining-pools"),
        (&mut defaults.uri, home),
        (&mut defaults.source, home),
        (&mut defaults.category, "mining_service"),
        (&mut defaults.confidence, "trusted_provider"),
        (&mut defaults.currency, "BTC"),
    ] {
        place.get_or_insert_with(|| text.to_owned());
    }
    let mut header = Header::new(Fields::default(), Fields::of_defaults(&defaults));
    let mut into = Collector::new(name, Format::Pools, settings.network);
    let Some(root) = root else { return Ok(into.finish()) };
    match &root.value {
        Value::List(pools) => {
            for pool in pools {
                let (label, link) = (pool.get("name"), pool.get("link"));
                for (key, field) in [("addresses", Field::Address), ("tags", Field::CoinbaseText)] {
                    for subject in pool.get(key).map(Node::items).unwrap_or_default() {
                        take(field, subject, label, link, &mut header, &mut into);
                    }
                }
            }
        }
        Value::Map(_) => {
            for (key, field) in
                [("payout_addresses", Field::Address), ("coinbase_tags", Field::CoinbaseText)]
            {
                for (subject, pool) in root.get(key).map(Node::entries).unwrap_or_default() {
                    take(
                        field,
                        subject,
                        pool.get("name"),
                        pool.get("link"),
                        &mut header,
                        &mut into,
                    );
                }
            }
        }
        Value::Scalar(..) => {
            let detail = "mining pools are a list or a map".to_owned();
            return Err(IntelError::Structure { name: name.to_owned(), line: root.line, detail });
        }
    }
    Ok(into.finish())
}

fn take(
    field: Field,
    subject: &Node<'_>,
    label: Option<&Node<'_>>,
    link: Option<&Node<'_>>,
    header: &mut Header<'_>,
    into: &mut Collector,
) {
    let fields = || -> Result<Fields<'_>, Reason> {
        let shape = |field: &str| Reason::Shape { field: field.to_owned(), expected: "text" };
        let mut row = Fields::default();
        row.set(field, Cow::Borrowed(subject.text().ok_or_else(|| shape("address"))?))?;
        if let Some(label) = label.and_then(Node::text) {
            row.set(Field::Label, Cow::Borrowed(label))?;
        }
        if let Some(link) = link.and_then(Node::text).filter(|link| !link.is_empty()) {
            row.set(Field::Context, Cow::Owned(format!("{{\"link\":{}}}", quoted(link))))?;
        }
        Ok(row)
    };
    match fields() {
        Ok(row) => header.take(&row, subject.line, into),
        Err(reason) => {
            into.report.rows += 1;
            into.reject(subject.line, reason);
        }
    }
}
