//! The screening itself.

use std::collections::BTreeMap;

use analyze::{Error, exposure::Side, trace::RootSpec};
use bitcoin::{OutPoint, Script, ScriptBuf};
use chain::{Height, Ledger, Network, Sats, Txid, script};
use intel::{TagSet, lookalike::Book};

use crate::{
    claims, exposed,
    lent::LentLabels,
    payment::{Payment, Place},
    psbt, resemblance,
    rules::{PlainRule, Rules},
    target::Target,
    verdict::{Basis, Kind, NotAssessed, Part, Party, Reason, Screened, Seen, Verdict},
};

/// Outputs of an address that are looked at to find its first one.
const MOST_STEPS: usize = 256;
/// Inputs of a PSBT whose money is followed back.
const MOST_INPUTS: usize = 64;
/// The name of what a walk looks for.
const EXPOSURE: &str = "exposure";
const BOTH: [Side; 2] = [Side::Receiving, Side::Sending];

/// What there is to go by. Everything but the rules may be missing, and is then listed in
/// [`Screened::not_assessed`].
pub struct Screen<'a, L> {
    /// The network of the targets.
    pub network: Network,
    /// The rules.
    pub rules: &'a Rules,
    /// What sources say.
    pub tags: Option<&'a TagSet>,
    /// What clusters lend to their addresses.
    pub lent: Option<&'a LentLabels<'a>>,
    /// Addresses that are known to be right.
    pub book: Option<&'a Book>,
    /// All labelled addresses as a book.
    pub label_book: Option<&'a Book>,
    /// The chain.
    pub ledger: Option<&'a L>,
    /// Whether that is all of it, so that what is missing does not exist.
    pub is_whole: bool,
    /// How far money is followed.
    pub exposure: Follow,
}

/// How far money is followed, to see from whom it came and to whom it went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Follow {
    /// Not at all.
    Nothing,
    /// To whoever is one hop away: tens of microseconds for a target.
    #[default]
    Direct,
    /// As far as [`crate::WalkLimits`] let it: milliseconds for a target.
    Indirect,
}

impl<L> Clone for Screen<'_, L> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L> Copy for Screen<'_, L> {}

/// What is found while a target is looked at.
#[derive(Default)]
struct Found {
    reasons: Vec<Reason>,
    parties: Vec<Party>,
    not_assessed: Vec<NotAssessed>,
    /// Whether some address is in no book.
    some_unknown: bool,
}

