//! From flags to a query, and what is wrong with them on the chain at hand.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use analyze::trace::{Direction, Limits, Policy, Query, RootSpec, Stops};
use chain::{AddressNum, Height, Ledger, MemoryLedger, Sats, ScriptBuf, script};
use intel::TagSet;
use report::{
    export::{Format, csv::Part},
    model::Context,
};
use source::esplora::explorer::{Start, Wanted};

use super::{Answer, labelled, survey};
use crate::{
    args::TraceArgs,
    explore::Told,
    failure::Failure,
    ledger::Chain,
    names::{Lent, SERVICES, Selection, find_tags, no_labels},
    place::Place,
    root::parse_root,
    run::{
        stops::{self, Rules},
        subject,
    },
    say::Say,
};

/// Stop rules by name.
pub(in crate::run) const SERVICE: &str = "service";
pub(in crate::run) const COINJOIN: &str = "coinjoin";
const STOP_RULES: [&str; 2] = [SERVICE, COINJOIN];

/// What was asked, apart from the policy.
pub(super) struct Question<'a> {
    args: &'a TraceArgs,
    /// As typed, and what it means.
    roots: Vec<(String, RootSpec)>,
    stop_at: Vec<(String, ScriptBuf)>,
    /// Stop rules by name, as typed.
    stop_rules: Vec<&'static str>,
    tags: Option<TagSet>,
    place: &'a Place,
    say: &'a Say,
}

impl<'a> Question<'a> {
    /// Reads what was typed, files of addresses included.
    pub(super) fn parse(
        args: &'a TraceArgs,
        place: &'a Place,
        say: &'a Say,
    ) -> Result<Self, Failure> {
        let network = place.network;
        let mut roots: Vec<(String, RootSpec)> = Vec::new();
        for text in &args.from {
            let root = parse_root(text, network)?;
            if roots.iter().any(|(_, known)| *known == root) {
                say.warning(format_args!("--from {text} is there twice: counted once"));
            } else {
                roots.push((text.clone(), root));
            }
        }
        let mut stop_rules: Vec<&'static str> = Vec::new();
        let mut stop_at = Vec::new();
        for text in stop_addresses(&args.stop_at)? {
            if let Some(rule) = STOP_RULES.into_iter().find(|rule| *rule == text) {
                stop_rules.push(rule);
                continue;
            }
            let script = script::parse(&text, network).map_err(|error| {
                let names = STOP_RULES.join(", ");
                Failure::from(error).hint(format!(
                    "--stop-at takes addresses, @FILE with one a line, and the rules {names}"
                ))
            })?;
            stop_at.push((text, script));
        }
        let tags = find_tags(&args.labels.tags, place, say)?;
        if stop_rules.contains(&SERVICE) && tags.is_none() {
            return Err(no_labels("--stop-at service", network));
        }
        Ok(Self { args, roots, stop_at, stop_rules, tags, place, say })
    }

