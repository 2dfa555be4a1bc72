package etcdtest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// DemandLogin is Process.DemandLogin.
func (s *Server) DemandLogin(files *tls.Config, user, password, prefix string) {
	s.t.Helper()
	s.must(s.Process.DemandLogin(files, user, password, prefix))
}

// DemandLogin has the server, which has asked for none so far, serve only those who log
// in: one user, who reads and writes the keys with a prefix, and root. Files are what
// is shown to a server with certificates.
func (p *Process) DemandLogin(files *tls.Config, user, password, prefix string) error {
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{p.URL}, TLS: files, Logger: zap.NewNop()})
	if err != nil {
		return fmt.Errorf("etcd: %w", err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var errs []error
	step := func(_ any, err error) { errs = append(errs, err) }
	step(c.RoleAdd(ctx, "players"))
	step(c.RoleGrantPermission(ctx, "players", prefix, clientv3.GetPrefixRangeEnd(prefix), clientv3.PermissionType(clientv3.PermReadWrite)))
	step(c.UserAdd(ctx, user, password))
	step(c.UserGrantRole(ctx, user, "players"))
	step(c.UserAdd(ctx, "root", "root of "+password))
	step(c.UserGrantRole(ctx, "root", "root"))
	step(c.AuthEnable(ctx))
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("etcd: demand a login: %w", err)
	}
	return nil
}
