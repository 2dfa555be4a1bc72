// Package certs reads the certificates that this process shows and trusts, from PEM
// files that may change while it runs.
package certs

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// Authority reads the certificates that sign what is trusted.
func Authority(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("authority: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("authority: no certificate in %s", file)
	}
	return pool, nil
}

// Pair is a certificate and its key in two files. It is safe for concurrent use.
type Pair struct {
	cert, key string
	last      atomic.Pointer[loaded]
}

type loaded struct {
	changed time.Time
	pair    *tls.Certificate
}

// Open reads the pair for the first time, so that a mistake shows at the start.
func Open(cert, key string) (*Pair, error) {
	p := &Pair{cert: cert, key: key}
	_, err := p.Load()
	return p, err
}

// Load returns the pair, read anew if its certificate has changed. When what is
// there cannot be read, the last that could be stays in use. Nobody changes what it
// returns.
func (p *Pair) Load() (*tls.Certificate, error) {
	last := p.last.Load()
	info, err := os.Stat(p.cert)
	if err == nil && last != nil && info.ModTime().Equal(last.changed) {
		return last.pair, nil
	}
	var pair tls.Certificate
	if err == nil {
		pair, err = tls.LoadX509KeyPair(p.cert, p.key)
	}
	if err != nil {
		if last != nil {
			return last.pair, nil
		}
		return nil, fmt.Errorf("certificate: %w", err)
	}
	p.last.Store(&loaded{info.ModTime(), &pair})
	return &pair, nil
}
