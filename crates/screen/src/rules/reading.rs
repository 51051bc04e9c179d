//! From a file to rules. A table that sets one key keeps the defaults of its others.

use analyze::exposure::Side;
use intel::taxonomy::Role;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::{
    AgeRule, ClaimRule, ExposedRule, LookalikeRule, Outcome, Reach, Rules, RulesError, TaggedRule,
    WalkLimits,
};
use crate::exposed::COINJOIN;

/// Names of rules that a `[[tagged]]` rule must not take.
const TAKEN: &[&str] = &[
    "unreadable",
    "bad_checksum",
    "wrong_network",
    "no_labels",
    "sanctioned",
    "sanctioned_actor",
    "lookalike",
    "lookalike_labels",
    "unseen",
    "young",
    "unknown_transaction",
    "unknown_input",
    "labelled",
    "in_book",
    "coinjoin",
    "exposure",
];

/// The names of roles.
const ROLES: &[(&str, Role)] = &[
    ("abuse", Role::Abuse),
    ("mixing", Role::Mixing),
    ("service", Role::Service),
    ("bridge", Role::Bridge),
    ("mining", Role::Mining),
    ("other", Role::Other),
];

/// Fewer bits than this the search for look-alikes does not look for.
const LEAST_BITS: u32 = intel::lookalike::ALARM.0 / 1000;
/// More than an address has.
const MOST_BITS: u32 = 1000;

pub(super) fn read(text: &str) -> Result<Rules, RulesError> {
    let rules: Rules = toml::from_str(text).map_err(|error| explain_toml(text, &error))?;
    unknown_kind(&rules).map_or(Ok(rules), |kind| {
        let at = text.find(&kind).map_or(0, |at| at.saturating_sub(1));
        let before = text.get(..at).unwrap_or(text);
        let column = 1 + before.rsplit('\n').next().unwrap_or_default().chars().count();
        let detail = format!(
            "kind `{kind}`: expected `sanctioned`, `sanctioned_actor`, `{COINJOIN}` or the id of a \
             [[tagged]] rule"
        );
        Err(RulesError { line: 1 + before.matches('\n').count(), column, detail })
    })
}

/// What is wrong with a TOML file, where, and which key or value may be meant.
pub fn explain_toml(text: &str, error: &toml::de::Error) -> RulesError {
    let at = error.span().map_or(0, |span| span.start);
    let before = text.get(..at).unwrap_or(text);
    let line = 1 + before.matches('\n').count();
    let column = 1 + before.rsplit('\n').next().unwrap_or_default().chars().count();
    RulesError { line, column, detail: with_suggestion(error.message()) }
}

/// A kind in an `[[exposed]]` rule that no claim can have.
fn unknown_kind(rules: &Rules) -> Option<String> {
    let known = |kind: &str| {
        ["sanctioned", "sanctioned_actor", COINJOIN].contains(&kind)
            || rules.tagged.iter().any(|rule| rule.id == kind)
            // Who replaces the default kinds need not replace the default rules about them.
            || Rules::default().tagged.iter().any(|rule| rule.id == kind)
    };
    rules.exposed.iter().flat_map(|rule| &rule.kinds).find(|kind| !known(kind)).cloned()
}

