package fleet

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// Network is a switch with a cable to each place that was plugged in: a network
// namespace with one address. It exists in the program's own network namespace,
// see Isolate, so that it ends with the program and meets no other. Its methods
// are for one goroutine.
//
// Packets that are cut off vanish without a word, as they do when a switch fails:
// the sender is given a neighbour that nobody is.
type Network struct {
	ports []*Port
	byKey map[string]*Port
}

// tryNetwork makes a network and lets it go: a machine may give a program a namespace
// and still lack bridges or cables.
func tryNetwork() error {
	n, err := NewNetwork()
	if err == nil {
		_, err = n.Plug("probe")
	}
	n.Close()
	return err
}

// Port is one place of a Network.
type Port struct {
	Addr string // IPv4

	number int
	holder *exec.Cmd // keeps the namespace while no other process is in it
	alive  io.Closer
}

const (
	subnet  = "10.77.0."
	nobody  = "02:00:00:00:00:fe" // no interface has it
	ownHost = 1                   // of this program itself
)

// NewNetwork makes the switch, and gives this program an address on it.
func NewNetwork() (*Network, error) {
	n := &Network{byKey: make(map[string]*Port)}
	return n, errors.Join(
		ip("link", "add", "hub", "type", "bridge"),
		ip("addr", "add", subnet+strconv.Itoa(ownHost)+"/24", "dev", "hub"),
		ip("link", "set", "hub", "up"),
	)
}

// Plug makes a new place.
func (n *Network) Plug(name string) (*Port, error) {
	if n.byKey[name] != nil {
		return nil, fmt.Errorf("network: there is a %s already", name)
	}
	p := &Port{number: ownHost + 1 + len(n.ports)}
	p.Addr = subnet + strconv.Itoa(p.number)
	p.holder = exec.Command("cat") // until its input ends, with us
	p.holder.SysProcAttr = apart(false)
	alive, err := p.holder.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := p.holder.Start(); err != nil {
		return nil, fmt.Errorf("network: place of %s: %w", name, err)
	}
	p.alive = alive
	n.ports, n.byKey[name] = append(n.ports, p), p
	return p, errors.Join(
		ip("link", "add", p.cable(), "type", "veth", "peer", "name", "eth0", "netns", strconv.Itoa(p.holder.Process.Pid)),
		n.Join(name),
		ip("link", "set", p.cable(), "up"),
		p.ip("addr", "add", p.Addr+"/24", "dev", "eth0"),
		p.ip("link", "set", "eth0", "up"),
		p.ip("link", "set", "lo", "up"),
	)
}

// Within is what to put before a command line for it to run at this place.
func (p *Port) Within() []string {
	return []string{"nsenter", "--net", "--target", strconv.Itoa(p.holder.Process.Pid), "--"}
}

// Cut has everything vanish that goes from one place to another; what comes the
// other way still arrives.
func (n *Network) Cut(from, to string) error {
	return n.byKey[from].ip("neigh", "replace", n.byKey[to].Addr, "lladdr", nobody, "dev", "eth0", "nud", "permanent")
}

// Mend undoes Cut.
func (n *Network) Mend(from, to string) error {
	return n.byKey[from].ip("neigh", "del", n.byKey[to].Addr, "dev", "eth0")
}

// Leave pulls a place's cable out of the switch.
func (n *Network) Leave(name string) error {
	return ip("link", "set", n.byKey[name].cable(), "nomaster")
}

// Join puts it in again.
func (n *Network) Join(name string) error {
	return ip("link", "set", n.byKey[name].cable(), "master", "hub")
}

// Close lets all places go, and then the switch.
func (n *Network) Close() {
	defer func() { _ = ip("link", "del", "hub") }() // what is left ends with the program
	for _, p := range n.ports {
		_ = ip("link", "del", p.cable()) // its namespace ends some time after its last process
		_ = p.alive.Close()
		_ = p.holder.Wait()
	}
}

func (p *Port) cable() string { return "cable" + strconv.Itoa(p.number) }

func (p *Port) ip(args ...string) error {
	all := append(p.Within(), "ip")
	return run(append(all, args...))
}

func ip(args ...string) error { return run(append([]string{"ip"}, args...)) }

func run(args []string) error {
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("network: %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// isolated marks the copy of a program that Isolate has made.
const isolated = "SHADDOCK_ISOLATED"

// Isolated says whether this process has a network of its own already.
func Isolated() bool { return os.Getenv(isolated) != "" }
