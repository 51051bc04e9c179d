-- Format 1 of the case book. An entry's line is what is hashed; the number is there to be asked by.
CREATE TABLE entry (
    n INTEGER PRIMARY KEY,     -- 1, 2, 3, …
    line TEXT NOT NULL,        -- JSON without spaces, see entry.rs
    digest TEXT NOT NULL       -- SHA-256 of the line
) STRICT;
-- Against mistakes, not against people: who can write the file can drop these too, and then the digests tell.
CREATE TRIGGER entry_stays BEFORE UPDATE ON entry
BEGIN SELECT RAISE(ABORT, 'the log of cases is append-only'); END;
CREATE TRIGGER entry_is_kept BEFORE DELETE ON entry
BEGIN SELECT RAISE(ABORT, 'the log of cases is append-only'); END;
