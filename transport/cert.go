package transport

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// CertReloader serves a certificate from two PEM files and can read them again,
// so that a renewal costs no player the connection. Its methods are safe from
// any goroutine. The zero value is not usable; see NewCertReloader.
type CertReloader struct {
	certFile, keyFile string
	cert              atomic.Pointer[tls.Certificate]
}

// NewCertReloader reads the files; certFile may hold a chain, leaf first. The
// error is one line that names the file at fault.
func NewCertReloader(certFile, keyFile string) (*CertReloader, error) {
	r := &CertReloader{certFile: certFile, keyFile: keyFile}
	if err := r.Reload(); err != nil {
		return nil, err
	}
	return r, nil
}

// Reload reads the files again; connections made from now on get what they say.
// On an error, which is as in NewCertReloader, the old certificate stays. A
// renewal of which only one file is there yet is such an error.
func (r *CertReloader) Reload() error {
	certPEM, err := os.ReadFile(r.certFile)
	if err != nil {
		return fmt.Errorf("tls certificate: %w", err)
	}
	keyPEM, err := os.ReadFile(r.keyFile)
	if err != nil {
		return fmt.Errorf("tls key: %w", err)
	}
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return fmt.Errorf("tls certificate %s with key %s: %w", r.certFile, r.keyFile, err)
	}
	r.cert.Store(&cert)
	return nil
}

// Certificate is for Config.Certificate and tls.Config.GetCertificate.
func (r *CertReloader) Certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return r.cert.Load(), nil
}

// Expires is when the certificate in use ends, for a metric.
func (r *CertReloader) Expires() time.Time { return r.cert.Load().Leaf.NotAfter }
