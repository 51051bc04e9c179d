//! Questions, frontiers, alerts and what was delivered, in one SQLite file.
//!
//! A blocking interface: one connection, and a runtime of one thread that nobody outside sees. The file is in WAL mode
//! and written through to the disk at each commit, so that a kill leaves the state before a change or after it.

mod chain_rows;
mod outbox;
mod watches;

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

use crate::{Result, WatchError};

pub use outbox::StoredAlert;
pub(crate) use watches::{Change, Live, NewAlert};
pub use watches::{Frontier, NewWatch, StoredWatch};

/// The format written here.
const FORMAT: i64 = 1;
/// "CHWA": whose file it is, for `file` and for us.
const APPLICATION: i64 = 0x4348_5741;
/// How long another program may hold the file.
const PATIENCE: Duration = Duration::from_secs(10);

/// The state file, open.
pub struct State {
    path: PathBuf,
    runtime: Runtime,
    /// One after the other: a commit takes milliseconds.
    connection: Mutex<SqliteConnection>,
}

impl State {
    /// Opens the file, and makes it where there is none.
    ///
    /// # Errors
    /// [`WatchError::File`], [`WatchError::Damaged`], [`WatchError::Newer`], [`WatchError::Locked`].
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_within(path, PATIENCE)
    }

    /// The same with another patience for other programs that hold the file.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub fn open_within(path: &Path, patience: Duration) -> Result<Self> {
        let file = |detail: String| WatchError::File { path: path.to_owned(), detail };
        if let Some(dir) = path.parent() {
            std::fs::create_dir_all(dir).map_err(|error| file(error.to_string()))?;
        }
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| file(error.to_string()))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(patience);
        let connection = runtime
            .block_on(SqliteConnection::connect_with(&options))
            .map_err(|error| trouble(path, &error))?;
        let state = Self { path: path.to_owned(), runtime, connection: Mutex::new(connection) };
        state.prepare()?;
        Ok(state)
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the tables of a new file, and knows those of another one.
    fn prepare(&self) -> Result<()> {
        let (found, owner, tables) = self.run(async |connection| {
            let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
            let found: i64 =
                sqlx::query("PRAGMA user_version").fetch_one(&mut *tx).await?.try_get(0)?;
            let owner: i64 =
                sqlx::query("PRAGMA application_id").fetch_one(&mut *tx).await?.try_get(0)?;
            let count =
                sqlx::query("SELECT count(*) FROM sqlite_master").fetch_one(&mut *tx).await?;
            let tables: i64 = count.try_get(0)?;
            if tables == 0 && found == 0 {
                sqlx::raw_sql(include_str!("schema.sql")).execute(&mut *tx).await?;
                sqlx::query("PRAGMA user_version = 1").execute(&mut *tx).await?;
                sqlx::query("PRAGMA application_id = 1128814401").execute(&mut *tx).await?;
                tx.commit().await?;
                return Ok((FORMAT, APPLICATION, 1));
            }
            Ok((found, owner, tables))
        })?;
        let path = self.path.clone();
        if owner != APPLICATION || tables == 0 {
            let detail = "not a watch file of chainhound".to_owned();
            return Err(WatchError::Damaged { path, detail });
        }
        if found != FORMAT {
            return Err(WatchError::Newer { path, found, known: FORMAT });
        }
        Ok(())
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

    fn damaged<T>(&self, detail: impl Into<String>) -> Result<T> {
        Err(WatchError::Damaged { path: self.path.clone(), detail: detail.into() })
    }
}

/// SQLite's words as ours (<https://sqlite.org/rescode.html>).
fn trouble(path: &Path, error: &sqlx::Error) -> WatchError {
    let path = path.to_owned();
    let code = error.as_database_error().and_then(DatabaseError::code);
    let primary = code.and_then(|code| code.parse::<i64>().ok()).map(|code| code & 0xff);
    match primary {
        Some(5 | 6) => WatchError::Locked { path },
        Some(11 | 26) => WatchError::Damaged { path, detail: error.to_string() },
        _ => match error {
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::ColumnNotFound(_) => {
                WatchError::Damaged { path, detail: error.to_string() }
            }
            _ => WatchError::File { path, detail: error.to_string() },
        },
    }
}
