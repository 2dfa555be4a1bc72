package carrier

import (
	"crypto/tls"
	"errors"
	"fmt"

	"github.com/shaddock-game/shaddock/actors/cluster/certs"
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
	pool, err := certs.Authority(ca)
	if err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	pair, err := certs.Open(cert, key)
	if err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	return &tls.Config{
		MinVersion:           tls.VersionTLS13,
		RootCAs:              pool,
		ClientCAs:            pool,
		ClientAuth:           tls.RequireAndVerifyClientCert,
		ServerName:           name,
		GetCertificate:       func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return pair.Load() },
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return pair.Load() },
		// The client's side checks the name by itself; this is for the server's.
		VerifyConnection: func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) == 0 {
				return errors.New("peer shows no certificate")
			}
			return s.PeerCertificates[0].VerifyHostname(name)
		},
	}, nil
}
