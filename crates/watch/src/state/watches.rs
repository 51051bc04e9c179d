//! Watches, their frontiers, and the changes to them.

use bitcoin::hashes::Hash;
use chain::{BlockHash, Height, OutPoint, Sats, Tip, Txid};
use sqlx::{Connection, Row, SqliteConnection, sqlite::SqliteRow};

use super::State;
use crate::{Kind, Result, WatchError, alert::Mined};

/// A watch to be added.
#[derive(Clone, Debug)]
pub struct NewWatch {
    /// Its name.
    pub name: String,
    /// Its question, as [`crate::Question::to_json`] gives it.
    pub question: String,
    /// What is in this block or before it is no news; `None`: everything is.
    pub anchor: Option<Height>,
}

/// A watch as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredWatch {
    /// Its number, which no other watch of this file ever had.
    pub number: i64,
    /// Its name.
    pub name: String,
    /// Its question, for [`crate::Question::from_json`].
    pub question: String,
    /// What is in this block or before it is no news; `None`: everything is.
    pub anchor: Option<Height>,
    /// The chain that its frontier and alerts hold for; `None` before it was first looked at.
    pub seen: Option<Tip>,
    /// The labels and clusters that they hold for.
    pub surroundings: String,
    /// Number of its last alert, 0 for none.
    pub sequence: u64,
    /// Why it could not be looked at, if so.
    pub trouble: Option<String>,
}

/// A watched output that nobody has spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frontier {
    /// The output.
    pub outpoint: OutPoint,
    /// Its value.
    pub value: Sats,
    /// How much of it is stolen, at least and at most; `None` for a watched address.
    pub taint: Option<(Sats, Sats)>,
}

/// An alert that may still have to be withdrawn, or followed up.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) received: bool,
    pub(crate) txid: Txid,
    pub(crate) block: Option<(Height, BlockHash)>,
}

/// An alert to be added.
#[derive(Debug)]
pub(crate) struct NewAlert {
    pub(crate) sequence: u64,
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) what: &'static str,
    pub(crate) txid: Txid,
    pub(crate) mined: Option<Mined>,
    pub(crate) refers_to: Option<String>,
    pub(crate) body: String,
}

/// What one look at a watch changes: all of it or nothing.
#[derive(Debug)]
pub(crate) struct Change<'a> {
    pub(crate) watch: &'a StoredWatch,
    pub(crate) anchor: Option<Height>,
    pub(crate) seen: Option<Tip>,
    pub(crate) surroundings: &'a str,
    pub(crate) alerts: &'a [NewAlert],
    /// `None`: as it was.
    pub(crate) frontier: Option<&'a [Frontier]>,
}

impl State {
    /// Adds a watch.
    ///
    /// # Errors
    /// [`WatchError::NameTaken`].
    pub fn add(&self, watch: &NewWatch) -> Result<()> {
        let added = self.run(async |connection| {
            let done = sqlx::query(
                "INSERT INTO watch (name, question, anchor_height, seen_height, surroundings, sequence) \
                 VALUES (?, ?, ?, -1, '', 0) ON CONFLICT (name) DO NOTHING",
            )
            .bind(&watch.name)
            .bind(&watch.question)
            .bind(watch.anchor.map_or(-1, |height| i64::from(height.0)))
            .execute(&mut *connection)
            .await?;
            Ok(done.rows_affected())
        })?;
        if added == 0 { Err(WatchError::NameTaken(watch.name.clone())) } else { Ok(()) }
    }

    /// Ends a watch; its alerts are gone then, too.
    ///
    /// # Errors
    /// [`WatchError::NoWatch`].
    pub fn remove(&self, name: &str) -> Result<()> {
        let number = self.watch(name)?.number;
        self.run(async |connection| {
            let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
            for delete in [
                "DELETE FROM frontier WHERE watch = ?",
                "DELETE FROM alert WHERE watch = ?",
                "DELETE FROM delivered WHERE watch = ?",
                "DELETE FROM watch WHERE number = ?",
            ] {
                sqlx::query(delete).bind(number).execute(&mut *tx).await?;
            }
            tx.commit().await
        })
    }

    /// All watches, in the order in which they were added.
    ///
    /// # Errors
    /// [`WatchError::Damaged`] and others of the file.
    pub fn watches(&self) -> Result<Vec<StoredWatch>> {
        self.run(async |connection| {
            let rows = sqlx::query(
                "SELECT number, name, question, anchor_height, seen_height, seen_hash, surroundings, \
                 sequence, trouble FROM watch ORDER BY number",
            )
            .fetch_all(&mut *connection)
            .await?;
            rows.iter().map(stored).collect()
        })
    }

