// Package sqlstore keeps the snapshots of rooms in SQL: in a file of SQLite for a
// node alone and for tests, in PostgreSQL for clusters.
//
// Each room is one row of one table, and each claim and each save is one
// statement, whose condition on the row's epoch is what fences: no transaction of
// ours spans two statements that depend on each other, so READ COMMITTED is enough.
//
// The schema is versioned and brought up to date when a store is opened. A
// database of a later version than this program knows is refused.
package sqlstore
