//! From the outbox to the sinks: at least once, in order for each watch, each sink on its own.

use std::{
    collections::HashMap,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime},
};

use crate::{Message, Result, Sink, SinkError, State};

/// A longer pause than this is not made between two attempts.
const LONGEST: Duration = Duration::from_secs(300);
/// How often the outbox is looked at where nobody says that there is something.
const IDLE: Duration = Duration::from_secs(5);
/// Attempts that are made for an alert where the process is to end when all is done.
const LAST_ATTEMPTS: u32 = 3;

/// The pause after so many failed attempts in a row, from 1: doubled each time from `unit`, at most five
/// minutes. No chance is in it.
pub fn backoff(failed: u32, unit: Duration) -> Duration {
    let factor = 1u32.checked_shl(failed.saturating_sub(1)).unwrap_or(u32::MAX);
    unit.saturating_mul(factor).min(LONGEST)
}

/// What is told of a sink: its name and the error. Called from the sinks' threads.
pub type Tell = dyn Fn(&str, &SinkError) + Send + Sync;

/// A thread for each sink.
pub struct Delivery {
    signal: Arc<Signal>,
    threads: Vec<JoinHandle<Result<()>>>,
}

struct Signal {
    flags: Mutex<Flags>,
    changed: Condvar,
}

#[derive(Clone, Copy, Debug, Default)]
struct Flags {
    /// Counts calls of [`Delivery::wake`].
    wakes: u64,
    /// End when there is nothing left that can be delivered.
    finish: bool,
    /// End at once.
    stop: bool,
    /// A sink's reader has gone.
    closed: bool,
}

impl Delivery {
    /// Starts delivering. The sinks must be known to the state ([`State::register_sinks`]); the pause after
    /// a first failure is `unit`.
    pub fn start(
        state: &Arc<State>,
        sinks: Vec<Box<dyn Sink>>,
        unit: Duration,
        tell: Arc<Tell>,
    ) -> Self {
        let signal =
            Arc::new(Signal { flags: Mutex::new(Flags::default()), changed: Condvar::new() });
        let threads = sinks
            .into_iter()
            .map(|sink| {
                let (state, signal) = (Arc::clone(state), Arc::clone(&signal));
                let tell = Arc::clone(&tell);
                let pauses = HashMap::new();
                let mut worker = Worker { state, sink, signal, tell, unit, pauses };
                thread::spawn(move || worker.run())
            })
            .collect();
        Self { signal, threads }
    }

    /// Says that there are new alerts.
    pub fn wake(&self) {
        self.signal.change(|flags| flags.wakes += 1);
    }

    /// Whether the reader of a sink has gone, as that of standard output can.
    pub fn is_closed(&self) -> bool {
        self.signal.get().closed
    }

    /// Delivers what there is, with three attempts each, and ends.
    ///
    /// # Errors
    /// Those of the state file.
    pub fn finish(self) -> Result<()> {
        self.signal.change(|flags| flags.finish = true);
        self.join()
    }

    /// Ends after the attempts that are under way. What did not arrive stays in the outbox.
    ///
    /// # Errors
    /// Those of the state file.
    pub fn stop(self) -> Result<()> {
        self.signal.change(|flags| flags.stop = true);
        self.join()
    }

    fn join(self) -> Result<()> {
        let mut result = Ok(());
        for thread in self.threads {
            // A panic is a bug of a sink's; the alert stays in the outbox.
            if let Ok(Err(error)) = thread.join() {
                result = Err(error);
            }
        }
        result
    }
}

impl Signal {
    fn get(&self) -> Flags {
        *self.flags.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Flags)) {
        change(&mut self.flags.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }

    /// Waits until something is different from `known`, or so long.
    fn wait(&self, known: Flags, limit: Duration) {
        let flags = self.flags.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |flags: &mut Flags| {
            (flags.wakes, flags.finish, flags.stop) == (known.wakes, known.finish, known.stop)
        };
        drop(self.changed.wait_timeout_while(flags, limit, same));
    }
}

/// One sink's thread.
struct Worker {
    state: Arc<State>,
    sink: Box<dyn Sink>,
    signal: Arc<Signal>,
    tell: Arc<Tell>,
    unit: Duration,
    /// By watch: failed attempts at its next alert, and when the next one is due.
    pauses: HashMap<i64, (u32, Instant)>,
}

impl Worker {
    fn run(&mut self) -> Result<()> {
        loop {
            let flags = self.signal.get();
            if flags.stop {
                return Ok(());
            }
            let (mut delivered, mut waiting) = (false, false);
            let mut next_due: Option<Instant> = None;
            for alert in self.state.next_for(self.sink.name())? {
                if self.signal.get().stop {
                    return Ok(());
                }
                let (failed, due) =
                    self.pauses.get(&alert.watch).copied().unwrap_or((0, Instant::now()));
                if flags.finish && failed >= LAST_ATTEMPTS {
                    continue;
                }
                waiting = true;
                if failed > 0 && due > Instant::now() {
                    next_due = Some(next_due.map_or(due, |other| other.min(due)));
                    continue;
                }
                let message = Message {
                    id: &alert.id,
                    watch: &alert.name,
                    sequence: alert.sequence,
                    body: &alert.body,
                    time: now(),
                };
                match self.sink.deliver(&message) {
                    Ok(()) => {
                        self.state.note_delivered(self.sink.name(), alert.watch, alert.sequence)?;
                        self.pauses.remove(&alert.watch);
                        delivered = true;
                    }
                    Err(error) if error.closed => {
                        self.signal.change(|flags| flags.closed = true);
                        return Ok(());
                    }
                    Err(error) => {
                        let failed = failed.saturating_add(1);
                        let due = Instant::now() + backoff(failed, self.unit);
                        self.pauses.insert(alert.watch, (failed, due));
                        next_due = Some(next_due.map_or(due, |other| other.min(due)));
                        (self.tell)(self.sink.name(), &error);
                    }
                }
            }
            if delivered {
                continue;
            }
            if flags.finish && !waiting {
                return Ok(());
            }
            let limit = next_due.map_or(IDLE, |due| due.saturating_duration_since(Instant::now()));
            self.signal.wait(flags, limit.min(IDLE));
        }
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