    /// A watch by name.
    ///
    /// # Errors
    /// [`WatchError::NoWatch`], with the name that may be meant.
    pub fn watch(&self, name: &str) -> Result<StoredWatch> {
        let watches = self.watches()?;
        if let Some(watch) = watches.iter().find(|watch| watch.name == name) {
            return Ok(watch.clone());
        }
        let near = watches
            .iter()
            .map(|watch| (strsim::damerau_levenshtein(&watch.name, name), &watch.name))
            .filter(|(distance, _)| *distance <= 3)
            .min();
        Err(WatchError::NoWatch(name.to_owned(), near.map(|(_, name)| name.clone())))
    }

    /// The unspent outputs that a watch waits for, by outpoint.
    ///
    /// # Errors
    /// [`WatchError::Damaged`] and others of the file.
    pub fn frontier(&self, watch: i64) -> Result<Vec<Frontier>> {
        self.run(async |connection| frontier(connection, watch).await)
    }

    /// Alerts that nothing has ended yet: the unconfirmed ones, and those of blocks above this one.
    pub(crate) fn live(&self, watch: i64, above: Option<Height>) -> Result<Vec<Live>> {
        let above = above.map_or(-1, |height| i64::from(height.0));
        self.run(async |connection| {
            let rows = sqlx::query(
                "SELECT id, kind, what, txid, height, block_hash FROM alert WHERE watch = ? AND \
                 ended_by IS NULL AND (height IS NULL OR height > ?) \
                 AND kind NOT IN ('withdrawn', 'replaced', 'dropped') ORDER BY sequence",
            )
            .bind(watch)
            .bind(above)
            .fetch_all(&mut *connection)
            .await?;
            rows.iter().map(live).collect()
        })
    }

    /// Alerts about unconfirmed transactions that nothing has ended yet.
    pub(crate) fn unconfirmed(&self, watch: i64) -> Result<Vec<Live>> {
        self.live(watch, Some(Height(u32::MAX)))
    }

    /// The watched outputs that an alert's transaction spends, as far as it lists them.
    pub(crate) fn spent_by(&self, id: &str) -> Result<Vec<OutPoint>> {
        let body: String = self.run(async |connection| {
            let row = sqlx::query("SELECT body FROM alert WHERE id = ?")
                .bind(id)
                .fetch_one(&mut *connection)
                .await?;
            row.try_get(0)
        })?;
        let body: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
        let from = body.get("from").and_then(serde_json::Value::as_array).into_iter().flatten();
        Ok(from
            .filter_map(|one| {
                let txid = one.get("txid")?.as_str()?.parse().ok()?;
                let vout = u32::try_from(one.get("vout")?.as_u64()?).ok()?;
                Some(OutPoint { txid, vout })
            })
            .collect())
    }

