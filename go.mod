module github.com/wasmaot/wasmaot

go 1.26.0

require (
	github.com/google/go-cmp v0.7.0
	github.com/rogpeppe/go-internal v1.16.0
	github.com/twitchyliquid64/golang-asm v0.15.1
	golang.org/x/arch v0.32.0
	golang.org/x/net v0.61.0
	golang.org/x/sys v0.49.0
)

require (
	golang.org/x/tools v0.52.0 // indirect
)
