//! `config show`: one order of files, environment and flags; and the files that we give to people.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::harness::{Home, command, run, text};

fn packaged(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging").join(name)
}

/// Value and origin of a setting.
fn setting(document: &Value, key: &str) -> (String, String) {
    let rows = document["settings"].as_array().unwrap();
    let row = rows.iter().find(|row| row["key"] == key).unwrap();
    let value = row["value"].as_str().unwrap_or("(not set)").to_owned();
    (value, row["origin"].as_str().unwrap().to_owned())
}

#[test]
fn the_later_one_wins_and_says_where_it_comes_from() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    fs::create_dir_all(path("user/chainhound")).unwrap();
    let (system, user, named) =
        (path("system.toml"), path("user/chainhound/config.toml"), path("named.toml"));
    let everything = "datadir = \"one\"\nnetwork = \"signet\"\n[node]\nurl = \"http://127.0.0.1:1\"\n\
                      rpc_user = \"a\"\nrpc_password_file = \"pw\"\n";
    fs::write(&system, everything).unwrap();
    let show = |more: &[&str], environment: &[(&str, &str)]| {
        let mut show = command(&[&["config", "show", "--format", "json"], more].concat());
        show.env("CHAINHOUND_SYSTEM_CONFIG", &system).env("XDG_CONFIG_HOME", path("user"));
        show.envs(environment.iter().copied());
        run(show).json()
    };
    let origin = |document: &Value, key: &str| setting(document, key).1;
    let from = |path: &Path| path.display().to_string();
    let document = show(&[], &[]);
    assert_eq!(setting(&document, "datadir"), (from(&path("one")), from(&system)));
    assert_eq!(setting(&document, "watch.sinks"), ("(not set)".into(), "default".into()));
    fs::write(&user, "network = \"testnet4\"\n").unwrap();
    let document = show(&[], &[]);
    assert_eq!(setting(&document, "network"), ("testnet4".into(), from(&user)));
    assert_eq!(origin(&document, "node.url"), from(&system));
    fs::write(&named, "network = \"regtest\"\ndatadir = \"two\"\n").unwrap();
    let document = show(&["--config", text(&named)], &[]);
    assert_eq!(setting(&document, "network"), ("regtest".into(), from(&named)));
    let environment = [
        ("CHAINHOUND_CONFIG", text(&named)),
        ("CHAINHOUND_DATADIR", "/env"),
        ("CHAINHOUND_RPC_USER", "b"),
    ];
    let document = show(&[], &environment);
    let expected = ("/env".to_owned(), "environment CHAINHOUND_DATADIR".to_owned());
    assert_eq!(setting(&document, "datadir"), expected);
    assert_eq!(origin(&document, "node.rpc_user"), "environment CHAINHOUND_RPC_USER");
    let document = show(&["--datadir", "/flag", "--network", "mainnet"], &environment);
    assert_eq!(setting(&document, "datadir"), ("/flag".into(), "flag --datadir".into()));
    assert_eq!(setting(&document, "network"), ("mainnet".into(), "flag --network".into()));
    // Tables: with the origin only where it is asked for.
    let mut plain = command(&["config", "show"]);
    plain.env("CHAINHOUND_SYSTEM_CONFIG", &system);
    let plain = run(plain);
    assert!(plain.ok().contains("signet") && !plain.out.contains("system.toml"), "{}", plain.out);
}

#[test]
fn settings_hold_for_every_verb() {
    let home = Home::new("blocks 3");
    let named = home.path("named.toml");
    fs::write(&named, "datadir = \"data\"\nnetwork = \"regtest\"\n").unwrap();
    let status = run(command(&["--config", text(&named), "status", "--format", "json"])).json();
    assert_eq!((&status["network"], &status["tip"]["height"]), (&"regtest".into(), &3.into()));
    run(command(&["status", "--config", text(&home.path("none.toml"))])).fails(2, &["none.toml"]);
    fs::write(&named, "[nod]\n").unwrap();
    run(command(&["status", "--config", text(&named)]))
        .fails(2, &["named.toml", "line 1, column 2", "did you mean `node`?"]);
    run(command(&["index", "--node"])).fails(2, &["node.url is not set"]);
    fs::write(&named, "[node]\nurl = \"http://127.0.0.1:1\"\ncookie_file = \"nothing\"\n").unwrap();
    fs::write(home.path("nothing"), "a:b").unwrap();
    let data = home.path("other");
    let index = ["index", "--node", "--config", text(&named), "--datadir", text(&data)];
    run(command(&[&index[..], &["--network", "regtest"]].concat())).fails(3, &["127.0.0.1:1"]);
}

#[test]
fn what_is_packaged_can_be_used() {
    let config = packaged("config.toml");
    let document = run(command(&["config", "show", "--format", "json", "--config", text(&config)]));
    assert_eq!(setting(&document.json(), "datadir").0, "/var/lib/chainhound");
    let sinks = fs::read_to_string(packaged("watch.toml")).unwrap();
    assert_eq!(watch::Settings::parse(&sinks).unwrap().sinks().len(), 3);
}

#[test]
fn the_units_are_what_systemd_understands() {
    let exists = Command::new("systemd-analyze").arg("--version").output();
    if !exists.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no systemd-analyze");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for name in ["chainhound-index.service", "chainhound-watch.service"] {
        // Where the program is here.
        let unit = fs::read_to_string(packaged("systemd").join(name)).unwrap();
        let unit = unit.replace("/usr/local/bin/chainhound", env!("CARGO_BIN_EXE_chainhound"));
        let path = dir.path().join(name);
        fs::write(&path, unit).unwrap();
        let verified = Command::new("systemd-analyze")
            .args(["verify", "--man=no", "--recursive-errors=no"])
            .arg(&path)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&verified.stderr).into_owned();
        // What is wrong with other units of the machine is not ours.
        let ours: Vec<&str> = said.lines().filter(|line| line.contains("chainhound")).collect();
        assert!(ours.is_empty(), "{name}: {ours:?}");
        assert!(verified.status.success(), "{name}: {said}");
    }
}