    /// Makes a change; `false` where the watch is not what it was, and nothing is done.
    pub(crate) fn commit(&self, change: &Change<'_>) -> Result<bool> {
        let Change { watch, anchor, seen, surroundings, alerts, frontier: waiting } = *change;
        let number = watch.number;
        let last = alerts.last().map_or(watch.sequence, |alert| alert.sequence);
        self.run(async |connection| {
            let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
            let done = sqlx::query(
                "UPDATE watch SET anchor_height = ?, seen_height = ?, seen_hash = ?, surroundings = ?, sequence = ?, \
                 trouble = NULL WHERE number = ? AND sequence = ?",
            )
            .bind(anchor.map_or(-1, |height| i64::from(height.0)))
            .bind(seen.map_or(-1, |tip| i64::from(tip.height.0)))
            .bind(seen.map(|tip| tip.hash.to_byte_array().to_vec()))
            .bind(surroundings)
            .bind(signed(last))
            .bind(number)
            .bind(signed(watch.sequence))
            .execute(&mut *tx)
            .await?;
            if done.rows_affected() == 0 {
                return Ok(false);
            }
            for alert in alerts {
                sqlx::query(
                    "INSERT INTO alert (watch, sequence, id, kind, what, txid, height, block_hash, \
                     refers_to, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                )
                .bind(number)
                .bind(signed(alert.sequence))
                .bind(&alert.id)
                .bind(alert.kind.name())
                .bind(alert.what)
                .bind(alert.txid.to_byte_array().to_vec())
                .bind(alert.mined.map(|mined| i64::from(mined.height)))
                .bind(alert.mined.map(|mined| mined.hash.to_byte_array().to_vec()))
                .bind(&alert.refers_to)
                .bind(&alert.body)
                .execute(&mut *tx)
                .await?;
                if let Some(earlier) = &alert.refers_to {
                    sqlx::query("UPDATE alert SET ended_by = ? WHERE id = ?")
                        .bind(&alert.id)
                        .bind(earlier)
                        .execute(&mut *tx)
                        .await?;
                }
            }
            if let Some(waiting) = waiting {
                replace_frontier(&mut tx, number, waiting).await?;
            }
            tx.commit().await?;
            Ok(true)
        })
    }

    /// Notes why a watch could not be looked at.
    pub(crate) fn note_trouble(&self, watch: i64, trouble: &str) -> Result<()> {
        self.run(async |connection| {
            sqlx::query("UPDATE watch SET trouble = ? WHERE number = ?")
                .bind(trouble)
                .bind(watch)
                .execute(&mut *connection)
                .await?;
            Ok(())
        })
    }
}

/// Writes only what is different: of ten thousand outputs one was spent.
async fn replace_frontier(
    connection: &mut SqliteConnection,
    watch: i64,
    waiting: &[Frontier],
) -> Result<(), sqlx::Error> {
    let before = frontier(&mut *connection, watch).await?;
    let (mut old, mut new) = (before, waiting.to_vec());
    let key = |one: &Frontier| (one.outpoint.txid.to_byte_array(), one.outpoint.vout);
    old.sort_by_key(key);
    new.sort_by_key(key);
    for gone in &old {
        if new.binary_search_by_key(&key(gone), key).is_err() {
            sqlx::query("DELETE FROM frontier WHERE watch = ? AND txid = ? AND vout = ?")
                .bind(watch)
                .bind(gone.outpoint.txid.to_byte_array().to_vec())
                .bind(i64::from(gone.outpoint.vout))
                .execute(&mut *connection)
                .await?;
        }
    }
    for come in &new {
        let at = old.binary_search_by_key(&key(come), key);
        if at.is_ok_and(|at| old.get(at) == Some(come)) {
            continue;
        }
        sqlx::query(
            "INSERT OR REPLACE INTO frontier (watch, txid, vout, value, lower, upper) \
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(watch)
        .bind(come.outpoint.txid.to_byte_array().to_vec())
        .bind(i64::from(come.outpoint.vout))
        .bind(signed(come.value.0))
        .bind(come.taint.map(|(lower, _)| signed(lower.0)))
        .bind(come.taint.map(|(_, upper)| signed(upper.0)))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

async fn frontier(
    connection: &mut SqliteConnection,
    watch: i64,
) -> Result<Vec<Frontier>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT txid, vout, value, lower, upper FROM frontier WHERE watch = ? ORDER BY txid, vout",
    )
    .bind(watch)
    .fetch_all(&mut *connection)
    .await?;
    let one = |row: &SqliteRow| {
        let vout = u32::try_from(row.try_get::<i64, _>(1)?).map_err(broken)?;
        let lower: Option<i64> = row.try_get(3)?;
        let upper: Option<i64> = row.try_get(4)?;
        Ok(Frontier {
            outpoint: OutPoint { txid: txid_of(row, 0)?, vout },
            value: Sats(unsigned(row.try_get(2)?)?),
            taint: match lower.zip(upper) {
                None => None,
                Some((lower, upper)) => Some((Sats(unsigned(lower)?), Sats(unsigned(upper)?))),
            },
        })
    };
    rows.iter().map(one).collect()
}

fn stored(row: &SqliteRow) -> Result<StoredWatch, sqlx::Error> {
    let seen_hash: Option<Vec<u8>> = row.try_get(5)?;
    let seen = match (height_of(row.try_get(4)?)?, seen_hash) {
        (Some(height), Some(hash)) => {
            Some(Tip { height, hash: BlockHash::from_slice(&hash).map_err(broken)? })
        }
        _ => None,
    };
    Ok(StoredWatch {
        number: row.try_get(0)?,
        name: row.try_get(1)?,
        question: row.try_get(2)?,
        anchor: height_of(row.try_get(3)?)?,
        seen,
        surroundings: row.try_get(6)?,
        sequence: unsigned(row.try_get(7)?)?,
        trouble: row.try_get(8)?,
    })
}

fn live(row: &SqliteRow) -> Result<Live, sqlx::Error> {
    let kind: String = row.try_get(1)?;
    let what: String = row.try_get(2)?;
    let height: Option<i64> = row.try_get(4)?;
    let hash: Option<Vec<u8>> = row.try_get(5)?;
    let block = match height.zip(hash) {
        None => None,
        Some((height, hash)) => {
            let height = Height(u32::try_from(height).map_err(broken)?);
            Some((height, BlockHash::from_slice(&hash).map_err(broken)?))
        }
    };
    let kind = Kind::parse(&kind).ok_or_else(|| broken("an unknown kind of alert"))?;
    let received = what == "received";
    Ok(Live { id: row.try_get(0)?, kind, received, txid: txid_of(row, 3)?, block })
}

fn txid_of(row: &SqliteRow, column: usize) -> Result<Txid, sqlx::Error> {
    let bytes: Vec<u8> = row.try_get(column)?;
    Txid::from_slice(&bytes).map_err(broken)
}

fn height_of(number: i64) -> Result<Option<Height>, sqlx::Error> {
    match number {
        -1 => Ok(None),
        number => Ok(Some(Height(u32::try_from(number).map_err(broken)?))),
    }
}

/// What a file of ours cannot hold.
pub(super) fn broken(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: "value".to_owned(), source: error.into() }
}

/// Amounts are below 2⁵¹ and sequences count alerts: both fit.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(number: i64) -> Result<u64, sqlx::Error> {
    u64::try_from(number).map_err(broken)
}
