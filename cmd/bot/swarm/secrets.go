package swarm

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// loadTokens reads the tokens that sessions get in turn: from a file, or from
// what a shell command prints. Empty lines are passed over.
func loadTokens(ctx context.Context, cfg Config, sessions int) ([]string, error) {
	var text []byte
	var err error
	switch {
	case cfg.Tokens != "" && cfg.TokenCmd != "":
		return nil, errors.New("--tokens and --token-cmd exclude each other")
	case cfg.Tokens != "":
		text, err = os.ReadFile(cfg.Tokens)
	case cfg.TokenCmd != "":
		cmd := exec.CommandContext(ctx, "sh", "-c", cfg.TokenCmd)
		cmd.Env = append(os.Environ(), fmt.Sprintf("BOT_SESSIONS=%d", sessions))
		cmd.Stderr = os.Stderr
		text, err = cmd.Output()
	default:
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	var tokens []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" {
			tokens = append(tokens, line)
		}
	}
	if len(tokens) == 0 {
		return nil, errors.New("tokens: there are none")
	}
	return tokens, nil
}

// tlsConfig says whom to trust; nil is the system's choice.
func tlsConfig(ca string, insecure bool) (*tls.Config, error) {
	if ca == "" && !insecure {
		return nil, nil
	}
	cfg := &tls.Config{InsecureSkipVerify: insecure} //nolint:gosec // asked for by --insecure, against a test server
	if ca == "" {
		return cfg, nil
	}
	pem, err := os.ReadFile(ca)
	if err != nil {
		return nil, fmt.Errorf("--ca: %w", err)
	}
	cfg.RootCAs = x509.NewCertPool()
	if !cfg.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("--ca %s: holds no certificate", ca)
	}
	return cfg, nil
}
