//! Floor 4: a trace as picture, table and file.
