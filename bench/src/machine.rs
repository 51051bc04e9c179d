//! On what the figures were measured.

use std::{fs, thread};

use serde_json::{Value, json};

/// The machine, as far as it tells.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    cpu: String,
    cores: usize,
    memory: u64,
    load: String,
    system: String,
}

impl Machine {
    /// The machine that we run on, and how busy it is just now.
    pub(crate) fn here() -> Self {
        let field = |path: &str, name: &str| {
            fs::read_to_string(path).ok().and_then(|text| {
                let line = text.lines().find(|line| line.starts_with(name))?;
                line.split_once(':').map(|(_, value)| value.trim().to_owned())
            })
        };
        let words = |path: &str, from: usize, to: usize| {
            let text = fs::read_to_string(path).unwrap_or_default();
            text.split_whitespace().skip(from).take(to - from).collect::<Vec<_>>().join(" ")
        };
        let memory = field("/proc/meminfo", "MemTotal");
        Self {
            cpu: field("/proc/cpuinfo", "model name").unwrap_or_default(),
            cores: thread::available_parallelism().map_or(0, Into::into),
            memory: memory
                .and_then(|text| text.split(' ').next().and_then(|n| n.parse::<u64>().ok()))
                .map_or(0, |kilobytes| kilobytes * 1024),
            load: words("/proc/loadavg", 0, 3),
            system: words("/proc/version", 0, 3),
        }
    }

    /// One line for people.
    pub(crate) fn line(&self) -> String {
        format!(
            "{} cores of {}, {} GiB of memory, {}; load before the run {}",
            self.cores,
            self.cpu,
            self.memory >> 30,
            self.system,
            self.load
        )
    }

    /// For machines.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "cpu": self.cpu,
            "cores": self.cores,
            "memory_bytes": self.memory,
            "load_before": self.load,
            "system": self.system,
        })
    }
}
