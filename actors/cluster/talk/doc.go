// Package talk is a conversation between a gate and something that is placed: a
// room, or a shard of the users. Both directions are repaired flows (package flow)
// of batches; a batch is what one end had to say since it last sent.
//
// A batch is a row of operations, each a code and its fields: numbers as uvarint,
// bytes with their length in front. What a later version adds to one it adds as a
// new code; who meets a code that it does not know has met a newer version than
// it can talk to, and ends the conversation.
package talk
