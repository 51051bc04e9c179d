//! The book's file: one table in SQLite.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use sqlx::{
    Connection, Row, SqliteConnection,
    error::DatabaseError,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tokio::runtime::{Builder, Runtime};

use super::{
    Action, Entry,
    entry::START,
    state::{CaseState, cases},
};
use crate::{Error, Result, sha256_hex};

/// The format written here.
const FORMAT: i64 = 1;
/// "CHCA": whose file it is, for `file` and for us.
const APPLICATION: i64 = 0x4348_4341;
/// How long another program may hold the file.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longer lines are no entries: a case file is the largest thing in one.
const MAX_LINE: usize = 32 << 20;

/// The case book, open. A blocking interface: one connection, and a runtime of one thread that nobody
/// outside sees.
pub struct Book {
    path: PathBuf,
    runtime: Runtime,
    connection: Mutex<SqliteConnection>,
}

impl Book {
    /// Opens the book, and makes it where there is none.
    ///
    /// # Errors
    /// [`Error::Book`] where it cannot be opened, is another program's, or of a later version.
    pub fn open(path: &Path) -> Result<Self> {
        let fault = |detail: String| Error::Book { path: path.to_owned(), detail };
        if let Some(dir) = path.parent() {
            std::fs::create_dir_all(dir).map_err(|error| fault(error.to_string()))?;
        }
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| fault(error.to_string()))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            // Entries are few: one file, without a log beside it that has to be copied with it.
            .journal_mode(SqliteJournalMode::Delete)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(PATIENCE);
        let connection = runtime.block_on(SqliteConnection::connect_with(&options));
        let connection = connection.map_err(|error| trouble(path, &error))?;
        let book = Self { path: path.to_owned(), runtime, connection: Mutex::new(connection) };
        book.prepare()?;
        Ok(book)
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds an entry, at a time that the caller knows, and gives it back.
    ///
    /// # Errors
    /// [`Error::Question`] for a case that is not in the book, or is there already.
    pub fn append(&self, at: u64, by: &str, case: &str, action: Action) -> Result<Entry> {
        let known = self.cases()?.contains_key(case);
        match (&action, known) {
            (Action::Add { .. }, true) => {
                return Err(Error::Question(format!("there is a case '{case}' already")));
            }
            (Action::Add { .. }, false) if !is_name(case) => {
                return Err(Error::Question(format!(
                    "'{case}' is no name of a case: letters, digits, '.', '_' and '-'"
                )));
            }
            (Action::Add { .. }, false) | (_, true) => {}
            (_, false) => return Err(self.no_case(case)),
        }
        let (by, case) = (by.to_owned(), case.to_owned());
        let mut entry = Entry { n: 0, at, by, case, action, before: START.to_owned() };
        self.run(async |connection| {
            // Nobody else reads the last entry before this one is there.
            let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
            let last = sqlx::query("SELECT n, digest FROM entry ORDER BY n DESC LIMIT 1");
            let last = last.fetch_optional(&mut *tx).await?;
            let n: i64 = last.as_ref().map_or(Ok(0), |row| row.try_get(0))?;
            if let Some(row) = &last {
                entry.before = row.try_get(1)?;
            }
            entry.n = n.unsigned_abs() + 1;
            let line = entry.to_line().unwrap_or_default();
            sqlx::query("INSERT INTO entry (n, line, digest) VALUES (?, ?, ?)")
                .bind(n + 1)
                .bind(&line)
                .bind(sha256_hex(line.as_bytes()))
                .execute(&mut *tx)
                .await?;
            tx.commit().await
        })?;
        Ok(entry)
    }

