//! Ctrl-C and SIGTERM: the first asks, the second insists.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag,
};

use crate::failure::Exit;

/// Set by a signal, looked at by whoever works.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt {
    stop: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
}

impl Interrupt {
    /// From here on the first SIGINT or SIGTERM only sets a flag. The second ends the process on
    /// the spot; a store survives that, since nothing counts before it is committed.
    pub(crate) fn listen() -> io::Result<Self> {
        let (stop, signal) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        for number in [SIGINT, SIGTERM] {
            // Order matters: the first signal must find the flag still unset.
            flag::register_conditional_shutdown(number, 128 + number, Arc::clone(&stop))?;
            flag::register(number, Arc::clone(&stop))?;
            flag::register_usize(number, Arc::clone(&signal), number.unsigned_abs() as usize)?;
        }
        Ok(Self { stop, signal })
    }

    /// The flag.
    pub(crate) fn flag(&self) -> &AtomicBool {
        &self.stop
    }

    /// Whether a signal came.
    pub(crate) fn is_set(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// How a command ends that was stopped before its end.
    pub(crate) fn exit(&self) -> Exit {
        let signal = self.signal.load(Ordering::Relaxed);
        Exit::Interrupted(u8::try_from(signal).unwrap_or(0))
    }
}