    /// The stop rules that are not arithmetic, and the names of addresses.
    fn rules<'r>(&'r self, lent: Option<&'r Lent<'r>>) -> Rules<'r> {
        Rules {
            parties: self.stop_rules.contains(&SERVICE),
            coinjoins: self.stop_rules.contains(&COINJOIN),
            names: Selection {
                set: self.tags.as_ref(),
                roles: SERVICES,
                least: self.args.labels.min_confidence,
                lent,
            },
        }
    }

    /// Says what is not there, and how far the chain goes.
    pub(super) fn check(&self, chain: &Chain, say: &Say) -> Result<(), Failure> {
        let ledger = chain.ledger();
        for (text, root) in &self.roots {
            subject::require(chain, text, root)?;
        }
        let tip = ledger.tip().map(|tip| tip.height.0);
        if let (Some(until), Some(tip)) = (self.args.until_height, tip)
            && until > tip
        {
            say.warning(format_args!(
                "--until-height {until}: the chain here ends at height {tip}"
            ));
        }
        Ok(())
    }

    /// Where a server has to start looking.
    pub(super) fn starts(&self) -> Vec<Start> {
        let start = |(_, root): &(String, RootSpec)| match root {
            RootSpec::Transaction(txid) => Start::Transaction(*txid),
            RootSpec::Output(output) => Start::Transaction(output.txid),
            RootSpec::Script(script) => Start::Script(script.clone()),
        };
        self.roots.iter().map(start).collect()
    }

    /// What a server has to tell before the answer is whole.
    pub(super) fn wanted(
        &self,
        ledger: &MemoryLedger,
        policies: &[Policy],
    ) -> Result<Wanted, Failure> {
        let (addresses, _) = self.stop_numbers(ledger)?;
        let rules = self.rules(None);
        let mut wanted = Wanted::default();
        for policy in policies {
            let query = self.query(*policy, addresses.clone());
            let lacks = stops::missing(ledger, &query, &rules)?;
            wanted.spends.extend(lacks.spenders);
            wanted.fates.extend(lacks.fates);
            wanted.transactions.extend(lacks.makers);
        }
        Ok(wanted)
    }

    /// Asks under each policy. Tables need no steps, and of the leaves only the largest.
    pub(super) fn answer(
        &self,
        chain: &Chain,
        told: Option<&Told>,
        policies: &[Policy],
    ) -> Result<Answer, Failure> {
        let (addresses, unseen) = self.stop_numbers(chain.ledger())?;
        let query = |policy| self.query(policy, addresses.clone());
        let mut parameters = BTreeMap::from([("source".to_owned(), chain.kind().into())]);
        if let Some(told) = told {
            parameters.insert("server".to_owned(), told.server.clone().into());
            parameters.insert("unspent".to_owned(), "claimed by the server at the tip".into());
            parameters.insert("complete".to_owned(), told.complete.into());
        }
        if !unseen.is_empty() {
            parameters.insert("stop_addresses_never_seen".to_owned(), unseen.into());
        }
        if !self.stop_rules.is_empty() {
            parameters.insert("stop_at".to_owned(), self.stop_rules.clone().into());
        }
        if self.tags.is_some() {
            let least = self.args.labels.min_confidence;
            parameters.insert("min_confidence".to_owned(), least.into());
        }
        let set = self.tags.as_ref().filter(|_| self.args.labels.by_cluster());
        let lent = Lent::find(set, chain, self.place, self.say)?;
        let rules = self.rules(lent.as_ref());
        if let Some(clusters) = rules.names.clustering() {
            parameters.insert("clusters".to_owned(), clusters.into());
        }
        let context = Context {
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            parameters,
            ..Context::default()
        };
        match policies {
            [policy] if self.args.format == Format::Table => {
                let survey = survey::largest(chain, &query(*policy), &context, &rules)?;
                Ok(Answer::Largest(Box::new(survey)))
            }
            [policy] => {
                let document = labelled(chain, &query(*policy), &context, &rules)?;
                Ok(Answer::Whole(Box::new(document)))
            }
            several => {
                let queries: Vec<Query> = several.iter().map(|policy| query(*policy)).collect();
                Ok(Answer::SideBySide(survey::side_by_side(chain, &queries, &context, &rules)?))
            }
        }
    }

    fn query(&self, policy: Policy, addresses: BTreeSet<AddressNum>) -> Query {
        let mut limits = Limits::default();
        if matches!(self.args.part, Some(Part::Leaves | Part::Bookings)) {
            limits.flows = 0;
        }
        let direction = if self.args.backward { Direction::Backward } else { Direction::Forward };
        Query {
            policy,
            direction,
            fees: self.args.fees,
            stops: Stops {
                max_hops: self.args.max_hops,
                min_tainted: self.args.min_value.unwrap_or(Sats::ZERO),
                until_height: self.args.until_height.map(Height),
                max_transactions: self.args.budget,
                addresses,
            },
            limits,
            ..Query::new(self.roots.iter().map(|(_, root)| root.clone()).collect())
        }
    }

    /// The stop addresses as numbers, and those that nobody ever paid: nothing can arrive there.
    fn stop_numbers(
        &self,
        ledger: &dyn Ledger,
    ) -> Result<(BTreeSet<AddressNum>, Vec<String>), Failure> {
        let (mut numbers, mut unseen) = (BTreeSet::new(), Vec::new());
        for (text, script) in &self.stop_at {
            match ledger.find_script(script)? {
                Some(number) => _ = numbers.insert(number),
                None => unseen.push(text.clone()),
            }
        }
        Ok((numbers, unseen))
    }
}

/// Addresses and names of rules as typed, and the addresses in the files that
/// `@FILE` names: one a line, `#` starts a comment.
fn stop_addresses(typed: &[String]) -> Result<Vec<String>, Failure> {
    let mut addresses = Vec::new();
    for text in typed {
        let Some(path) = text.strip_prefix('@') else {
            addresses.push(text.trim().to_owned());
            continue;
        };
        let path = Path::new(path);
        let lines = fs::read_to_string(path).map_err(|error| {
            let failure = Failure::file(path, error);
            failure.hint("--stop-at @FILE names a text file with one address a line")
        })?;
        let words = lines.lines().map(|line| line.split('#').next().unwrap_or("").trim());
        addresses.extend(words.filter(|word| !word.is_empty()).map(str::to_owned));
    }
    Ok(addresses)
}
