// Command etcd is one etcd node in a process of its own, for tests and for the
// demo on one machine. It keeps its data in a folder, so that it can be killed
// and started again as an operator's etcd would be.
//
//	etcd --data DIR [--listen 127.0.0.1:2379] [--ca FILE --cert FILE --key FILE] [--parent]
//
// It prints one line, "ready http://HOST:PORT", once clients are served; https with
// certificates, of which clients must show one as well. With
// --parent it also ends when its standard input does, which it does with the
// process that started it, however that one dies.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/server/v3/embed"
)

func main() {
	data := flag.String("data", "", "folder of the data, made when absent")
	listen := flag.String("listen", "127.0.0.1:2379", "address for clients; port 0 picks a free one")
	parent := flag.Bool("parent", false, "end with standard input")
	ca := flag.String("ca", "", "authority (PEM) of the clients' certificates")
	cert := flag.String("cert", "", "certificate (PEM) of the server")
	key := flag.String("key", "", "key (PEM) of the certificate")
	flag.Parse()
	files := transport.TLSInfo{TrustedCAFile: *ca, CertFile: *cert, KeyFile: *key, ClientCertAuth: *ca != ""}
	if err := run(*data, *listen, files, *parent); err != nil {
		fmt.Fprintln(os.Stderr, "etcd:", err)
		os.Exit(1)
	}
}

func run(data, listen string, files transport.TLSInfo, parent bool) error {
	cfg, err := configure(data, listen, files)
	if err != nil {
		return err
	}
	e, err := embed.StartEtcd(cfg)
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	defer e.Close()
	select {
	case <-e.Server.ReadyNotify():
	case err := <-e.Err():
		return err
	case <-time.After(time.Minute):
		return errors.New("not ready after a minute")
	}
	fmt.Println("ready", cfg.ListenClientUrls[0].String())
	select {
	case <-stopped(parent):
		return nil
	case err := <-e.Err():
		return err
	}
}

// configure makes a cluster of one node. Its peer port serves nobody; it takes a
// free one so that several can run beside each other.
func configure(data, listen string, files transport.TLSInfo) (*embed.Config, error) {
	if data == "" {
		return nil, errors.New("--data is required")
	}
	client, err := free(listen)
	if err != nil {
		return nil, err
	}
	peer, err := free("127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	if !files.Empty() {
		client.Scheme = "https"
	}
	cfg := embed.NewConfig()
	cfg.ClientTLSInfo = files
	cfg.Dir = data
	cfg.LogLevel = "panic" // what matters is returned
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	// A test machine's disk may be slow to sync; what it loses with the machine
	// is a test's.
	cfg.UnsafeNoFsync = true
	return cfg, nil
}

// free resolves port 0 to a port that nobody listens on now.
func free(addr string) (url.URL, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return url.URL{}, err
	}
	defer l.Close()
	return url.URL{Scheme: "http", Host: l.Addr().String()}, nil
}

// stopped is closed at the first signal, or when the parent is gone.
func stopped(parent bool) <-chan struct{} {
	done := make(chan struct{})
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	gone := make(chan struct{})
	if parent {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin) // any end of it is the parent's
			close(gone)
		}()
	}
	go func() {
		select {
		case <-signals:
		case <-gone:
		}
		close(done)
	}()
	return done
}
