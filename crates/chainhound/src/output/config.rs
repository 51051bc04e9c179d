//! Documents of `chainhound config`.

use serde::Serialize;

use super::{Body, Rows};

/// `chainhound.config_show.v1`.
#[derive(Debug, Serialize)]
pub(crate) struct ConfigDocument {
    pub(crate) settings: Vec<SettingRow>,
    #[serde(skip)]
    pub(crate) with_origin: bool,
}

/// A setting.
#[derive(Debug, Serialize)]
pub(crate) struct SettingRow {
    pub(crate) key: &'static str,
    /// `null` where nobody sets it.
    pub(crate) value: Option<String>,
    /// A file, `environment NAME`, `flag --NAME` or `default`.
    pub(crate) origin: String,
    /// What holds where nobody sets it, in words.
    pub(crate) default: &'static str,
}

impl Body for ConfigDocument {
    const SCHEMA: &'static str = "chainhound.config_show.v1";

    fn to_table(&self, colour: bool) -> String {
        let header = ["setting", "value", "from"];
        let columns = if self.with_origin { 3 } else { 2 };
        let mut rows = Rows::new(&header[..columns], colour);
        for row in &self.settings {
            let value = row.value.clone().unwrap_or_else(|| format!("({})", row.default));
            let cells = [row.key.to_owned(), value, row.origin.clone()];
            rows.push(cells.into_iter().take(columns));
        }
        rows.to_text()
    }
}