impl<L: Ledger> Screen<'_, L> {
    /// The verdict on a target.
    ///
    /// # Errors
    /// What the ledger reports. A target that cannot be read is no error, but a verdict.
    pub fn screen(&self, target: &Target) -> chain::Result<Screened> {
        let mut found = Found::default();
        let kind = match target {
            Target::Address { text, script } => {
                let parts = vec![Part::Itself];
                self.party(script, Some(text), parts, None, &[], &mut found)?;
                self.money_of_address(script, &mut found)?;
                Kind::Address
            }
            Target::Elsewhere { text, network } => {
                self.elsewhere(text, *network, &mut found);
                Kind::AddressElsewhere
            }
            Target::Transaction(txid) => {
                self.transaction(txid, &mut found)?;
                Kind::Transaction
            }
            Target::Psbt(bytes) => match psbt::payment(bytes) {
                Ok(payment) => {
                    let spent: Vec<OutPoint> =
                        payment.inputs.iter().filter_map(|input| input.outpoint).collect();
                    self.payment(payment, &mut found)?;
                    self.money_of_inputs(&spent, &mut found)?;
                    Kind::Psbt
                }
                Err(error) => {
                    fact(&mut found, "unreadable", self.rules.unreadable, error.to_string());
                    Kind::Psbt
                }
            },
            Target::BadAddress(why) => {
                fact(&mut found, "bad_checksum", self.rules.bad_checksum, why.clone());
                Kind::Unreadable
            }
            Target::Unreadable(why) => {
                fact(&mut found, "unreadable", self.rules.unreadable, why.clone());
                Kind::Unreadable
            }
        };
        if kind != Kind::Unreadable {
            self.say_what_is_missing(&mut found);
        }
        Ok(Screened::new(kind, found.reasons, found.parties, found.not_assessed))
    }

    fn elsewhere(&self, text: &str, network: Option<Network>, found: &mut Found) {
        let own = self.network;
        let detail = match network {
            Some(of) => format!("an address of {of}, and this is {own}"),
            None => format!("an address of another chain, and this is {own}"),
        };
        fact(found, "wrong_network", self.rules.wrong_network, detail);
        let Some(tags) = self.tags else { return };
        for network in tags.networks_elsewhere() {
            let claims = tags.of_address_elsewhere(network, text);
            found.reasons.extend(claims::reasons(claims, self.rules, tags, Some(text), &[]));
        }
    }

    fn transaction(&self, txid: &Txid, found: &mut Found) -> chain::Result<()> {
        if let Some(tags) = self.tags {
            let claims = tags.of_transaction(txid);
            found.reasons.extend(claims::reasons(claims, self.rules, tags, None, &[]));
        }
        let unknown = |found: &mut Found, detail: &str| {
            let rule = self.rules.unknown_transaction;
            fact(found, "unknown_transaction", rule, detail.to_owned());
        };
        let Some(ledger) = self.ledger else {
            unknown(found, "there is no chain to look the transaction up in");
            return Ok(());
        };
        let Some(tx) = ledger.find_tx(txid)? else {
            unknown(
                found,
                match self.is_whole {
                    true => {
                        "not on this chain: unconfirmed, of another network, or newer than the store"
                    }
                    false => "not among the transactions that are known here",
                },
            );
            return Ok(());
        };
        self.payment(Payment::of(ledger, tx)?, found)?;
        self.money(&RootSpec::Transaction(*txid), &BOTH, &[], found)
    }

    fn payment(&self, mut payment: Payment, found: &mut Found) -> chain::Result<()> {
        if let Some(ledger) = self.ledger {
            payment.complete(ledger)?;
        }
        for place in payment.inputs.iter().filter(|place| place.script.is_none()) {
            let spent = place.outpoint.map_or(String::new(), |out| format!(", which spends {out}"));
            let detail = format!("input {}{spent}: nobody knows whose it is", place.number);
            fact(found, "unknown_input", self.rules.unknown_input, detail);
        }
        if payment.partly_known {
            found.not_assessed.push(NotAssessed {
                what: "inputs",
                why: "of this transaction only some outputs are known here".to_owned(),
            });
        }
        // Many inputs and outputs may be one address: it is looked at once.
        let mut order: Vec<&ScriptBuf> = Vec::new();
        let mut parties: BTreeMap<&ScriptBuf, (Vec<Part>, u64)> = BTreeMap::new();
        let part = |make: fn(u32) -> Part| move |place| (make, place);
        let inputs = payment.inputs.iter().map(part(Part::Input));
        let outputs = payment.outputs.iter().map(part(Part::Output));
        for (make, place) in inputs.chain(outputs) {
            let place: &Place = place;
            let Some(script) = &place.script else { continue };
            let (parts, value) = parties.entry(script).or_insert_with(|| {
                order.push(script);
                Default::default()
            });
            parts.push(make(place.number));
            *value = value.saturating_add(place.value.map_or(0, |value| value.0));
        }
        for script in order {
            let Some((parts, value)) = parties.remove(script) else { continue };
            let first = parts.first().copied().unwrap_or(Part::Itself);
            let text = text_of(script, self.network);
            let way = [first.to_string(), text];
            self.party(script, None, parts, Some(Sats(value)), &way, found)?;
        }
        Ok(())
    }

    /// Everything about one address.
    fn party(
        &self,
        script: &Script,
        text: Option<&str>,
        parts: Vec<Part>,
        value: Option<Sats>,
        way: &[String],
        found: &mut Found,
    ) -> chain::Result<()> {
        let address = match text {
            Some(text) => text.to_owned(),
            None => text_of(script, self.network),
        };
        let before = found.reasons.len();
        if let Some(tags) = self.tags {
            let claims = tags.of_script(script.as_bytes());
            found.reasons.extend(claims::reasons(claims, self.rules, tags, Some(&address), way));
        }
        if let (Some(lent), Some(ledger)) = (self.lent, self.ledger)
            && let Some(number) = ledger.find_script(script)?
        {
            found.reasons.extend(lent.reasons(number, &address, way));
        }
        let mut is_known = false;
        for (book, rule, name) in [
            (self.book, self.rules.lookalike, resemblance::BOOK),
            (self.label_book, self.rules.lookalike_labels, resemblance::LABELS),
        ] {
            let Some(book) = book else { continue };
            let (reasons, known) = resemblance::reasons(book, rule, name, &address, way);
            found.reasons.extend(reasons);
            is_known |= known && name == resemblance::BOOK;
        }
        found.some_unknown |= !is_known;
        let seen = self.seen(script)?;
        self.judge_age(seen, &address, way, found);
        let said = found.reasons.get(before..).unwrap_or_default();
        let verdict = said.iter().map(|reason| reason.verdict).max().unwrap_or(Verdict::Allow);
        found.parties.push(Party { address, parts, value, verdict, seen });
        Ok(())
    }

    /// A history that is too long is not walked: it would take as long as it likes.
    fn money_of_address(&self, script: &Script, found: &mut Found) -> chain::Result<()> {
        let Some(ledger) = self.ledger else { return Ok(()) };
        let Some(address) = ledger.find_script(script)? else { return Ok(()) };
        let mut before = None;
        for _ in 0..MOST_STEPS {
            before = ledger.last_output_of(address, before)?;
            if before.is_none() {
                return self.money(&RootSpec::Script(script.into()), &BOTH, &[], found);
            }
        }
        found.not_assessed.push(NotAssessed {
            what: EXPOSURE,
            why: format!("the address received more than {} outputs", MOST_STEPS - 1),
        });
        Ok(())
    }

    fn money_of_inputs(&self, spent: &[OutPoint], found: &mut Found) -> chain::Result<()> {
        let Some(ledger) = self.ledger else { return Ok(()) };
        for (number, outpoint) in spent.iter().enumerate() {
            let known = match ledger.find_tx(&outpoint.txid)? {
                Some(tx) => ledger.output_at(tx, outpoint.vout)?.is_some(),
                None => false,
            };
            if !known || number >= MOST_INPUTS {
                let why = match known {
                    true => format!("only the first {MOST_INPUTS} inputs are followed back"),
                    false => format!("{outpoint} is not on this chain"),
                };
                found.not_assessed.push(NotAssessed { what: EXPOSURE, why });
                return Ok(());
            }
            let way = [format!("input {number}"), outpoint.to_string()];
            self.money(&RootSpec::Output(*outpoint), &[Side::Receiving], &way, found)?;
        }
        Ok(())
    }

    fn money(
        &self,
        subject: &RootSpec,
        sides: &[Side],
        way: &[String],
        found: &mut Found,
    ) -> chain::Result<()> {
        let (Some(ledger), Some(tags)) = (self.ledger, self.tags) else { return Ok(()) };
        if !self.follows_money() {
            return Ok(());
        }
        let names = exposed::Names { ledger, tags, lent: self.lent, rules: self.rules };
        match exposed::reasons(names, self.exposure, subject, (sides, way)) {
            Ok((reasons, not_assessed)) => {
                found.reasons.extend(reasons);
                found.not_assessed.extend(not_assessed);
                Ok(())
            }
            Err(Error::Ledger(error)) => Err(error),
            // What a target names may be nothing that money can be followed from.
            Err(error) => {
                found.not_assessed.push(NotAssessed { what: EXPOSURE, why: error.to_string() });
                Ok(())
            }
        }
    }

    fn follows_money(&self) -> bool {
        self.exposure != Follow::Nothing && !self.rules.exposed.is_empty()
    }

    fn seen(&self, script: &Script) -> chain::Result<Seen> {
        let Some(ledger) = self.ledger.filter(|_| self.is_whole) else { return Ok(Seen::Unknown) };
        let Some(address) = ledger.find_script(script)? else { return Ok(Seen::Never) };
        let (mut at, mut steps, mut whole) = (None, 0, false);
        while steps < MOST_STEPS {
            match ledger.last_output_of(address, at)? {
                Some(out) => at = Some(out),
                None => {
                    whole = true;
                    break;
                }
            }
            steps += 1;
        }
        let Some(oldest) = at else { return Ok(Seen::Unknown) };
        let height = ledger.height(ledger.tx_of(oldest)?)?;
        Ok(match height {
            None => Seen::Unknown,
            Some(height) if whole => Seen::First(height),
            Some(height) => Seen::NotAfter(height),
        })
    }

    fn judge_age(&self, seen: Seen, address: &str, way: &[String], found: &mut Found) {
        let Some(tip) = self.ledger.and_then(|ledger| ledger.tip()) else { return };
        let (rule, outcome, detail) = match seen {
            Seen::Never => {
                let detail = format!("never seen on the chain up to height {}", tip.height);
                ("unseen", self.rules.unseen.verdict, detail)
            }
            Seen::First(Height(first)) => {
                let age = tip.height.0.saturating_sub(first);
                if age >= self.rules.young.blocks {
                    return;
                }
                let detail = format!("first seen at height {first}, {age} blocks before the tip");
                ("young", self.rules.young.verdict, detail)
            }
            Seen::Unknown | Seen::NotAfter(_) => return,
        };
        let Some(verdict) = outcome.verdict() else { return };
        let mut path = way.to_vec();
        path.push(detail.clone());
        found.reasons.push(Reason {
            rule: rule.to_owned(),
            verdict,
            basis: Basis::Fact,
            address: Some(address.to_owned()),
            detail,
            path,
        });
    }

    /// Silence is no all-clear: what could not be looked at is told.
    fn say_what_is_missing(&self, found: &mut Found) {
        let mut lacks = |what, why: &str| {
            found.not_assessed.push(NotAssessed { what, why: why.to_owned() });
        };
        if self.tags.is_none() {
            lacks("labels", "no labels are imported");
        }
        if self.book.is_none() && self.label_book.is_none() {
            lacks("lookalike", "no book of known addresses is given");
        }
        match (self.ledger, self.is_whole) {
            (None, _) => lacks("seen", "there is no chain"),
            (Some(_), false) => {
                lacks("seen", "only some transactions are known, not the whole chain")
            }
            (Some(_), true) => {}
        }
        match (self.ledger.is_some(), self.tags.is_some(), self.follows_money()) {
            (false, ..) => lacks(EXPOSURE, "there is no chain"),
            (_, false, _) => lacks(EXPOSURE, "no labels are imported"),
            (_, _, false) => lacks(EXPOSURE, "switched off"),
            _ => {}
        }
        if self.tags.is_none() && (found.some_unknown || found.parties.is_empty()) {
            let detail = "no labels are imported: nobody was asked who this is".to_owned();
            fact(found, "no_labels", self.rules.no_labels, detail);
        }
    }
}

/// A reason that rests on the target's own text or on the chain.
fn fact(found: &mut Found, rule: &str, by: PlainRule, detail: String) {
    if let Some(verdict) = by.verdict.verdict() {
        found.reasons.push(Reason {
            rule: rule.to_owned(),
            verdict,
            basis: Basis::Fact,
            address: None,
            path: vec![detail.clone()],
            detail,
        });
    }
}

/// A script as its address, or as `script:HEX` where it has none.
fn text_of(script: &Script, network: Network) -> String {
    script::address(script, network).unwrap_or_else(|| format!("script:{}", script.to_hex_string()))
}
