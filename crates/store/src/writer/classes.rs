//! What transactions were recognised as: a column that follows the others.
//!
//! Recognising needs the values and scripts of what a transaction spends, so it comes after blocks
//! are in the store, and may come some commits later: a reader that finds no class looks for itself.

use super::Writer;
use crate::{column::Bytes, error::StoreError};

impl Writer {
    /// How many transactions, from the first one on, have a class by these rules.
    pub fn classified(&self, rules: u32) -> u32 {
        if self.class_rules == rules { self.columns.tx_class.len() as u32 } else { 0 }
    }

    /// Adds the classes of the transactions behind [`Writer::classified`], of as many as are given;
    /// durable with the next commit. Where other rules were at work before, what they said is
    /// removed first.
    ///
    /// # Errors
    /// [`StoreError::Full`] for more classes than there are transactions, [`StoreError::Io`].
    pub fn push_classes(&mut self, rules: u32, classes: &[u8]) -> Result<(), StoreError> {
        if self.class_rules != rules {
            self.drop_classes(rules)?;
        }
        let after = self.columns.tx_class.len() + classes.len() as u64;
        if after > self.counts.transactions.into() {
            return Err(StoreError::Full { what: "classes" });
        }
        self.touch()?;
        self.columns.tx_class.push(classes);
        self.columns.tx_class.flush()
    }

    /// Empties the column. Readers notice, as with a rollback: new bytes come where old ones were.
    fn drop_classes(&mut self, rules: u32) -> Result<(), StoreError> {
        self.commit()?;
        if self.columns.tx_class.len() > 0 {
            self.lock.begin_rollback()?;
            self.touch()?;
            self.columns.tx_class.cut(0)?;
            self.class_rules = rules;
            self.write_meta()?;
            self.commit()?;
            self.lock.end_rollback()?;
        }
        self.class_rules = rules;
        Ok(())
    }
}
