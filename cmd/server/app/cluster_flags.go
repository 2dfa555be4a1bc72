package app

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster"
)

// clusterFlags are the flags of a server that is one node of several.
type clusterFlags struct {
	Roles       []string `help:"What this node of a cluster is for: gate takes players, rooms runs rooms; default both."`
	ClusterEtcd []string `placeholder:"URL" help:"Endpoints of the etcd that the nodes of the cluster share; without it the server is alone."`
	etcdFlags
	ClusterName      string            `default:"shaddock" help:"Name of the cluster; several may share one etcd."`
	ClusterNode      string            `help:"Name of this node, for people; default its address."`
	ClusterListen    string            `default:"127.0.0.1:0" help:"Address for the other nodes; port 0 picks a free one."`
	ClusterAdvertise string            `placeholder:"HOST:PORT" help:"Where the other nodes reach this one, when that is another address."`
	ClusterLabels    map[string]string `mapsep:"," placeholder:"KEY=VALUE,…" help:"Labels of this node, such as zone=a,disk=fast: kinds of rooms may need some."`
	ClusterNeeds     map[string]string `mapsep:";" placeholder:"KIND=LABELS;…" help:"Labels that nodes must have to run rooms of a kind, such as 'live=disk=fast,zone=a'. The same on all nodes."`
	ClusterWeight    float64           `default:"1" help:"Share of new rooms relative to other nodes."`
	ClusterTTL       time.Duration     `name:"cluster-ttl" default:"10s" help:"Time after which a host that vanished is given up. A crashed process is noticed at once."`
	ClusterCert      string            `help:"Certificate file (PEM) of this node, for mutual TLS between nodes."`
	ClusterKey       string            `help:"Key file (PEM) of the certificate."`
	ClusterCA        string            `name:"cluster-ca" help:"Certificate (PEM) of the authority that signs for this cluster, and for nothing else."`
	ClusterInsecure  bool              `help:"Listen for nodes without certificates on an address that others can reach: whoever reaches it is obeyed."`
	ClusterAway      time.Duration     `default:"2s" help:"Time over which a stopping node sends its players away."`
	ClusterAwayURL   string            `name:"cluster-away-url" placeholder:"URL" help:"Where they are told to connect; without it, where they did: to a balancer, say."`
}

func (f *clusterFlags) cluster() Cluster {
	return Cluster{
		Etcd: f.ClusterEtcd, EtcdLogin: f.login(), Name: f.ClusterName, Node: f.ClusterNode, Roles: f.Roles,
		Listen: f.ClusterListen, Advertise: f.ClusterAdvertise, Labels: f.ClusterLabels, Weight: f.ClusterWeight,
		TTL: f.ClusterTTL, Cert: f.ClusterCert, Key: f.ClusterKey, CA: f.ClusterCA, Insecure: f.ClusterInsecure,
		Away: f.ClusterAway, AwayURL: f.ClusterAwayURL, Needs: f.needs(),
	}
}

// needs takes the labels apart; what is no label has been refused by check.
func (f *clusterFlags) needs() map[string]map[string]string {
	if len(f.ClusterNeeds) == 0 {
		return nil
	}
	needs := make(map[string]map[string]string, len(f.ClusterNeeds))
	for kind, list := range f.ClusterNeeds {
		needs[kind] = make(map[string]string)
		for label := range strings.SplitSeq(list, ",") {
			key, value, _ := strings.Cut(label, "=")
			needs[kind][key] = value
		}
	}
	return needs
}

func (f *clusterFlags) check() error {
	if err := f.etcdFlags.check(f.ClusterEtcd); err != nil {
		return err
	}
	switch {
	case (f.ClusterCert == "") != (f.ClusterKey == "") || (f.ClusterCert == "") != (f.ClusterCA == ""):
		return errors.New("--cluster-cert, --cluster-key and --cluster-ca go together: give all or none")
	case len(f.Roles) > 0 && len(f.ClusterEtcd) == 0:
		return errors.New("--roles: a server alone has every role: give --cluster-etcd")
	case f.ClusterTTL < 2*time.Second:
		return fmt.Errorf("--cluster-ttl %v: give at least 2s", f.ClusterTTL)
	}
	for kind, labels := range f.needs() {
		for key, value := range labels {
			if key == "" || value == "" {
				return fmt.Errorf("--cluster-needs %s=%s: give labels as KIND=KEY=VALUE,…", kind, f.ClusterNeeds[kind])
			}
		}
	}
	for _, r := range f.Roles {
		if r != cluster.RoleGate && r != cluster.RoleRooms {
			return fmt.Errorf("--roles %s: a node is a gate, or runs rooms, or both", r)
		}
	}
	return nil
}
