package etcd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"

	"github.com/shaddock-game/shaddock/actors/cluster/certs"
)

// ErrLogin says that etcd does not take user and password.
var ErrLogin = errors.New("login refused")

// NoLogin says whether err is that etcd demands a login and was shown none.
func NoLogin(err error) bool { return errors.Is(err, rpctypes.ErrUserEmpty) }

// Denied says whether err is that the user may not do what was asked for.
func Denied(err error) bool { return errors.Is(err, rpctypes.ErrPermissionDenied) }

// Certificates makes a Config.TLS: ca signed the servers' certificates, the system's
// authorities when it is empty; cert and key are shown to servers that demand one,
// none when both are empty, and are read again when they change.
func Certificates(ca, cert, key string) (*tls.Config, error) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca != "" {
		pool, err := certs.Authority(ca)
		if err != nil {
			return nil, fmt.Errorf("etcd: %w", err)
		}
		cfg.RootCAs = pool
	}
	if cert != "" {
		pair, err := certs.Open(cert, key)
		if err != nil {
			return nil, fmt.Errorf("etcd: %w", err)
		}
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return pair.Load() }
	}
	return cfg, nil
}

// alertTime is how long a server is given to refuse our certificate, which with TLS
// 1.3 it does behind the handshake.
const alertTime = 300 * time.Millisecond

// Reach says why no endpoint can be reached, in one line, nil when one can: a client
// goes on trying, and its calls only ever say that their time is up.
func Reach(ctx context.Context, cfg Config) error {
	var why error
	for _, endpoint := range cfg.Endpoints {
		err := reach(ctx, endpoint, cfg.TLS)
		switch {
		case err == nil:
			return nil
		case why == nil:
			why = fmt.Errorf("%s: %w", endpoint, err)
		default:
			why = fmt.Errorf("%w; %s: %w", why, endpoint, err)
		}
	}
	return why
}

func reach(ctx context.Context, endpoint string, files *tls.Config) error {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		u = &url.URL{Host: endpoint}
	}
	if u.Scheme != "https" {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", u.Host)
		if err != nil {
			return err
		}
		return c.Close()
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if files != nil {
		cfg = files.Clone()
	}
	cfg.NextProtos = []string{"h2"}
	c, err := (&tls.Dialer{Config: cfg}).DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetReadDeadline(time.Now().Add(alertTime)) // an open connection takes one
	if _, err := c.Read(make([]byte, 1)); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return nil
}
