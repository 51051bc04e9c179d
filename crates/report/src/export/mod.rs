//! One writer per format. All of them are functions of a [`TraceDocument`].

pub mod csv;
pub mod dot;
pub mod gexf;
mod graph;
pub mod graphml;
pub mod json;
pub mod markdown;
mod places;
pub mod svg;
pub mod table;

use std::{fmt, io::Write, str::FromStr};

use crate::{Result, model::TraceDocument};

/// A format of `--format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Text for people.
    Table,
    /// The document itself.
    Json,
    /// The flows, one a line. See [`csv`] for leaves and bookings.
    Csv,
    /// Graphviz.
    Dot,
    /// GraphML.
    Graphml,
    /// GEXF.
    Gexf,
    /// The picture.
    Svg,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Table, Self::Json, Self::Csv, Self::Dot, Self::Graphml, Self::Gexf, Self::Svg];

    /// The name in flags, and the usual ending of a file (`table`: `txt`).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Dot => "dot",
            Self::Graphml => "graphml",
            Self::Gexf => "gexf",
            Self::Svg => "svg",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The text is no format's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown format '{0}': use table, json, csv, dot, graphml, gexf or svg")]
pub struct UnknownFormat(pub String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        let named = |format: &Self| format.name() == text;
        Self::ALL.into_iter().find(named).ok_or_else(|| UnknownFormat(text.to_owned()))
    }
}

/// Writes a trace in a format, with the format's default options.
///
/// # Errors
/// [`crate::Error::Write`] where `out` fails.
pub fn write(document: &TraceDocument, format: Format, out: &mut dyn Write) -> Result<()> {
    match format {
        Format::Table => table::write(document, &table::Options::default(), out),
        Format::Json => json::write(document, out),
        Format::Csv => csv::write(document, csv::Part::Flows, out),
        Format::Dot => dot::write(document, out),
        Format::Graphml => graphml::write(document, out),
        Format::Gexf => gexf::write(document, out),
        Format::Svg => svg::write(document, &svg::Options::default(), out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        for format in Format::ALL {
            assert_eq!(format.name().parse(), Ok(format));
        }
        let error = "pdf".parse::<Format>().unwrap_err().to_string();
        for format in Format::ALL {
            assert!(error.contains(format.name()), "{format} is not in: {error}");
        }
    }
}
