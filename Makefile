.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## bin/joute, static
	CGO_ENABLED=0 go build -trimpath -o bin/joute ./cmd/joute

.PHONY: demo
demo: ## a contest with a simulated crowd, no Redis needed
	go run ./cmd/joute demo

.PHONY: test
test: ## everything that has to hold (the same as ./scripts/test)
	./scripts/test

.PHONY: e2e
e2e: ## every test in a real browser, and how fast pages paint
	./scripts/e2e

.PHONY: screenshots
screenshots: ## every page, theme, size and language into screenshots/ (PARTS="phone dark fr": of these)
	./scripts/e2e screenshots $(PARTS)

.PHONY: lint
lint: ## gofmt, go vet, staticcheck
	@out=$$(gofmt -l .); test -z "$$out" || { echo "gofmt -w $$out"; exit 1; }
	go vet ./...
	go tool staticcheck ./...

.PHONY: bench
bench: ## what a ballot costs: one table, beside servers that do less
	go run ./internal/benchmark

.PHONY: bench-memory
bench-memory: ## what a million voters take in Redis
	go run ./internal/benchmark -memory 1000000

.PHONY: bench-instructions
bench-instructions: ## what a ballot costs Redis in instructions, on one and on a cluster
	./scripts/bench-instructions

.PHONY: bench-go
bench-go: ## the Go benchmarks
	go test -run '^$$' -bench . -benchmem ./...

.PHONY: bench-live
bench-live: ## what the feeds cost and how quick they are, with 10,000 readers
	./scripts/bench-live

.PHONY: eval
eval: ## what the detectors are worth: goals and figures
	go run ./internal/farmlab/evaluate

.PHONY: eval-speed
eval-speed: ## joute detect on one and two million ballots: time, memory
	go run ./internal/farmlab/evaluate -only speed

SEED ?= 3001
CONTESTS ?= 24

.PHONY: eval-random
eval-random: ## contests of any kind, a row each: SEED=3001 CONTESTS=24
	go run ./internal/farmlab/evaluate -only random -fresh $(SEED) -contests $(CONTESTS)

FUZZTIME ?= 30s

.PHONY: fuzz
fuzz: ## every fuzz target, 30 s each (FUZZTIME=10m: longer)
	@grep -rn --include='*_test.go' -o '^func Fuzz[A-Za-z0-9_]*' . | while IFS=: read -r file _ name; do \
	  echo "== $$(dirname $$file) $${name#func }"; \
	  go test -run '^$$' -fuzz "^$${name#func }$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$(dirname $$file) </dev/null || exit 1; \
	done

.PHONY: faults
faults: ## the long crash and fault tests (half an hour), with a summary
	./scripts/faults
