// Sets globalThis.protobuf and exports nothing. For type checkers, which would
// otherwise read the minified code.
export {}
