# Longer campaigns live here; the test command is `go test ./...`.
.PHONY: all test ci bench race fuzz

all:
	go build -o bin/wasmaot ./cmd/wasmaot

test:
	go test ./...

ci:
	bash .ci/run

# One table: compile time, start, run time beside native Go, wazero, Wasmtime and V8, whichever is there.
# ROUNDS=5 ONLY=fib,json ENGINES=wasmaot,wazero narrow it.
ROUNDS ?= 5
bench:
	cd bench && go run . -rounds $(ROUNDS) -only "$(ONLY)" -engines "$(ENGINES)" -json results.json -md results.md

# The race detector watches the host's side (it needs a C compiler).
race:
	go test -race ./loader/... ./wasi/... ./compiler/...

# FUZZTIME for each target.
FUZZTIME ?= 60s
fuzz:
	@for pkg in $$(go list ./...); do \
		for f in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "== $$pkg $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$pkg || exit 1; \
		done; \
	done
