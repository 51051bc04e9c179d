//! Alerts, and how far each sink has got with them.

use std::collections::BTreeMap;

use sqlx::{Connection, Row, sqlite::SqliteRow};

use super::{
    State,
    watches::{signed, unsigned},
};
use crate::{Result, WatchError};

/// An alert as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAlert {
    /// Number of its watch.
    pub watch: i64,
    /// Name of its watch.
    pub name: String,
    /// Its number in the watch, from 1.
    pub sequence: u64,
    /// Its id: the same at every delivery, and no other alert's.
    pub id: String,
    /// What it tells, by name.
    pub kind: String,
    /// The alert that withdrew or settled it.
    pub ended_by: Option<String>,
    /// Whether a person has seen it.
    pub acknowledged: bool,
    /// Its line of JSON.
    pub body: String,
}

impl State {
    /// Alerts by watch and number: all, or those of one watch; the newest `limit`.
    ///
    /// # Errors
    /// [`WatchError::Damaged`] and others of the file.
    pub fn alerts(
        &self,
        watch: Option<i64>,
        open_only: bool,
        limit: u32,
    ) -> Result<Vec<StoredAlert>> {
        let mut alerts: Vec<StoredAlert> = self.run(async |connection| {
            sqlx::query(
                "SELECT alert.watch, watch.name, alert.sequence, alert.id, alert.kind, \
                 alert.ended_by, alert.acknowledged, alert.body FROM alert JOIN watch ON \
                 watch.number = alert.watch WHERE (?1 IS NULL OR alert.watch = ?1) AND \
                 (?2 = 0 OR alert.acknowledged = 0) \
                 ORDER BY alert.watch DESC, alert.sequence DESC LIMIT ?3",
            )
            .bind(watch)
            .bind(i64::from(open_only))
            .bind(i64::from(limit))
            .fetch_all(&mut *connection)
            .await?
            .iter()
            .map(alert)
            .collect()
        })?;
        alerts.reverse();
        Ok(alerts)
    }

    /// Says that a person has seen an alert, by its id or `WATCH/NUMBER`; without a number, all of a
    /// watch. Returns how many that are new.
    ///
    /// # Errors
    /// [`WatchError::NoAlert`], [`WatchError::NoWatch`].
    pub fn acknowledge(&self, what: &str) -> Result<u64> {
        let missing = || WatchError::NoAlert(what.to_owned());
        let (watch, sequence, id) = match what.rsplit_once('/') {
            Some((name, number)) => {
                let sequence: u64 = number.parse().map_err(|_| missing())?;
                (Some(self.watch(name)?.number), Some(signed(sequence)), None)
            }
            None => match self.watch(what) {
                Ok(watch) => (Some(watch.number), None, None),
                Err(_) => (None, None, Some(what)),
            },
        };
        let (found, new) = self.run(async |connection| {
            let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
            let row = sqlx::query(
                "SELECT count(*), coalesce(sum(1 - acknowledged), 0) FROM alert WHERE (?1 IS NULL OR \
                 watch = ?1) AND (?2 IS NULL OR sequence = ?2) AND (?3 IS NULL OR id = ?3)",
            )
            .bind(watch)
            .bind(sequence)
            .bind(id)
            .fetch_one(&mut *tx)
            .await?;
            sqlx::query(
                "UPDATE alert SET acknowledged = 1 WHERE (?1 IS NULL OR watch = ?1) AND (?2 IS NULL OR \
                 sequence = ?2) AND (?3 IS NULL OR id = ?3)",
            )
            .bind(watch)
            .bind(sequence)
            .bind(id)
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
            Ok((row.try_get::<i64, _>(0)?, row.try_get::<i64, _>(1)?))
        })?;
        if found == 0 && (id.is_some() || sequence.is_some()) {
            return Err(missing());
        }
        Ok(u64::try_from(new).unwrap_or(0))
    }

    /// Makes a sink known. A new one begins with the alerts that are made from now on, unless it is
    /// the first of all: that one gets everything.
    ///
    /// # Errors
    /// [`WatchError::Damaged`] and others of the file.
    pub fn register_sinks(&self, names: &[&str]) -> Result<()> {
        self.run(async |connection| {
            let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
            let known: i64 =
                sqlx::query("SELECT count(*) FROM sink").fetch_one(&mut *tx).await?.try_get(0)?;
            for name in names {
                let added =
                    sqlx::query("INSERT INTO sink (name) VALUES (?) ON CONFLICT DO NOTHING")
                        .bind(name)
                        .execute(&mut *tx)
                        .await?
                        .rows_affected();
                if added > 0 && known > 0 {
                    sqlx::query(
                        "INSERT INTO delivered (sink, watch, sequence) \
                         SELECT ?, number, sequence FROM watch",
                    )
                    .bind(name)
                    .execute(&mut *tx)
                    .await?;
                }
            }
            tx.commit().await
        })
    }

    /// For each watch the next alert that a sink has not got yet.
    pub(crate) fn next_for(&self, sink: &str) -> Result<Vec<StoredAlert>> {
        let rows = self.run(async |connection| {
            sqlx::query(
                "SELECT alert.watch, watch.name, alert.sequence, alert.id, alert.kind, \
                 alert.ended_by, alert.acknowledged, alert.body FROM watch LEFT JOIN delivered ON \
                 delivered.watch = watch.number AND delivered.sink = ? JOIN alert ON alert.watch = \
                 watch.number AND alert.sequence = coalesce(delivered.sequence, 0) + 1 \
                 ORDER BY watch.number",
            )
            .bind(sink)
            .fetch_all(&mut *connection)
            .await?
            .iter()
            .map(alert)
            .collect()
        })?;
        Ok(rows)
    }

    /// Notes that an alert has arrived.
    pub(crate) fn note_delivered(&self, sink: &str, watch: i64, sequence: u64) -> Result<()> {
        self.run(async |connection| {
            sqlx::query(
                "INSERT INTO delivered (sink, watch, sequence) VALUES (?, ?, ?) \
                 ON CONFLICT (sink, watch) DO UPDATE SET sequence = excluded.sequence",
            )
            .bind(sink)
            .bind(watch)
            .bind(signed(sequence))
            .execute(&mut *connection)
            .await?;
            Ok(())
        })
    }

    /// For each sink and watch how many alerts have not arrived yet.
    ///
    /// # Errors
    /// [`WatchError::Damaged`] and others of the file.
    pub fn undelivered(&self) -> Result<BTreeMap<String, u64>> {
        self.run(async |connection| {
            let rows = sqlx::query(
                "SELECT sink.name, sum(watch.sequence - coalesce(delivered.sequence, 0)) FROM sink \
                 JOIN watch LEFT JOIN delivered ON delivered.sink = sink.name AND \
                 delivered.watch = watch.number GROUP BY sink.name",
            )
            .fetch_all(&mut *connection)
            .await?;
            rows.iter().map(|row| Ok((row.try_get(0)?, unsigned(row.try_get(1)?)?))).collect()
        })
    }
}

fn alert(row: &SqliteRow) -> Result<StoredAlert, sqlx::Error> {
    Ok(StoredAlert {
        watch: row.try_get(0)?,
        name: row.try_get(1)?,
        sequence: unsigned(row.try_get(2)?)?,
        id: row.try_get(3)?,
        kind: row.try_get(4)?,
        ended_by: row.try_get(5)?,
        acknowledged: row.try_get::<i64, _>(6)? != 0,
        body: row.try_get(7)?,
    })
}