    /// All entries, oldest first, and whether the chain of digests holds.
    ///
    /// # Errors
    /// [`Error::Book`] with the first entry that is not what it must be.
    pub fn verify(&self) -> Result<Vec<Entry>> {
        let rows = self.run(async |connection| {
            let rows = sqlx::query("SELECT n, line, digest FROM entry ORDER BY n");
            let rows = rows.fetch_all(&mut *connection).await?;
            let one = |row: sqlx::sqlite::SqliteRow| -> Result<(i64, String, String), sqlx::Error> {
                Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))
            };
            rows.into_iter().map(one).collect::<Result<Vec<_>, _>>()
        })?;
        let mut entries: Vec<Entry> = Vec::new();
        let mut before = START.to_owned();
        for (expected, (n, line, digest)) in (1_u64..).zip(rows) {
            let fault = |detail: String| self.fault(format!("entry {expected}: {detail}"));
            if n.unsigned_abs() != expected {
                return Err(fault(format!("is missing: entry {n} comes in its place")));
            }
            if line.len() > MAX_LINE || sha256_hex(line.as_bytes()) != digest {
                return Err(fault("was changed: it does not have its digest".to_owned()));
            }
            let entry: Entry =
                serde_json::from_str(&line).map_err(|error| fault(error.to_string()))?;
            if entry.n != expected || entry.before != before {
                return Err(fault("does not follow the entry before it".to_owned()));
            }
            if entry.to_line()? != line {
                return Err(fault("is not written in its one form".to_owned()));
            }
            before = digest;
            entries.push(entry);
        }
        Ok(entries)
    }

    /// The cases as they are now. The chain of digests is checked on the way: there is no other way to read.
    ///
    /// # Errors
    /// Those of [`Self::verify`].
    pub fn cases(&self) -> Result<std::collections::BTreeMap<String, CaseState>> {
        Ok(cases(&self.verify()?))
    }

    /// One of them.
    ///
    /// # Errors
    /// [`Error::Question`] where there is none of that name.
    pub fn case(&self, name: &str) -> Result<CaseState> {
        self.cases()?.remove(name).ok_or_else(|| self.no_case(name))
    }

    fn no_case(&self, name: &str) -> Error {
        let path = self.path.display();
        Error::Question(format!(
            "there is no case '{name}' in {path}: `chainhound case add NAME CASE.toml` takes one in"
        ))
    }

    fn fault(&self, detail: String) -> Error {
        Error::Book { path: self.path.clone(), detail }
    }

    /// Makes the table of a new file, and knows that of another one.
    fn prepare(&self) -> Result<()> {
        let (format, owner) = self.run(async |connection| {
            let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
            let number = async |tx: &mut SqliteConnection, sql: &'static str| {
                sqlx::query(sql).fetch_one(tx).await?.try_get::<i64, _>(0)
            };
            let format = number(&mut tx, "PRAGMA user_version").await?;
            let owner = number(&mut tx, "PRAGMA application_id").await?;
            if number(&mut tx, "SELECT count(*) FROM sqlite_master").await? == 0 && format == 0 {
                sqlx::raw_sql(include_str!("schema.sql")).execute(&mut *tx).await?;
                sqlx::query("PRAGMA user_version = 1").execute(&mut *tx).await?;
                sqlx::query("PRAGMA application_id = 1128809281").execute(&mut *tx).await?;
                tx.commit().await?;
                return Ok((FORMAT, APPLICATION));
            }
            Ok((format, owner))
        })?;
        match (owner, format) {
            (APPLICATION, FORMAT) => Ok(()),
            (APPLICATION, later) => {
                Err(self
                    .fault(format!("written by a later version of chainhound (format {later})")))
            }
            _ => Err(self.fault("is no case book of chainhound".to_owned())),
        }
    }

    /// Runs something on the connection, to its end.
    fn run<T>(
        &self,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T> {
        // Whoever panicked left a transaction behind, which SQLite rolls back.
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        self.runtime.block_on(work(&mut connection)).map_err(|error| trouble(&self.path, &error))
    }
}

/// Names go into paths and sentences.
fn is_name(name: &str) -> bool {
    let good = |c: char| c.is_alphanumeric() || "._-".contains(c);
    (1..=100).contains(&name.len()) && !name.starts_with(['.', '-']) && name.chars().all(good)
}

/// SQLite's words as ours (<https://sqlite.org/rescode.html>).
fn trouble(path: &Path, error: &sqlx::Error) -> Error {
    let code = error.as_database_error().and_then(DatabaseError::code);
    let primary = code.and_then(|code| code.parse::<i64>().ok()).map(|code| code & 0xff);
    let detail = match primary {
        Some(5 | 6) => "another program is writing to it: try again".to_owned(),
        Some(11 | 26) => format!("damaged: {error}"),
        _ => error.to_string(),
    };
    Error::Book { path: path.to_owned(), detail }
}
