// Command demo runs a cluster on this machine: etcd, room hosts and gates, each a
// process of its own, and says where to look.
//
//	demo [--hosts 1] [--gates 2] [--port 3250]
//
// Gate n takes players on port+n and operators on port+20+n; host n has its page on
// port+10+n. With --port 0 all ports are free ones. It ends with ctrl-C, and nothing
// stays behind, however it ends.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/store/etcd/etcdtest"
	"github.com/shaddock-game/shaddock/cmd/server/app"
	"github.com/shaddock-game/shaddock/tests/fleet"
)

// nodeEnv makes this program a server: the nodes of the demo.
const nodeEnv = "SHADDOCK_DEMO_NODE"

func main() {
	do := demo
	if os.Getenv(nodeEnv) != "" {
		_ = os.Unsetenv(nodeEnv) // or it would be taken for a setting of the server
		do = node
	}
	if err := do(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "cluster-demo:", err)
		os.Exit(1)
	}
}

// node serves until SIGTERM, or until the demo is gone. ctrl-C reaches every process
// of a terminal: it is the demo's to deal with.
func node(args []string) error {
	signal.Ignore(os.Interrupt)
	cfg, err := app.Parse(args)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // any end of it is the demo's
		os.Exit(1)
	}()
	return app.Run(ctx, cfg)
}

// plan is what runs, by the ports.
type plan struct {
	hosts, gates, port int
}

func demo(args []string) (err error) {
	var p plan
	set := flag.NewFlagSet("demo", flag.ContinueOnError)
	set.IntVar(&p.hosts, "hosts", 1, "nodes that run rooms")
	set.IntVar(&p.gates, "gates", 2, "nodes that take players")
	set.IntVar(&p.port, "port", 3250, "below all ports; 0: any free ones")
	if err := set.Parse(args); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := p.free(); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	data, err := os.MkdirTemp("", "shaddock-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(data)) }()
	defer etcdtest.Clean()
	fmt.Println("starting etcd …")
	f, err := fleet.Start(fleet.Config{Command: []string{self}, Env: []string{nodeEnv + "=1"}, Data: data})
	if err != nil {
		return err
	}
	defer f.Close()
	nodes, err := p.start(ctx, f)
	if err != nil {
		return err
	}
	if ctx.Err() == nil {
		tell(nodes)
		watch(ctx, nodes)
	}
	fmt.Println("\nall processes are ended")
	return nil
}

// start starts all nodes, one after the other, until somebody ends the demo.
func (p plan) start(ctx context.Context, f *fleet.Fleet) (nodes []*fleet.Node, err error) {
	for i := 0; i < p.hosts+p.gates && ctx.Err() == nil; i++ {
		name, flags := p.node(i)
		fmt.Printf("starting %s …\n", name)
		n, err := f.Add(name, flags...)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
	return nodes, nil
}

// node is the name and the flags of one node: hosts first.
func (p plan) node(i int) (name string, flags []string) {
	if i < p.hosts {
		return fmt.Sprintf("host-%d", i+1), []string{"--roles", "rooms", "--admin", p.at(11 + i)}
	}
	i -= p.hosts
	return fmt.Sprintf("gate-%d", i+1), []string{"--roles", "gate", "--listen", p.at(1 + i), "--admin", p.at(21 + i)}
}

func (p plan) at(offset int) string {
	if p.port == 0 {
		return "127.0.0.1:0"
	}
	return fmt.Sprintf("127.0.0.1:%d", p.port+offset)
}

// free looks whether all ports are, before anything runs.
func (p plan) free() error {
	if p.hosts < 1 || p.hosts > 9 || p.gates < 1 || p.gates > 9 {
		return errors.New("--hosts, --gates: give 1 to 9")
	}
	for i := range p.hosts + p.gates {
		name, flags := p.node(i)
		for _, addr := range flags[2:] {
			if _, _, err := net.SplitHostPort(addr); err != nil {
				continue // a flag's name
			}
			l, err := net.Listen("tcp", addr)
			if errors.Is(err, syscall.EADDRINUSE) {
				return fmt.Errorf("%s is in use, and %s is to be there: end what runs there, or give another --port", addr, name)
			}
			if err != nil {
				return err
			}
			l.Close()
		}
	}
	return nil
}

// tell says where to look.
func tell(nodes []*fleet.Node) {
	fmt.Println("\nChat, in one tab each:")
	for _, n := range nodes {
		if at := n.Players(); at != "" {
			fmt.Printf("  %s   http://%s/web/\n", n.Name, at)
		}
	}
	fmt.Println("Which node runs the room, and where it has been:")
	for _, n := range nodes {
		fmt.Printf("  %s   %s/cluster\n", n.Name, n.Admin())
	}
	fmt.Println("To kill the one that has it, and go on talking where there is another (--hosts 2):")
	for _, n := range nodes {
		if n.Players() == "" {
			fmt.Printf("  %s   kill -9 %d\n", n.Name, n.PID())
		}
	}
	fmt.Println("ctrl-C ends everything.")
}

// watch waits for the end, and tells of nodes that come to theirs before.
func watch(ctx context.Context, nodes []*fleet.Node) {
	told := make(map[*fleet.Node]bool)
	look := time.NewTicker(200 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
		for _, n := range nodes {
			if !n.Running() && !told[n] {
				told[n] = true
				fmt.Printf("%s has ended\n", n.Name)
			}
		}
	}
}
