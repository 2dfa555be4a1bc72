-- +goose Up
CREATE TABLE shaddock_snapshots (
    room    TEXT    NOT NULL PRIMARY KEY, -- kind/id, each escaped as in a URL
    epoch   INTEGER NOT NULL,             -- of the activation that may save
    seq     INTEGER NOT NULL DEFAULT 0,   -- of its last save
    saved   INTEGER NOT NULL DEFAULT 0,   -- epoch of the one that saved last, 0: none
    data    BLOB,                         -- NULL: nothing to begin with
    changed INTEGER NOT NULL              -- milliseconds since 1970, for people and for tidying up
);

-- +goose Down
DROP TABLE shaddock_snapshots;
