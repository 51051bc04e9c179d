//! The results of a case under one policy, as lines of JSON: what a report is made of.
//!
//! Each line has a `kind`. Amounts are whole satoshis, lists are in chain order, and every line says on
//! what it rests: `basis` is `fact`, `inference` or `claim`. That a transaction spends these outputs and
//! makes those is a fact; how much of it counts as stolen follows from the policy by arithmetic, and the
//! policy stands in the first line.

mod basis;
mod compute;
mod model;

pub use basis::{Basis, Measured};
pub use compute::compute;
pub use model::{
    Amount, Booking, CoinJoin, Leaf, Line, Mined, Place, Question, Root, Share, Step, Totals,
};

/// The version of these lines and of what they are computed by. A bundle of another version is not
/// compared.
pub const RESULTS_VERSION: u32 = 1;

/// The results of one policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Results {
    /// In the order of the file: question, roots, bookings, totals, leaves, steps.
    pub lines: Vec<Line>,
}

impl Results {
    /// The file.
    ///
    /// # Errors
    /// None that can happen.
    pub fn to_bytes(&self) -> crate::Result<Vec<u8>> {
        let mut out = Vec::new();
        for line in &self.lines {
            serde_json::to_writer(&mut out, line)
                .map_err(|error| crate::Error::proof("results", error))?;
            out.push(b'\n');
        }
        Ok(out)
    }

    /// Reads a file of results. For those who report on a bundle that was checked.
    ///
    /// # Errors
    /// The number of the first line that is none, and why.
    pub fn read(text: &str) -> Result<Self, crate::evidence::LineFault> {
        let mut lines = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let fault = |detail: String| crate::evidence::LineFault { line: number, detail };
            lines.push(serde_json::from_str(line).map_err(|error| fault(error.to_string()))?);
        }
        Ok(Self { lines })
    }
}
