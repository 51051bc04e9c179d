//! Dev only: synthetic chains with ground truth, the chain language, a real-node harness.
