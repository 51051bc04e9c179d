//! Where the money came from and went to, by the same rules that judge labels.
//!
//! Addresses whose claims fit a rule end the walk, and so do services, since what arrives there is
//! mixed with other people's money. Then each `[[exposed]]` rule adds up what ended at the kinds that
//! it names.

use std::{collections::BTreeMap, fmt::Write as _};

use analyze::{
    exposure::{AtCoinJoin, EndsAt, Holder, Naming, Question, Share, Side, exposure_with},
    trace::{RootSpec, StopReason, Stops},
};
use chain::{AddressNum, Ledger, Sats};
use intel::{Claim, TagSet, taxonomy::Role};

use crate::{
    claims::{self, LABELLED},
    lent::{HEURISTIC, LentLabels},
    rules::{ExposedRule, Reach, Rules},
    screening::Follow,
    verdict::{Basis, NotAssessed, Reason, Verdict},
};

/// The kind of a CoinJoin, beside the ids of rules.
pub(crate) const COINJOIN: &str = "coinjoin";
/// Whose labels end a walk though no rule objects to them.
const SERVICES: &[Role] = &[Role::Service, Role::Mixing, Role::Bridge];
/// Parties that a reason names.
const MOST_NAMED: usize = 3;

/// Somebody at whom walks ended.
struct Party {
    /// The rule that the claim fits.
    kind: String,
    /// Whom the claim names.
    name: String,
    /// Who says so.
    source: String,
    /// Whether the claim is about another address of the cluster.
    is_lent: bool,
}

/// What says who holds an address.
pub(crate) struct Names<'a, L> {
    pub(crate) ledger: &'a L,
    pub(crate) tags: &'a TagSet,
    pub(crate) lent: Option<&'a LentLabels<'a>>,
    pub(crate) rules: &'a Rules,
}

impl<L> Clone for Names<'_, L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L> Copy for Names<'_, L> {}

/// Claims as a [`Naming`].
struct Kinds<'a, L> {
    names: Names<'a, L>,
    parties: Vec<Party>,
    numbers: BTreeMap<(String, String, bool), u32>,
}

impl<L: Ledger> Naming for Kinds<'_, L> {
    fn holder(&mut self, address: AddressNum) -> chain::Result<Option<Holder>> {
        let Names { ledger, tags, lent, rules } = self.names;
        let script = ledger.script(address)?;
        let own = tags.of_script(script.as_bytes());
        // Among equals the most trusted one, which comes first.
        let own = worst(
            rules,
            own.ranked().into_iter().map(|claim| {
                let (kind, verdict, _) = claims::judge(claim, rules, tags);
                (kind, verdict, claim)
            }),
        );
        if let Some((kind, claim)) = own {
            return Ok(Some(self.party(kind, claim, false)));
        }
        let lent = lent.map_or(&[][..], |lent| lent.of(address));
        let judged = lent.iter().map(|judged| (judged.rule.clone(), judged.verdict, judged.claim));
        Ok(worst(rules, judged).map(|(kind, claim)| self.party(kind, claim, true)))
    }
}

/// Of claims with their rules and verdicts the first of the worst that end a walk.
fn worst<'a>(
    rules: &Rules,
    judged: impl Iterator<Item = (String, Verdict, Claim<'a>)>,
) -> Option<(String, Claim<'a>)> {
    let mut worst: Option<(Verdict, String, Claim<'a>)> = None;
    for (kind, verdict, claim) in judged {
        let is_trusted = claim.confidence().level >= rules.exposure.min_confidence;
        let ends = kind != LABELLED || claim.roles().any(|role| SERVICES.contains(&role));
        if is_trusted && ends && worst.as_ref().is_none_or(|(known, ..)| verdict > *known) {
            worst = Some((verdict, kind, claim));
        }
    }
    worst.map(|(_, kind, claim)| (kind, claim))
}

impl<L> Kinds<'_, L> {
    fn party(&mut self, kind: String, claim: Claim<'_>, is_lent: bool) -> Holder {
        let name = claim.actor().unwrap_or_else(|| claim.label()).to_owned();
        let next = u32::try_from(self.parties.len()).unwrap_or(u32::MAX);
        let party = *self.numbers.entry((kind.clone(), name.clone(), is_lent)).or_insert(next);
        if party == next {
            let source = claim.source().to_owned();
            self.parties.push(Party { kind, name, source, is_lent });
        }
        Holder { party, confidence: claim.confidence().level }
    }
}

/// Reasons about the money of a subject, and what of it was not followed to an end.
///
/// # Errors
/// What the ledger reports.
pub(crate) fn reasons<L: Ledger>(
    names: Names<'_, L>,
    follow: Follow,
    subject: &RootSpec,
    (sides, way): (&[Side], &[String]),
) -> analyze::Result<(Vec<Reason>, Vec<NotAssessed>)> {
    let rules = names.rules;
    let (mut reasons, mut not_assessed) = (Vec::new(), Vec::new());
    for &side in sides {
        let question = Question {
            coinjoins: AtCoinJoin::Stop,
            stops: Stops {
                max_hops: Some(match follow {
                    Follow::Indirect => rules.exposure.max_hops,
                    Follow::Direct | Follow::Nothing => rules.exposure.max_hops.min(1),
                }),
                max_transactions: Some(rules.exposure.max_transactions),
                ..Stops::default()
            },
            ..Question::new(subject.clone(), side)
        };
        let kinds = Kinds { names, parties: Vec::new(), numbers: BTreeMap::new() };
        let (found, ends) = exposure_with(names.ledger, &question, kinds)?;
        let parties = ends.into_naming().parties;
        let money = Money { side, ends: &found.ends, total: found.total, parties: &parties };
        for rule in rules.exposed.iter().filter(|rule| rule.side.is_none_or(|only| only == side)) {
            reasons.extend(money.reason(rule, rules, way));
        }
        let given_up = found.rest.iter().filter(|rest| {
            matches!(rest.reason, StopReason::Hops | StopReason::Budget | StopReason::Unknown)
        });
        let left: u128 = given_up.map(|rest| rest.amount).sum();
        if left > 0 {
            let (left, total) = (coins(left), coins(found.total));
            let went = match side {
                Side::Sending => "went",
                Side::Receiving => "came from",
            };
            let how = match follow {
                Follow::Indirect => "not followed to an end",
                Follow::Direct | Follow::Nothing => "followed for one hop only",
            };
            let why = format!("where {left} of {total} BTC {went} was {how}");
            not_assessed.push(NotAssessed { what: "exposure", why });
        }
    }
    Ok((reasons, not_assessed))
}

