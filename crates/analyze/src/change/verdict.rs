//! What the heuristics say together.

use chain::{Ledger, TxNum};

use super::{Family, Heuristic, Opinion, Options, Payment};
use crate::coinjoin::{Detector, Protocol, ShapeBuf};

/// All opinions about a payment, and their sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The output that is probably change (`vout`), and how strong the signs are. `None` where
    /// there are no signs, where they contradict each other, and for CoinJoins.
    pub change: Option<(u32, Strength)>,
    /// Signs for each output that has any: independent families of heuristics that name it alone,
    /// by `vout`.
    pub votes: Vec<(u32, usize)>,
    /// What each heuristic says, in the order of [`Options::heuristics`].
    pub opinions: Vec<Opinion>,
    /// Why there is no verdict in spite of opinions.
    pub cleared: Option<Cleared>,
}

/// How strong the signs are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strength {
    /// A single sign.
    Weak,
    /// At least [`Options::signs`] independent signs, none against.
    Strong,
    /// The address is one of those that paid.
    SameAddress,
}

impl Strength {
    /// The name in JSON and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Weak => "weak",
            Self::Strong => "strong",
            Self::SameAddress => "same_address",
        }
    }
}

/// Why there is no verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cleared {
    /// The transaction has the shape of this protocol: its outputs belong to several people, or
    /// are no payments.
    CoinJoin(Protocol),
    /// Signs for different outputs.
    Contradiction,
}

/// Asks the heuristics, one transaction after the other.
#[derive(Clone, Debug, Default)]
pub struct Judge {
    options: Options,
    detector: Detector,
    buffer: ShapeBuf,
}

impl Judge {
    /// A judge who asks these heuristics.
    pub fn new(options: Options) -> Self {
        Self { options, ..Self::default() }
    }

    /// The verdict about a transaction; `None` where there is no question ([`Payment::load`]).
    ///
    /// # Errors
    /// Whatever the ledger reports.
    pub fn verdict(&mut self, ledger: &impl Ledger, tx: TxNum) -> chain::Result<Option<Verdict>> {
        let Some(payment) = Payment::load(ledger, tx)? else { return Ok(None) };
        let mut opinions = Vec::new();
        for heuristic in &self.options.heuristics {
            opinions.extend(heuristic.apply(ledger, &payment, &self.options)?);
        }
        let mixed = self
            .detector
            .classify_tx(ledger, tx, &mut self.buffer)?
            .filter(|finding| finding.is_named() || finding.do_not_union)
            .map(|finding| Cleared::CoinJoin(finding.protocol));
        let votes = votes(&opinions);
        let (change, cleared) = match mixed {
            Some(reason) => (None, Some(reason)),
            None => self.sum(&votes, &opinions),
        };
        Ok(Some(Verdict { change, votes, opinions, cleared }))
    }

    fn sum(
        &self,
        votes: &[(u32, usize)],
        opinions: &[Opinion],
    ) -> (Option<(u32, Strength)>, Option<Cleared>) {
        let reused = opinions.iter().find(|opinion| opinion.heuristic == Heuristic::AddressReuse);
        if let Some([vout]) = reused.map(|opinion| opinion.change.as_slice()) {
            return (Some((*vout, Strength::SameAddress)), None);
        }
        match votes {
            [] => (None, None),
            [(vout, signs)] => {
                let strong = *signs >= self.options.signs;
                (Some((*vout, if strong { Strength::Strong } else { Strength::Weak })), None)
            }
            _ => (None, Some(Cleared::Contradiction)),
        }
    }
}

/// Independent signs by output. An opinion that leaves several outputs is no vote.
fn votes(opinions: &[Opinion]) -> Vec<(u32, usize)> {
    let mut signs: Vec<(u32, Family)> = opinions
        .iter()
        .filter_map(|opinion| match opinion.change.as_slice() {
            [vout] => Some((*vout, opinion.heuristic.family())),
            _ => None,
        })
        .filter(|(_, family)| *family != Family::Composite)
        .collect();
    signs.sort_unstable();
    signs.dedup();
    signs.chunk_by(|a, b| a.0 == b.0).map(|run| (run[0].0, run.len())).collect()
}
