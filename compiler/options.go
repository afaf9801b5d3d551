package compiler

import (
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/backend/amd64"
	"github.com/wasmaot/wasmaot/backend/arm64"
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// Options say how to compile. The zero value compiles for the machine it runs on, with
// all CPU features it has, guard-page memory and every optimisation.
type Options struct {
	// Target is the instruction set, a GOARCH; empty means the host's.
	Target string
	// Baseline confines the code to features that every supported CPU has. It is implied when
	// Target is another instruction set than the host's.
	Baseline bool
	// Tier says how memory accesses are kept inside memory.
	Tier artifact.Tier
	// NoOpt leaves out everything that only makes code faster.
	NoOpt bool
	// Poll makes code call the host now and then from loops and recursion, for hosts whose Go does not preempt by signals: with
	// GODEBUG=asyncpreemptoff=1 or SIGURG ignored. wasmaot.Runtime sets it where that is so.
	Poll bool
	// Features are the WebAssembly proposals accepted; 0 means all that are supported.
	Features wasm.Features
	// Workers is the number of functions compiled at a time; 0 means GOMAXPROCS.
	Workers int
	// Progress, if set, is called now and then from any worker with the number of functions done.
	Progress func(done, total int)
	// Debug is for those who work on the compiler.
	Debug Debug
}

// Debug options check, dump, time and disable passes.
type Debug struct {
	// Check runs the SSA checker after every pass, the allocation checker, and the
	// memory-access checker on the result.
	Check bool
	// Off names passes and other optimisations to leave out; Optional lists them.
	Off []string
	// Dump receives the SSA form of functions whose name or "#index" is DumpFunc after every pass.
	Dump     io.Writer
	DumpFunc string
	// Poison makes code that dirties what it may: upper halves, dead slots, clobbered registers.
	Poison bool
	// Times, if set, receives what each pass took.
	Times *Times
}

// target is the instruction set of a name, nil if there is none.
func target(name string) *backend.Target {
	for _, t := range [...]*backend.Target{amd64.Target, arm64.Target} {
		if t.Name == name {
			return t
		}
	}
	return nil
}

// resolve gives the target and the CPU features to use.
func (o *Options) resolve() (*backend.Target, uint64, error) {
	name := o.Target
	if name == "" {
		name = runtime.GOARCH
	}
	t := target(name)
	if t == nil {
		return nil, 0, fmt.Errorf("target %s is not supported (supported: amd64, arm64)", name)
	}
	if o.Baseline || name != runtime.GOARCH {
		return t, t.Baseline, nil
	}
	return t, t.HostFeatures(), nil
}

// Key names everything in o that shapes the code, for the artifact's header and for caches.
func (o *Options) Key() (string, error) {
	t, features, err := o.resolve()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString(t.Name + " features=" + strconv.FormatUint(features, 16) + " tier=" + strconv.Itoa(int(o.Tier))) // on the way of every warm start: without fmt
	if o.NoOpt {
		b.WriteString(" noopt")
	}
	if o.Features != 0 {
		fmt.Fprintf(&b, " wasm=%x", uint64(o.Features))
	}
	if len(o.Debug.Off) > 0 {
		fmt.Fprintf(&b, " off=%s", strings.Join(o.Debug.Off, ","))
	}
	if o.Poll {
		b.WriteString(" poll")
	}
	if o.Debug.Poison {
		b.WriteString(" poison")
	}
	return b.String(), nil
}
