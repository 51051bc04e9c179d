//! `chainhound case`: from a file to a bundle, and its check.

use std::fs;

use crate::{
    harness::{HEIST, Home, command, edit, run, text},
    serving::Served,
};

/// A home with a case file of the theft in it.
pub(crate) fn home() -> Home {
    let home = Home::new(HEIST);
    let labels = format!(
        "title: T\ncreator: C\nsource: https://example.org\ncurrency: BTC\nconfidence: forensic\ntags:\n\
         - {{address: {}, label: example.com, category: exchange}}\n",
        home.address("three")
    );
    fs::write(home.path("labels.yaml"), labels).unwrap();
    let case = format!(
        "title = 'A theft'\nnetwork = 'regtest'\nlabels = ['labels.yaml']\n[[theft]]\n\
         output = '{}:0'\namount_sat = 4990000000\n[stops]\nat = ['service', 'coinjoin']\n",
        home.txid("theft")
    );
    fs::write(home.path("case.toml"), case).unwrap();
    home
}

pub(crate) fn make(home: &Home, out: &str, more: &[&str]) {
    let (case, out) = (home.path("case.toml"), home.path(out));
    let blocks = home.block_dir();
    let args = ["case", "run", text(&case), "--out", text(&out), "--blocks-dir", text(&blocks)];
    home.run(&[&args[..], more].concat()).ok();
}

#[test]
fn a_case_becomes_a_bundle_that_holds_without_any_data() {
    let home = home();
    make(&home, "one.zip", &[]);
    make(&home, "two.zip", &[]);
    let (one, two) = (home.path("one.zip"), home.path("two.zip"));
    assert_eq!(fs::read(&one).unwrap(), fs::read(&two).unwrap());

    let verdict = crate::harness::chainhound(&["case", "verify", text(&one), "--format", "json"]);
    let verdict = verdict.json();
    assert_eq!(verdict["schema"], "chainhound.case_verify.v1");
    assert_eq!((&verdict["verdict"], &verdict["title"]), (&"good".into(), &"A theft".into()));
    assert_eq!(verdict["provenance"]["tip"]["height"], 7);
    let checks = verdict["checks"].as_array().unwrap();
    assert_eq!(checks.iter().filter(|check| check["check"] == "results").count(), 6);
}

#[test]
fn damage_is_named_and_exits_with_1() {
    let home = home();
    make(&home, "case.zip", &[]);
    let path = home.path("case.zip");
    // Somewhere among the transactions.
    let raw = fs::read(&path).unwrap();
    let at = raw.windows(6).position(|bytes| bytes == b"\"raw\":").unwrap();
    edit(&path, |bytes| bytes[at + 20] ^= 1);
    let run = home.run(&["case", "verify", text(&path)]);
    assert_eq!(run.code, Some(1));
    for words in ["transactions.jsonl", "FAILS", "line 1", "BAD"] {
        assert!(run.out.contains(words), "no '{words}' in {}", run.out);
    }
}

#[test]
fn a_bundle_is_signed_and_the_key_can_be_asked_for() {
    let home = home();
    let (key, public) = (home.path("me.key"), home.path("me.key.pub"));
    home.run(&["case", "keygen", text(&key)]).ok();
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    // A key is never overwritten.
    home.run(&["case", "keygen", text(&key)]).fails(3, &["me.key", "exists"]);

    let request = home.path("request");
    make(&home, "case.zip", &["--sign", text(&key), "--stamp-request", text(&request)]);
    let bundle = home.path("case.zip");
    let sha256 = cases::sha256_hex(&fs::read(&bundle).unwrap());
    assert_eq!(fs::read_to_string(&request).unwrap(), format!("{sha256}  case.zip\n"));
    let verify = |key: &str| home.run(&["case", "verify", text(&bundle), "--public-key", key]);
    verify(text(&public)).ok();
    let line = fs::read_to_string(&public).unwrap().lines().nth(1).unwrap().to_owned();
    verify(&line).ok();
    home.run(&["case", "keygen", text(&home.path("other.key"))]).ok();
    let run = verify(text(&home.path("other.key.pub")));
    assert!(run.code == Some(1) && run.out.contains("is signed by"), "{}", run.out);
    verify("nonsense").fails(2, &["public key"]);
}

