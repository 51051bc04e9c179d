//! Everything that is wrong: the exit code, and words that say what, where, and what to do.

use std::{fs, os::unix::fs::PermissionsExt};

use testkit::{
    Chain,
    blkfile::{Disorder, Layout, write_blocks},
};

use crate::harness::{HEIST, Home, chainhound, edit, hex, text};

const NOWHERE: &str = "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16";

#[test]
fn the_command_line_is_checked() {
    for (args, words) in [
        (&["frobnicate"][..], &["frobnicate"][..]),
        (&["index"], &["--blocks-dir"]),
        (&["index", "--blocks-dir", "a", "--esplora", "b"], &["cannot be used with"]),
        (
            &["index", "--blocks-dir", "a", "--follow", "--until-height", "3"],
            &["cannot be used with"],
        ),
        (&["index", "--blocks-dir", "a", "--memory", "lots"], &["512MiB"]),
        (&["index", "--esplora", "a", "--memory", "1GiB"], &["cannot be used with"]),
        (&["status", "-q", "-v"], &["cannot be used with"]),
        (&["status", "--network", "moonnet"], &["unknown network 'moonnet'", "testnet4"]),
        (&["status", "--format", "xml"], &["xml", "json"]),
        (&["trace"], &["--from"]),
        (
            &["trace", "--from", NOWHERE, "--policy", "magic"],
            &["unknown policy 'magic'", "haircut"],
        ),
        (&["trace", "--from", NOWHERE, "--fees", "keep"], &["unknown fee mode 'keep'", "follow"]),
        (&["trace", "--from", NOWHERE, "--format", "pdf"], &["unknown format 'pdf'", "svg"]),
        (&["trace", "--from", NOWHERE, "--min-value", "0.1"], &["0.5btc"]),
        (&["trace", "--from", NOWHERE, "--max-hops", "-1"], &["-1"]),
        (
            &["trace", "--from", NOWHERE, "--policy", "all", "--format", "json"],
            &["side by side", "table"],
        ),
        (&["trace", "--from", NOWHERE, "--part", "leaves"], &["--part is for --format csv"]),
        (&["trace", "--from", "xyz"], &["'xyz' is not a Bitcoin address"]),
        (&["trace", "--from", &NOWHERE[1..]], &["63 hexadecimal digits: a txid has 64"]),
        (&["trace", "--from", &format!("{NOWHERE}:x")], &["output's number"]),
        (&["tx", "12"], &["'12' is not a txid"]),
        (&["block", "tip"], &["'tip' is no block"]),
        (&["address", "script:xyz"], &["hexadecimal"]),
        (&["address", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb"], &["is not a Bitcoin address"]),
        (&["demo", "--transactions", "5"], &["20000"]),
    ] {
        chainhound(args).fails(2, words);
    }
}

#[test]
fn a_missing_store_says_how_to_make_one() {
    let home = Home::blocks(HEIST);
    for args in [
        &["status"][..],
        &["tx", NOWHERE],
        &["block", "1"],
        &["trace", "--from", NOWHERE],
        &["store", "check"],
    ] {
        home.run(args).fails(3, &["mainnet/graph: no store here", "chainhound index"]);
    }
}

#[test]
fn what_is_not_there_is_not_there_up_to_a_height() {
    let home = Home::new(HEIST);
    let hash = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";
    let unseen = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
    for args in [
        &["tx", NOWHERE][..],
        &["block", "8"],
        &["block", hash],
        &["address", unseen],
        &["trace", "--from", NOWHERE],
        &["trace", "--from", &format!("{NOWHERE}:0")],
        &["trace", "--from", unseen],
    ] {
        home.run(args).fails(3, &["is not on this chain (regtest) up to height 7"]);
    }
}

#[test]
fn an_address_of_another_network_is_named() {
    let home = Home::new(HEIST);
    let genesis = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa";
    let theft = home.txid("theft");
    for args in [
        &["address", genesis][..],
        &["trace", "--from", genesis],
        &["trace", "--from", &theft, "--stop-at", genesis],
    ] {
        home.run(args).fails(2, &["is an address of mainnet, and this is regtest", "--network"]);
    }
}

#[test]
fn a_root_that_cannot_be_followed_says_why() {
    let home = Home::new(HEIST);
    let cash = home.txid("cash");
    home.run(&["trace", "--from", &format!("{cash}:1")]).fails(2, &["is an OP_RETURN", "burned"]);
    home.run(&["trace", "--from", &format!("{cash}:3")])
        .fails(2, &["has no output 3", "its 3 outputs are numbered from 0"]);
    home.run(&["trace", "--from", &cash, "--until-height", "4"])
        .fails(2, &["is of block 5, after block 4"]);
    home.run(&["trace", "--from", &cash, "--stop-at", "@/nowhere/stops.txt"])
        .fails(3, &["/nowhere/stops.txt", "one address a line"]);
    home.run(&["trace", "--from", &cash, "--out", "/nowhere/trace.txt"])
        .fails(3, &["/nowhere/trace.txt"]);
    // Spent long ago is fine: that is what a trace is for.
    home.run(&["trace", "--from", &home.txid("funds")]).ok();
}

#[test]
fn a_damaged_block_is_named_and_what_comes_before_is_kept() {
    // A flipped bit in the memo: the Merkle root of its block does not match.
    let home = Home::blocks(HEIST);
    edit(&home.block_file(), |bytes| {
        let at = bytes.windows(7).position(|window| window == b"ETH.ETH");
        bytes[at.unwrap()] ^= 1;
    });
    let run = home.index(&[]);
    run.fails(3, &["blk00000.dat: byte ", "block 5 (", "merkle root"]);
    assert_eq!(home.json(&["status"])["tip"]["height"], 4);
    // The file is repaired: indexing goes on.
    home.write(Layout::default());
    home.index(&[]).ok();
    home.run(&["store", "check"]).ok();
}

#[test]
fn a_truncated_file_ends_the_chain_with_a_warning() {
    let home = Home::blocks(HEIST);
    edit(&home.block_file(), |bytes| bytes.truncate(bytes.len() - 10));
    let run = home.index(&[]);
    run.ok();
    assert!(
        run.err.contains("blk00000.dat: byte ") && run.err.contains("incomplete tail"),
        "{}",
        run.err
    );
    assert_eq!(home.json(&["status"])["tip"]["height"], 6);
}

#[test]
fn bytes_that_are_no_block_are_named() {
    let home = Home::blocks(HEIST);
    edit(&home.block_file(), |bytes| {
        bytes.splice(8 + 285..8 + 285, *b"this is not a block");
    });
    let run = home.index(&[]);
    run.ok();
    assert!(
        run.err.contains("warning: ") && run.err.contains("19 bytes are no block"),
        "{}",
        run.err
    );
    assert_eq!(home.json(&["status"])["tip"]["height"], 7);
}

#[test]
fn wrong_magic_and_wrong_network_are_told_apart() {
    let home = Home::blocks(HEIST);
    home.index(&["--network", "mainnet"])
        .fails(2, &["blk00000.dat", "of regtest, not of mainnet", "--network"]);
    edit(&home.block_file(), |bytes| bytes.iter_mut().for_each(|byte| *byte ^= 0x55));
    home.index(&[]).fails(3, &["no block in them", "xor.dat"]);
    let empty = home.path("empty");
    fs::create_dir(&empty).unwrap();
    home.run(&["index", "--blocks-dir", text(&empty)]).fails(3, &["no blk*.dat files here"]);
    home.run(&["index", "--blocks-dir", "/nowhere"]).fails(3, &["/nowhere"]);
}

#[test]
fn a_store_of_another_network_is_not_mixed_up() {
    let home = Home::new(HEIST);
    fs::rename(home.path("data/regtest"), home.path("data/signet")).unwrap();
    home.run(&["status"]).fails(2, &["holds regtest, not signet", "--datadir"]);
}

#[test]
fn a_missing_middle_file_is_named_and_what_comes_before_is_kept() {
    let home = Home::blocks("blocks 40");
    fs::remove_dir_all(home.block_dir()).unwrap();
    home.write(Layout { max_file: 2_000, ..Layout::default() });
    fs::remove_file(home.block_dir().join("blk00002.dat")).unwrap();
    let run = home.index(&[]);
    assert_eq!(run.code, Some(3), "{}{}", run.out, run.err);
    for word in
        ["the chain ends at height", "cannot be connected", "(in blk00003.dat)", "is indexed"]
    {
        assert!(run.err.contains(word), "{}", run.err);
    }
    assert!(home.json(&["status"])["blocks"].as_u64().unwrap() > 8);
    home.write(Layout { max_file: 2_000, ..Layout::default() });
    home.index(&[]).ok();
    assert_eq!(home.json(&["status"])["blocks"], 41);
}

#[test]
fn a_missing_first_file_is_named() {
    let home = Home::blocks("blocks 40");
    fs::remove_dir_all(home.block_dir()).unwrap();
    home.write(Layout { max_file: 2_000, ..Layout::default() });
    fs::remove_file(home.block_file()).unwrap();
    home.index(&[]).fails(3, &["block 0 of regtest is in none of the files"]);
}

#[test]
fn impossible_transactions_are_named() {
    for (text, words) in [
        (
            "block\nunchecked\ntx a: 1111111111111111111111111111111111111111111111111111111111111111:0 -> x:1",
            &["height 1", "which does not exist"][..],
        ),
        (
            "block\ntx a: coinbase -> x:50\nblock\ntx b: a:0 -> x:49\nblock\nunchecked\ntx c: a:0 -> x:48",
            &["height 3", "already spent"],
        ),
        ("block\nunchecked\ntx a: coinbase -> x:20000000 y:2000000", &["block 1 (", "21 million"]),
    ] {
        let home = Home::blocks(text);
        home.index(&[]).fails(3, words);
    }
}

#[test]
fn twin_coinbases_are_taken_like_bip_30_says() {
    let home = Home::new(
        "block\ntx a: coinbase -> x:50 | script=51aa\nblock\ntx b: coinbase -> x:50 | script=51aa\n",
    );
    assert_eq!(home.txid("a"), home.txid("b"));
    // The latest has the id; the first is there still, and nobody can spend it.
    assert_eq!(home.json(&["tx", &home.txid("a")])["height"], 2);
    assert_eq!(home.json(&["address", &home.address("x")])["received_count"], 2);
    home.run(&["store", "check"]).ok();
}

#[test]
fn a_damaged_store_is_found() {
    let home = Home::new(HEIST);
    edit(&home.graph().join("out.value"), |bytes| bytes[7] ^= 4);
    let check = home.run(&["store", "check", "--format", "json"]);
    assert_eq!(check.code, Some(1), "{}{}", check.out, check.err);
    let document: serde_json::Value = serde_json::from_str(&check.out).unwrap();
    assert_eq!(document["good"], false);
    assert!(document["findings"][0].as_str().unwrap().contains("out.value"), "{document}");
    let table = home.run(&["store", "check"]);
    assert!(table.out.contains("DAMAGED"), "{}", table.out);
    // A question that reads the damaged page is not answered.
    home.run(&["tx", &home.txid("split")]).fails(3, &["out.value: damaged at byte", "store check"]);
    edit(&home.graph().join("meta"), |bytes| bytes[40] ^= 1);
    home.run(&["status"]).fails(3, &["meta"]);
}

#[test]
fn a_store_of_a_later_release_is_left_alone() {
    let home = Home::new(HEIST);
    let meta = home.graph().join("meta");
    let text = fs::read_to_string(&meta).unwrap();
    fs::write(&meta, text.replacen("version 1", "version 7", 1)).unwrap();
    for run in [home.run(&["status"]), home.index(&[])] {
        run.fails(3, &["written in format 7", "use a newer release"]);
    }
}

#[test]
fn a_datadir_that_cannot_be_written_is_named() {
    let home = Home::blocks(HEIST);
    // For the superuser nothing is read-only; a file in the way stops everybody.
    fs::write(home.path("data"), "a file").unwrap();
    home.index(&[]).fails(3, &["data/regtest"]);
    fs::remove_file(home.path("data")).unwrap();
    fs::create_dir(home.path("data")).unwrap();
    fs::set_permissions(home.path("data"), fs::Permissions::from_mode(0o555)).unwrap();
    let root = fs::write(home.path("data/probe"), "").is_ok();
    if !root {
        home.index(&[]).fails(3, &["data/regtest", "denied"]);
    }
    fs::set_permissions(home.path("data"), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn blocks_of_another_chain_are_refused() {
    let home = Home::new(HEIST);
    let other = Chain::parse("block\ntx a: coinbase -> somebody:50\n").unwrap();
    fs::remove_dir_all(home.block_dir()).unwrap();
    write_blocks(&home.block_dir(), other.blocks(), Layout::default(), Disorder::default())
        .unwrap();
    home.index(&[]).fails(3, &["the store's tip, block 7", "another --datadir"]);
    assert_eq!(home.json(&["status"])["blocks"], 8);
}

#[test]
fn a_file_of_transactions_is_checked() {
    let home = Home::blocks(HEIST);
    let file = home.path("told.json");
    fs::write(&file, "{\"txid\": 7}").unwrap();
    home.run(&["trace", "--esplora", text(&file), "--from", NOWHERE]).fails(3, &["told.json"]);
    fs::write(&file, "").unwrap();
    home.run(&["index", "--esplora", text(&file)]).fails(3, &["told.json: no transactions"]);
    assert!(!home.path("data/mainnet/sparse").exists());
    let split = hex(home.chain.tx("split").unwrap());
    let hex = home.path("told.hex");
    fs::write(&hex, split).unwrap();
    home.run(&["index", "--esplora", text(&hex)])
        .fails(3, &["no transaction with all its prevouts", "add the transactions"]);
}
