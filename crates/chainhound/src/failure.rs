//! Exit codes, and errors that know theirs.

use std::{fmt, io, process::ExitCode};

use analyze::Error as AnalyzeError;
use chain::{LedgerError, MemoryLedgerError, script::AddressError};
use ingest::IngestError;
use intel::IntelError;
use source::{NodeError, SourceError};
use store::StoreError;
use watch::WatchError;

/// How a command ends. The numbers are a promise to scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, or clean.
    Done,
    /// A negative verdict: a check found damage.
    Negative,
    /// The command line or the configuration makes no sense.
    Usage,
    /// The data (or the node with it) is not there or cannot be read.
    Unavailable,
    /// No verdict either way: a person has to look.
    Inconclusive,
    /// Stopped by a signal before the end; what was done is kept. 128 and the signal's number, as
    /// shells count.
    Interrupted(u8),
}

impl Exit {
    /// For the operating system.
    pub(crate) fn code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Done => 0,
            Self::Negative => 1,
            Self::Usage => 2,
            Self::Unavailable => 3,
            Self::Inconclusive => 4,
            Self::Interrupted(signal) => 128_u8.saturating_add(signal),
        })
    }
}

/// Why a command has no answer, in words for the person who gave it.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    error: anyhow::Error,
    hint: Option<String>,
}

impl Failure {
    /// The command cannot be meant like this.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, anyhow::Error::msg(message.into()))
    }

    /// What was asked for is not there.
    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(Exit::Unavailable, anyhow::Error::msg(message.into()))
    }

    /// A file that could not be read or written.
    pub(crate) fn file(path: &std::path::Path, error: io::Error) -> Self {
        let context = path.display().to_string();
        Self::new(Exit::Unavailable, anyhow::Error::new(error).context(context))
    }

    /// Adds what to do about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says in what it went wrong: a file, for errors that name a line of it.
    #[must_use]
    pub(crate) fn within(mut self, what: &str) -> Self {
        self.error = self.error.context(what.to_owned());
        self
    }

    /// How the command ends.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// Whether the reader of stdout has gone, which is nobody's fault.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        self.error
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    }

    fn new(exit: Exit, error: anyhow::Error) -> Self {
        Self { exit, error, hint: None }
    }
}

/// The causes in one line, outermost first. Many of our errors repeat their cause in their own
/// message; what was said already is not said again.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = String::new();
        for cause in self.error.chain() {
            let text = cause.to_string();
            if said.contains(&text) {
                continue;
            }
            write!(f, "{}{text}", if said.is_empty() { "" } else { ": " })?;
            said.push_str(&text);
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  {hint}")?;
        }
        Ok(())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::new(Exit::Unavailable, error.into())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = match error {
            StoreError::OtherNetwork { .. } => Exit::Usage,
            _ => Exit::Unavailable,
        };
        let hint = match &error {
            StoreError::Damaged { .. } => Some("see all of it with `chainhound store check`"),
            StoreError::Locked { .. } => Some("is another `chainhound index` at work?"),
            StoreError::Io { error, .. } => io_hint(error.kind()),
            _ => None,
        };
        let failure = Self::new(exit, error.into());
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

/// What to do when the operating system refuses a file of the store.
fn io_hint(kind: io::ErrorKind) -> Option<&'static str> {
    match kind {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Some("make room and give the same command again: it goes on after the last commit")
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            Some("name a directory of your own with --datadir")
        }
        _ => None,
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        Self::new(Exit::Unavailable, error.into())
    }
}

impl From<MemoryLedgerError> for Failure {
    fn from(error: MemoryLedgerError) -> Self {
        Self::new(Exit::Unavailable, error.into())
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        let exit = match error {
            SourceError::OtherNetwork { .. } => Exit::Usage,
            SourceError::Node(error) => return (*error).into(),
            _ => Exit::Unavailable,
        };
        Self::new(exit, error.into())
    }
}

impl From<NodeError> for Failure {
    fn from(error: NodeError) -> Self {
        let exit = match error {
            NodeError::Url(_) | NodeError::WrongNetwork { .. } => Exit::Usage,
            _ => Exit::Unavailable,
        };
        Self::new(exit, error.into())
    }
}

impl From<IngestError> for Failure {
    fn from(error: IngestError) -> Self {
        match error {
            IngestError::Source(error) => error.into(),
            IngestError::Store(error) => error.into(),
            error => Self::new(Exit::Unavailable, error.into()),
        }
    }
}

impl From<server::Error> for Failure {
    fn from(error: server::Error) -> Self {
        match error {
            server::Error::Store(error) => error.into(),
            error @ server::Error::NotLoopback(_) => Self::new(Exit::Usage, error.into()),
            error => Self::new(Exit::Unavailable, error.into()),
        }
    }
}

impl From<IntelError> for Failure {
    fn from(error: IntelError) -> Self {
        Self::new(Exit::Unavailable, error.into())
    }
}

impl From<AddressError> for Failure {
    fn from(error: AddressError) -> Self {
        Self::new(Exit::Usage, error.into())
    }
}

impl From<AnalyzeError> for Failure {
    fn from(error: AnalyzeError) -> Self {
        let exit = match error {
            AnalyzeError::NoRoots
            | AnalyzeError::NotConserving(_)
            | AnalyzeError::RootAboveHeight { .. }
            | AnalyzeError::Unspendable(..) => Exit::Usage,
            _ => Exit::Unavailable,
        };
        Self::new(exit, error.into())
    }
}

impl From<WatchError> for Failure {
    fn from(error: WatchError) -> Self {
        match error {
            WatchError::Ledger(error) => error.into(),
            WatchError::Analyze(error) => error.into(),
            WatchError::NameTaken(_) | WatchError::NoWatch(..) | WatchError::NoAlert(_) => {
                Self::new(Exit::Usage, error.into())
            }
            error => Self::new(Exit::Unavailable, error.into()),
        }
    }
}

impl From<cases::Error> for Failure {
    fn from(error: cases::Error) -> Self {
        match error {
            cases::Error::Analyze(error) => error.into(),
            cases::Error::Ledger(error) => error.into(),
            cases::Error::Source(error) => error.into(),
            cases::Error::CaseFile { .. }
            | cases::Error::Question(_)
            | cases::Error::Key(_)
            | cases::Error::TooMuch { .. } => Self::new(Exit::Usage, error.into()),
            error => Self::new(Exit::Unavailable, error.into()),
        }
    }
}

impl From<report::Error> for Failure {
    fn from(error: report::Error) -> Self {
        match error {
            report::Error::Ledger(error) => error.into(),
            report::Error::Write(error) => error.into(),
            error => Self::new(Exit::Unavailable, error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_said_once() {
        let inner = io::Error::new(io::ErrorKind::PermissionDenied, "no entry");
        let failure = Failure::file(std::path::Path::new("/x"), inner);
        assert_eq!(failure.to_string(), "/x: no entry");
        let failure = Failure::usage("a").hint("b");
        assert_eq!((failure.to_string().as_str(), failure.exit()), ("a\n  b", Exit::Usage));
    }

    #[test]
    fn a_closed_pipe_is_recognised() {
        let pipe = io::Error::from(io::ErrorKind::BrokenPipe);
        assert!(Failure::from(pipe).is_broken_pipe());
        assert!(!Failure::usage("a").is_broken_pipe());
    }
}
