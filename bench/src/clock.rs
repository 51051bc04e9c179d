//! Time on the wall and on the processor.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Started when made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    wall: Instant,
    cpu: Duration,
}

/// What passed since a clock was started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passed {
    /// On the wall.
    pub(crate) wall: Duration,
    /// On the processor, all threads of this process together: what others do on the machine
    /// matters less to it.
    pub(crate) cpu: Duration,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { wall: Instant::now(), cpu: processor() }
    }

    pub(crate) fn passed(self) -> Passed {
        Passed { wall: self.wall.elapsed(), cpu: processor().saturating_sub(self.cpu) }
    }
}

fn processor() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// The median of some durations; zero of none.
pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// The quickest of several runs, after one to warm up: whatever else the machine does only makes a
/// run slower.
pub(crate) fn quickest(
    times: usize,
    mut run: impl FnMut() -> anyhow::Result<Duration>,
) -> anyhow::Result<Duration> {
    run()?;
    let taken = (0..times).map(|_| run()).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(taken.into_iter().min().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::{hint::black_box, thread, time::Duration};

    use super::{Clock, median};

    #[test]
    fn sleeping_takes_no_processor() {
        let clock = Clock::start();
        thread::sleep(Duration::from_millis(60));
        let passed = clock.passed();
        assert!(passed.wall.as_millis() >= 60, "{passed:?}");
        // The test runner's other threads may work meanwhile in the same process.
        let clock = Clock::start();
        let mut sum = 0u64;
        while clock.passed().cpu < Duration::from_millis(5) {
            sum = black_box(sum + 1);
        }
        assert!(clock.passed().wall > Duration::ZERO && sum > 0);
    }

    #[test]
    fn the_middle_one_counts() {
        let times = [5, 1, 9].map(Duration::from_secs);
        assert_eq!(median(times.to_vec()), Duration::from_secs(5));
        assert_eq!(median(Vec::new()), Duration::ZERO);
    }
}
