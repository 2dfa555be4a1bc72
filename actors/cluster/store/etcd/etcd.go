// Package etcd is store.Store on an etcd cluster.
package etcd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"github.com/shaddock-game/shaddock/actors/cluster/store"
)

// Config says where the etcd cluster is and who asks.
type Config struct {
	Endpoints []string      // at least one, as "http://host:2379" or "host:2379"
	TLS       *tls.Config   // nil: plain, or for https the system's authorities, see Certificates
	User      string        // empty: no login; with an etcd that demands client certificates their name may be one
	Password  string        // of User, required with it
	Wait      time.Duration // for a server that takes the login, see Open
}

// Store is the connection of one process to etcd.
type Store struct {
	client *clientv3.Client
}

var _ store.Store = (*Store)(nil)

// Open makes the connection's object; it does not wait for a server, calls do. Only
// with a User it waits until a server has taken the login, for Config.Wait, 3 s when
// 0: the error is ErrLogin as soon as one has refused it.
func Open(cfg Config) (*Store, error) {
	switch {
	case len(cfg.Endpoints) == 0:
		return nil, errors.New("etcd: no endpoints")
	case (cfg.User == "") != (cfg.Password == ""):
		return nil, errors.New("etcd: a login has a user and a password")
	}
	client, err := login(cfg)
	if err != nil {
		return nil, fmt.Errorf("etcd: %w", err)
	}
	return &Store{client: client}, nil
}

// login makes a client. One with a user asks for its first token meanwhile, and does
// not wait long for a server: an etcd that starts beside us is asked again.
func login(cfg Config) (*clientv3.Client, error) {
	for end := time.Now().Add(max(cfg.Wait, dialTimeout)); ; {
		client, err := connect(cfg)
		switch {
		case err == nil:
			return client, nil
		case errors.Is(err, rpctypes.ErrAuthFailed):
			return nil, fmt.Errorf("%w: %w", ErrLogin, err)
		case cfg.User == "" || !time.Now().Add(dialTimeout).Before(end):
			return nil, err
		}
	}
}

func connect(cfg Config) (*clientv3.Client, error) {
	return clientv3.New(clientv3.Config{
		Endpoints:   cfg.Endpoints,
		TLS:         cfg.TLS,
		Username:    cfg.User,
		Password:    cfg.Password,
		DialTimeout: dialTimeout,
		// A server that froze, or a path that swallows packets, must be noticed
		// well within a lease's time, so that another endpoint gets its chance.
		DialKeepAliveTime:    2 * time.Second,
		DialKeepAliveTimeout: 2 * time.Second,
		PermitWithoutStream:  true,
		DialOptions:          []grpc.DialOption{grpc.WithConnectParams(reconnect)},
		Logger:               zap.NewNop(),
	})
}

const dialTimeout = 3 * time.Second

// reconnect bounds how long an outage is felt after its end: by default gRPC pauses
// for up to two minutes between attempts, and waits twenty seconds for one.
var reconnect = grpc.ConnectParams{
	Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 400 * time.Millisecond},
	MinConnectTimeout: time.Second,
}

// Close implements store.Store.
func (s *Store) Close() error { return s.client.Close() }

// Grant implements store.Store. Etcd counts in seconds and grants no less than
// one and a half of its election timeouts.
func (s *Store) Grant(ctx context.Context, ttl time.Duration) (store.Lease, time.Duration, error) {
	r, err := s.client.Grant(ctx, int64(math.Ceil(ttl.Seconds())))
	if err != nil {
		return 0, 0, fmt.Errorf("etcd: grant lease: %w", err)
	}
	return store.Lease(r.ID), time.Duration(r.TTL) * time.Second, nil
}

// Renew implements store.Store.
func (s *Store) Renew(ctx context.Context, l store.Lease) (time.Duration, error) {
	r, err := s.client.KeepAliveOnce(ctx, clientv3.LeaseID(l))
	if err != nil {
		return 0, fmt.Errorf("etcd: renew lease: %w", leaseError(err))
	}
	return time.Duration(r.TTL) * time.Second, nil
}

// Revoke implements store.Store.
func (s *Store) Revoke(ctx context.Context, l store.Lease) error {
	_, err := s.client.Revoke(ctx, clientv3.LeaseID(l))
	if err = leaseError(err); err != nil && !errors.Is(err, store.ErrNoLease) {
		return fmt.Errorf("etcd: revoke lease: %w", err)
	}
	return nil
}

// Create implements store.Store: one transaction.
func (s *Store) Create(ctx context.Context, key string, value []byte, l store.Lease) (store.Record, bool, error) {
	r, err := s.client.Txn(ctx).
		If(clientv3.Compare(clientv3.CreateRevision(key), "=", 0)).
		Then(clientv3.OpPut(key, string(value), clientv3.WithLease(clientv3.LeaseID(l)))).
		Else(clientv3.OpGet(key)).
		Commit()
	if err != nil {
		return store.Record{}, false, fmt.Errorf("etcd: create %s: %w", key, leaseError(err))
	}
	if r.Succeeded {
		return store.Record{Key: key, Value: value, Lease: l, Epoch: uint64(r.Header.Revision), Revision: uint64(r.Header.Revision)}, true, nil
	}
	return record(r.Responses[0].GetResponseRange().Kvs[0]), false, nil
}

