package fleet

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/store/etcd/etcdtest"
)

// Patience is how long a fleet waits for what must happen: for a node to serve, and
// for one that was asked to leave to have left. It is far above what that takes.
const Patience = 30 * time.Second

// Config says what a fleet consists of. Command is required.
type Config struct {
	Command []string // runs a server; the flags of a node are appended to it
	Alone   bool     // no etcd: each node is a server alone
	Env     []string // in addition to this process's own
	Flags   []string // of every node
	Network *Network // nil: all on the loopback interface, ports as they come
	Data    string   // folder of etcd's data; required
	// EtcdFiles are the certificates of an etcd that speaks TLS. Flags have to name
	// those that its nodes show.
	EtcdFiles etcdtest.Files
	Logs      string // folder for what each process writes to its standard error, "": to ours
}

// Fleet is etcd and its nodes. Its methods are for one goroutine.
type Fleet struct {
	Etcd *etcdtest.Process // nil when its nodes are alone

	cfg   Config
	nodes []*Node
}

// EtcdName is etcd's place in a Network.
const EtcdName = "etcd"

// Start starts etcd; nodes are added with Add.
func Start(cfg Config) (*Fleet, error) {
	f := &Fleet{cfg: cfg}
	if cfg.Alone {
		return f, nil
	}
	listen, within := "127.0.0.1:0", []string(nil)
	if cfg.Network != nil {
		p, err := cfg.Network.Plug(EtcdName)
		if err != nil {
			return nil, err
		}
		listen, within = p.Addr+":2379", p.Within()
	}
	var err error
	if f.Etcd, err = etcdtest.LaunchTLS(filepath.Join(cfg.Data, "etcd"), listen, cfg.EtcdFiles, within...); err != nil {
		return nil, err
	}
	return f, nil
}

// Add starts one node with flags of its own and returns when it serves. The name
// is also the node's place in the Network; it is used once.
func (f *Fleet) Add(name string, flags ...string) (*Node, error) {
	n := &Node{Name: name, fleet: f, flags: flags}
	if f.cfg.Network != nil {
		p, err := f.cfg.Network.Plug(name)
		if err != nil {
			return nil, err
		}
		n.port = p
	}
	f.nodes = append(f.nodes, n)
	if err := n.Start(); err != nil {
		return nil, err
	}
	return n, nil
}

// Nodes returns all nodes, in the order in which they were added, also those that
// do not run at the moment.
func (f *Fleet) Nodes() []*Node { return slices.Clone(f.nodes) }

// Close kills all that still runs.
func (f *Fleet) Close() {
	for _, n := range f.nodes {
		n.Kill()
	}
	if f.Etcd != nil {
		f.Etcd.Kill()
	}
}

// command is the command line of a node, in its place of the network.
func (f *Fleet) command(n *Node) []string {
	listen, admin, peers := "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	var args []string
	if n.port != nil { // the same after a restart, as in life
		args = n.port.Within()
		listen, admin, peers = n.port.Addr+":3250", n.port.Addr+":3251", n.port.Addr+":3252"
	}
	args = append(args, f.cfg.Command...)
	args = append(args, "--listen", listen, "--admin", admin, "--log-level", "warn")
	if f.Etcd != nil {
		args = append(args, "--cluster-etcd", f.Etcd.URL, "--cluster-node", n.Name, "--cluster-listen", peers, "--cluster-insecure")
	}
	args = append(args, f.cfg.Flags...)
	return append(args, n.flags...)
}

// errors opens where a process's standard error goes.
func (f *Fleet) errors(name string) (io.WriteCloser, error) {
	if f.cfg.Logs == "" {
		return keptOpen{os.Stderr}, nil
	}
	return os.OpenFile(filepath.Join(f.cfg.Logs, name+".err"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
}

// Await asks again and again until f says yes, and returns whether it did in time:
// other processes have nothing to wait for but their answers.
func Await(patience time.Duration, f func() bool) bool {
	for end := time.Now().Add(patience); !f(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// keptOpen is a file that others need as well.
type keptOpen struct{ *os.File }

func (keptOpen) Close() error { return nil }

var client = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// get reads a page.
func get(url string) (string, error) {
	res, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", url, res.Status, b)
	}
	return string(b), err
}
