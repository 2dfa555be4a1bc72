package grains_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/cluster"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/shaddock-game/shaddock/actors/cluster/grains"
	"github.com/shaddock-game/shaddock/actors/cluster/store"
	"github.com/shaddock-game/shaddock/actors/cluster/store/etcd"
	"github.com/shaddock-game/shaddock/actors/cluster/store/storetest"
)

// A node of a test is a process: this binary, told by its environment to be one. Two
// remotes of protoactor in one process race, since each replaces the logger of gRPC
// when it starts.
//
//	stdin   <number> <order> [<grain>]
//	stdout  <number> ok|no <answer>
//	        begin|end <unix nanoseconds> <grain>
//	        fenced <error>
const (
	nodeName = "SHADDOCK_TEST_NODE"
	nodeEtcd = "SHADDOCK_TEST_ETCD" // its URL; empty: a node alone
)

func TestMain(m *testing.M) {
	if name := os.Getenv(nodeName); name != "" {
		if err := newProgram(name, os.Getenv(nodeEtcd)).run(); err != nil {
			fmt.Fprintln(os.Stderr, name, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// program is the node's side.
type program struct {
	name  string
	lines chan string // to stdout
	place *grains.Placement
	store atomic.Pointer[storetest.Faulty]
	*cluster.Cluster
}

// counter is a grain: it answers who it is, and how often it was asked.
type counter struct {
	*program
	name string
	n    int
}

const kind = "counter"

func (g *counter) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *cluster.ClusterInit:
		g.name = m.Identity.Identity
		g.tell("begin", g.name)
	case *actor.Stopped:
		g.tell("end", g.name)
	case *wrapperspb.StringValue:
		if m.Value == "stop" {
			c.Stop(c.Self())
		}
		g.n++
		c.Respond(wrapperspb.String(fmt.Sprintf("%s %d %d", g.program.name, grains.Epoch(c.Self()), g.n)))
	}
}

func newProgram(name, url string) *program {
	p := &program{name: name, lines: make(chan string, 1024)}
	cfg := grains.Config{TTL: 3 * time.Second, Fenced: func(err error) { p.lines <- fmt.Sprint("fenced ", err) }}
	if url != "" {
		cfg.Open = func() (store.Store, error) {
			s, err := etcd.Open(etcd.Config{Endpoints: []string{url}})
			if err != nil {
				return nil, err
			}
			f := storetest.NewFaulty(s)
			p.store.Store(f)
			return f, nil
		}
	}
	p.place = grains.New(cfg)
	var broken atomic.Bool
	broken.Store(url == "") // what the directory does not start does not end it
	p.Cluster = begin(p.place, cluster.NewKind(kind, actor.PropsFromProducer(func() actor.Actor {
		if broken.Swap(false) {
			panic("on purpose")
		}
		return &counter{program: p}
	})))
	return p
}

func begin(p *grains.Placement, k *cluster.Kind) *cluster.Cluster {
	system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }))
	return cluster.New(system, p.Configure("town", remote.Configure("127.0.0.1", 0), cluster.WithKinds(k)))
}

func (p *program) tell(what, grain string) {
	p.lines <- fmt.Sprintf("%s %d %s", what, time.Now().UnixNano(), grain)
}

// run carries out orders until stdin ends.
func (p *program) run() error {
	if p.name == "outside" {
		p.StartClient()
	} else {
		p.StartMember()
	}
	go func() {
		in := bufio.NewScanner(os.Stdin)
		for in.Scan() {
			go p.obey(in.Text())
		}
		close(p.lines)
	}()
	p.lines <- "0 ok ready"
	for line := range p.lines {
		if _, err := fmt.Println(line); err != nil {
			return err
		}
	}
	return nil
}

func (p *program) obey(line string) {
	number, order, _ := strings.Cut(line, " ")
	what, grain, _ := strings.Cut(order, " ")
	answer, err := p.carryOut(what, grain)
	if err != nil {
		p.lines <- fmt.Sprintf("%s no %v", number, strings.ReplaceAll(err.Error(), "\n", "; "))
		return
	}
	p.lines <- fmt.Sprintf("%s ok %s", number, answer)
}

func (p *program) carryOut(what, grain string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	switch what {
	case "who", "stop":
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		return text(p.place.Call(ctx, grain, kind, wrapperspb.String(what)))
	case "request":
		return text(p.Request(grain, kind, wrapperspb.String("who"), cluster.WithTimeout(200*time.Millisecond), cluster.WithRetryCount(1)))
	case "get":
		return fmt.Sprint(p.Get(grain, kind) != nil), nil
	case "break":
		p.store.Load().Break()
	case "heal":
		p.store.Load().Heal()
	case "leave":
		return "", p.place.Leave(ctx)
	case "sync": // what was said before has been read when this is
	default:
		return "", errors.New("no such order")
	}
	return "", nil
}

func text(answer any, err error) (string, error) {
	if err != nil {
		return "", err
	}
	s, ok := answer.(*wrapperspb.StringValue)
	if !ok {
		return "", fmt.Errorf("answered %T", answer)
	}
	return s.Value, nil
}
