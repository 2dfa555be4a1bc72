package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/shaddock-game/shaddock/actors/cluster/store/etcd"
)

// EtcdLogin is how a node shows itself to etcd. The zero value is nobody, over
// whatever the endpoints say: http or https.
type EtcdLogin struct {
	User, Password string // both or neither
	CA             string // file (PEM) of the authority of etcd's certificates, default the system's
	Cert, Key      string // files (PEM) of what is shown to an etcd that demands it, read again when they change
}

// etcdFlags are the flags of EtcdLogin.
type etcdFlags struct {
	ClusterEtcdUser         string `help:"User of etcd. Its password is in SHADDOCK_CLUSTER_ETCD_PASSWORD or in --cluster-etcd-password-file: a command line can be read by others."`
	ClusterEtcdPasswordFile string `placeholder:"FILE" help:"File with the password of --cluster-etcd-user."`
	ClusterEtcdCA           string `name:"cluster-etcd-ca" help:"Certificate (PEM) of the authority that signed etcd's certificates; default the system's authorities."`
	ClusterEtcdCert         string `help:"Certificate file (PEM) for an etcd that demands one of its clients."`
	ClusterEtcdKey          string `help:"Key file (PEM) of the certificate."`
}

// passwordEnv holds a password, and has no flag beside it.
const passwordEnv = envPrefix + "_CLUSTER_ETCD_PASSWORD"

func (f *etcdFlags) login() EtcdLogin {
	return EtcdLogin{User: f.ClusterEtcdUser, CA: f.ClusterEtcdCA, Cert: f.ClusterEtcdCert, Key: f.ClusterEtcdKey}
}

func (f *etcdFlags) check(endpoints []string) error {
	secure := f.ClusterEtcdCA != "" || f.ClusterEtcdCert != ""
	_, inEnv := os.LookupEnv(passwordEnv)
	switch {
	case (f.ClusterEtcdCert == "") != (f.ClusterEtcdKey == ""):
		return errors.New("--cluster-etcd-cert and --cluster-etcd-key go together: give both or neither")
	case len(endpoints) == 0 && (secure || f.ClusterEtcdUser != ""):
		return errors.New("--cluster-etcd-user, -ca, -cert: there is no etcd: give --cluster-etcd")
	case f.ClusterEtcdUser == "" && f.ClusterEtcdPasswordFile != "":
		return errors.New("--cluster-etcd-password-file: whose password is it? Give --cluster-etcd-user")
	case f.ClusterEtcdUser != "" && f.ClusterEtcdPasswordFile == "" && !inEnv:
		return errors.New("--cluster-etcd-user: its password is missing: give --cluster-etcd-password-file or set " + passwordEnv)
	case f.ClusterEtcdUser != "" && f.ClusterEtcdPasswordFile != "" && inEnv:
		return errors.New("--cluster-etcd-password-file and " + passwordEnv + ": give one of them")
	}
	for _, e := range endpoints {
		u, err := url.Parse(e)
		switch {
		case err == nil && u.User != nil: // not repeated: it has a password in it
			return errors.New("--cluster-etcd: no login in the URL: give --cluster-etcd-user and --cluster-etcd-password-file")
		case secure && !strings.HasPrefix(e, "https://"):
			return fmt.Errorf("--cluster-etcd %s: with --cluster-etcd-ca or --cluster-etcd-cert give https://", e)
		}
	}
	return nil
}

// password reads it from where it was said to be.
func (f *etcdFlags) password() (string, error) {
	if f.ClusterEtcdUser == "" {
		return "", nil
	}
	word, from := os.Getenv(passwordEnv), passwordEnv
	if file := f.ClusterEtcdPasswordFile; file != "" {
		b, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("--cluster-etcd-password-file: %w", err)
		}
		word, from = strings.TrimRight(string(b), "\r\n"), "--cluster-etcd-password-file "+file
	}
	if word == "" {
		return "", fmt.Errorf("%s: there is no password in it", from)
	}
	return word, nil
}

// etcd is how the etcd of the cluster is reached.
func (c *Cluster) etcd() (cfg etcd.Config, err error) {
	l := &c.EtcdLogin
	cfg = etcd.Config{Endpoints: c.Etcd, User: l.User, Password: l.Password, Wait: joinTimeout}
	if l.CA != "" || l.Cert != "" {
		if cfg.TLS, err = etcd.Certificates(l.CA, l.Cert, l.Key); err != nil {
			err = fmt.Errorf("--cluster-etcd-ca, --cluster-etcd-cert, --cluster-etcd-key: %w", err)
		}
	}
	return cfg, err
}

func (c *Cluster) openEtcd(log *slog.Logger) (*etcd.Store, error) {
	cfg, err := c.etcd()
	if err != nil {
		return nil, err
	}
	for _, e := range c.Etcd {
		if cfg.User != "" && readable(e) {
			log.Warn("password of etcd can be read on its way: use https", "etcd", e)
		}
	}
	store, err := etcd.Open(cfg)
	if err != nil {
		return nil, c.etcdFailed(err)
	}
	return store, nil
}

// readable says whether what goes to an endpoint goes over a network as it is.
func readable(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		u = &url.URL{Host: endpoint}
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme != "https" && u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())
}

// reachTime bounds the look for why etcd was not reached.
const reachTime = 3 * time.Second

// etcdFailed says why the cluster could not be joined, in one line that names the
// setting.
func (c *Cluster) etcdFailed(err error) error {
	switch {
	case errors.Is(err, etcd.ErrLogin):
		return fmt.Errorf("--cluster-etcd-user %s: is the password right? %w", c.EtcdLogin.User, err)
	case etcd.NoLogin(err):
		return fmt.Errorf("--cluster-etcd-user: this etcd demands a login: give one, or --cluster-etcd-cert: %w", err)
	case etcd.Denied(err):
		user := cmp.Or(c.EtcdLogin.User, "(none: the name in --cluster-etcd-cert counts)")
		return fmt.Errorf("--cluster-etcd-user %s: its role must read and write the prefix /%s/: %w", user, cmp.Or(c.Name, "shaddock"), err)
	}
	if cfg, bad := c.etcd(); bad == nil {
		ctx, cancel := context.WithTimeout(context.Background(), reachTime)
		defer cancel()
		if why := etcd.Reach(ctx, cfg); why != nil {
			return fmt.Errorf("--cluster-etcd %w", why)
		}
	}
	return fmt.Errorf("--cluster-etcd %v: %w", c.Etcd, err)
}
