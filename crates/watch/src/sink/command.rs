//! A program that gets each alert on its standard input.

use std::{
    io::Write,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{
    Message, Sink, SinkError,
    settings::{CommandSettings, duration},
};

const PAUSE: Duration = Duration::from_millis(10);

/// Starts the program for each alert: no shell, the JSON as one line on standard input, and what it prints is
/// not read. Exit code 0 says that the alert has arrived.
pub(super) struct CommandSink {
    name: String,
    settings: CommandSettings,
}

impl CommandSink {
    pub(super) fn open(name: &str, settings: &CommandSettings) -> Self {
        Self { name: name.to_owned(), settings: settings.clone() }
    }
}

impl Sink for CommandSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn deliver(&mut self, message: &Message<'_>) -> Result<(), SinkError> {
        let Some((program, arguments)) = self.settings.argv.split_first() else {
            return Err(SinkError::new("no program is named"));
        };
        let fail = |what: String| SinkError::new(format!("{program}: {what}"));
        let mut child = Command::new(program)
            .args(arguments)
            .env("CHAINHOUND_ALERT_ID", message.id)
            .env("CHAINHOUND_ALERT_WATCH", message.watch)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| fail(error.to_string()))?;
        if let Some(mut input) = child.stdin.take() {
            let line = format!("{}\n", message.body);
            // A program that does not read must not keep us; one that has enough may close it.
            thread::spawn(move || input.write_all(line.as_bytes()));
        }
        let (start, limit) = (Instant::now(), duration(self.settings.timeout_seconds));
        loop {
            match child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => return Err(fail(status.to_string())),
                Ok(None) if start.elapsed() < limit => thread::sleep(PAUSE),
                Ok(None) => {
                    // Our own child, and nobody waits for it.
                    let _ = child.kill();
                    let _ = child.wait();
                    return Err(fail(format!("not done after {} seconds", limit.as_secs())));
                }
                Err(error) => return Err(fail(error.to_string())),
            }
        }
    }
}
