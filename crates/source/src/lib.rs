//! Floor 1: where blocks and transactions come from.
