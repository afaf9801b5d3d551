package main

import (
	"bytes"
	"debug/elf"
	"debug/gosym"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/internal/nativetest"
)

// noCompiler are the rooms that an executable made by build must not hold.
var noCompiler = []string{"compiler/ssa", "compiler/opt", "compiler/frontend", "compiler/wasm", "backend"}

// slowToStart are packages that make tables or ask the processor at the start of every program that links them: between 10 and 200 microseconds each.
var slowToStart = []string{"net", "crypto/rand", "crypto/sha256", "debug/elf", "debug/dwarf", "debug/buildinfo", "compress/gzip", "compress/flate", "regexp",
	"golang.org/x/sys/cpu", "golang.org/x/net/dns/dnsmessage"}

func TestWarmStartLinks(t *testing.T) {
	for _, pkg := range []string{".", runPackage} {
		out, err := exec.Command("go", "list", "-deps", pkg).Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range strings.Fields(string(out)) {
			if slices.Contains(slowToStart, d) {
				t.Errorf("%s depends on %s, which every warm start pays for", pkg, d)
			}
		}
	}
}

// initialised are this module's packages that may run code before main: what they do takes no memory to speak of, or must be done in any case.
var initialised = []string{"internal/cli/stack", "compiler/artifact", "compiler", "loader/vmem", "loader", "wasi", "engine"}

// TestWarmStartInits: every warm start pays for what packages do at the start of the program, the compiler's too.
func TestWarmStartInits(t *testing.T) {
	wasmaot, _, _ := cacheGuest(t)
	cmd := exec.Command(wasmaot, "version")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	var trace strings.Builder
	cmd.Stderr = &trace
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for line := range strings.Lines(trace.String()) {
		fields := strings.Fields(line) // init PACKAGE @…
		if len(fields) < 2 || fields[0] != "init" {
			continue
		}
		seen++
		if pkg, ours := strings.CutPrefix(fields[1], modulePath+"/"); ours && !slices.Contains(initialised, pkg) {
			t.Errorf("%s\nmay be data, or made when it is first needed (package lazy)", strings.TrimSpace(line))
		}
	}
	if seen == 0 {
		t.Errorf("no trace: %s", trace.String())
	}
}

// TestRunProgramLinksNoCompiler looks at what the part that runs depends on.
func TestRunProgramLinksNoCompiler(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", runPackage).Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	if len(deps) < 20 {
		t.Fatalf("only %d dependencies", len(deps))
	}
	for _, d := range deps {
		if d == modulePath || d == modulePath+"/compiler" || d == "net" {
			t.Errorf("it depends on %s", d)
		}
		for _, room := range noCompiler {
			if strings.HasPrefix(d, modulePath+"/"+room) {
				t.Errorf("it depends on %s", d)
			}
		}
	}
}

