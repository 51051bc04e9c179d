//! Floor 2: pure functions over a read-only ledger.