/// Serde says ``unknown field `x`, expected one of `a`, `b` ``: adds which of these is nearest.
fn with_suggestion(message: &str) -> String {
    let message = message.trim();
    let mut quoted = message.split('`').skip(1).step_by(2);
    let nearest =
        message.starts_with("unknown ").then(|| quoted.next()).flatten().and_then(|given| {
            quoted
                .map(|name| (strsim::damerau_levenshtein(given, name), name))
                .filter(|(distance, name)| distance * 3 <= name.len().max(3))
                .min()
        });
    match nearest {
        Some((_, name)) => format!("{message}; did you mean `{name}`?"),
        None => message.to_owned(),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClaimTable {
    verdict: Option<Outcome>,
    #[serde(default, deserialize_with = "level")]
    min_confidence: Option<u8>,
    concepts: Option<Vec<String>>,
    sources: Option<Vec<String>>,
}

/// Actors have no sources of their own that a text could be looked for in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActorTable {
    verdict: Option<Outcome>,
    #[serde(default, deserialize_with = "level")]
    min_confidence: Option<u8>,
    concepts: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TaggedTable {
    id: String,
    verdict: Outcome,
    #[serde(default)]
    roles: Vec<RoleName>,
    #[serde(default)]
    concepts: Vec<String>,
    #[serde(default, deserialize_with = "level")]
    min_confidence: Option<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WalkTable {
    max_hops: Option<u32>,
    max_transactions: Option<u64>,
    #[serde(default, deserialize_with = "level")]
    min_confidence: Option<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExposedTable {
    id: String,
    verdict: Outcome,
    side: Option<SideName>,
    #[serde(default)]
    reach: Reach,
    kinds: Vec<String>,
    #[serde(default, deserialize_with = "permille")]
    min_share_permille: u16,
    #[serde(default)]
    min_amount_sat: u64,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SideName {
    Sending,
    Receiving,
}

fn permille<'de, D: Deserializer<'de>>(from: D) -> Result<u16, D::Error> {
    let share = u16::deserialize(from).ok().filter(|share| *share <= 1000);
    share.ok_or_else(|| D::Error::custom("min_share_permille is a whole number from 0 to 1000"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LookalikeTable {
    verdict: Option<Outcome>,
    verdict_known: Option<Outcome>,
    #[serde(default, deserialize_with = "bits")]
    min_bits: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AgeTable {
    verdict: Option<Outcome>,
    blocks: Option<u32>,
}

fn bits<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    let bits = u32::deserialize(from)?;
    if !(LEAST_BITS..=MOST_BITS).contains(&bits) {
        let range = format!("min_bits is a whole number from {LEAST_BITS} to {MOST_BITS}");
        return Err(D::Error::custom(range));
    }
    Ok(Some(bits))
}

fn level<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u8>, D::Error> {
    let level = u8::deserialize(from).ok().filter(|level| *level <= 100);
    level
        .map(Some)
        .ok_or_else(|| D::Error::custom("min_confidence is a whole number from 0 to 100"))
}

struct RoleName(Role);

impl<'de> Deserialize<'de> for RoleName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        let role = ROLES.iter().find(|(known, _)| *known == name).map(|(_, role)| Self(*role));
        role.ok_or_else(|| {
            let names: Vec<String> = ROLES.iter().map(|(name, _)| format!("`{name}`")).collect();
            D::Error::custom(format!("unknown role `{name}`, expected {}", names.join(", ")))
        })
    }
}

pub(super) fn sanctioned<'de, D: Deserializer<'de>>(from: D) -> Result<ClaimRule, D::Error> {
    let (given, default) = (ClaimTable::deserialize(from)?, Rules::default().sanctioned);
    Ok(ClaimRule {
        verdict: given.verdict.unwrap_or(default.verdict),
        min_confidence: given.min_confidence.unwrap_or(default.min_confidence),
        concepts: given.concepts.unwrap_or(default.concepts),
        sources: given.sources.unwrap_or(default.sources),
    })
}

pub(super) fn sanctioned_actor<'de, D: Deserializer<'de>>(from: D) -> Result<ClaimRule, D::Error> {
    let (given, default) = (ActorTable::deserialize(from)?, Rules::default().sanctioned_actor);
    Ok(ClaimRule {
        verdict: given.verdict.unwrap_or(default.verdict),
        min_confidence: given.min_confidence.unwrap_or(default.min_confidence),
        concepts: given.concepts.unwrap_or(default.concepts),
        sources: Vec::new(),
    })
}

pub(super) fn tagged<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<TaggedRule>, D::Error> {
    let mut rules: Vec<TaggedRule> = Vec::new();
    for table in Vec::<TaggedTable>::deserialize(from)? {
        let id = own_id(table.id, rules.iter().map(|rule| rule.id.as_str()))?;
        if table.roles.is_empty() && table.concepts.is_empty() {
            let detail = format!("rule `{id}` has neither roles nor concepts and fits nothing");
            return Err(D::Error::custom(detail));
        }
        rules.push(TaggedRule {
            id,
            verdict: table.verdict,
            roles: table.roles.into_iter().map(|name| name.0).collect(),
            concepts: table.concepts,
            min_confidence: table.min_confidence.unwrap_or(0),
        });
    }
    Ok(rules)
}

pub(super) fn exposure<'de, D: Deserializer<'de>>(from: D) -> Result<WalkLimits, D::Error> {
    let (given, default) = (WalkTable::deserialize(from)?, Rules::default().exposure);
    Ok(WalkLimits {
        max_hops: given.max_hops.unwrap_or(default.max_hops),
        max_transactions: given.max_transactions.unwrap_or(default.max_transactions),
        min_confidence: given.min_confidence.unwrap_or(default.min_confidence),
    })
}

pub(super) fn exposed<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<ExposedRule>, D::Error> {
    let mut rules: Vec<ExposedRule> = Vec::new();
    for table in Vec::<ExposedTable>::deserialize(from)? {
        let id = own_id(table.id, rules.iter().map(|rule| rule.id.as_str()))?;
        rules.push(ExposedRule {
            id,
            verdict: table.verdict,
            side: table.side.map(|side| match side {
                SideName::Sending => Side::Sending,
                SideName::Receiving => Side::Receiving,
            }),
            reach: table.reach,
            kinds: table.kinds,
            min_share_permille: table.min_share_permille,
            min_amount_sat: table.min_amount_sat,
        });
    }
    Ok(rules)
}

/// An id that no other rule has.
fn own_id<'a, E: serde::de::Error>(
    id: String,
    mut others: impl Iterator<Item = &'a str>,
) -> Result<String, E> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
    if id.is_empty() || !id.chars().all(good) {
        return Err(E::custom(format!("id `{id}`: use lower case letters, digits, _ and -")));
    }
    if TAKEN.contains(&id.as_str()) || others.any(|other| other == id) {
        return Err(E::custom(format!("there is another rule with the id `{id}`")));
    }
    Ok(id)
}

pub(super) fn lookalike<'de, D: Deserializer<'de>>(from: D) -> Result<LookalikeRule, D::Error> {
    resemblance(from, Rules::default().lookalike)
}

pub(super) fn lookalike_labels<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<LookalikeRule, D::Error> {
    resemblance(from, Rules::default().lookalike_labels)
}

fn resemblance<'de, D: Deserializer<'de>>(
    from: D,
    default: LookalikeRule,
) -> Result<LookalikeRule, D::Error> {
    let given = LookalikeTable::deserialize(from)?;
    Ok(LookalikeRule {
        verdict: given.verdict.unwrap_or(default.verdict),
        verdict_known: given.verdict_known.unwrap_or(default.verdict_known),
        min_bits: given.min_bits.unwrap_or(default.min_bits),
    })
}

pub(super) fn young<'de, D: Deserializer<'de>>(from: D) -> Result<AgeRule, D::Error> {
    let (given, default) = (AgeTable::deserialize(from)?, Rules::default().young);
    Ok(AgeRule {
        verdict: given.verdict.unwrap_or(default.verdict),
        blocks: given.blocks.unwrap_or(default.blocks),
    })
}

#[cfg(test)]
mod tests {
    use super::super::DEFAULT_RULES;
    use super::*;

    #[test]
    fn the_default_file_says_what_holds_without_a_file() {
        assert_eq!(read(DEFAULT_RULES), Ok(Rules::default()));
        assert_eq!(read(""), Ok(Rules::default()));
        assert_eq!(Rules::default().unknown_concepts(), Vec::<&str>::new());
    }

    #[test]
    fn a_table_keeps_what_it_does_not_set() {
        let rules = read("[sanctioned]\nverdict = 'review'\n[lookalike]\nmin_bits = 13\n").unwrap();
        assert_eq!(rules.sanctioned.verdict, Outcome::Review);
        assert_eq!(rules.sanctioned.sources, Rules::default().sanctioned.sources);
        assert_eq!((rules.lookalike.min_bits, rules.lookalike.verdict), (13, Outcome::Block));
        assert_eq!(rules.tagged, Rules::default().tagged);
        let own = "[[tagged]]\nid = 'bets'\nverdict = 'block'\nconcepts = ['gambling', 'betz']\n";
        let rules = read(own).unwrap();
        assert_eq!((rules.tagged.len(), rules.tagged[0].min_confidence), (1, 0));
        assert_eq!(rules.unknown_concepts(), ["betz"]);
    }

    #[track_caller]
    fn wrong(text: &str, place: (usize, usize), words: &[&str]) {
        let error = read(text).unwrap_err();
        assert_eq!((error.line, error.column), place, "{error}");
        for word in words {
            assert!(error.detail.contains(word), "no '{word}' in: {error}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        wrong(
            "\n[sanctoned]\nverdict='off'",
            (2, 2),
            &["`sanctoned`", "did you mean `sanctioned`?"],
        );
        wrong("[lookalike]\nmin_bit = 3", (2, 1), &["did you mean `min_bits`?"]);
        wrong("[unseen]\nverdict = \"blok\"", (2, 11), &["`blok`", "did you mean `block`?"]);
        wrong("[lookalike]\nmin_bits = 3", (2, 12), &["from 10"]);
        wrong("[lookalike]\nmin_bits = 10.5", (2, 12), &["invalid type"]);
        wrong("[sanctioned]\nmin_confidence = 101", (2, 18), &["from 0 to 100"]);
        wrong("[unseen]\nverdict = ", (2, 11), &[]);
        wrong("[unseen]\n", (1, 1), &["verdict"]);
        let exposed = "[[exposed]]\nverdict = 'block'\nid = 'x'\n";
        wrong(&format!("{exposed}kinds = ['nobody']"), (4, 10), &["kind `nobody`"]);
        wrong(&format!("{exposed}kinds = []\nmin_share_permille = 2000"), (5, 22), &["to 1000"]);
        wrong(&format!("{exposed}kinds = []\nside = 'both'"), (5, 8), &["`sending`"]);
        let tagged = "[[tagged]]\nverdict = 'block'\n";
        wrong(&format!("{tagged}id = 'x'"), (1, 1), &["neither roles nor concepts"]);
        wrong(&format!("{tagged}id = 'lookalike'\nroles=['abuse']"), (1, 1), &["another rule"]);
        wrong(&format!("{tagged}id = 'x'\nroles=['abusee']"), (4, 7), &["mean `abuse`?"]);
    }
}
