//! The chain as last seen: where another one left it.

use bitcoin::hashes::Hash;
use chain::{BlockHash, Height, Ledger};
use sqlx::{Connection, Row};

use super::State;
use crate::Result;

/// Blocks that are kept: no reorganisation is deeper, or else what is below is told again.
const KEPT: u32 = 10_000;

impl State {
    /// Takes in the ledger's chain. Where it left the one seen before, what lies above the fork is news
    /// to every watch. With `shrink` a ledger that ends earlier counts as a reorganisation; who only
    /// looks at an older tip leaves it.
    pub(crate) fn take_in_chain(&self, ledger: &dyn Ledger, shrink: bool) -> Result<()> {
        let Some(tip) = ledger.tip() else { return Ok(()) };
        let rows = self.run(async |connection| {
            sqlx::query("SELECT height, hash FROM block ORDER BY height DESC LIMIT 1")
                .fetch_optional(&mut *connection)
                .await?
                .map(|row| {
                    Ok::<_, sqlx::Error>((row.try_get::<i64, _>(0)?, row.try_get::<Vec<u8>, _>(1)?))
                })
                .transpose()
        })?;
        let hash_at = |height: u32| -> Result<Option<BlockHash>> {
            Ok(ledger.block(Height(height))?.map(|block| block.hash))
        };
        let mut fork = None;
        let mut first = tip.height.0.saturating_sub(KEPT);
        if let Some((height, hash)) = rows {
            let Ok(height) = u32::try_from(height) else {
                return self.damaged("a negative height");
            };
            let same = |ours: Option<BlockHash>, seen: &[u8]| {
                ours.is_some_and(|ours| ours.to_byte_array() == *seen)
            };
            if same(hash_at(height)?, &hash) {
                if height == tip.height.0 {
                    return Ok(());
                }
                first = first.max(height.saturating_add(1));
            } else {
                let common = self.common_height(ledger)?;
                let on_seen_chain = common == Some(tip.height.0);
                if on_seen_chain && !shrink {
                    return Ok(());
                }
                fork = Some(common);
                first = first.max(common.map_or(0, |common| common.saturating_add(1)));
            }
        }
        let mut blocks = Vec::new();
        for height in first..=tip.height.0 {
            if let Some(hash) = hash_at(height)? {
                blocks.push((i64::from(height), hash.to_byte_array().to_vec()));
            }
        }
        let lowest = i64::from(tip.height.0) - i64::from(KEPT);
        self.run(async |connection| {
            let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
            if let Some(fork) = fork {
                let fork = fork.map_or(-1, i64::from);
                sqlx::query("DELETE FROM block WHERE height > ?")
                    .bind(fork)
                    .execute(&mut *tx)
                    .await?;
                sqlx::query("UPDATE watch SET anchor_height = ? WHERE anchor_height > ?")
                    .bind(fork)
                    .bind(fork)
                    .execute(&mut *tx)
                    .await?;
            }
            for (height, hash) in blocks {
                sqlx::query("INSERT OR REPLACE INTO block (height, hash) VALUES (?, ?)")
                    .bind(height)
                    .bind(hash)
                    .execute(&mut *tx)
                    .await?;
            }
            sqlx::query("DELETE FROM block WHERE height < ?")
                .bind(lowest)
                .execute(&mut *tx)
                .await?;
            tx.commit().await
        })
    }

    /// The highest block seen before that is on the ledger's chain.
    fn common_height(&self, ledger: &dyn Ledger) -> Result<Option<u32>> {
        let rows: Vec<(i64, Vec<u8>)> = self.run(async |connection| {
            let rows = sqlx::query("SELECT height, hash FROM block ORDER BY height DESC")
                .fetch_all(&mut *connection)
                .await?;
            rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
        })?;
        for (height, hash) in rows {
            let Ok(height) = u32::try_from(height) else {
                return self.damaged("a negative height");
            };
            if let Some(block) = ledger.block(Height(height))?
                && block.hash.to_byte_array() == *hash
            {
                return Ok(Some(height));
            }
        }
        Ok(None)
    }
}
