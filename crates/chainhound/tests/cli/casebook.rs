//! The case book: what was done, by whom, and that it cannot be changed unseen.

use std::fs;

use crate::harness::{HEIST, Home, edit, text};

fn home() -> Home {
    let home = Home::new(HEIST);
    let case = format!(
        "title = 'A theft'\nnetwork = 'regtest'\n[[theft]]\noutput = '{}:0'\n",
        home.txid("theft")
    );
    fs::write(home.path("case.toml"), case).unwrap();
    home.run(&["case", "add", "one", text(&home.path("case.toml")), "--by", "anna"]).ok();
    home
}

#[test]
fn what_is_done_with_a_case_is_kept() {
    let home = home();
    let edge = format!("{}:0>{}", home.txid("theft"), home.txid("split"));
    home.run(&["case", "note", "one", "an inference", "--on", &edge, "--by", "ben"]).ok();
    home.run(&["case", "status", "one", "waiting"]).ok();
    home.run(&["case", "assign", "one", "anna", "ben"]).ok();
    fs::write(home.path("letter.txt"), "please freeze").unwrap();
    home.run(&["case", "attach", "one", text(&home.path("letter.txt"))]).ok();
    let (case, out, blocks) = (home.path("case.toml"), home.path("x.zip"), home.block_dir());
    let args = ["case", "run", text(&case), "--out", text(&out), "--blocks-dir", text(&blocks)];
    home.run(&[&args[..], &["--in", "one"]].concat()).ok();

    let show = home.json(&["case", "show", "one"]);
    assert_eq!((&show["status"], &show["notes"][0]["on"]), (&"waiting".into(), &edge.into()));
    assert_eq!(show["notes"][0]["by"], "ben");
    assert_eq!(show["attachments"][0]["bytes"], 13);
    let sha256 = cases::sha256_hex(&fs::read(&out).unwrap());
    assert_eq!(show["bundles"][0]["sha256"], sha256);
    let list = home.json(&["case", "list"]);
    assert_eq!((&list["cases"][0]["name"], &list["cases"][0]["notes"]), (&"one".into(), &1.into()));
    let log = home.json(&["case", "log"]);
    assert_eq!((&log["holds"], &log["count"]), (&true.into(), &6.into()));
    assert_eq!(log["entries"][0]["by"], "anna");
    let head = log["head"].as_str().unwrap();
    home.run(&["case", "log", "--verify", "--head", head]).ok();
    let run = home.run(&["case", "log", "--verify", "--head", &"0".repeat(64)]);
    assert!(run.code == Some(1) && run.out.contains("cut off"), "{}", run.out);
}

#[test]
fn a_changed_attachment_or_log_is_noticed() {
    let home = home();
    fs::write(home.path("letter.txt"), "please freeze").unwrap();
    home.run(&["case", "attach", "one", text(&home.path("letter.txt"))]).ok();
    let sha256 = cases::sha256_hex(b"please freeze");
    edit(&home.path(&format!("data/cases/attachments/{sha256}")), |bytes| bytes[0] ^= 1);
    let run = home.run(&["case", "log", "--verify"]);
    assert!(run.code == Some(1) && run.out.contains("letter.txt was changed"), "{}", run.out);
    // In the file of the book itself, found by any command that reads it.
    edit(&home.path("data/cases/book.sqlite"), |bytes| {
        let at = bytes.windows(4).position(|four| four == b"anna").unwrap();
        bytes[at] = b'o';
    });
    let run = home.run(&["case", "log", "--verify"]);
    assert!(run.code == Some(1) && run.out.contains("entry 1: was changed"), "{}", run.out);
    home.run(&["case", "list"]).fails(3, &["entry 1: was changed"]);
}

#[test]
fn what_the_book_does_not_know_is_said() {
    let home = home();
    home.run(&["case", "show", "two"]).fails(2, &["there is no case 'two'", "case add"]);
    home.run(&["case", "note", "one", "x", "--on", "nonsense"])
        .fails(2, &["'nonsense'", "regtest"]);
    home.run(&["case", "status", "one", "done"]).fails(2, &["open, waiting or closed"]);
    let case = home.path("case.toml");
    home.run(&["case", "add", "one", text(&case)]).fails(2, &["already"]);
    home.run(&["case", "attach", "one", text(&home.path("none"))]).fails(3, &["none"]);
}

#[test]
fn the_labels_of_the_ready_case_can_be_imported() {
    let home = home();
    let labels =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cases/dmm-bitcoin-2024.labels.yaml");
    let read = home.json(&["tags", "import", labels, "--network", "mainnet"]);
    assert_eq!((&read["documents"][0]["accepted"], &read["addresses"]), (&11.into(), &11.into()));
}
