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
}

/// Claims as a [`Naming`].
struct Kinds<'a, L> {
    ledger: &'a L,
    tags: &'a TagSet,
    rules: &'a Rules,
    parties: Vec<Party>,
    numbers: BTreeMap<(String, String), u32>,
}

impl<L: Ledger> Naming for Kinds<'_, L> {
    fn holder(&mut self, address: AddressNum) -> chain::Result<Option<Holder>> {
        let script = self.ledger.script(address)?;
        let claims = self.tags.of_script(script.as_bytes());
        if claims.is_empty() {
            return Ok(None);
        }
        let mut worst: Option<(Verdict, String, Claim<'_>)> = None;
        for claim in claims.ranked() {
            let confidence = claim.confidence().level;
            if confidence < self.rules.exposure.min_confidence {
                continue;
            }
            let (kind, verdict, _) = claims::judge(claim, self.rules, self.tags);
            if kind == LABELLED && !claim.roles().any(|role| SERVICES.contains(&role)) {
                continue;
            }
            // Among equals the most trusted one, which comes first.
            if worst.as_ref().is_none_or(|(known, ..)| verdict > *known) {
                worst = Some((verdict, kind, claim));
            }
        }
        let Some((_, kind, claim)) = worst else { return Ok(None) };
        let name = claim.actor().unwrap_or_else(|| claim.label()).to_owned();
        let next = u32::try_from(self.parties.len()).unwrap_or(u32::MAX);
        let party = *self.numbers.entry((kind.clone(), name.clone())).or_insert(next);
        if party == next {
            let source = claim.source().to_owned();
            self.parties.push(Party { kind, name, source });
        }
        Ok(Some(Holder { party, confidence: claim.confidence().level }))
    }
}

/// Reasons about the money of a subject, and what of it was not followed to an end.
///
/// # Errors
/// What the ledger reports.
pub(crate) fn reasons<L: Ledger>(
    ledger: &L,
    tags: &TagSet,
    rules: &Rules,
    follow: Follow,
    subject: &RootSpec,
    (sides, way): (&[Side], &[String]),
) -> analyze::Result<(Vec<Reason>, Vec<NotAssessed>)> {
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
        let (parties, numbers) = (Vec::new(), BTreeMap::new());
        let kinds = Kinds { ledger, tags, rules, parties, numbers };
        let (found, ends) = exposure_with(ledger, &question, kinds)?;
        let parties = ends.into_naming().parties;
        for rule in rules.exposed.iter().filter(|rule| rule.side.is_none_or(|only| only == side)) {
            reasons.extend(reason(rule, side, &found.ends, found.total, &parties, way));
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

fn reason(
    rule: &ExposedRule,
    side: Side,
    ends: &[Share],
    total: u128,
    parties: &[Party],
    way: &[String],
) -> Option<Reason> {
    let verdict = rule.verdict.verdict()?;
    let amount = |share: &Share| match rule.reach {
        Reach::Direct => share.direct,
        Reach::Indirect => share.indirect,
        Reach::Any => share.amount(),
    };
    let kind = |share: &Share| match share.at {
        EndsAt::CoinJoin(_) => COINJOIN,
        EndsAt::Party(number) => parties.get(number as usize).map_or("", |party| &party.kind),
    };
    // The largest first, as the walk's result has them.
    let met: Vec<&Share> = ends
        .iter()
        .filter(|share| amount(share) > 0 && rule.kinds.iter().any(|wanted| wanted == kind(share)))
        .collect();
    let (first, sum) = (met.first()?, met.iter().map(|share| amount(share)).sum::<u128>());
    let enough = sum.saturating_mul(1000) >= total.saturating_mul(rule.min_share_permille.into());
    if !enough || sum < u128::from(rule.min_amount_sat) {
        return None;
    }
    let reach = match rule.reach {
        Reach::Direct => "directly ",
        Reach::Indirect => "through others ",
        Reach::Any => "",
    };
    let movement = match side {
        Side::Sending => "went to",
        Side::Receiving => "came from",
    };
    let permille = sum.saturating_mul(1000).checked_div(total).unwrap_or_default();
    let mut detail = format!(
        "{} of {} BTC ({}.{} %) {reach}{movement} {}",
        coins(sum),
        coins(total),
        permille / 10,
        permille % 10,
        rule.kinds.join(", ")
    );
    let mut path = way.to_vec();
    path.push(detail.clone());
    for share in met.iter().take(MOST_NAMED) {
        let hops = match (share.min_hops, share.max_hops) {
            (1, 1) => "1 hop".to_owned(),
            (least, most) if least == most => format!("{least} hops"),
            (least, most) => format!("{least} to {most} hops"),
        };
        let amount = coins(amount(share));
        path.push(match share.at {
            EndsAt::CoinJoin(protocol) => {
                format!("{amount} BTC at CoinJoins like {} in {hops}", protocol.name())
            }
            EndsAt::Party(number) => {
                let (name, source) = parties
                    .get(number as usize)
                    .map_or(("", ""), |party| (&party.name, &party.source));
                format!("{amount} BTC at '{name}' in {hops}, called so by {source}")
            }
        });
    }
    if met.len() > MOST_NAMED {
        let _ = write!(detail, ", {} parties", met.len());
    }
    let basis = match first.at {
        EndsAt::CoinJoin(protocol) => Basis::Inference { heuristic: protocol.name() },
        EndsAt::Party(number) => Basis::Claim {
            source: parties.get(number as usize)?.source.clone(),
            confidence: met.iter().map(|share| share.confidence).min().unwrap_or_default(),
            lastmod: None,
        },
    };
    Some(Reason { rule: rule.id.clone(), verdict, basis, address: None, detail, path })
}

/// Bitcoin with eight decimals. Sums over an address's history may be more than there are coins.
fn coins(sats: u128) -> String {
    match u64::try_from(sats) {
        Ok(sats) => Sats(sats).to_string(),
        Err(_) => format!("{}.{:08}", sats / 100_000_000, sats % 100_000_000),
    }
}
