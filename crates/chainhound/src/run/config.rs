//! `chainhound config`: which settings hold, and why.

use super::Session;
use crate::{
    args::ConfigVerb,
    config::KEYS,
    failure::{Exit, Failure},
    output::{ConfigDocument, Provenance, SettingRow},
};

#[derive(serde::Serialize)]
struct NoParameters {}

/// Prints every setting.
pub(crate) fn run(verb: &ConfigVerb, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let ConfigVerb::Show(args) = verb;
    let place = session.place()?;
    let row =
        |(key, default): (&'static str, &'static str)| match session.common.settings.setting(key) {
            Some(setting) => SettingRow {
                key,
                value: Some(setting.value.clone()),
                origin: setting.origin.clone(),
                default,
            },
            None => SettingRow { key, value: None, origin: "default".to_owned(), default },
        };
    let body =
        ConfigDocument { settings: KEYS.into_iter().map(row).collect(), with_origin: args.origin };
    let provenance = Provenance::of("settings", place.network, None, NoParameters {});
    session.output.answer(args.format.format, provenance, body)?;
    Ok(Exit::Done)
}
