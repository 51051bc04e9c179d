//! A whole process measured from outside: time, processor time, memory.

use std::{
    fs,
    io::Read as _,
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use wait4::Wait4 as _;

/// What a process used.
#[derive(Clone, Debug)]
pub(crate) struct Usage {
    /// From start to end.
    pub(crate) wall: Duration,
    /// User and system time of all its threads.
    pub(crate) cpu: Duration,
    /// Most memory resident at once, in bytes. Pages of mapped files count, although the system
    /// can take them back at any time.
    pub(crate) resident: u64,
    /// Most memory of its own at once (heap and stacks), in bytes, sampled every 10 ms. Zero where
    /// the system does not tell.
    pub(crate) own: u64,
    /// What it printed.
    pub(crate) stdout: String,
}

/// Runs a command to its end. One that fails is an error with the end of what it complained about.
pub(crate) fn measure(command: &mut Command) -> anyhow::Result<Usage> {
    let name = command.get_program().to_string_lossy().into_owned();
    let complaints = tempfile::NamedTempFile::new()?;
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(complaints.reopen()?);
    let start = Instant::now();
    let mut child = command.spawn().with_context(|| format!("cannot start {name}"))?;
    let mut stdout = String::new();
    let over = AtomicBool::new(false);
    let (pid, flag) = (child.id(), &over);
    let (used, own, wall) = thread::scope(|scope| {
        let sampler = scope.spawn(move || sample_own_memory(pid, flag));
        // Ends when the process closes its output, at the latest when it ends.
        let read = child.stdout.take().map_or(Ok(0), |mut pipe| pipe.read_to_string(&mut stdout));
        let used = child.wait4();
        let wall = start.elapsed();
        over.store(true, Ordering::Relaxed);
        let own = sampler.join().unwrap_or(0);
        read.and(used).map(|used| (used, own, wall))
    })
    .with_context(|| format!("cannot follow {name}"))?;
    if !used.status.success() {
        let said = fs::read_to_string(complaints.path()).unwrap_or_default();
        let lines: Vec<&str> = said.lines().collect();
        let last = lines.get(lines.len().saturating_sub(10)..).unwrap_or_default().join("\n");
        anyhow::bail!("{name} ended with {}:\n{last}", used.status);
    }
    Ok(Usage {
        wall,
        cpu: used.rusage.utime + used.rusage.stime,
        resident: used.rusage.maxrss,
        own,
        stdout,
    })
}

/// The most that a process had of its own, until `over`.
fn sample_own_memory(pid: u32, over: &AtomicBool) -> u64 {
    let path = format!("/proc/{pid}/status");
    let mut most = 0;
    while !over.load(Ordering::Relaxed) {
        let Ok(status) = fs::read_to_string(&path) else { break };
        most = most.max(own_memory(&status).unwrap_or(0));
        thread::sleep(Duration::from_millis(10));
    }
    most
}

/// Bytes of anonymous memory in the text of `/proc/PID/status`.
fn own_memory(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{measure, own_memory};

    #[test]
    fn output_and_time_are_reported() {
        let usage = measure(Command::new("sh").args(["-c", "sleep 0.05; echo done"])).unwrap();
        assert_eq!(usage.stdout, "done\n");
        assert!(usage.wall.as_millis() >= 50, "{usage:?}");
        // More than a page, less than the machine: the unit is bytes.
        assert!(usage.resident > 100_000 && usage.resident < 1 << 30, "{usage:?}");
    }

    #[test]
    fn failure_tells_what_was_said() {
        let error = measure(Command::new("sh").args(["-c", "echo no such block >&2; exit 3"]));
        assert!(format!("{:#}", error.unwrap_err()).ends_with("no such block"));
    }

    #[test]
    fn own_memory_is_read() {
        assert_eq!(own_memory("VmRSS:\t 9 kB\nRssAnon:\t    12 kB\n"), Some(12 * 1024));
        assert_eq!(own_memory("VmRSS:\t 9 kB\n"), None);
    }
}
