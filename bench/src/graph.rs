//! The spending graph: a vertex per transaction, an edge for every output that one spends of
//! another. Written to a file for the peers, and walked the plain way to know the right answers.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
};

use anyhow::Context as _;
use chain::{Ledger, Spend, TxNum};

/// A question that we and the peers answer: how many transactions can be reached from one of them
/// in at most so many hops, itself included?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    /// From here.
    pub(crate) root: TxNum,
    /// This far.
    pub(crate) hops: u32,
    /// The answer.
    pub(crate) reached: u32,
}

/// Walks the ledger frontier by frontier.
pub(crate) fn reach(ledger: &impl Ledger, root: TxNum, hops: u32) -> anyhow::Result<u32> {
    reach_up_to(ledger, root, hops, u32::MAX)
}

/// The same, but stops after the hop on which it reached more than `most`.
fn reach_up_to(ledger: &impl Ledger, root: TxNum, hops: u32, most: u32) -> anyhow::Result<u32> {
    let mut seen = vec![0u64; (ledger.tx_count() as usize).div_ceil(64)];
    let mut is_new = |tx: TxNum| {
        let (word, bit) = (tx.index() / 64, 1u64 << (tx.0 % 64));
        seen.get_mut(word).is_some_and(|word| {
            let new = *word & bit == 0;
            *word |= bit;
            new
        })
    };
    is_new(root);
    let (mut frontier, mut next, mut outputs) = (vec![root], Vec::new(), Vec::new());
    let mut reached = 1;
    for _ in 0..hops {
        for &tx in &frontier {
            ledger.outputs(tx, &mut outputs)?;
            for output in &outputs {
                if let Spend::By(spender) = output.spend
                    && is_new(spender)
                {
                    next.push(spender);
                }
            }
        }
        reached += u32::try_from(next.len())?;
        if next.is_empty() || reached > most {
            break;
        }
        std::mem::swap(&mut frontier, &mut next);
        next.clear();
    }
    Ok(reached)
}

/// The question about one transaction.
pub(crate) fn question_from(
    ledger: &impl Ledger,
    root: TxNum,
    hops: u32,
) -> anyhow::Result<Question> {
    anyhow::ensure!(root.0 < ledger.tx_count(), "there is no transaction number {root}");
    Ok(Question { root, hops, reached: reach(ledger, root, hops)? })
}

/// A question whose answer is about a tenth of all transactions, as near as one of a hundred
/// evenly spaced transactions comes.
pub(crate) fn question(ledger: &impl Ledger, hops: u32) -> anyhow::Result<Question> {
    const CANDIDATES: u32 = 96;
    let count = ledger.tx_count();
    anyhow::ensure!(count > 0, "the chain has no transactions");
    let wanted = (count / 10).max(1);
    let mut best: Option<Question> = None;
    for candidate in 0..CANDIDATES {
        // The first half: later ones have no time left to spread.
        let place = u64::from(count) * u64::from(candidate) / u64::from(2 * CANDIDATES);
        let root = TxNum(u32::try_from(place)?);
        // Far too many is not the answer, however many.
        let reached = reach_up_to(ledger, root, hops, 2 * wanted)?;
        if reached > 2 * wanted {
            continue;
        }
        let distance = reached.abs_diff(wanted);
        if best.is_none_or(|best| distance < best.reached.abs_diff(wanted)) {
            best = Some(Question { root, hops, reached });
        }
    }
    best.context("every transaction reaches nearly all others")
}

/// Writes the whole graph and a question about it, as `bench/peers/run.py` reads it: little-endian
/// magic, vertices, root, hops, answer (u32), edges (u64), all sources, all targets (u32).
pub(crate) fn dump(ledger: &impl Ledger, question: Question, path: &Path) -> anyhow::Result<u64> {
    let (mut sources, mut targets): (Vec<u32>, Vec<u32>) = (Vec::new(), Vec::new());
    let mut outputs = Vec::new();
    for tx in 0..ledger.tx_count() {
        ledger.outputs(TxNum(tx), &mut outputs)?;
        for output in &outputs {
            if let Spend::By(spender) = output.spend {
                sources.push(tx);
                targets.push(spender.0);
            }
        }
    }
    let file = File::create(path).with_context(|| path.display().to_string())?;
    let mut file = BufWriter::with_capacity(1 << 20, file);
    file.write_all(b"CHEDGES1")?;
    let head = [ledger.tx_count(), question.root.0, question.hops, question.reached];
    for number in head {
        file.write_all(&number.to_le_bytes())?;
    }
    file.write_all(&(sources.len() as u64).to_le_bytes())?;
    for number in sources.iter().chain(&targets) {
        file.write_all(&number.to_le_bytes())?;
    }
    file.flush().with_context(|| path.display().to_string())?;
    Ok(sources.len() as u64)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use chain::{Ledger as _, MemoryLedger, Network, TxNum};

    use super::{dump, question, reach};

    fn ledger() -> MemoryLedger {
        let chain = testkit::Chain::parse(
            "block
             tx a: coinbase -> A:25 B:25
             block
             tx b: a:0 -> C:10 D:15
             tx c: a:1 b:0 -> E:35
             block
             tx d: c:0 -> F:35",
        )
        .unwrap();
        let blocks: Vec<_> = chain.best().into_iter().cloned().collect();
        MemoryLedger::from_blocks(Network::Regtest, &blocks).unwrap()
    }

    /// Numbers: 0 genesis, 1 a, 2 coinbase, 3 b, 4 c, 5 coinbase, 6 d.
    const A: TxNum = TxNum(1);

    #[test]
    fn reach_counts_each_transaction_once() {
        let check = |hops, expected| assert_eq!(reach(&ledger(), A, hops).unwrap(), expected);
        check(0, 1);
        check(1, 3);
        check(2, 4);
        check(9, 4);
    }

    #[test]
    fn the_file_has_the_layout_that_the_peers_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let question = question(&ledger(), 20).unwrap();
        assert_eq!(dump(&ledger(), question, file.path()).unwrap(), 4);
        let bytes = fs::read(file.path()).unwrap();
        assert_eq!(&bytes[..8], b"CHEDGES1");
        let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        assert_eq!(
            [8, 12, 16, 20].map(number),
            [ledger().tx_count(), question.root.0, 20, question.reached]
        );
        assert_eq!((number(24), number(28)), (4, 0));
        let edges: Vec<u32> = (32..bytes.len()).step_by(4).map(number).collect();
        assert_eq!(edges, [1, 1, 3, 4, 3, 4, 4, 6]);
    }
}