// Put implements store.Store.
func (s *Store) Put(ctx context.Context, key string, value []byte, l store.Lease) (store.Record, error) {
	r, err := s.client.Txn(ctx).Then(
		clientv3.OpPut(key, string(value), clientv3.WithLease(clientv3.LeaseID(l))),
		clientv3.OpGet(key),
	).Commit()
	if err != nil {
		return store.Record{}, fmt.Errorf("etcd: put %s: %w", key, leaseError(err))
	}
	return record(r.Responses[1].GetResponseRange().Kvs[0]), nil
}

// PutIf implements store.Store: one transaction.
func (s *Store) PutIf(ctx context.Context, key string, value []byte, guard store.Guard) (bool, error) {
	put := clientv3.OpPut(key, string(value))
	if guard.Below != nil { // a comparison with the value of no key fails
		free := []clientv3.Cmp{clientv3.Compare(clientv3.CreateRevision(key), "=", 0)}
		below := []clientv3.Cmp{clientv3.Compare(clientv3.Value(key), "<", string(guard.Below))}
		put = clientv3.OpTxn(free, []clientv3.Op{put}, []clientv3.Op{clientv3.OpTxn(below, []clientv3.Op{put}, nil)})
	}
	r, err := s.client.Txn(ctx).
		If(clientv3.Compare(clientv3.CreateRevision(guard.Key), "=", int64(guard.Epoch))).
		Then(put).
		Commit()
	if err != nil {
		return false, fmt.Errorf("etcd: put %s: %w", key, err)
	}
	return r.Succeeded && wrote((*pb.TxnResponse)(r)), nil
}

// wrote says whether the innermost of nested transactions took its put.
func wrote(r *pb.TxnResponse) bool {
	if len(r.Responses) == 0 {
		return false
	}
	if inner := r.Responses[0].GetResponseTxn(); inner != nil {
		return wrote(inner)
	}
	return true
}

// Delete implements store.Store.
func (s *Store) Delete(ctx context.Context, key string, epoch uint64) (bool, error) {
	r, err := s.client.Txn(ctx).
		If(clientv3.Compare(clientv3.CreateRevision(key), "=", int64(epoch))).
		Then(clientv3.OpDelete(key)).
		Commit()
	if err != nil {
		return false, fmt.Errorf("etcd: delete %s: %w", key, err)
	}
	return r.Succeeded, nil
}

// List implements store.Store.
func (s *Store) List(ctx context.Context, prefix string) ([]store.Record, uint64, error) {
	r, err := s.client.Get(ctx, prefix, clientv3.WithPrefix(), clientv3.WithSort(clientv3.SortByKey, clientv3.SortAscend))
	if err != nil {
		return nil, 0, fmt.Errorf("etcd: list %s: %w", prefix, err)
	}
	recs := make([]store.Record, 0, len(r.Kvs))
	for _, kv := range r.Kvs {
		recs = append(recs, record(kv))
	}
	return recs, uint64(r.Header.Revision), nil
}

// Watch implements store.Store.
func (s *Store) Watch(ctx context.Context, prefix string, after uint64, f func([]store.Event)) error {
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	defer cancel()
	// A watcher of its own, so that the end of this watch is the end of its stream.
	w := clientv3.NewWatcher(s.client)
	defer w.Close()
	for r := range w.Watch(ctx, prefix, clientv3.WithPrefix(), clientv3.WithRev(int64(after)+1)) {
		if r.CompactRevision > 0 {
			return store.ErrCompacted
		}
		if err := r.Err(); err != nil {
			return fmt.Errorf("etcd: watch %s: %w", prefix, err)
		}
		if len(r.Events) > 0 {
			f(events(r.Events))
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return fmt.Errorf("etcd: watch %s: stream ended", prefix)
}

func events(in []*clientv3.Event) []store.Event {
	out := make([]store.Event, 0, len(in))
	for _, e := range in {
		if e.Type == clientv3.EventTypeDelete {
			out = append(out, store.Event{Record: store.Record{Key: string(e.Kv.Key), Revision: uint64(e.Kv.ModRevision)}, Deleted: true})
			continue
		}
		out = append(out, store.Event{Record: record(e.Kv)})
	}
	return out
}

func record(kv *mvccpb.KeyValue) store.Record {
	return store.Record{
		Key: string(kv.Key), Value: kv.Value, Lease: store.Lease(kv.Lease),
		Epoch: uint64(kv.CreateRevision), Revision: uint64(kv.ModRevision),
	}
}

// leaseError gives etcd's word for an ended lease the name that the store has
// for it. Revoke, a transaction and a renewal bring it in different forms.
func leaseError(err error) error {
	if err != nil && errors.Is(rpctypes.Error(err), rpctypes.ErrLeaseNotFound) {
		return store.ErrNoLease
	}
	return err
}
