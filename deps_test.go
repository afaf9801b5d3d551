package wasmaot

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// imports says which of our packages each of them may import. A package that is missing may import nothing of ours.
// Three laws stand behind it: loader and wasi never reach the compiler's rooms, the instruction sets never import
// each other, the frontend knows no machine.
const imports = `
compiler/ssa: internal/lazy compiler/abi
compiler/opt: internal/lazy compiler/abi compiler/ssa
compiler/wasm: internal/lazy
compiler/leaf: internal/lazy internal/sha256 compiler/wasm
compiler/frontend: internal/lazy compiler/abi compiler/leaf compiler/ssa compiler/wasm
compiler/artifact: compiler/abi internal/elf
backend/regalloc: internal/mutant
backend: compiler/abi compiler/ssa backend/regalloc
backend/backendtest: compiler/abi compiler/ssa compiler/ssa/ssatest backend backend/asm backend/regalloc backend/backendtest/exec
backend/asm: compiler/abi backend
backend/check: compiler/abi backend backend/regalloc
backend/isel: compiler/abi compiler/ssa backend backend/regalloc internal/mutant
backend/emit: compiler/abi compiler/ssa backend backend/asm backend/regalloc
backend/amd64: internal/lazy backend/asm backend/check backend/isel backend/emit compiler/abi compiler/cpu compiler/ssa backend/regalloc backend internal/mutant
backend/arm64: internal/lazy backend/asm backend/check backend/isel backend/emit compiler/abi compiler/cpu compiler/ssa backend/regalloc backend internal/mutant
compiler: internal/arena internal/elf internal/lazy internal/sha256 compiler/abi compiler/ssa compiler/wasm compiler/leaf compiler/frontend compiler/opt compiler/artifact backend backend/regalloc backend/amd64 backend/arm64
loader: internal/lazy compiler/abi compiler/artifact compiler/cpu loader/vmem
wasi: compiler/abi compiler/artifact internal/lazy loader wasi/sandbox
compiler/cpu: internal/lazy
internal/sha256: internal/lazy compiler/cpu
wasi/sandbox: internal/lazy
compiler/ssa/ssatest: compiler/abi compiler/ssa
spectest/oracle: compiler/wasm
spectest/script:
engine: compiler/abi compiler/artifact compiler/cpu loader loader/vmem wasi
internal/cli: engine internal/cli/signals internal/cli/stack loader wasi
.: engine internal/sha256 internal/cli compiler compiler/abi compiler/artifact compiler/cpu loader wasi
cmd/wasmaot-run: compiler/artifact compiler/cpu internal/cli loader
cmd/wasmaot: . internal/cli compiler compiler/abi compiler/cpu compiler/artifact loader wasi
examples/embedded: engine wasi
examples/command: . engine wasi
examples/plugin/host: . engine
`

func TestImports(t *testing.T) {
	const module = "github.com/wasmaot/wasmaot"
	room := func(path string) string {
		if path == module {
			return "."
		}
		return strings.TrimPrefix(path, module+"/")
	}
	allowed := map[string][]string{}
	for _, line := range strings.Split(strings.TrimSpace(imports), "\n") {
		name, list, _ := strings.Cut(line, ":")
		allowed[name] = strings.Fields(list)
	}
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}: {{join .Imports " "}}`, "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		path, list, _ := strings.Cut(line, ":")
		for _, im := range strings.Fields(list) {
			if strings.HasPrefix(im, module) && !slices.Contains(allowed[room(path)], room(im)) {
				t.Errorf("%s imports %s: not allowed", room(path), room(im))
			}
		}
	}
}
