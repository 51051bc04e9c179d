//! The machine: room on the disk, and a clock that is right.

use std::{
    path::Path,
    time::{Duration, SystemTime},
};

use chain::Network;

use super::{Findings, node::Seen};
use crate::place::Place;

const GIB: u64 = 1 << 30;
/// Less free than this is soon full: a day's blocks are a tenth of a gibibyte.
const LITTLE: u64 = 10 * GIB;
/// With less than this a commit may fail.
const TOO_LITTLE: u64 = GIB;
/// All of mainnet, by what a transaction costs (docs/performance.md) and 1.4 thousand million of them.
const MAINNET: u64 = 260 * GIB;
/// A block's time may be so far ahead of the network's (Core: `MAX_FUTURE_BLOCK_TIME`).
const AHEAD: Duration = Duration::from_secs(2 * 3600);
/// Ten minutes are usual between two blocks; so long there was nothing since 2010.
const SILENCE: Duration = Duration::from_secs(3 * 3600);

/// Room where the store is, or will be.
pub(super) fn disk(place: &Place, findings: &mut Findings) {
    let graph = place.graph();
    let Some(existing) = graph.ancestors().find(|path| path.is_dir()) else { return };
    let free = match free(existing) {
        Ok(free) => free,
        Err(error) => {
            return findings.bad(
                "disk",
                format!("{}: {error}", existing.display()),
                "name a directory that can be read with --datadir",
            );
        }
    };
    let found = format!("{} GiB free in {}", free / GIB, existing.display());
    let fresh = place.network == Network::Mainnet && !place.has_graph();
    if free < TOO_LITTLE {
        findings.bad(
            "disk",
            found,
            "make room: indexing stops when the disk is full, and goes on after",
        );
    } else if fresh && free < MAINNET {
        findings.warn(
            "disk",
            found,
            format!(
                "a store of all of mainnet takes about {} GiB: --datadir on another disk",
                MAINNET / GIB
            ),
        );
    } else if free < LITTLE {
        findings.warn("disk", found, "make room before it is full");
    } else {
        findings.ok("disk", found);
    }
}

fn free(path: &Path) -> rustix::io::Result<u64> {
    let system = rustix::fs::statvfs(path)?;
    Ok(system.f_bavail.saturating_mul(system.f_frsize))
}

/// Our clock against the time of the node's last block.
pub(super) fn clock(seen: Option<&Seen>, findings: &mut Findings) {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    // Blocks on demand have any time.
    let seen = seen.filter(|seen| seen.network() != Network::Regtest && seen.info.time > 0);
    let Some(seen) = seen else { return };
    judge(now, Duration::from_secs(seen.info.time), !seen.info.initialblockdownload, findings);
}

fn judge(now: Duration, block: Duration, is_synced: bool, findings: &mut Findings) {
    if block > now + AHEAD {
        let found =
            format!("{} minutes behind the node's last block", (block - now).as_secs() / 60);
        return findings.bad("clock", found, "set the machine's clock (NTP)");
    }
    let silence = now.saturating_sub(block);
    if is_synced && silence > SILENCE {
        let found = format!("the node's last block is {} minutes old", silence.as_secs() / 60);
        return findings.warn(
            "clock",
            found,
            "see whether the node still hears of blocks, and whether the machine's clock is right",
        );
    }
    findings.ok("clock", "agrees with the node's last block");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Condition;

    #[track_caller]
    fn check(now: u64, block: u64, is_synced: bool, expected: Condition) {
        let mut findings = Findings::default();
        judge(Duration::from_secs(now), Duration::from_secs(block), is_synced, &mut findings);
        assert_eq!(findings.worst(), expected, "{findings:?}");
    }

    #[test]
    fn a_clock_is_judged_by_the_last_block() {
        check(1_000_000, 999_000, true, Condition::Ok);
        check(1_000_000, 1_007_000, true, Condition::Ok);
        check(1_000_000, 1_008_000, true, Condition::Bad);
        check(1_000_000, 900_000, true, Condition::Warn);
        check(1_000_000, 900_000, false, Condition::Ok);
    }
}
