//! Words beside the answer: notes, warnings, errors. All of them go to stderr.

use std::{
    fmt::Display,
    io::{IsTerminal, Write, stderr},
};

use crate::{
    args::{Colour, Common},
    failure::Failure,
};

/// Speaks on stderr, as much as was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Say {
    level: Level,
    colour: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Quiet,
    Normal,
    Verbose,
}

impl Say {
    /// As `-q`, `-v` and `--color` say.
    pub(crate) fn new(common: &Common) -> Self {
        let level = match (common.quiet, common.verbose) {
            (true, _) => Level::Quiet,
            (false, 0) => Level::Normal,
            (false, _) => Level::Verbose,
        };
        Self { level, colour: coloured(common.color, stderr().is_terminal()) }
    }

    /// Something that people want to know. Not with `-q`.
    pub(crate) fn note(&self, text: impl Display) {
        if self.level >= Level::Normal {
            self.line(&text);
        }
    }

    /// Something that explains an answer. Only with `-v`.
    pub(crate) fn detail(&self, text: impl Display) {
        if self.level >= Level::Verbose {
            self.line(&text);
        }
    }

    /// Something that may be wrong. Even with `-q`.
    pub(crate) fn warning(&self, text: impl Display) {
        self.line(&format_args!("{} {text}", self.paint("33", "warning:")));
    }

    /// Why there is no answer.
    pub(crate) fn failure(&self, failure: &Failure) {
        self.line(&format_args!("{} {failure}", self.paint("31;1", "error:")));
    }

    /// Whether notes are wanted.
    pub(crate) fn is_quiet(&self) -> bool {
        self.level == Level::Quiet
    }

    /// Whether details are wanted.
    pub(crate) fn is_verbose(&self) -> bool {
        self.level == Level::Verbose
    }

    fn paint(&self, code: &str, word: &str) -> String {
        if self.colour { format!("\x1b[{code}m{word}\x1b[0m") } else { word.to_owned() }
    }

    /// Where nobody reads stderr, nothing is lost.
    fn line(&self, text: &impl Display) {
        let _ = writeln!(stderr().lock(), "{text}");
    }
}

/// Whether to colour a stream. The flag beats the environment (<https://no-color.org>,
/// <https://bixense.com/clicolors>), and that beats what the stream is.
pub(crate) fn coloured(choice: Colour, terminal: bool) -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    match choice {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto if set("NO_COLOR") => false,
        Colour::Auto if std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| value != "0") => {
            true
        }
        Colour::Auto => terminal,
    }
}
