module github.com/wasmaot/wasmaot/bench

go 1.26.0

require (
	github.com/tetratelabs/wazero v1.12.0
	github.com/wasmaot/wasmaot v0.0.0
	golang.org/x/sys v0.49.0
)

require (
	github.com/evanw/esbuild v0.28.2 // indirect
	golang.org/x/arch v0.32.0 // indirect
	golang.org/x/net v0.61.0 // indirect
)

replace github.com/wasmaot/wasmaot => ../

tool (
	github.com/evanw/esbuild/cmd/esbuild
	github.com/tetratelabs/wazero/cmd/wazero
)
