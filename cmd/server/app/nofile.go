package app

// reservedFiles are the descriptors kept from players: listeners, pages, logs,
// profiles and the connections of operators.
const reservedFiles = 64
