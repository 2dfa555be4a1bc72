package carrier

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/shaddock-game/shaddock/actors/cluster/link"
	"github.com/shaddock-game/shaddock/actors/cluster/wire"
)

// TestMain also is the peer's program: the remote keeps its state in variables of
// its packages, so two of them in one process race (grpclog, for one).
func TestMain(m *testing.M) {
	if os.Getenv("CARRIER_TEST_PEER") != "" {
		if err := peerMain(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// alone has a test run in a process of its own, for the same reason. It returns
// true there.
func alone(t *testing.T) bool {
	t.Helper()
	if os.Getenv("CARRIER_TEST_ALONE") != "" {
		return true
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), "CARRIER_TEST_ALONE=yes")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

// echo answers every message with its body.
type echo struct{ c *Carrier }

func (e echo) Receive(from link.Peer, m *wire.Envelope) {
	e.c.Send(from, &wire.Envelope{Op: m.Op + 1, Seq: m.Seq, Body: m.Body})
}

func (e echo) Broken(string) {}

func peerMain() error {
	cfg := Config{Boot: os.Getenv("CARRIER_TEST_PEER"), Listen: os.Getenv("CARRIER_TEST_LISTEN")}
	if dir := os.Getenv("CARRIER_TEST_CERTS"); dir != "" {
		var err error
		if cfg.TLS, err = Certificates(dir+"/node.pem", dir+"/node.key", dir+"/ca.pem", ""); err != nil {
			return err
		}
	}
	c, err := Listen(cfg)
	if err != nil {
		return err
	}
	if err := c.Start(echo{c}); err != nil {
		return err
	}
	fmt.Println("ready", c.Self().Addr)
	_, err = io.Copy(io.Discard, os.Stdin)
	c.Close()
	return err
}

type peer struct {
	t     *testing.T
	link  link.Peer
	cmd   *exec.Cmd
	stdin io.Closer
}

func startPeer(t *testing.T, boot, listen, certs string) *peer {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "CARRIER_TEST_PEER="+boot, "CARRIER_TEST_LISTEN="+listen, "CARRIER_TEST_CERTS="+certs)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, cmd: cmd, stdin: stdin}
	t.Cleanup(p.kill)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	addr, ok := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if !ok {
		t.Fatalf("peer said %q, %v", line, err)
	}
	p.link = link.Peer{ID: boot, Addr: addr}
	return p
}

func (p *peer) kill() {
	if p.cmd != nil {
		_ = p.cmd.Process.Kill() // it may have ended
		_ = p.cmd.Wait()         // as we ended it
		p.cmd = nil
	}
}

// stop lets the peer end by itself and fails if it did not end well, as it does
// not when the race detector found something in it.
func (p *peer) stop() {
	p.t.Helper()
	_ = p.stdin.Close()
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("peer ended with %v", err)
	}
	p.cmd = nil
}

// self is this process's end.
type self struct {
	t *testing.T
	*Carrier
	got    chan *wire.Envelope
	broken chan string
	logged *bytes.Buffer
}

func (s *self) Receive(_ link.Peer, e *wire.Envelope) { s.got <- e }
func (s *self) Broken(addr string)                    { s.broken <- addr }

func listen(t *testing.T, cfg Config) *self {
	t.Helper()
	s := &self{t: t, got: make(chan *wire.Envelope, 1000), broken: make(chan string, 100), logged: new(bytes.Buffer)}
	cfg.Boot, cfg.Listen = "self", "127.0.0.1:0"
	cfg.Logger = slog.New(slog.NewTextHandler(s.logged, nil))
	c, err := Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.Carrier = c
	if err := c.Start(s); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return s
}

// hears sends until an echo comes back: what is sent while a connection is being
// made anew may be lost, which is the link's to repair.
func (s *self) hears(to link.Peer) bool {
	s.t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for {
		s.Send(to, &wire.Envelope{Op: 1, Body: []byte(to.ID)})
		select {
		case e := <-s.got:
			if e.Op == 2 && string(e.Body) == to.ID {
				return true
			}
		case <-tick.C:
		case <-deadline:
			return false
		}
	}
}

