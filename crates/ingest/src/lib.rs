//! Floor 3: blocks into the store: resume, reorganisations, progress.
