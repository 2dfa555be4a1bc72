package carrier

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// DefaultName is the DNS name that the certificates of nodes carry.
const DefaultName = "shaddock"

// Certificates makes the configuration of both ends of the connections between
// nodes: each shows its certificate, and takes the other's if it is signed by the
// authority in ca and carries the DNS name (DefaultName when empty). Use an
// authority that signs for this cluster only: whoever has a certificate of it
// speaks for the cluster. Certificate and key are read again when their files
// change; another authority needs a restart.
func Certificates(cert, key, ca, name string) (*tls.Config, error) {
	if name == "" {
		name = DefaultName
	}
	pem, err := os.ReadFile(ca)
	if err != nil {
		return nil, fmt.Errorf("cluster authority: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("cluster authority: no certificate in %s", ca)
	}
	pair := &keyPair{cert: cert, key: key}
	if _, err := pair.load(); err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:           tls.VersionTLS13,
		RootCAs:              pool,
		ClientCAs:            pool,
		ClientAuth:           tls.RequireAndVerifyClientCert,
		ServerName:           name,
		GetCertificate:       func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return pair.load() },
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return pair.load() },
		// The client's side checks the name by itself; this is for the server's.
		VerifyConnection: func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) == 0 {
				return errors.New("peer shows no certificate")
			}
			return s.PeerCertificates[0].VerifyHostname(name)
		},
	}, nil
}

// keyPair is a certificate in two files.
type keyPair struct {
	cert, key string
	last      atomic.Pointer[loadedPair]
}

type loadedPair struct {
	changed time.Time
	pair    *tls.Certificate
}

// load returns the pair, read anew if its certificate has changed. When what is
// there cannot be read, the last that could be stays in use.
func (k *keyPair) load() (*tls.Certificate, error) {
	last := k.last.Load()
	info, err := os.Stat(k.cert)
	if err == nil && last != nil && info.ModTime().Equal(last.changed) {
		return last.pair, nil
	}
	var pair tls.Certificate
	if err == nil {
		pair, err = tls.LoadX509KeyPair(k.cert, k.key)
	}
	if err != nil {
		if last != nil {
			return last.pair, nil
		}
		return nil, fmt.Errorf("cluster certificate: %w", err)
	}
	k.last.Store(&loadedPair{info.ModTime(), &pair})
	return &pair, nil
}