// TestBuiltExecutable makes an executable and runs it in a root that holds nothing else.
func TestBuiltExecutable(t *testing.T) {
	wasmaot, module, dir := cacheGuest(t)
	root := filepath.Join(dir, "root")
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	app, art := filepath.Join(root, "app"), filepath.Join(dir, "hello.cwasm")
	for _, args := range [][]string{{"build", module, "-o", app}, {"compile", module, "-o", art}} {
		if out, err := exec.Command(wasmaot, args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	file, err := os.ReadFile(app)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(art)
	if err != nil {
		t.Fatal(err)
	}
	if extra := int64(len(file)) - info.Size(); extra > 6<<20 {
		t.Errorf("%d bytes beyond the artifact, expected at most 6 MB", extra)
	}
	checkExecutable(t, file)
	run := func(cmd *exec.Cmd) {
		t.Helper()
		out, err := cmd.CombinedOutput()
		if err != nil || !bytes.HasPrefix(out, []byte(greeting)) {
			t.Errorf("%v: %v\n%s", cmd, err, out)
		}
	}
	run(nativetest.Command(app))
	switch {
	case os.Geteuid() != 0:
		t.Log("not run in an empty root: chroot needs root's rights")
	case nativetest.Emulated():
		t.Log("not run in an empty root: there is no emulator in it")
	default:
		cmd := exec.Command("/app")
		cmd.Dir, cmd.Env = "/", []string{}
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root}
		run(cmd)
	}

	b, err := artifact.ReadBundle(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	damaged := map[string][]byte{"without its end": file[:len(file)-1], "without settings and trailer": file[:b.Off+b.Size], "cut in the artifact": file[:b.Off+0x2000]}
	places := map[string]int64{"header": b.Off + 0x120, "settings": int64(len(file)) - 65, "trailer": int64(len(file)) - 40}
	a, err := artifact.Decode(file[b.Off : b.Off+b.Size])
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range a.Sections(file[b.Off : b.Off+b.Size]) {
		if s.Name == ".wasmaot.funcs" || s.Name == ".wasmaot.module" { // code is compared no more than the program's own
			places[s.Name] = b.Off + int64(s.Off+s.Size/2)
		}
	}
	if len(places) != 5 {
		t.Fatalf("places %v", places)
	}
	for name, at := range places {
		damaged[name] = bytes.Clone(file)
		damaged[name][at] ^= 4
	}
	for name, bad := range damaged {
		damagedApp := filepath.Join(dir, "damaged-"+name)
		if err := os.WriteFile(damagedApp, bad, 0o700); err != nil {
			t.Fatal(err)
		}
		out, err := nativetest.Command(damagedApp).CombinedOutput()
		said := bytes.Contains(out, []byte("damaged")) || bytes.Contains(out, []byte("no module is attached"))
		if err == nil || !said || bytes.Contains(out, []byte("goroutine")) {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// checkExecutable: static, no dynamic linker, no function of the compiler.
func checkExecutable(t *testing.T, file []byte) {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("segment %v: expected a static executable", p.Type)
		}
	}
	data, err := f.Section(".gopclntab").Data()
	if err != nil {
		t.Fatal(err)
	}
	table, err := gosym.NewTable(nil, gosym.NewLineTable(data, f.Section(".text").Addr))
	if err != nil {
		t.Fatal(err)
	}
	ours := 0
	for i := range table.Funcs {
		name := table.Funcs[i].Name
		if strings.HasPrefix(name, modulePath) {
			ours++
		}
		for _, room := range append(noCompiler, "compiler") {
			if strings.HasPrefix(name, modulePath+"/"+room+".") || strings.HasPrefix(name, modulePath+"/backend/") {
				t.Errorf("it holds %s", name)
			}
		}
	}
	if ours < 100 {
		t.Errorf("only %d functions of %s: the test is blind", ours, modulePath)
	}
}

// TestReleaseWithoutGo: what "make release" makes builds executables where there is no Go toolchain, nor anything else.
func TestReleaseWithoutGo(t *testing.T) {
	nativetest.Require(t)
	if testing.Short() {
		t.Skip("builds a release: left out in short mode")
	}
	dir := t.TempDir()
	run, wasmaot, module := filepath.Join(dir, "run"), filepath.Join(dir, "wasmaot"), filepath.Join(dir, "hello.wasm")
	mustBuild(t, run, "../wasmaot-run", ".", "CGO_ENABLED=0")
	run = nativetest.Unwrapped(run)
	mustBuild(t, module, "../../examples/hello", ".", "GOOS=wasip1", "GOARCH=wasm")
	here, err := filepath.Abs("wasmaot-run-" + runtime.GOARCH + ".bin")
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {here: run}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-tags=embedrun", "-overlay="+filepath.Join(dir, "overlay.json"), "-o", wasmaot, ".")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	if err := os.Remove(run); err != nil {
		t.Fatal(err)
	}
	app := filepath.Join(dir, "app")
	cmd = nativetest.Command(wasmaot, "build", module, "-o", app)
	cmd.Env, cmd.Dir = []string{"HOME=" + dir, "PATH="}, dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	if out, err := nativetest.Command(app).CombinedOutput(); err != nil || !bytes.HasPrefix(out, []byte(greeting)) {
		t.Errorf("%v\n%s", err, out)
	}
}