func TestTwoProcesses(t *testing.T) {
	if !alone(t) {
		return
	}
	p, s := startPeer(t, "b1", "127.0.0.1:0", ""), listen(t, Config{})
	const count = 500
	for i := range uint64(count) {
		s.Send(p.link, &wire.Envelope{Op: 1, Seq: i, Body: make([]byte, 100)})
	}
	for i := range uint64(count) {
		select {
		case e := <-s.got:
			if e.Seq != i || e.Op != 2 || len(e.Body) != 100 {
				t.Fatalf("echo %d is %v", i, e)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("echo %d did not come", i)
		}
	}
	if err := s.Probe(t.Context(), p.link.Addr); err != nil {
		t.Fatalf("probe of a peer that listens: %v", err)
	}
	p.stop()
}

// The remote keeps what is queued for a process that crashed and gives it to the
// next one at that address.
func TestKilledAndRestarted(t *testing.T) {
	if !alone(t) {
		return
	}
	p, s := startPeer(t, "b1", "127.0.0.1:0", ""), listen(t, Config{})
	if !s.hears(p.link) {
		t.Fatal("no echo")
	}
	p.kill()
	select {
	case addr := <-s.broken:
		if addr != p.link.Addr {
			t.Fatalf("%s broke, want %s", addr, p.link.Addr)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("a killed peer was not noticed")
	}
	if err := s.Probe(t.Context(), p.link.Addr); err == nil {
		t.Fatal("somebody listens at a killed peer's address")
	}
	second := startPeer(t, "b2", p.link.Addr, "")
	if !s.hears(second.link) {
		t.Fatal("no echo of the second")
	}
	s.Send(p.link, &wire.Envelope{Op: 1, Body: []byte("for the first")})
	if !s.hears(second.link) {
		t.Fatal("no echo of the second")
	}
	for len(s.got) > 0 {
		if e := <-s.got; string(e.Body) == "for the first" {
			t.Fatal("the second answered for the first")
		}
	}
	second.stop()
}

func TestCertificatesAreDemanded(t *testing.T) {
	if !alone(t) {
		return
	}
	good, other := t.TempDir(), t.TempDir()
	authority(t, good, DefaultName)
	authority(t, other, DefaultName)
	misnamed := t.TempDir()
	sign(t, good, misnamed, "somebody")

	tlsConfig, err := Certificates(good+"/node.pem", good+"/node.key", good+"/ca.pem", "")
	if err != nil {
		t.Fatal(err)
	}
	s := listen(t, Config{TLS: tlsConfig})
	if p := startPeer(t, "good", "127.0.0.1:0", good); !s.hears(p.link) {
		t.Error("no echo between nodes of one authority")
	}
	for name, certs := range map[string]string{"another authority": other, "another name": misnamed, "none": ""} {
		p := startPeer(t, "bad", "127.0.0.1:0", certs)
		s.Send(p.link, &wire.Envelope{Op: 1, Body: []byte(name)})
		if why := s.refuses(p.link.Addr, name); why != "" {
			t.Errorf("%s: %s", name, why)
		}
		p.kill()
	}
}

// refuses waits until the connection to a peer has come to nothing; else it says what
// came of it. Other peers may be late with what they have to say.
func (s *self) refuses(addr, said string) (why string) {
	deadline := time.After(10 * time.Second)
	for {
		select {
		case at := <-s.broken:
			if at == addr {
				return ""
			}
		case e := <-s.got:
			if string(e.Body) == said {
				return "spoke with it"
			}
		case <-deadline:
			return "neither connected nor refused"
		}
	}
}

// An unknown message type ends the process of a plain remote.
func TestUnreadableMessage(t *testing.T) {
	if !alone(t) {
		return
	}
	s := listen(t, Config{})
	conn, err := grpc.NewClient(s.Self().Addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	stream, err := remote.NewRemotingClient(conn).Receive(ctx)
	if err != nil {
		t.Fatal(err)
	}
	err = stream.Send(&remote.RemoteMessage{MessageType: &remote.RemoteMessage_MessageBatch{MessageBatch: &remote.MessageBatch{
		TypeNames: []string{"from.a.later.Version"},
		Targets:   []*actor.PID{{Address: s.Self().Addr, Id: "link/self"}},
		Envelopes: []*remote.MessageEnvelope{{}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err == nil {
		t.Fatal("the stream lives on")
	}
	if p := startPeer(t, "b1", "127.0.0.1:0", ""); !s.hears(p.link) {
		t.Fatal("the others are not heard any more")
	}
	s.Close()
	if !strings.Contains(s.logged.String(), "peer sent what this node cannot read") {
		t.Fatalf("not logged: %s", s.logged)
	}
}

func TestListenRefuses(t *testing.T) {
	for _, c := range []struct {
		why string
		cfg Config
		say string
	}{
		{"whole world without certificates", Config{Listen: "0.0.0.0:0", Advertise: "10.0.0.1:7000"}, "give certificates"},
		{"routable address without certificates", Config{Listen: "192.0.2.1:7000"}, "give certificates"},
		{"any address, unknown to peers", Config{Listen: "0.0.0.0:0", Insecure: true}, "by which address"},
		{"no port", Config{Listen: "127.0.0.1"}, "missing port"},
		{"a port that is none", Config{Listen: "127.0.0.1:game"}, "port"},
		{"an address of somebody else", Config{Listen: "192.0.2.1:7000", Insecure: true}, "listen"},
	} {
		if _, err := Listen(c.cfg); err == nil || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s: %v, want %q in it", c.why, err, c.say)
		}
	}
}

func TestCertificatesAreReadAgain(t *testing.T) {
	dir, bad := t.TempDir(), t.TempDir()
	authority(t, dir, DefaultName)
	if _, err := Certificates(bad+"/node.pem", bad+"/node.key", dir+"/ca.pem", ""); err == nil {
		t.Error("took a certificate that is not there")
	}
	if _, err := Certificates(dir+"/node.pem", dir+"/node.key", dir+"/node.key", ""); err == nil {
		t.Error("took a key for an authority")
	}
	cfg, err := Certificates(dir+"/node.pem", dir+"/node.key", dir+"/ca.pem", "")
	if err != nil {
		t.Fatal(err)
	}
	first, err := cfg.GetCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	sign(t, dir, dir, DefaultName)
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(dir+"/node.pem", later, later); err != nil {
		t.Fatal(err)
	}
	second, err := cfg.GetCertificate(nil)
	if err != nil || bytes.Equal(first.Certificate[0], second.Certificate[0]) {
		t.Fatalf("a renewed certificate is not used: %v", err)
	}
	if err := os.WriteFile(dir+"/node.pem", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if third, err := cfg.GetClientCertificate(nil); err != nil || third != second {
		t.Fatalf("half a renewal took the node off the network: %v", err)
	}
}

// authority writes a new authority to dir and a certificate signed by it.
func authority(t *testing.T, dir, name string) {
	t.Helper()
	key := newKey(t, dir+"/ca.key")
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, dir+"/ca.pem", "CERTIFICATE", der)
	sign(t, dir, dir, name)
}

// sign writes to dir a certificate for name, signed by the authority in ca.
func sign(t *testing.T, ca, dir, name string) {
	t.Helper()
	read := func(file string) []byte {
		b, err := os.ReadFile(filepath.Join(ca, file))
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(b)
		return block.Bytes
	}
	parent, err := x509.ParseCertificate(read("ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	signer, err := x509.ParseECPrivateKey(read("ca.key"))
	if err != nil {
		t.Fatal(err)
	}
	key := newKey(t, dir+"/node.key")
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, dir+"/node.pem", "CERTIFICATE", der)
	if ca != dir {
		writePEM(t, dir+"/ca.pem", "CERTIFICATE", parent.Raw)
	}
}

func newKey(t *testing.T, file string) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, file, "EC PRIVATE KEY", der)
	return key
}

func writePEM(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}
