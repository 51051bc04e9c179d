//! Floor 1: the chain as memory-mapped columns on disk.