/// Where money on one side of a subject ended.
struct Money<'a> {
    side: Side,
    /// The largest first.
    ends: &'a [Share],
    total: u128,
    parties: &'a [Party],
}

impl Money<'_> {
    /// What a rule says, without the labels that clusters lend where they are not needed for it; with
    /// them it is an inference, and goes no further than `[clusters]` allows.
    fn reason(&self, rule: &ExposedRule, rules: &Rules, way: &[String]) -> Option<Reason> {
        let verdict = rule.verdict.verdict()?;
        self.reason_from(rule, verdict, way, false).or_else(|| {
            let most = rules.clusters.at_most.verdict()?;
            self.reason_from(rule, verdict.min(most), way, true)
        })
    }

    fn reason_from(
        &self,
        rule: &ExposedRule,
        verdict: Verdict,
        way: &[String],
        with_lent: bool,
    ) -> Option<Reason> {
        let amount = |share: &Share| match rule.reach {
            Reach::Direct => share.direct,
            Reach::Indirect => share.indirect,
            Reach::Any => share.amount(),
        };
        let is_met = |share: &&Share| {
            let kind = match self.party(share) {
                None => COINJOIN,
                Some(party) if party.is_lent && !with_lent => return false,
                Some(party) => &party.kind,
            };
            amount(share) > 0 && rule.kinds.iter().any(|wanted| wanted == kind)
        };
        let met: Vec<&Share> = self.ends.iter().filter(is_met).collect();
        let (first, sum) = (met.first()?, met.iter().map(|share| amount(share)).sum::<u128>());
        let least = self.total.saturating_mul(rule.min_share_permille.into());
        if sum.saturating_mul(1000) < least || sum < u128::from(rule.min_amount_sat) {
            return None;
        }
        let mut detail = self.detail(rule, sum);
        let mut path = way.to_vec();
        path.push(detail.clone());
        path.extend(met.iter().take(MOST_NAMED).map(|share| self.step(share, amount(share))));
        if met.len() > MOST_NAMED {
            let _ = write!(detail, ", {} parties", met.len());
        }
        let basis = match self.party(first) {
            _ if with_lent => Basis::Inference { heuristic: HEURISTIC },
            Some(party) => Basis::Claim {
                source: party.source.clone(),
                confidence: met.iter().map(|share| share.confidence).min().unwrap_or_default(),
                lastmod: None,
            },
            None => Basis::Inference { heuristic: protocol(first) },
        };
        Some(Reason { rule: rule.id.clone(), verdict, basis, address: None, detail, path })
    }

    /// At whom a share ended; `None` for CoinJoins.
    fn party(&self, share: &Share) -> Option<&Party> {
        match share.at {
            EndsAt::CoinJoin(_) => None,
            EndsAt::Party(number) => self.parties.get(number as usize),
        }
    }

    fn detail(&self, rule: &ExposedRule, sum: u128) -> String {
        let reach = match rule.reach {
            Reach::Direct => "directly ",
            Reach::Indirect => "through others ",
            Reach::Any => "",
        };
        let movement = match self.side {
            Side::Sending => "went to",
            Side::Receiving => "came from",
        };
        let permille = sum.saturating_mul(1000).checked_div(self.total).unwrap_or_default();
        format!(
            "{} of {} BTC ({}.{} %) {reach}{movement} {}",
            coins(sum),
            coins(self.total),
            permille / 10,
            permille % 10,
            rule.kinds.join(", ")
        )
    }

    fn step(&self, share: &Share, amount: u128) -> String {
        let hops = match (share.min_hops, share.max_hops) {
            (1, 1) => "1 hop".to_owned(),
            (least, most) if least == most => format!("{least} hops"),
            (least, most) => format!("{least} to {most} hops"),
        };
        let amount = coins(amount);
        match self.party(share) {
            None => format!("{amount} BTC at CoinJoins like {} in {hops}", protocol(share)),
            Some(Party { name, source, is_lent: false, .. }) => {
                format!("{amount} BTC at '{name}' in {hops}, called so by {source}")
            }
            Some(Party { name, source, is_lent: true, .. }) => format!(
                "{amount} BTC in {hops} at the cluster ({HEURISTIC}) of '{name}', called so by {source}"
            ),
        }
    }
}

/// The protocol of a share that ended at CoinJoins.
fn protocol(share: &Share) -> &'static str {
    match share.at {
        EndsAt::CoinJoin(protocol) => protocol.name(),
        EndsAt::Party(_) => COINJOIN,
    }
}

/// Bitcoin with eight decimals. Sums over an address's history may be more than there are coins.
fn coins(sats: u128) -> String {
    match u64::try_from(sats) {
        Ok(sats) => Sats(sats).to_string(),
        Err(_) => format!("{}.{:08}", sats / 100_000_000, sats % 100_000_000),
    }
}