#[test]
fn what_is_wrong_with_a_case_is_said() {
    let home = home();
    let case = home.path("case.toml");
    let (blocks, out) = (home.block_dir(), home.path("x.zip"));
    let args = ["case", "run", text(&case), "--out", text(&out), "--blocks-dir", text(&blocks)];
    let good = fs::read_to_string(&case).unwrap();
    let with = |from: &str, to: &str| {
        fs::write(&case, good.replace(from, to)).unwrap();
        home.run(&args)
    };
    let misspelt = "stopps"; // typos:ignore
    with("stops", misspelt).fails(2, &["case.toml", "line 7, column 2", "did you mean `stops`?"]);
    with("labels.yaml", "missing.yaml").fails(3, &["missing.yaml"]);
    with(":0'", ":7'").fails(3, &["has no output 7"]);
    with("regtest", "mainnet").fails(2, &["mainnet"]);
    let run = with("4990000000", "5000000000");
    assert!(run.code == Some(0) && run.err.contains("says 5000000000 sat"), "{}", run.err);
    fs::write(&case, &good).unwrap();
    home.run(&[&args[..5], &[]].concat()).fails(2, &["--blocks-dir"]);
    assert!(!home.path("y.zip").exists());
}

#[test]
fn a_new_case_file_can_be_run() {
    let home = home();
    let case = home.path("new.toml");
    let theft = format!("{}:0", home.txid("theft"));
    let args = ["case", "new", text(&case), "--network", "regtest", "--from", &theft];
    home.run(&args).ok();
    home.run(&args).fails(3, &["new.toml", "exists"]);
    let text_of = fs::read_to_string(&case).unwrap().replace("\"service\", ", "");
    fs::write(&case, text_of).unwrap();
    let (blocks, out) = (home.block_dir(), home.path("new.zip"));
    home.run(&["case", "run", text(&case), "--out", text(&out), "--blocks-dir", text(&blocks)])
        .ok();
    home.run(&["case", "verify", text(&out)]).ok();
    assert!(home.run(&["case", "new"]).ok().contains("[[theft]]"));
}

/// With a server and nothing else: no store, no blocks.
#[test]
fn a_case_can_be_run_on_a_server() {
    let home = home();
    make(&home, "store.zip", &[]);
    let blocks = home.block_dir();
    let served = Served::start(&home, &["--blocks-dir", text(&blocks)]);
    let data = tempfile::tempdir().unwrap();
    let (case, out) = (home.path("case.toml"), home.path("server.zip"));
    let args = ["case", "run", text(&case), "--out", text(&out), "--esplora", &served.url];
    let on_server = || {
        let mut command = command(&args);
        command.env("CHAINHOUND_DATADIR", data.path());
        run(command)
    };
    on_server().ok();
    let first = fs::read(&out).unwrap();
    home.run(&["case", "verify", text(&out)]).ok();
    on_server().ok();
    assert_eq!(fs::read(&out).unwrap(), first);
    // The sums are those from the store. Leaves at services are not: whether somebody spent them later
    // was not asked.
    let sums = |zip: &[u8]| -> Vec<String> {
        let files = cases::container::read(zip).unwrap();
        let results = files.iter().filter(|file| file.name.starts_with("results/"));
        let lines = results.flat_map(|file| std::str::from_utf8(file.bytes).unwrap().lines());
        let wanted = lines.filter(|line| !line.contains("\"kind\":\"leaf\""));
        wanted.map(str::to_owned).collect()
    };
    assert_eq!(sums(&first), sums(&fs::read(home.path("store.zip")).unwrap()));
    let file = ["case", "run", text(&case), "--out", text(&out), "--esplora", "transactions.json"];
    home.run(&file).fails(2, &["https://HOST/api"]);
}
