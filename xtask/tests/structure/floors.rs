//! The floors: a crate may use only crates of lower floors.

use crate::metadata::{Kind, Package};

/// The floor of every crate of the product, planned ones included. The same table is in
/// ARCHITECTURE.md.
const FLOORS: &[(&str, u8)] = &[
    ("chain", 0),
    ("source", 1),
    ("store", 1),
    ("analyze", 2),
    ("intel", 2),
    ("ingest", 3),
    ("screen", 3),
    ("lake", 3),
    ("guard", 4),
    ("lure", 4),
    ("cases", 4),
    ("report", 4),
    ("watch", 4),
    ("server", 5),
    ("chainhound", 6),
];

/// Makes test data; stands beside the floors and uses only the nouns.
const TESTKIT: &str = "testkit";

/// May use test data outside tests: they write synthetic chains for people.
const USES_TESTKIT: &[&str] = &["chainhound", "xtask", "bench"];

/// Our own chores: they may use everything, nothing may use them.
const CHORES: &[&str] = &["xtask", "bench"];

fn floor(name: &str) -> Option<u8> {
    FLOORS.iter().find(|(known, _)| *known == name).map(|(_, floor)| *floor)
}

/// Every dependency inside the workspace that points up or sideways, and every crate that has no
/// place yet.
pub(crate) fn violations(packages: &[Package]) -> Vec<String> {
    let ours = |name: &str| packages.iter().any(|package| package.name == name);
    let mut found = Vec::new();
    for package in packages {
        let user = package.name.as_str();
        if floor(user).is_none() && user != TESTKIT && !CHORES.contains(&user) {
            found.push(format!(
                "`{user}` has no floor: add it to FLOORS in this test and to ARCHITECTURE.md"
            ));
        }
        for (used, kind) in package.dependencies.iter().filter(|(name, _)| ours(name)) {
            if let Some(reason) = forbidden(user, used, *kind) {
                found.push(format!("`{user}` must not depend on `{used}`: {reason}"));
            }
        }
    }
    found
}

/// Why this dependency is not allowed, if it is not.
fn forbidden(user: &str, used: &str, kind: Kind) -> Option<String> {
    if CHORES.contains(&used) {
        return Some("it is a chore, not part of the product".to_owned());
    }
    if CHORES.contains(&user) {
        return None;
    }
    if used == TESTKIT {
        let allowed = kind == Kind::Dev || USES_TESTKIT.contains(&user);
        return (!allowed).then(|| "test data belongs in [dev-dependencies]".to_owned());
    }
    if user == TESTKIT {
        return (used != "chain").then(|| {
            "it stands on `chain` alone, so that every crate's tests can use it".to_owned()
        });
    }
    let (from, to) = (floor(user)?, floor(used)?);
    if to < from {
        return None;
    }
    let direction = if to == from { "sideways" } else { "up" };
    let advice = if kind == Kind::Dev { "; move the test to the higher crate" } else { "" };
    Some(format!("the arrow points {direction}, from floor {from} to floor {to}{advice}"))
}

#[cfg(test)]
mod tests {
    use super::violations;
    use crate::metadata::parse;

    /// Metadata of a workspace given as lines `user -> used`, `user dev> used`, `user build> used`
    /// or just `user`.
    fn metadata(lines: &str) -> String {
        let mut names: Vec<&str> = Vec::new();
        let mut arrows = Vec::new();
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            names.push(words[0]);
            if let [user, arrow, used] = words[..] {
                let kind = match arrow {
                    "->" => "null",
                    "dev>" => r#""dev""#,
                    "build>" => r#""build""#,
                    other => panic!("no such arrow: {other}"),
                };
                names.push(used);
                arrows.push((user, format!(r#"{{"name":"{used}","kind":{kind}}}"#)));
            }
        }
        names.sort_unstable();
        names.dedup();
        let package = |name: &&str| {
            let of_it: Vec<&str> =
                arrows.iter().filter(|(user, _)| user == name).map(|(_, json)| &**json).collect();
            format!(
                r#"{{"name":"{name}","manifest_path":"/w/crates/{name}/Cargo.toml",
                    "dependencies":[{{"name":"serde","kind":null}},{}]}}"#,
                of_it.join(",")
            )
            .replace(",]", "]")
        };
        let packages: Vec<String> = names.iter().map(package).collect();
        format!(r#"{{"packages":[{}]}}"#, packages.join(","))
    }

    #[track_caller]
    fn check(lines: &str, expected: &[&str]) {
        assert_eq!(violations(&parse(&metadata(lines))), expected);
    }

    #[test]
    fn downward_arrows_pass() {
        check(
            "chainhound -> report
             report -> analyze
             ingest -> store
             ingest -> source
             store -> chain
             analyze -> chain",
            &[],
        );
    }

    #[test]
    fn an_upward_arrow_is_reported() {
        check(
            "store -> chain
             store -> ingest",
            &["`store` must not depend on `ingest`: \
               the arrow points up, from floor 1 to floor 3"],
        );
        check(
            "chain build> chainhound",
            &["`chain` must not depend on `chainhound`: \
               the arrow points up, from floor 0 to floor 6"],
        );
    }

    #[test]
    fn a_sideways_arrow_is_reported() {
        check(
            "source -> store",
            &["`source` must not depend on `store`: \
               the arrow points sideways, from floor 1 to floor 1"],
        );
    }

    #[test]
    fn tests_too_use_only_lower_floors() {
        check(
            "analyze dev> ingest",
            &["`analyze` must not depend on `ingest`: the arrow points up, \
               from floor 2 to floor 3; move the test to the higher crate"],
        );
    }

    #[test]
    fn test_data_stays_in_tests() {
        check(
            "store dev> testkit
             chainhound -> testkit
             testkit -> chain",
            &[],
        );
        check(
            "store -> testkit",
            &["`store` must not depend on `testkit`: test data belongs in [dev-dependencies]"],
        );
        check(
            "testkit -> store",
            &["`testkit` must not depend on `store`: \
               it stands on `chain` alone, so that every crate's tests can use it"],
        );
    }

    #[test]
    fn chores_use_and_are_not_used() {
        check("bench -> store", &[]);
        check(
            "chainhound -> bench",
            &["`chainhound` must not depend on `bench`: it is a chore, not part of the product"],
        );
    }

    #[test]
    fn a_crate_without_a_floor_is_reported() {
        check(
            "novelty -> chain",
            &["`novelty` has no floor: add it to FLOORS in this test and to ARCHITECTURE.md"],
        );
    }
}
