package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/shaddock-game/shaddock/tests/peers/child"
)

// clusterFleet is the server processes of one run.
type clusterFleet struct {
	all    []*child.Process
	urls   []string // that players dial
	metric string   // of the process that writes to players, or of one that does
	host   string   // metrics of the process that runs the room
}

// pids are the processes whose time is counted.
func (f *clusterFleet) pids() (pids []int) {
	for _, p := range f.all {
		pids = append(pids, p.PID())
	}
	return pids
}

func (f *clusterFleet) stop() {
	for _, p := range f.all {
		p.Stop()
	}
}

// add starts one more process and returns the URLs of its players and metrics.
func (f *clusterFleet) add(bin string, more ...string) ([]string, error) {
	us := servers[0]
	wanted := us.wanted
	if len(more) > 0 && more[len(more)-1] == "rooms" {
		wanted = us.wanted[1:] // it has no players
	}
	p, found, err := child.Start(filepath.Join(bin, us.name), append(us.args[:len(us.args):len(us.args)], more...), wanted...)
	if err != nil {
		return nil, err
	}
	f.all = append(f.all, p)
	return found, nil
}

// deploy starts the processes of an arrangement, each cluster under a name of its
// own in the etcd at the URL. Nil processes are never in a fleet; on error none run.
func deploy(ctx context.Context, bin, etcd string, a arrangement) (f *clusterFleet, err error) {
	f = new(clusterFleet)
	defer func() {
		if err != nil {
			f.stop()
		}
	}()
	if a.gates == 0 {
		found, err := f.add(bin)
		if err != nil {
			return f, err
		}
		f.urls, f.metric, f.host = found[:1], found[1], found[1]
		return f, nil
	}
	join := []string{"--cluster-etcd", etcd, "--cluster-name", fmt.Sprintf("bench-%d", time.Now().UnixNano()), "--roles"}
	role := func(r string) []string { return append(join[:len(join):len(join)], r) }
	found, err := f.add(bin, role("rooms")...)
	if err != nil {
		return f, err
	}
	f.host = found[0]
	for range a.gates {
		if found, err = f.add(bin, role("gate")...); err != nil {
			return f, err
		}
		f.urls, f.metric = append(f.urls, found[0]), found[1]
	}
	return f, f.await(ctx, a.gates+1)
}

// await waits until the room's node knows all others.
func (f *clusterFleet) await(ctx context.Context, members int) error {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline) && ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		if c, err := scrape(ctx, f.host); err == nil && int(c.members) == members {
			return nil
		}
	}
	return errors.New("the nodes did not find each other")
}

// startEtcd builds and starts the store that the nodes share. The caller must Stop
// the process.
func startEtcd(root, bin string) (p *child.Process, url string, err error) {
	binary := filepath.Join(bin, "etcd")
	if err := child.Build(filepath.Join(root, "tests", "etcd"), ".", binary); err != nil {
		return nil, "", err
	}
	data, err := os.MkdirTemp(bin, "etcd-data")
	if err != nil {
		return nil, "", fmt.Errorf("make a folder for etcd: %w", err)
	}
	p, found, err := child.Start(binary, []string{"--data", data, "--listen", "127.0.0.1:0"}, `ready (http://\S+)`)
	if err != nil {
		return nil, "", err
	}
	return p, found[0], nil
}
