//! Where alerts go: standard output, and what the file says.

use std::{
    fs,
    io::{self, Write},
    path::Path,
    time::SystemTime,
};

use watch::{Message, Settings, Sink, SinkError, SinkSettings, in_words};

use super::Session;
use crate::{
    args::{Format, TestArgs},
    failure::{Exit, Failure},
};

/// The name of standard output among the sinks.
pub(super) const STDOUT: &str = "stdout";

/// Alerts on standard output: JSON lines, or words.
pub(super) struct StdoutSink {
    format: Format,
}

impl StdoutSink {
    pub(super) const fn new(format: Format) -> Self {
        Self { format }
    }
}

impl Sink for StdoutSink {
    fn name(&self) -> &str {
        STDOUT
    }

    fn deliver(&mut self, message: &Message<'_>) -> Result<(), SinkError> {
        let mut line = match self.format {
            Format::Json => message.body.to_owned(),
            Format::Table => in_words(message.body),
        };
        line.push('\n');
        let mut out = io::stdout().lock();
        out.write_all(line.as_bytes()).and_then(|()| out.flush()).map_err(|error| SinkError {
            detail: error.to_string(),
            closed: error.kind() == io::ErrorKind::BrokenPipe,
        })
    }
}

/// The sinks of a file.
pub(super) fn read(path: &Path) -> Result<Vec<SinkSettings>, Failure> {
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::file(path, error)
            .hint("`chainhound watch run --help` shows what is in such a file")
    })?;
    let settings = Settings::parse(&text)
        .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
    let sinks = settings.sinks();
    if sinks.iter().any(|sink| sink.name() == STDOUT) {
        return Err(Failure::usage(format!("{}: '{STDOUT}' is taken", path.display())));
    }
    Ok(sinks)
}

/// Opens a sink: its secrets are read now.
pub(super) fn open(settings: &SinkSettings, path: &Path) -> Result<Box<dyn Sink>, Failure> {
    let dir = path.parent().unwrap_or(Path::new(""));
    let variable = |name: &str| std::env::var(name).ok();
    settings
        .open(dir, &variable)
        .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
}

/// `chainhound watch test`.
pub(super) fn test(args: &TestArgs, session: &mut Session<'_>) -> Result<Exit, Failure> {
    let place = session.place()?;
    let path = args.sinks.clone().or_else(|| session.common.settings.path("watch.sinks"));
    let Some(path) = path else {
        return Err(Failure::usage("no sinks are named: use --sinks FILE"));
    };
    let mut sinks = read(&path)?;
    if let Some(name) = &args.sink {
        sinks.retain(|sink| sink.name() == name);
        if sinks.is_empty() {
            return Err(Failure::usage(format!("{}: has no sink '{name}'", path.display())));
        }
    }
    if sinks.is_empty() {
        return Err(Failure::usage(format!("{}: names no sink", path.display())));
    }
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let time = since.map_or(0, |since| since.as_secs());
    let id = format!("test-{time}");
    let body = format!(
        "{{\"schema\":\"chainhound.alert.v1\",\"id\":\"{id}\",\"watch\":\"test\",\"sequence\":0,\
         \"kind\":\"test\",\"network\":\"{}\",\"advice\":[{{\"action\":\"look\",\"text\":\"this is a test of \
         the way that alerts take: nothing has moved\"}}]}}",
        place.network
    );
    let mut failed = 0;
    for settings in sinks {
        let name = settings.name();
        let mut sink = open(&settings, &path)?;
        let message = Message { id: &id, watch: "test", sequence: 0, body: &body, time };
        match sink.deliver(&message) {
            Ok(()) => {
                session.output.text(&format!("{name}: delivered ({})\n", settings.summary()))?;
            }
            Err(error) => {
                failed += 1;
                session.say.warning(format_args!("{name}: {error}"));
            }
        }
    }
    match failed {
        0 => Ok(Exit::Done),
        failed => {
            session.output.finish()?;
            Err(Failure::unavailable(format!("{failed} sinks did not take the alert")))
        }
    }
}
