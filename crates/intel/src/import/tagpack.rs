//! TagPacks: a header, and tags that inherit from it.
//!
//! Schema: `graphsense-lib`, `tagpack/conf/tagpack_schema.yaml`. Ours adds two optional fields:
//! `uri` in the header (where the pack can be had) and `coinbase_text` in a tag (what a miner
//! writes into its blocks, instead of an address).

use super::{
    Collector, Format, Import, NoteKind, Settings,
    fields::{Fields, Header},
};
use crate::{
    IntelError,
    yaml::{Node, Value},
};

pub(super) fn read(
    name: &str,
    root: Option<&Node<'_>>,
    settings: &Settings,
) -> Result<Import, IntelError> {
    let mut into = Collector::new(name, Format::TagPack, settings.network);
    let Some(root) = root else { return Ok(into.finish()) };
    let structure =
        |line, detail: String| IntelError::Structure { name: name.to_owned(), line, detail };
    let (fields, unknown) = Fields::of_map(root, "tags")
        .map_err(|(line, reason)| structure(line, format!("header: {reason}")))?;
    for field in unknown {
        into.note(NoteKind::UnknownField(field), root.line);
    }
    let mut header = Header::new(fields, Fields::of_defaults(&settings.defaults));
    let tags = match root.get("tags") {
        None => return Err(structure(root.line, "a TagPack has a list 'tags'".to_owned())),
        Some(tags) if tags.is_null() => &[],
        Some(Node { value: Value::List(tags), .. }) => &**tags,
        Some(other) => return Err(structure(other.line, "'tags' is not a list".to_owned())),
    };
    for tag in tags {
        match Fields::of_map(tag, "") {
            Ok((row, unknown)) => {
                header.take(&row, tag.line, &mut into);
                for field in unknown {
                    into.note(NoteKind::UnknownField(field), tag.line);
                }
            }
            Err((line, reason)) => {
                into.report.rows += 1;
                into.reject(line, reason);
            }
        }
    }
    Ok(into.finish())
}
