-- +goose Up
CREATE TABLE shaddock_snapshots (
    room    TEXT   NOT NULL PRIMARY KEY, -- kind/id, each escaped as in a URL
    epoch   BIGINT NOT NULL,             -- of the activation that may save
    seq     BIGINT NOT NULL DEFAULT 0,   -- of its last save
    saved   BIGINT NOT NULL DEFAULT 0,   -- epoch of the one that saved last, 0: none
    data    BYTEA,                       -- NULL: nothing to begin with
    changed BIGINT NOT NULL              -- milliseconds since 1970, for people and for tidying up
);

-- +goose Down
DROP TABLE shaddock_snapshots;
