//! Random chains in the chain language.

use proptest::prelude::*;

/// A transaction: how many inputs, which ones, and two names that are paid.
pub(super) type Tx = (usize, u16, u8, u8);

/// Blocks of transactions.
pub(super) fn blocks(most: usize) -> impl Strategy<Value = Vec<Vec<Tx>>> {
    let tx = (1usize..5, any::<u16>(), 0u8..16, 0u8..16);
    prop::collection::vec(prop::collection::vec(tx, 0..5), 1..most)
}

/// The text of a chain, and what can still be spent at its end.
#[derive(Clone, Default)]
pub(super) struct Text {
    pub(super) text: String,
    /// With values in satoshis.
    unspent: Vec<(String, u64)>,
    count: usize,
}

impl Text {
    /// Adds a block. The `tag` keeps the names of transactions apart, and the blocks.
    pub(super) fn block(&mut self, tag: &str, txs: &[Tx]) {
        let number = self.count;
        self.text += &format!(
            "block\ntx {tag}c{number}: coinbase -> n{}:10 n{}:10 n{}:10 {tag}m:10\n",
            number % 16,
            (number * 7 + 3) % 16,
            (number * 5 + 1) % 16
        );
        self.count += 1;
        for (inputs, pick, one, other) in txs {
            let (mut spent, mut sum) = (Vec::new(), 0);
            for step in 0..*inputs {
                if !self.unspent.is_empty() {
                    let place = (usize::from(*pick) + step * 31) % self.unspent.len();
                    let (coin, value) = self.unspent.swap_remove(place);
                    spent.push(coin);
                    sum += value;
                }
            }
            if spent.is_empty() {
                continue;
            }
            let name = format!("{tag}t{}", self.count);
            self.count += 1;
            let half = sum / 2;
            let inputs = spent.join(" ");
            self.text += &format!("tx {name}: {inputs} -> n{one}:{half}sat n{other}:*\n");
            self.unspent.push((format!("{name}:0"), half));
            self.unspent.push((format!("{name}:1"), sum - half));
        }
        // Not before: a coinbase takes the fees of its block.
        let coin = |vout| (format!("{tag}c{number}:{vout}"), 1_000_000_000);
        self.unspent.extend((0..3).map(coin));
    }
}
