//! `chainhound.exposure.v1`.

use report::model::{Basis, Tag};
use serde::Serialize;

use super::{Body, Facts, Rows, status::coins};

/// To whom money went, and from whom it came.
#[derive(Debug, Serialize)]
pub(crate) struct ExposureDocument {
    /// Whose.
    pub(crate) subject: ExposureSubject,
    /// To whom the money went; `null` where that was not asked.
    pub(crate) sending: Option<ExposureSide>,
    /// From whom it came; `null` where that was not asked.
    pub(crate) receiving: Option<ExposureSide>,
}

/// What was asked about.
#[derive(Debug, Serialize)]
pub(crate) struct ExposureSubject {
    /// `address`, `output` or `transaction`.
    pub(crate) kind: &'static str,
    /// As it was typed.
    pub(crate) name: String,
    /// Who it belongs to, where that is said.
    pub(crate) entity: Option<String>,
    /// What kind of party that is.
    pub(crate) category: Option<String>,
    /// Labels of its address.
    pub(crate) tags: Vec<Tag>,
}

/// One way. `root_sat` is the sum of `entities` and `rest`.
#[derive(Debug, Serialize)]
pub(crate) struct ExposureSide {
    /// The sums of `entities` by category, the largest first.
    pub(crate) categories: Vec<CategoryRow>,
    /// By party and, for CoinJoins, by protocol; the largest first.
    pub(crate) entities: Vec<EntityRow>,
    /// What reached neither, by reason.
    pub(crate) rest: Vec<RestRow>,
    /// What was asked about, and what was booked.
    pub(crate) totals: ExposureTotals,
    /// How far the walk got.
    pub(crate) reach: ExposureReach,
}

/// All of one category.
#[derive(Debug, Serialize)]
pub(crate) struct CategoryRow {
    /// A concept of the taxonomy.
    pub(crate) category: String,
    /// How many entities (protocols, of CoinJoins).
    pub(crate) entities: u64,
    /// In one hop.
    pub(crate) direct_sat: u64,
    /// Through others.
    pub(crate) indirect_sat: u64,
    /// Both.
    pub(crate) amount_sat: u64,
    /// Part of the whole, in millionths.
    pub(crate) share_ppm: u32,
    /// Transactions between, at least.
    pub(crate) min_hops: u32,
    /// The weakest link of any way there, 0 to 100.
    pub(crate) path_confidence: u8,
}

/// One party, or CoinJoins of one protocol.
#[derive(Debug, Serialize)]
pub(crate) struct EntityRow {
    /// The party; `null` for CoinJoins.
    pub(crate) entity: Option<String>,
    /// What kind of party it is; `coinjoin`.
    pub(crate) category: String,
    /// The protocol of CoinJoins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) protocol: Option<&'static str>,
    /// In one hop.
    pub(crate) direct_sat: u64,
    /// Through others.
    pub(crate) indirect_sat: u64,
    /// Both.
    pub(crate) amount_sat: u64,
    /// Part of the whole, in millionths. With those of `rest` they sum up to a million.
    pub(crate) share_ppm: u32,
    /// Outputs in which it got there.
    pub(crate) outputs: u64,
    /// Transactions between, at least.
    pub(crate) min_hops: u32,
    /// The same, at most, each output by its shortest way.
    pub(crate) max_hops: u32,
    /// The weakest link of any way there, 0 to 100.
    pub(crate) path_confidence: u8,
    /// On what the name rests.
    #[serde(flatten)]
    pub(crate) basis: Basis,
}

/// What reached nobody.
#[derive(Debug, Serialize)]
pub(crate) struct RestRow {
    /// Why it was followed no further.
    pub(crate) stop_reason: &'static str,
    /// How much.
    pub(crate) amount_sat: u64,
    /// Part of the whole, in millionths.
    pub(crate) share_ppm: u32,
    /// Outputs, or fees.
    pub(crate) count: u64,
    /// On what the reason rests.
    #[serde(flatten)]
    pub(crate) basis: Basis,
}

/// What was asked about and what was booked.
#[derive(Debug, Serialize)]
pub(crate) struct ExposureTotals {
    /// The value of the subject's outputs.
    pub(crate) root_sat: u64,
    /// The sum of all rows.
    pub(crate) booked_sat: u64,
    /// Whether the two are equal.
    pub(crate) equal: bool,
}

/// How far a walk got.
#[derive(Debug, Serialize)]
pub(crate) struct ExposureReach {
    /// Transactions passed.
    pub(crate) transactions: u64,
    /// Outputs reached.
    pub(crate) outputs: u64,
    /// Most transactions in a row.
    pub(crate) max_hops: u32,
}

impl CategoryRow {
    /// Nothing yet.
    pub(crate) fn new(category: &str) -> Self {
        Self {
            category: category.to_owned(),
            entities: 0,
            direct_sat: 0,
            indirect_sat: 0,
            amount_sat: 0,
            share_ppm: 0,
            min_hops: u32::MAX,
            path_confidence: 100,
        }
    }

