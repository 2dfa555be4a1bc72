// Command oracle lets a test in another language compare its codec with ours: it
// reads one JSON object a line, and writes one a line.
//
// With a message it answers the data package that holds it; with {"wire":"hex"}
// it answers the message that the package holds, or {"error":…}.
package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/shaddock-game/shaddock/protocol"
)

// message is a protocol.Message, or its bytes, as JSON.
type message struct {
	Type  uint8  `json:"type"`
	ID    uint64 `json:"id"`
	Route string `json:"route"`
	Code  uint16 `json:"code"`
	Body  string `json:"body"` // hex
	Wire  string `json:"wire,omitempty"`
	Error string `json:"error,omitempty"`
}

func main() {
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "oracle:", err)
		os.Exit(1)
	}
}

func serve(r io.Reader, w io.Writer) error {
	in, buffered := json.NewDecoder(r), bufio.NewWriter(w)
	out := json.NewEncoder(buffered)
	for {
		var m message
		if err := in.Decode(&m); err == io.EOF {
			return buffered.Flush()
		} else if err != nil {
			return err
		}
		answer := encode
		if m.Wire != "" {
			answer = decode
		}
		res, err := answer(m)
		if err != nil {
			res = message{Error: err.Error()}
		}
		if err := out.Encode(res); err != nil {
			return err
		}
	}
}

func encode(m message) (message, error) {
	body, err := hex.DecodeString(m.Body)
	if err != nil {
		return m, err
	}
	b, mark := protocol.BeginPacket(nil, protocol.Data)
	b, err = protocol.AppendMessage(b, protocol.Message{
		Type: protocol.MessageType(m.Type), ID: m.ID, Route: m.Route, Code: m.Code, Body: body,
	})
	if err != nil {
		return m, err
	}
	return message{Wire: hex.EncodeToString(protocol.EndPacket(b, mark))}, nil
}

func decode(m message) (message, error) {
	b, err := hex.DecodeString(m.Wire)
	if err != nil {
		return m, err
	}
	p, rest, err := protocol.CutPacket(b, protocol.MaxPacketBody)
	if err != nil {
		return m, err
	}
	if p.Type != protocol.Data || len(rest) != 0 {
		return m, fmt.Errorf("package of type %v with %d bytes behind it", p.Type, len(rest))
	}
	got, err := protocol.ParseMessage(p.Body, nil)
	if err != nil {
		return m, err
	}
	return message{Type: uint8(got.Type), ID: got.ID, Route: got.Route, Code: got.Code, Body: hex.EncodeToString(got.Body)}, nil
}
