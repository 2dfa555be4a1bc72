package app

import (
	"os"
	"os/signal"
	"syscall"
)

// reloadOnHangup reads the certificate again on SIGHUP, until the returned
// function is called. A file that cannot be used leaves the old one in force.
func (s *server) reloadOnHangup() (stop func()) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range hup {
			if err := s.certs.Reload(); err != nil {
				s.cfg.Log.Error("certificate not reloaded", "error", err)
				continue
			}
			s.cfg.Log.Info("certificate reloaded")
		}
	}()
	return func() {
		signal.Stop(hup)
		close(hup)
		<-done
	}
}