    /// One entity more.
    pub(crate) fn add(&mut self, row: &EntityRow) {
        self.entities += 1;
        self.direct_sat = self.direct_sat.saturating_add(row.direct_sat);
        self.indirect_sat = self.indirect_sat.saturating_add(row.indirect_sat);
        self.amount_sat = self.amount_sat.saturating_add(row.amount_sat);
        self.share_ppm += row.share_ppm;
        self.min_hops = self.min_hops.min(row.min_hops);
        self.path_confidence = self.path_confidence.min(row.path_confidence);
    }
}

impl Body for ExposureDocument {
    const SCHEMA: &'static str = "chainhound.exposure.v1";

    fn to_table(&self, colour: bool) -> String {
        let mut facts = Facts::new(colour);
        let subject = &self.subject;
        facts.push(subject.kind, &subject.name);
        facts.push_some("labelled", subject.entity.as_ref());
        let mut text = facts.to_text();
        let sides = [
            ("sending", "sent to", &self.sending),
            ("receiving", "received from", &self.receiving),
        ];
        for (name, verb, side) in sides {
            if let Some(side) = side {
                text.push_str(&format!("\n{name}: {} BTC\n", coins(side.totals.root_sat)));
                text.push_str(&side.to_table(verb, colour));
            }
        }
        text
    }
}

impl ExposureSide {
    fn to_table(&self, verb: &str, colour: bool) -> String {
        let heads = [verb, "category", ">direct", ">indirect", ">BTC", ">share", ">hops"];
        let mut rows = Rows::new(&[&heads[..], &[">confidence", "basis"]].concat(), colour);
        for row in &self.entities {
            let name = row.entity.as_deref().or(row.protocol).unwrap_or("?");
            let hops = match (row.min_hops, row.max_hops) {
                (least, most) if least == most => least.to_string(),
                (least, most) => format!("{least}-{most}"),
            };
            rows.push([
                name.to_owned(),
                row.category.replace('_', " "),
                coins(row.direct_sat),
                coins(row.indirect_sat),
                coins(row.amount_sat),
                percent(row.share_ppm),
                hops,
                row.path_confidence.to_string(),
                row.basis.name().to_owned(),
            ]);
        }
        for row in &self.rest {
            let reason = format!("nobody known: {}", row.stop_reason.replace('_', " "));
            let (amount, share) = (coins(row.amount_sat), percent(row.share_ppm));
            let basis = row.basis.name().to_owned();
            let [none, empty, blank, hops, sure] = [(); 5].map(|()| String::new());
            rows.push([reason, none, empty, blank, amount, share, hops, sure, basis]);
        }
        let equal = if self.totals.equal { "= asked about" } else { "NOT what was asked about" };
        rows.to_text() + &format!("sum {} BTC {equal}\n", coins(self.totals.booked_sat))
    }
}

fn percent(millionths: u32) -> String {
    match (millionths + 500) / 1_000 {
        0 if millionths > 0 => "< 0.1 %".to_owned(),
        tenths => format!("{}.{} %", tenths / 10, tenths % 10),
    }
}

/// Parts of their sum in millionths, by largest remainder (the first of equals first): they sum up
/// to a million, unless there is nothing.
pub(crate) fn in_millionths(parts: &[u128]) -> Vec<u32> {
    const WHOLE: u128 = 1_000_000;
    let total: u128 = parts.iter().sum();
    if total == 0 {
        return vec![0; parts.len()];
    }
    let mut shares: Vec<u128> = parts.iter().map(|part| part * WHOLE / total).collect();
    let left = WHOLE - shares.iter().sum::<u128>();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order
        .sort_by_key(|at| std::cmp::Reverse(parts.get(*at).map_or(0, |part| part * WHOLE % total)));
    for at in order.into_iter().take(usize::try_from(left).unwrap_or(0)) {
        if let Some(share) = shares.get_mut(at) {
            *share += 1;
        }
    }
    shares.into_iter().map(|share| u32::try_from(share).unwrap_or(u32::MAX)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_sum_up_to_a_million() {
        assert_eq!(in_millionths(&[1, 1, 1]), [333_334, 333_333, 333_333]);
        assert_eq!(in_millionths(&[2, 1]), [666_667, 333_333]);
        assert_eq!(in_millionths(&[0, 5]), [0, 1_000_000]);
        assert_eq!(in_millionths(&[0, 0]), [0, 0]);
        assert_eq!(in_millionths(&[]), [] as [u32; 0]);
        let many: Vec<u128> = (1..=97).map(|n| n * n * 2_100_000_000_000).collect();
        assert_eq!(in_millionths(&many).iter().sum::<u32>(), 1_000_000);
    }

    #[test]
    fn small_shares_are_not_nothing() {
        let shown = [0, 1, 999, 333_333, 1_000_000].map(percent);
        assert_eq!(shown, ["0.0 %", "< 0.1 %", "0.1 %", "33.3 %", "100.0 %"]);
    }
}
