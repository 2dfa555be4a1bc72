# Two commands set everything up: `go run ./cmd/server` serves, `make check`
# passes the tests. The rest is for those who work on shaddock.

GOLANGCI_VERSION := v2.15.0
GOLANGCI         := bin/golangci-lint-$(GOLANGCI_VERSION)
FUZZTIME         ?= 1m
GO               ?= go

.PHONY: check lint test clients chaos chaos-minute failures mutants bench bench-live bench-cluster fuzz cluster-demo clean

check: lint test clients chaos-minute ## all that must pass before a commit lands

lint: $(GOLANGCI)
	$(GO) vet ./...
	$(GOLANGCI) run ./...
	cd tests/peers && $(GO) vet ./...

$(GOLANGCI):
	GOBIN=$(CURDIR)/bin $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv bin/golangci-lint $@

test:
	tests/postgres.sh
	$(GO) test -race ./...
	cd tests/peers && $(GO) test -run Migration .

clients: ## clients that nobody here wrote, and our own SDK in a browser
	tests/clients/setup.sh
	cd tests/clients && npm test

mutants: ## each protection against a known fault is taken out, and its test must fail; a quarter of an hour
	$(GO) run ./tests/mutants

chaos: ## ten minutes of failures under load, and the proof that nothing went wrong; SEED=n for a schedule again
	$(GO) run -race ./tests/chaos --seed $(or $(SEED),0)

chaos-minute: ## one minute of the same, with a schedule of its own each time; SEED=n as it was
	$(GO) run -race ./tests/chaos --for 60s --seed $(or $(SEED),0)

failures: ## a table of what each failure costs the callers; a quarter of an hour
	$(GO) run ./tests/chaos failures

bench: ## shaddock beside nano and a bare write(2) loop, within ten minutes
	cd tests/peers && $(GO) run ./bench

bench-live: ## the live part of bench for longer: one room at the machine's limit, four minutes
	cd tests/peers && $(GO) run ./bench --live only

bench-cluster: ## one room on a server alone and across three nodes, three minutes
	cd tests/peers && $(GO) run ./bench --cluster

cluster-demo: ## etcd, a room host and two gates on this machine; DEMO="--hosts 2" for two
	$(GO) build -o bin/cluster-demo ./tests/demo
	@exec bin/cluster-demo $(DEMO)

fuzz: ## every fuzz target for FUZZTIME each
	@for pkg in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
			echo "== $$pkg $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$pkg || exit 1; \
		done; \
	done

clean:
	rm -rf bin tests/clients/node_modules
