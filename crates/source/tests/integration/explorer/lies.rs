//! A server that lies is caught, and nothing that it said is kept.

use bitcoin::{Block, consensus::encode};
use chain::{MerkleError, header::HeaderError};
use serde_json::Value;
use source::esplora::explorer::{ExplorerOptions, ServerFault};
use testkit::server::Reply;

use super::{cache, fault, follow, honest::World, options, serve};

/// What comes of a lie; and that the truth, told later, is taken: a lie that can be seen is not kept.
#[track_caller]
fn check(
    lie: impl Fn(&World, &str, Reply) -> Reply + Send + Sync + 'static,
    expected: impl Fn(&ServerFault) -> bool,
) {
    check_then(lie, expected, false);
}

/// A claim shows itself as a lie only beside others: what was claimed has to be asked for again.
#[track_caller]
fn check_claim(
    lie: impl Fn(&World, &str, Reply) -> Reply + Send + Sync + 'static,
    expected: impl Fn(&ServerFault) -> bool,
) {
    check_then(lie, expected, true);
}

#[track_caller]
fn check_then(
    lie: impl Fn(&World, &str, Reply) -> Reply + Send + Sync + 'static,
    expected: impl Fn(&ServerFault) -> bool,
    refresh: bool,
) {
    let world = World::new();
    let (_, liar) = serve(move |path, _, honest| lie(&world, path, honest));
    let (world, honest) = serve(|_, _, honest| honest);
    let cache = cache();
    let told = fault(follow(options(&liar.url(), cache.path()), world.theft()));
    assert!(expected(&told), "{told:?}");
    let other = super::cache();
    let truth = follow(options(&honest.url(), other.path()), world.theft()).unwrap();
    let again = ExplorerOptions { refresh, ..options(&honest.url(), cache.path()) };
    assert_eq!(follow(again, world.theft()).unwrap(), truth);
}

/// The JSON of an answer, changed.
fn json(reply: Reply, change: impl Fn(&mut Value)) -> Reply {
    let mut value: Value = serde_json::from_slice(&reply.body).unwrap();
    change(&mut value);
    Reply::ok(value.to_string())
}

fn is(world: &World, path: &str, name: &str, route: &str) -> bool {
    path == format!("tx/{}/{route}", world.txid(name))
}

#[test]
fn another_transaction() {
    let swap = |world: &World, path: &str, honest: Reply| {
        if is(world, path, "split", "hex") {
            return world.answer(&format!("tx/{}/hex", world.txid("clean")));
        }
        honest
    };
    check(swap, |fault| matches!(fault, ServerFault::OtherTransaction(_)));
    // A parent: the value of an input would be another.
    let swap = |world: &World, path: &str, honest: Reply| {
        if is(world, path, "clean", "hex") {
            return world.answer(&format!("tx/{}/hex", world.txid("funds")));
        }
        honest
    };
    check(swap, |fault| matches!(fault, ServerFault::OtherTransaction(_)));
}

#[test]
fn a_spender_that_does_not_spend() {
    let name_another = |world: &World, path: &str, honest: Reply| {
        if !is(world, path, "split", "outspends") {
            return honest;
        }
        let other = world.txid("clean").to_string();
        json(honest, |fates| fates[0]["txid"] = other.clone().into())
    };
    check_claim(name_another, |fault| matches!(fault, ServerFault::NotSpent { .. }));
}

