package transport

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// pair is a fresh self-signed certificate with its key, in PEM.
func pair(t *testing.T, serial int64) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial),
		Subject:      pkix.Name{CommonName: "game.example"},
		DNSNames:     []string{"game.example"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Duration(serial) * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return cert, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

// pairFiles are the two files of a CertReloader.
type pairFiles struct {
	t         *testing.T
	cert, key string
}

func newPairFiles(t *testing.T) pairFiles {
	dir := t.TempDir()
	return pairFiles{t, filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")}
}

func (f pairFiles) write(cert, key []byte) {
	f.t.Helper()
	for name, b := range map[string][]byte{f.cert: cert, f.key: key} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			f.t.Fatal(err)
		}
	}
}

func (f pairFiles) wantSerial(r *CertReloader, want int64) {
	f.t.Helper()
	cert, err := r.Certificate(nil)
	if err != nil || cert.Leaf.SerialNumber.Int64() != want {
		f.t.Fatalf("got certificate %v and error %v, want serial %d", cert.Leaf.SerialNumber, err, want)
	}
	if !r.Expires().Equal(cert.Leaf.NotAfter) {
		f.t.Errorf("Expires: got %v, want %v", r.Expires(), cert.Leaf.NotAfter)
	}
}

func TestCertReloader(t *testing.T) {
	f := newPairFiles(t)
	oldCert, oldKey := pair(t, 1)
	newCert, newKey := pair(t, 2)
	f.write(oldCert, oldKey)
	r, err := NewCertReloader(f.cert, f.key)
	if err != nil {
		t.Fatal(err)
	}
	f.wantSerial(r, 1)
	for name, broken := range map[string]struct {
		cert, key []byte
		names     string // the file in the error
	}{
		"half a renewal":  {newCert, oldKey, f.cert},
		"empty":           {nil, nil, f.cert},
		"no certificate":  {[]byte("text"), newKey, f.cert},
		"no key":          {newCert, []byte("text"), f.key},
		"files exchanged": {newKey, newCert, f.cert},
		"cut off":         {newCert[:len(newCert)/2], newKey, f.cert},
	} {
		f.write(broken.cert, broken.key)
		err := r.Reload()
		if err == nil || !strings.Contains(err.Error(), broken.names) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got error %v, want one line that names %s", name, err, broken.names)
		}
		f.wantSerial(r, 1)
	}
	f.write(newCert, newKey)
	if err := r.Reload(); err != nil {
		t.Fatal(err)
	}
	f.wantSerial(r, 2)

	for _, gone := range []string{f.key, f.cert} {
		if err := os.Remove(gone); err != nil {
			t.Fatal(err)
		}
		if err := r.Reload(); err == nil || !strings.Contains(err.Error(), gone) {
			t.Errorf("without %s: got error %v, want it named", gone, err)
		}
		f.wantSerial(r, 2)
	}
	if _, err := NewCertReloader(f.cert, f.key); err == nil {
		t.Error("a reloader without files was made")
	}
}

func TestCertReloaderConcurrently(t *testing.T) {
	f := newPairFiles(t)
	f.write(pair(t, 1))
	r, err := NewCertReloader(f.cert, f.key)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				if err := r.Reload(); err != nil {
					t.Error(err)
				}
				if cert, err := r.Certificate(nil); cert == nil || err != nil {
					t.Error(cert, err)
				}
			}
		})
	}
	wg.Wait()
}
