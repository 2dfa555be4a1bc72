// Package protocol is the wire of the server: the pomelo protocol, byte for byte
// as the clients in the field speak it. It holds values and functions over
// bytes; it has no I/O, no clock and no goroutine. This comment is the spec.
//
// # Packages
//
// A connection is a stream of packages, both ways, over TCP as it is and over
// WebSocket in binary messages:
//
//	+------+------------------+----------------------+
//	| type | length of body   | body                 |
//	|  u8  | u24, big-endian  | that many bytes      |
//	+------+------------------+----------------------+
//
//	1 handshake      client: {"sys":{…},"user":{…}} or nothing   server: {"code":200,"sys":{…}}
//	2 handshake-ack  client: nothing
//	3 heartbeat      both: nothing
//	4 data           both: one message
//	5 kick           server: {"reason":"…","code":n}
//
// Type 0 and types 6 to 255 are protocol errors. A WebSocket message holds one
// or several whole packages. We never split a package across two of them, since
// JavaScript clients fill the missing part with zeros; we accept packages that
// are split anywhere. The length is checked against a limit before anything is
// allocated for it.
//
// # Conversation
//
//	client                                  server
//	  | -- 1 {"sys":…,"user":…} ------------> |  first, before a deadline that runs from accept
//	  | <- 1 {"code":200,"sys":{…}} --------- |  or another code, and then it closes
//	  | -- 2 -------------------------------> |  only now may data flow, either way
//	  | <- 3 -------------------------------- |  at once, see below
//	  | -- 4 request 1 ---------------------> |
//	  | <- 4 push --------------------------- |
//	  | <- 4 response 1 --------------------- |  exactly one, in the order of the requests
//	  | <- 5 {"reason":"…","code":n} -------- |  and then it closes
//
// Data or an ack before the handshake, a second handshake and a second ack break
// the protocol and close the connection. A kick from a client is ignored.
//
// Three families of clients beat differently. JavaScript clients only answer:
// one interval after each heartbeat they get, they send one. libpomelo2 and
// Unity send on a timer and want an answer to each. libpitaya and Go clients
// send on a timer and take any traffic for an answer. All three are content with
// a server that sends a heartbeat right after the ack, answers every one, and
// sends one whenever an interval has passed without any from the client.
//
// # Messages
//
// The body of a data package is one message:
//
//	+------+-------------+-------------------------+-------------+
//	| flag | id          | route                   | body        |
//	|  u8  | base-128    | u8 length, UTF-8        | the rest    |
//	|      | varint      | or u16 code, big-endian |             |
//	+------+-------------+-------------------------+-------------+
//
//	flag  7 6   5     4       3 2 1   0
//	      unused error deflated type   compressed route
//
//	type       id    route
//	0 request  yes   yes     client; id 0 wants no answer
//	1 notify   –     yes     client
//	2 response yes   –       server; the id of its request
//	3 push     –     yes     server
//
// Types 4 to 7 are protocol errors; the unused bits are ignored. The id is
// little-endian in groups of seven bits, at most ten bytes; JavaScript clients
// can use ids below 2^31. A compressed route is a code 1..65535 of the
// dictionary in the handshake response. A code that is not in it is not a
// protocol error: a request with it is answered [CodeNoRoute].
//
// The error bit is younger than most clients, so the body of an error says all:
// {"code":n,"msg":"…"}. Every request whose id is not 0 gets exactly one response,
// be it that.
//
// # Handshake
//
// Whatever a client says about itself tells its family, and what it can bear:
//
//	sys.type set        pomelo: "js-websocket", "unity-socket", …   dictionary under all its names, dictVersion kept
//	sys.libVersion set  pitaya: libpitaya, pitaya's Go client       no dictionary: libpitaya misreads compressed routes
//	neither, or nothing nano's own client and strangers             dictionary as sys.dict
//
//	code 200 accepted · 400 not JSON · 500 refused · 501 client too old
//
//	sys.heartbeat    whole seconds, at least 1; absent: none
//	sys.servertime   unix seconds, now
//	sys.serializer   "json", "protobuf", …
//	sys.dict         {"route":code}; absent when there is none, never {}
//	sys.useDict, sys.routeToCode, sys.codeToRoute, sys.dictVersion
//	                 to pomelo clients; with the current dictVersion in the
//	                 request only useDict is sent, and no sys.dict
//	user             what the validator returned
//
// # Text
//
// JavaScript clients encode each UTF-16 unit by itself, so a character outside
// the basic plane arrives as two three-byte sequences (CESU-8), and they decode
// none of four bytes. [JSON] joins the first and escapes the second.
//
// # Ownership
//
// Functions named Append append to dst, return the longer slice, and keep none
// of their arguments. Functions named Cut or Parse return values that alias their
// input, and say so; those named Unmarshal and the handshake functions copy.
package protocol