#[test]
fn an_unspent_output_whose_spender_is_known() {
    // `last` spends from `split` and from `far`: one of them is said to be unspent.
    let hide = |world: &World, path: &str, honest: Reply| {
        if is(world, path, "far", "outspends") {
            return Reply::ok(r#"[{"spent":false}]"#);
        }
        honest
    };
    check_claim(hide, |fault| matches!(fault, ServerFault::Contradiction(_)));
}

#[test]
fn headers() {
    let header = |change: fn(&World, &Block) -> Vec<u8>| {
        move |world: &World, path: &str, honest: Reply| {
            let words: Vec<&str> = path.split('/').collect();
            match words[..] {
                ["block", hash, "header"] if hash != world.tip().hash.to_string() => {
                    let block = world.header(hash).unwrap();
                    let hex: String =
                        change(world, block).iter().map(|b| format!("{b:02x}")).collect();
                    Reply::ok(hex)
                }
                _ => honest,
            }
        }
    };
    let other = header(|world, _| {
        encode::serialize(&world.header(&world.tip().hash.to_string()).unwrap().header)
    });
    check(other, |fault| matches!(fault, ServerFault::Contradiction(_)));
    // Of another merkle root, and so of another hash: without work, or not the one asked for.
    let forged = header(|_, block| {
        let mut bytes = encode::serialize(&block.header);
        bytes[40] ^= 1;
        bytes
    });
    check(forged, |fault| matches!(fault, ServerFault::Contradiction(_) | ServerFault::Header(_)));
    let easy = header(|_, block| {
        let mut bytes = encode::serialize(&block.header);
        bytes[72..76].copy_from_slice(&0x217f_ffff_u32.to_le_bytes());
        bytes
    });
    check(easy, |fault| matches!(fault, ServerFault::Header(HeaderError::Target { .. })));
    let short = header(|_, block| encode::serialize(&block.header)[..79].to_vec());
    check(short, |fault| matches!(fault, ServerFault::Header(HeaderError::Length(79))));
}

#[test]
fn proofs() {
    let proof = |change: fn(&mut Value)| {
        move |world: &World, path: &str, honest: Reply| {
            if is(world, path, "join", "merkle-proof") { json(honest, change) } else { honest }
        }
    };
    let root = |fault: &ServerFault| matches!(fault, ServerFault::Proof(MerkleError::Root { .. }));
    check(proof(|proof| proof["merkle"][0] = "ab".repeat(32).into()), root);
    check(proof(|proof| proof["pos"] = 0.into()), |fault| matches!(fault, ServerFault::Proof(_)));
    check(proof(|proof| proof["pos"] = 99.into()), |fault| {
        matches!(fault, ServerFault::Proof(MerkleError::Outside { .. }))
    });
    check(proof(|proof| proof["merkle"] = Vec::<String>::new().into()), |fault| {
        matches!(fault, ServerFault::Proof(_))
    });
    check(proof(|proof| proof["block_height"] = 3.into()), |fault| {
        matches!(fault, ServerFault::Contradiction(_))
    });
    // In another block than it is: the root is another.
    let elsewhere = |world: &World, path: &str, honest: Reply| {
        if !is(world, path, "split", "outspends") {
            return honest;
        }
        let block = world.answer("block-height/3").body;
        let block = String::from_utf8(block).unwrap();
        json(honest, |fates| fates[0]["status"]["block_hash"] = block.clone().into())
    };
    check_claim(elsewhere, root);
}

#[test]
fn answers_that_are_none() {
    let say = |route: &'static str, body: &'static str| {
        move |world: &World, path: &str, honest: Reply| {
            let plain = path == route;
            if plain || is(world, path, "split", route) { Reply::ok(body) } else { honest }
        }
    };
    let unreadable = |fault: &ServerFault| matches!(fault, ServerFault::Unreadable(_));
    check(say("hex", "zz"), unreadable);
    check(say("hex", ""), unreadable);
    check(say("hex", "0100"), unreadable);
    check(say("outspends", "[]"), unreadable);
    check(say("outspends", r#"[{"spent":true},{"spent":true}]"#), unreadable);
    check(say("outspends", "<html>"), unreadable);
    check(say("merkle-proof", "null"), unreadable);
    check(say("blocks/tip/hash", "hello"), unreadable);
    check(say("blocks/tip/hash", ""), unreadable);
    check(
        say("block-height/0", "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"),
        |fault| matches!(fault, ServerFault::OtherNetwork(_)),
    );
}
