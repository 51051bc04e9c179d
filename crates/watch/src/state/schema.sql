-- Format 1 of the watch file. Numbers of blocks and amounts are integers, ids and hashes are the bytes
-- as they are hashed, texts are UTF-8.
CREATE TABLE watch (
    number INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again, so that ids of alerts are not either
    name TEXT NOT NULL UNIQUE,
    question TEXT NOT NULL,                   -- JSON, see question.rs
    anchor_height INTEGER NOT NULL,           -- what is in this block or before it is no news; -1: all is
    seen_height INTEGER NOT NULL,             -- the chain that frontier and alerts hold for; -1: none yet
    seen_hash BLOB,
    surroundings TEXT NOT NULL,               -- labels and clusters that they hold for
    sequence INTEGER NOT NULL,                -- of the last alert
    trouble TEXT                              -- why it could not be looked at
) STRICT;
CREATE TABLE frontier (
    watch INTEGER NOT NULL,
    txid BLOB NOT NULL,
    vout INTEGER NOT NULL,
    value INTEGER NOT NULL,
    lower INTEGER,                            -- tainted satoshis; NULL for a watched address
    upper INTEGER,
    PRIMARY KEY (watch, txid, vout)
) STRICT, WITHOUT ROWID;
CREATE TABLE alert (
    watch INTEGER NOT NULL,
    sequence INTEGER NOT NULL,                -- 1, 2, 3, … in each watch
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    what TEXT NOT NULL,                       -- moved or received
    txid BLOB NOT NULL,
    height INTEGER,                           -- NULL: unconfirmed
    block_hash BLOB,
    refers_to TEXT,
    ended_by TEXT,                            -- the alert that withdrew or settled it
    acknowledged INTEGER NOT NULL DEFAULT 0,
    body TEXT NOT NULL,
    PRIMARY KEY (watch, sequence)
) STRICT, WITHOUT ROWID;
-- An old watch has many alerts, and each new block asks only for the newest of them.
CREATE INDEX alert_live ON alert (watch, height) WHERE ended_by IS NULL;
CREATE TABLE block (                          -- the chain as last seen, its newest part
    height INTEGER PRIMARY KEY,
    hash BLOB NOT NULL
) STRICT;
CREATE TABLE sink (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE delivered (
    sink TEXT NOT NULL,
    watch INTEGER NOT NULL,
    sequence INTEGER NOT NULL,                -- all alerts up to this one have arrived
    PRIMARY KEY (sink, watch)
) STRICT, WITHOUT ROWID;
