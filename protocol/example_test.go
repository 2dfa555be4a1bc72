package protocol_test

import (
	"fmt"

	"github.com/shaddock-game/shaddock/protocol"
)

// A response is built in place, in one buffer, behind what is there already.
func ExampleBeginPacket() {
	var out []byte
	for id := range uint64(2) {
		var mark int
		out, mark = protocol.BeginPacket(out, protocol.Data)
		out, _ = protocol.AppendMessage(out, protocol.Message{Type: protocol.Response, ID: id + 1})
		out, _ = protocol.JSON.Append(out, map[string]int{"code": 0})
		out = protocol.EndPacket(out, mark)
	}
	fmt.Printf("%q\n", out)
	// Output: "\x04\x00\x00\f\x04\x01{\"code\":0}\x04\x00\x00\f\x04\x02{\"code\":0}"
}

// A stream is cut as it arrives; what is unfinished waits in the Cutter.
func ExampleCutter() {
	var cutter protocol.Cutter
	for _, in := range [][]byte{
		[]byte("\x03\x00\x00\x00\x04\x00"),
		[]byte("\x00\x05\x02\x01a"),
		[]byte("{}\x03\x00\x00\x00"),
	} {
		for {
			var p protocol.Packet
			var err error
			if p, in, err = cutter.Cut(in, protocol.DefaultMaxBody); err != nil {
				fmt.Println(err)
				break
			}
			fmt.Printf("%s %q\n", p.Type, p.Body)
		}
	}
	// Output:
	// heartbeat ""
	// protocol: need more bytes
	// protocol: need more bytes
	// data "\x02\x01a{}"
	// heartbeat ""
	// protocol: need more bytes
}

// Known routes come back as the same string every time; a code stands for one.
func ExampleParseMessage() {
	routes, err := protocol.NewRoutes([]string{"room.join"}, map[string]uint16{"room.message": 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, b := range []string{"\x00\x07\x09room.join{}", "\x03\x00\x01{}", "\x01\x08\x00\x63{}", "\x00\x01"} {
		m, err := protocol.ParseMessage([]byte(b), routes)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Printf("%s id=%d route=%q code=%d body=%s\n", m.Type, m.ID, m.Route, m.Code, m.Body)
	}
	// Output:
	// request id=7 route="room.join" code=0 body={}
	// notify id=0 route="room.message" code=1 body={}
	// request id=8 route="" code=99 body={}
	// protocol: message: want a route length, got 0
}

// The player reads code and message; the operator reads the cause as well.
func ExampleError() {
	err := protocol.Errorf(protocol.CodeUnavailable, "try again").With(fmt.Errorf("dial room-7: refused"))
	fmt.Printf("%s\n", protocol.AppendErrorBody(nil, err))
	fmt.Println(err)
	// Output:
	// {"code":503,"msg":"try again"}
	// try again (code 503): dial room-7: refused
}
