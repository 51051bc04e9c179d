use watch::{Bare, Engine, Question};

use crate::chains::{Home, step};

const THEFT: &str = r#"
block
tx funds: coinbase -> victim:50
tx clean: coinbase -> honest:50
"#;

fn theft() -> String {
    r#"
block one
tx funds: coinbase -> victim:50
block two
tx theft: funds:0 -> thief:40 victim:9
block three
tx hop: theft:0 -> mule:30sat cash:*
block three_b on two
tx other: theft:0 -> mule:* | fee=1000sat
block four_b
tx more: other:0 -> exit:*
"#
    .to_owned()
}

#[track_caller]
fn check(home: &Home, tips: &[&str], expected: &[&str]) {
    let mut engine = Engine::new(&home.state);
    for tip in tips {
        step(&mut engine, &home.up_to(tip));
    }
    assert_eq!(home.told(), expected);
}

#[test]
fn a_move_is_told_once_and_the_taint_goes_on_by_itself() {
    let home = Home::new(&theft());
    home.add("heist", &Question::Trace(home.trace(&["theft:0"])), Some(2));
    check(
        &home,
        &["two", "three_b", "three_b", "four_b"],
        &[
            "1 moved other @3=4000000000: theft:0=4000000000 -> other:0=3999999000 fee=1000",
            "2 moved more @4=3999999000: other:0=3999999000 -> more:0=3999999000",
        ],
    );
    let frontier = home.state.frontier(1).unwrap();
    assert_eq!(frontier.len(), 1);
    assert_eq!(frontier[0].outpoint, home.chain.outpoint("more", 0).unwrap());
}

#[test]
fn a_reorganisation_withdraws_by_a_second_alert_that_names_the_first() {
    let home = Home::new(&theft());
    home.add("heist", &Question::Trace(home.trace(&["theft:0"])), Some(2));
    check(
        &home,
        &["two", "three", "four_b"],
        &[
            "1 moved hop @3=4000000000: theft:0=4000000000 -> hop:0=30 hop:1=3999999970",
            "2 withdrawn hop @3",
            "3 moved other @3=4000000000: theft:0=4000000000 -> other:0=3999999000 fee=1000",
            "4 moved more @4=3999999000: other:0=3999999000 -> more:0=3999999000",
        ],
    );
    let alerts = home.alerts();
    assert_eq!(alerts[0].ended_by.as_deref(), Some(alerts[1].id.as_str()));
    assert!(alerts[1].body.contains(&format!("\"refers_to\":\"{}\"", alerts[0].id)));
    assert!(alerts[1].body.contains("\"action\":\"disregard\""));
}

#[test]
fn the_past_is_no_news_unless_it_is_asked_for_or_happens_otherwise() {
    let home = Home::new(&theft());
    let question = Question::Trace(home.trace(&["theft:0"]));
    home.add("late", &question, Some(3));
    home.add("all", &question, None);
    check(
        &home,
        &["three", "four_b"],
        &[
            "1 moved other @3=4000000000: theft:0=4000000000 -> other:0=3999999000 fee=1000",
            "2 moved more @4=3999999000: other:0=3999999000 -> more:0=3999999000",
            "1 received theft @2=4000000000:  -> theft:0=4000000000",
            "2 moved hop @3=4000000000: theft:0=4000000000 -> hop:0=30 hop:1=3999999970",
            "3 withdrawn hop @3",
            "4 moved other @3=4000000000: theft:0=4000000000 -> other:0=3999999000 fee=1000",
            "5 moved more @4=3999999000: other:0=3999999000 -> more:0=3999999000",
        ],
    );
}

#[test]
fn a_theft_that_is_not_on_the_chain_yet_is_waited_for() {
    let home = Home::new(&theft());
    home.add("soon", &Question::Trace(home.trace(&["theft:0", "exit"])), Some(1));
    check(
        &home,
        &["one", "two", "one", "three"],
        &[
            "1 received theft @2=4000000000:  -> theft:0=4000000000",
            "2 withdrawn theft @2",
            "3 received theft @2=4000000000:  -> theft:0=4000000000",
            "4 moved hop @3=4000000000: theft:0=4000000000 -> hop:0=30 hop:1=3999999970",
        ],
    );
}

#[test]
fn addresses_receive_and_spend() {
    let home = Home::new(&theft());
    home.add("thief", &Question::Addresses(vec![home.script("thief")]), Some(0));
    check(
        &home,
        &["one", "two", "three_b"],
        &["1 received theft @2:  -> theft:0", "2 moved other @3: theft:0 -> other:0"],
    );
}

#[test]
fn several_roots_are_told_apart_and_bounds_are_intervals() {
    let text = r#"
block
tx a: coinbase -> A:10
block
tx b: coinbase -> B:30
block
tx mix: a:0 b:0 -> C:25 D:15
"#;
    let home = Home::new(text);
    let mut question = home.trace(&["a:0", "b:0"]);
    home.add("haircut", &Question::Trace(question.clone()), Some(2));
    question.policy = analyze::trace::Policy::Bounds;
    question.roots.truncate(1);
    home.add("bounds", &Question::Trace(question), Some(2));
    check(
        &home,
        &["b2", "b3"],
        &[
            "1 moved mix @3=4000000000: a:0=1000000000 b:0=3000000000 -> mix:0=2500000000 \
             mix:1=1500000000",
            "1 moved mix @3=1000000000..1000000000: a:0=1000000000..1000000000 -> \
             mix:0=0..1000000000 mix:1=0..1000000000",
        ],
    );
    let body = &home.alerts()[0].body;
    let root = home.chain.outpoint("a", 0).unwrap();
    assert!(body.contains(&format!("\"root\":\"{root}\",\"tainted_sat\":1000000000")), "{body}");
    assert!(body.contains(&format!("\"root\":\"{root}\",\"tainted_sat\":625000000")), "{body}");
}

#[test]
fn nothing_is_evaluated_while_nothing_touches_the_watch() {
    let home =
        Home::new(&format!("{THEFT}blocks 3\n").replace("tx clean: coinbase -> honest:50\n", ""));
    home.add("quiet", &Question::Trace(home.trace(&["funds:0"])), Some(1));
    let mut engine = Engine::new(&home.state);
    let evaluated: Vec<usize> = ["b1", "b2", "b3", "b3", "b4"]
        .iter()
        .map(|tip| step(&mut engine, &home.up_to(tip)).evaluated)
        .collect();
    assert_eq!(evaluated, [1, 0, 0, 0, 0]);
    // What another process adds is looked at.
    home.add("second", &Question::Trace(home.trace(&["funds:0"])), None);
    let outcome = engine.step(&home.up_to("b4"), &Bare).unwrap();
    assert_eq!((outcome.evaluated, outcome.alerts), (1, 1));
}
