//! State files that are not what they should be.

use std::fs;

use watch::{Engine, Question, State, WatchError};

use crate::chains::{Home, step};

const CHAIN: &str = "block\ntx a: coinbase -> A:50\nblock\ntx b: a:0 -> B:50\n";

fn with_alerts() -> Home {
    let home = Home::new(CHAIN);
    home.add("heist", &Question::Trace(home.trace(&["a"])), None);
    step(&mut Engine::new(&home.state), &home.up_to("b2"));
    assert_eq!(home.alerts().len(), 2);
    home
}

/// Changes the file with plain SQL, and opens it again.
fn changed(home: &Home, sql: &'static str) -> Result<State, WatchError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        use sqlx::Connection;
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(home.file());
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
    State::open(&home.file())
}

#[test]
fn a_later_version_is_left_alone() {
    let home = with_alerts();
    let error = changed(&home, "PRAGMA user_version = 2").err().unwrap().to_string();
    assert!(error.contains("later version") && error.contains("format 2"), "{error}");
}

#[test]
fn a_file_of_somebody_else_is_left_alone() {
    let home = with_alerts();
    let error = changed(&home, "PRAGMA application_id = 7").err().unwrap().to_string();
    assert!(error.contains("not a watch file"), "{error}");
}

#[test]
fn a_writer_that_does_not_end_is_named() {
    let home = with_alerts();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let other = runtime.block_on(async {
        use sqlx::Connection;
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(home.file());
        let mut other = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
        other
    });
    let opened = State::open_within(&home.file(), std::time::Duration::from_millis(50));
    assert!(matches!(opened, Err(WatchError::Locked { .. })), "{:?}", opened.err());
    runtime.block_on(async { sqlx::Connection::close(other).await.unwrap() });
    State::open(&home.file()).unwrap();
}

#[test]
fn values_that_cannot_be_are_damage() {
    for sql in [
        "UPDATE watch SET seen_hash = x'00'",
        "UPDATE watch SET anchor_height = -7",
        "UPDATE alert SET kind = 'gone'",
        "UPDATE alert SET txid = x'0102'",
        "UPDATE frontier SET vout = -1",
        "UPDATE frontier SET value = -5",
        "UPDATE block SET height = height - 100",
    ] {
        let home = with_alerts();
        let state = changed(&home, sql).unwrap();
        // The last block is lost: only then anybody looks at its alerts again.
        let ledger = home.up_to("b1");
        let looked = state
            .frontier(1)
            .map(|_| ())
            .and_then(|()| Engine::new(&state).step(&ledger, &watch::Bare).map(|_| ()));
        assert!(matches!(looked, Err(WatchError::Damaged { .. })), "{sql}: {looked:?}");
    }
}

#[test]
fn damaged_bytes_are_an_error_and_never_a_panic() {
    let home = with_alerts();
    let file = home.file();
    // Everything out of the log and into the file.
    changed(&home, "PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let good = fs::read(&file).unwrap();
    let ledger = home.up_to("b2");
    let copy = home.file().with_file_name("copy.sqlite");
    for n in 0..testkit::cases(60) as usize {
        let mut bad = good.clone();
        match n % 3 {
            0 => bad.truncate(n * 977 % good.len()),
            1 => bad[n * 7919 % good.len()] ^= 1 << (n % 8),
            _ => bad[n * 4099 % good.len()..].iter_mut().take(600).for_each(|byte| *byte = n as u8),
        }
        for ending in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(format!("{}{ending}", copy.display()));
        }
        fs::write(&copy, bad).unwrap();
        let Ok(state) = State::open(&copy) else { continue };
        let _ = state.watches();
        let _ = state.alerts(None, false, 100);
        let _ = state.frontier(1);
        let _ = Engine::new(&state).step(&ledger, &watch::Bare);
    }
}
