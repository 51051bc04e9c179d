use chain::Network;

use super::*;
use crate::Error;

fn add() -> Action {
    Action::Add {
        title: "A theft".to_owned(),
        network: "regtest".to_owned(),
        case_file: "title = 'A theft'".to_owned(),
    }
}

fn note(text: &str) -> Action {
    Action::Note { on: None, text: text.to_owned() }
}

#[test]
fn a_case_is_what_its_entries_add_up_to() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cases.sqlite");
    {
        let book = Book::open(&path).unwrap();
        book.append(10, "anna", "one", add()).unwrap();
        book.append(11, "anna", "one", note("first")).unwrap();
        book.append(12, "ben", "two", add()).unwrap();
        book.append(13, "ben", "one", Action::Status { status: Status::Waiting }).unwrap();
        book.append(14, "ben", "one", Action::Assign { to: vec!["ben".to_owned()] }).unwrap();
        let (name, sha256) = ("letter.pdf".to_owned(), "ab".repeat(32));
        book.append(15, "ben", "one", Action::Attach { name, bytes: 3, sha256 }).unwrap();
    }
    let book = Book::open(&path).unwrap();
    let one = book.case("one").unwrap();
    assert_eq!((one.status, one.added, one.changed), (Status::Waiting, 10, 15));
    assert_eq!((one.notes.len(), one.attachments.len(), one.assignees.len()), (1, 1, 1));
    assert_eq!((one.notes[0].by.as_str(), one.notes[0].text.as_str()), ("anna", "first"));
    assert_eq!(book.cases().unwrap().len(), 2);
    let entries = book.verify().unwrap();
    assert_eq!(entries.len(), 6);
    assert_eq!(entries[5].before, entries[4].digest().unwrap());
}

#[test]
fn what_cannot_be_done_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let book = Book::open(&dir.path().join("new/cases.sqlite")).unwrap();
    let wrong = |case: &str, action: Action, words: &str| {
        let error = book.append(1, "x", case, action).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    };
    wrong("none", note("x"), "there is no case 'none'");
    wrong("../x", add(), "is no name");
    wrong("", add(), "is no name");
    book.append(1, "x", "one", add()).unwrap();
    wrong("one", add(), "already");
    assert!("done".parse::<Status>().is_err());
}

/// What somebody with the file in hand can do.
fn tamper(sql: &'static str) -> Result<Vec<Entry>, Error> {
    use sqlx::Connection;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cases.sqlite");
    let book = Book::open(&path).unwrap();
    book.append(1, "x", "one", add()).unwrap();
    for text in ["a", "b", "c"] {
        book.append(2, "x", "one", note(text)).unwrap();
    }
    drop(book);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let url = format!("sqlite://{}", path.display());
        let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
        sqlx::raw_sql("DROP TRIGGER entry_stays; DROP TRIGGER entry_is_kept")
            .execute(&mut connection)
            .await
            .unwrap();
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    });
    Book::open(&path)?.verify()
}

#[test]
fn a_changed_log_is_noticed_and_the_entry_is_named() {
    let wrong = |sql: &'static str, words: &str| {
        let error = tamper(sql).unwrap_err().to_string();
        assert!(error.contains(words), "{sql}: {error}");
    };
    wrong(
        "UPDATE entry SET line = replace(line, '\"b\"', '\"z\"') WHERE n = 3",
        "entry 3: was changed",
    );
    wrong("DELETE FROM entry WHERE n = 2", "entry 2: is missing");
    wrong("UPDATE entry SET digest = '00' WHERE n = 4", "entry 4: was changed");
    let swap = "UPDATE entry SET n = 9 WHERE n = 2; UPDATE entry SET n = 2 WHERE n = 3; \
                UPDATE entry SET n = 3 WHERE n = 9";
    wrong(swap, "entry 2: does not follow");
    wrong("PRAGMA application_id = 5", "is no case book");
    wrong("PRAGMA user_version = 7", "later version");
    // The end can be cut off: only who has seen the last digest can tell.
    assert_eq!(tamper("DELETE FROM entry WHERE n = 4").unwrap().len(), 3);
}

#[test]
fn entries_cannot_be_changed_by_mistake() {
    use sqlx::Connection;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cases.sqlite");
    Book::open(&path).unwrap().append(1, "x", "one", add()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let url = format!("sqlite://{}", path.display());
        let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
        for sql in ["UPDATE entry SET digest = ''", "DELETE FROM entry"] {
            let error = sqlx::query(sql).execute(&mut connection).await.unwrap_err();
            assert!(error.to_string().contains("append-only"), "{error}");
        }
    });
}

#[test]
fn a_note_is_about_something_that_exists_on_a_chain() {
    let txid = "975ec405ac9dc9fa5ab8009d94d6a1fe31dff8a8127ea90d023104e52754e4d7";
    let good = [
        txid.to_owned(),
        format!("{txid}:1"),
        format!("{txid}:1>{txid}"),
        "1B6rJRfjTXwEy36SCs5zofGMmdv2kdZw7P".to_owned(),
        "script:51".to_owned(),
    ];
    for text in good {
        assert_eq!(Subject::parse(&text, Network::Mainnet).unwrap().to_string(), text);
    }
    for text in ["", "x", "bc1qxyz", &format!("{txid}:x"), &format!("{txid}>{txid}")] {
        assert!(Subject::parse(text, Network::Mainnet).is_err(), "{text}");
    }
}
