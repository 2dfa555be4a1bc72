// Command nano serves the benchmark routes with github.com/lonng/nano v0.5.0,
// the server that shaddock is compared with.
//
// The rooms are those of nano's own chat demo. It is configured as its authors
// would for production: WebSocket only, JSON serializer, no debug mode, and the
// demo's traffic-counting pipeline left out, which only costs it time.
package main

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/lonng/nano"
	"github.com/lonng/nano/component"
	"github.com/lonng/nano/pipeline"
	"github.com/lonng/nano/serialize/json"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:3260", "address to serve on; port 0 picks a free one")
	announce := flag.Bool("announce", true, "tell a room about every new user; off, a big room can be filled without members² pushes")
	flag.Parse()

	addr, err := concrete(*listen)
	if err != nil {
		fmt.Fprintln(os.Stderr, "nano:", err)
		os.Exit(1)
	}
	components := &component.Components{}
	components.Register(
		&RoomManager{announce: *announce, rooms: map[string]*nano.Group{}},
		component.WithName("room"),
		component.WithNameFunc(strings.ToLower),
	)
	stages := pipeline.New()
	stages.Inbound().PushBack(ownBody)
	go announceReady(addr)
	nano.Listen(addr,
		nano.WithIsWebsocket(true),
		nano.WithCheckOriginFunc(func(*http.Request) bool { return true }),
		nano.WithWSPath("/nano"),
		nano.WithSerializer(json.NewSerializer()),
		nano.WithComponents(components),
		nano.WithPipeline(stages),
		nano.WithLogger(quiet{}),
	)
}

// concrete turns port 0 into a port that is free now: nano listens by itself
// and has no way to tell which port it got.
func concrete(addr string) (string, error) {
	if _, port, err := net.SplitHostPort(addr); err != nil || port != "0" {
		return addr, err
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// announceReady prints the URL once it can be dialled; nano has no callback for
// that moment.
func announceReady(addr string) {
	for {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			c.Close()
			fmt.Printf("nano: ws://%s/nano\n", addr)
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// quiet drops the line that nano writes for every closed connection and for
// every push to a full queue: measured runs must not pay for a terminal.
type quiet struct{}

func (quiet) Println(...any) {}

func (quiet) Fatal(v ...any) {
	fmt.Fprintln(os.Stderr, append([]any{"nano:"}, v...)...)
	os.Exit(1)
}

func (quiet) Fatalf(format string, v ...any) {
	fmt.Fprintf(os.Stderr, "nano: "+format+"\n", v...)
	os.Exit(1)
}
