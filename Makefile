# Longer campaigns live here; the test command is `go test ./...`.
.PHONY: all release kills test ci bench race fuzz go-std swaps mutants

all:
	go build -o bin/wasmaot ./cmd/wasmaot

# One program that needs no Go toolchain for "wasmaot build": it carries the run-only part for each instruction set.
release:
	for arch in amd64 arm64; do \
		CGO_ENABLED=0 GOOS=linux GOARCH=$$arch go build -trimpath -ldflags="-s -w" -o bin/wasmaot-run-$$arch ./cmd/wasmaot-run && \
		cp bin/wasmaot-run-$$arch cmd/wasmaot/wasmaot-run-$$arch.bin || exit 1; \
	done
	CGO_ENABLED=0 go build -trimpath -tags=embedrun -o bin/wasmaot ./cmd/wasmaot; s=$$?; rm cmd/wasmaot/wasmaot-run-*.bin; exit $$s

test:
	go test ./...

# Everything on an emulated arm64 (Debian's qemu-user-static), PKGS="./loader/... ./spectest" and TESTFLAGS="-run TestSuite" narrow it.
.PHONY: test-arm64
QEMU_ARM64 ?= qemu-aarch64-static
PKGS ?= ./...
test-arm64:
	WASMAOT_EXEC=$(QEMU_ARM64) CGO_ENABLED=0 GOARCH=arm64 go test -exec $(QEMU_ARM64) -timeout 4h $(TESTFLAGS) $(PKGS)
	$(if $(filter ./...,$(PKGS)),go run ./internal/gostd -fast -goarch=arm64 -exec=$(QEMU_ARM64))

ci:
	bash .ci/run

# One table: compile time, start, run time beside native Go, wazero, Wasmtime and V8, whichever is there.
# ROUNDS=5 ONLY=fib,c-sort,rust-grid,versions,compile,cold,start,http ENGINES=wasmaot,wazero narrow it.
ROUNDS ?= 3
bench:
	cd bench && go run . -rounds $(ROUNDS) -only "$(ONLY)" -engines "$(ENGINES)" -json results.json -md results.md -svg results.svg

# The cache survives a hundred processes killed at random moments; go test has fewer.
kills:
	WASMAOT_KILLS=100 go test ./cmd/wasmaot -run TestCacheKilled -v -count=1

# The race detector watches the host's side (it needs a C compiler).
race:
	go test -race ./loader/... ./wasi/... ./compiler/...

# The tests of Go's standard library as guests, 6 to 12 minutes on two cores; .ci/run has a fast part of it.
# STD="os net" narrows it, STDFLAGS="-p 1 -short=false -run Open -on-demand=never" are gostd's flags.
go-std:
	go run ./internal/gostd $(STDFLAGS) $(STD)

# Entries swapped for links, or moved away, during opens: SWAPS of each of five kinds against each of the two ways to walk a path.
SWAPS ?= 200000
swaps:
	go test ./wasi/sandbox -count=1 -timeout=2h -v -run 'TestRaces' -sandbox.swaps=$(SWAPS)

# A guest's HTTP server answers REQUESTS requests over 64 connections, beside the same server built natively.
.PHONY: http
REQUESTS ?= 100000
http:
	WASMAOT_HTTP_REQUESTS=$(REQUESTS) go test ./cmd/wasmaot -count=1 -v -run 'TestNetwork/HTTPServer' -timeout 20m

# The packages that give Go guests the network, unchanged: DIR="CHECKOUT..." of github.com/stealthrocket/net or github.com/dispatchrun/net.
.PHONY: try-net
try-net:
	go run ./internal/trynet $(DIR)

# Generated modules against the oracle for TIME, then every fuzz target for FUZZTIME. What fails is cut down and can be replayed by its seed.
TIME ?= 10m
FUZZTIME ?= 60s
fuzz:
	go test ./spectest -run '^TestDifferential$$' -v -timeout 0 -oracle.for $(TIME)
	@for pkg in $$(go list ./...); do \
		for f in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "== $$pkg $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$pkg || exit 1; \
		done; \
	done

# What each optimisation brings, by leaving it out. ROUNDS=5 ONLY=fib,json narrow it.
.PHONY: bench-off
bench-off:
	cd bench && go run ./off -rounds $(ROUNDS) $(if $(ONLY),-only "$(ONLY)") -md off.md

# What embedding costs, beside wazero in one run.
# Instructions of hot loops on arm64 beside clang's, read from the code.
.PHONY: bench-kernels
bench-kernels:
	cd bench && go run ./kernels -md kernels.md

.PHONY: bench-api
bench-api:
	cd bench && go run ./api

# Modules that Go programs embed today.
.PHONY: realworld
realworld:
	cd realworld && go test -count=1 -v .

# The embedding API under load: instances one after the other and at once, a storm of preemptions under the race detector, in a cgo host.
.PHONY: api-life
api-life:
	WASMAOT_INSTANCES=1000000 WASMAOT_LIVE=20000 go test ./engine -count=1 -v -run 'TestManyInstances|TestLiveInstances' -timeout 30m
	CGO_ENABLED=1 WASMAOT_STORM=300 go test ./engine -count=1 -v -race -run TestStorm -timeout 30m
	go test ./engine -count=1 -v -run TestCgoHost

# Bugs planted on purpose, and which tests find them.
mutants:
	go run ./internal/mutant/show

