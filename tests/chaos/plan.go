package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// deed is one way to mistreat a cluster.
type deed string

const (
	kill       deed = "kill"        // kill -9, and start again
	freeze     deed = "freeze"      // SIGSTOP, and SIGCONT
	drain      deed = "drain"       // SIGTERM, and start again
	stopEtcd   deed = "stop etcd"   // kill -9, and start again on its data
	freezeEtcd deed = "freeze etcd" // SIGSTOP, and SIGCONT
	cutEtcd    deed = "cut off from etcd"
	cutPeer    deed = "cut off from each other"
	deafPeer   deed = "cut off one way" // the second hears nothing of the first
	vanish     deed = "vanish"          // the cable is pulled, and put in again
)

// step is one deed at a time of the run. What is begun at At is undone after For.
type step struct {
	at, lasts time.Duration
	do        deed
	nodes     []string
}

func (s step) String() string {
	return fmt.Sprintf("%5.1f s  %s %s for %.1f s", s.at.Seconds(), s.do, strings.Join(s.nodes, " and "), s.lasts.Seconds())
}

func (s step) end() time.Duration { return s.at + s.lasts }

// noEtcd says whether a step keeps nodes from etcd; from which, if not from all.
func (s step) noEtcd() (nodes []string, all, is bool) {
	switch s.do {
	case stopEtcd, freezeEtcd:
		return nil, true, true
	case cutEtcd, vanish:
		return s.nodes, false, true
	}
	return nil, false, false
}

// takesDown says whether a node serves nobody during the step.
func (s step) takesDown() bool {
	return s.do == kill || s.do == freeze || s.do == drain || s.do == vanish
}

// member is a node as the plan needs to know it.
type member struct {
	name       string
	gate, host bool
}

// planner draws a schedule. The same seed and arguments draw the same one.
type planner struct {
	rand    *rand.Rand
	members []member
	ttl     time.Duration
	steps   []step
}

// startTime is what a node may need to serve again, with the race detector and on a
// machine that is busy.
const startTime = 3 * time.Second

// plan makes a schedule of steps that have all been undone by length. It begins with
// the loss of a host, so that rooms move in every run.
func plan(seed uint64, length, ttl time.Duration, members []member, partitions bool) []step {
	p := &planner{rand: rand.New(rand.NewPCG(seed, 5)), members: members, ttl: ttl}
	deeds := []deed{kill, kill, kill, freeze, freeze, drain, drain, stopEtcd, freezeEtcd}
	if partitions {
		deeds = append(deeds, cutEtcd, cutEtcd, cutPeer, deafPeer, vanish)
	}
	hosts := slices.DeleteFunc(slices.Clone(members), func(m member) bool { return !m.host })
	victim := hosts[p.rand.IntN(len(hosts))].name
	at := time.Second
	p.steps = []step{{at: at, lasts: p.between(0, 3*time.Second), do: kill, nodes: []string{victim}}}
	for ; at < length; at += p.between(time.Second/2, 4*time.Second) {
		for _, s := range p.draw(at, deeds[p.rand.IntN(len(deeds))]) {
			if s.end() <= length && p.fits(s) {
				p.steps = append(p.steps, s)
			}
		}
	}
	return p.steps
}

func (p *planner) between(least, most time.Duration) time.Duration {
	return (least + time.Duration(p.rand.Float64()*float64(most-least))).Round(100 * time.Millisecond)
}

// draw makes the steps of one deed, which may not fit.
func (p *planner) draw(at time.Duration, do deed) []step {
	s := step{at: at, do: do}
	order := p.rand.Perm(len(p.members))
	name := func(i int) string { return p.members[order[i]].name }
	switch do {
	case kill:
		s.lasts = p.between(0, 3*time.Second)
		if s.nodes = []string{name(0)}; p.rand.IntN(3) == 0 { // two at once
			return []step{s, {at: at, lasts: s.lasts, do: kill, nodes: []string{name(1)}}}
		}
	case drain:
		s.nodes, s.lasts = []string{name(0)}, p.between(0, 2*time.Second)
	case freeze, vanish, cutEtcd:
		s.nodes, s.lasts = []string{name(0)}, p.between(p.ttl/10, 4*p.ttl)
	case stopEtcd, freezeEtcd:
		s.lasts = p.between(p.ttl/10, 3*p.ttl)
	case cutPeer, deafPeer:
		s.nodes, s.lasts = []string{name(0), name(1)}, p.between(p.ttl/10, 3*p.ttl)
	}
	return []step{s}
}

// fits says whether a step leaves the others what they need: nothing is done twice
// at a time to one node, nor to etcd, and neither all gates nor all hosts are down.
func (p *planner) fits(s step) bool {
	gates, hosts := 0, 0
	for _, m := range p.members {
		down := s.takesDown() && slices.Contains(s.nodes, m.name)
		for _, o := range p.steps {
			down = down || o.takesDown() && overlap(o, s) && slices.Contains(o.nodes, m.name)
		}
		if m.gate && !down {
			gates++
		}
		if m.host && !down {
			hosts++
		}
	}
	for _, o := range p.steps {
		if !overlap(o, s) {
			continue
		}
		_, _, a := o.noEtcd()
		_, _, b := s.noEtcd()
		if len(o.nodes) == 0 && len(s.nodes) == 0 || a && b {
			return false
		}
		if slices.ContainsFunc(s.nodes, func(n string) bool { return slices.Contains(o.nodes, n) }) {
			return false
		}
	}
	return gates > 0 && hosts > 0
}

// overlap says whether two steps, and what a node needs to be back, share a moment.
func overlap(a, b step) bool {
	return a.at < b.end()+startTime && b.at < a.end()+startTime
}
