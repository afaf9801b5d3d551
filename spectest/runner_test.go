package spectest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/wasmaot/wasmaot/compiler/abi"
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/compiler/wasm"
	"github.com/wasmaot/wasmaot/loader"
	"github.com/wasmaot/wasmaot/spectest/script"
)

// outcome counts what became of a script's commands of one type.
type outcome struct{ passed, failed, skipped int }

// runner plays one script.
type runner struct {
	script  *script.Script
	setting setting
	host    *host
	current *loader.Instance
	named   map[string]*loader.Instance // by name, nil if the module was beyond the supported language
	as      map[string]*loader.Instance // registered
	defined map[string]*loader.Code
	lacking map[string]bool // names whose module was refused as beyond the supported language; "" is the current one
	close   []func() error

	counts  map[script.CommandType]*outcome
	beyond  int      // modules refused as beyond the supported language
	texts   int      // commands that concern the text format
	reasons []string // of failures
	skips   []string // reasons of skipped commands
}

// errBeyond marks what needs a module that was refused, errText what only concerns the text format. Both are skipped.
var (
	errBeyond = errors.New("needs a module beyond the supported language")
	errText   = errors.New("tests the text format, which this project does not read")
)

func newRunner(sc *script.Script, s setting) *runner {
	return &runner{script: sc, setting: s, host: newHost(), named: map[string]*loader.Instance{}, as: map[string]*loader.Instance{},
		defined: map[string]*loader.Code{}, lacking: map[string]bool{}, counts: map[script.CommandType]*outcome{}}
}

// run plays the script. Modules may be refused only if allowBeyond is positive.
func (r *runner) run(allowBeyond int) {
	defer func() {
		for i := len(r.close) - 1; i >= 0; i-- {
			if err := r.close[i](); err != nil {
				r.reasons = append(r.reasons, fmt.Sprintf("close: %v", err))
			}
		}
	}()
	for i := range r.script.Commands {
		c := &r.script.Commands[i]
		n := r.counts[c.Type]
		if n == nil {
			n = &outcome{}
			r.counts[c.Type] = n
		}
		err := r.command(c, allowBeyond > 0)
		switch {
		case err == nil:
			n.passed++
		case errors.Is(err, errText):
			n.skipped++
			r.texts++
		case errors.Is(err, errBeyond):
			n.skipped++
			r.skips = append(r.skips, fmt.Sprintf("%s:%d: %s: %v", r.script.Source, c.Line, c.Type, err))
		default:
			n.failed++
			r.reasons = append(r.reasons, fmt.Sprintf("%s:%d: %s: %v", r.script.Source, c.Line, c.Type, err))
		}
	}
}

func (r *runner) command(c *script.Command, allowBeyond bool) error {
	switch c.Type {
	case script.Module:
		return r.module(c, allowBeyond)
	case script.ModuleDefinition:
		code, err := r.compile(c)
		if err != nil {
			return r.beyondOr(err, c.Name, allowBeyond)
		}
		r.defined[c.Name] = code
		return nil
	case script.ModuleInstance:
		code := r.defined[c.Definition]
		if code == nil {
			r.lacking[c.Instance] = true
			return fmt.Errorf("definition %q: %w", c.Definition, errBeyond)
		}
		return r.instantiate(code, c.Instance)
	case script.Register:
		inst, err := r.instance(c.Name)
		if err == nil || errors.Is(err, errBeyond) {
			r.as[c.As] = inst // nil if its module was refused
		}
		return err
	case script.DoAction:
		_, err := r.action(c.Action)
		return err
	case script.AssertReturn:
		got, err := r.action(c.Action)
		if err != nil {
			return err
		}
		return compareAll(got, c.Expected)
	case script.AssertTrap, script.AssertExhaustion:
		_, err := r.action(c.Action)
		return wantTrap(err, c.Text)
	case script.AssertInvalid, script.AssertMalformed:
		return r.refused(c)
	case script.AssertUnlinkable, script.AssertUninstantiable:
		return r.notInstantiated(c, allowBeyond)
	}
	return fmt.Errorf("unknown command")
}

func (r *runner) compile(c *script.Command) (*loader.Code, error) {
	src, err := r.script.File(c.Binary())
	if err != nil {
		return nil, err
	}
	a, err := r.setting.compile(src, true)
	if err != nil {
		return nil, err
	}
	code, err := loader.Load(a)
	if err != nil {
		return nil, err
	}
	r.close = append(r.close, code.Close)
	return code, nil
}

// beyondOr turns the refusal of a module into errBeyond where the suite's documentation says that it needs more.
func (r *runner) beyondOr(err error, name string, allowed bool) error {
	var refused *wasm.Error
	if !allowed || !errors.As(err, &refused) || refused.Feature == 0 {
		return err
	}
	r.beyond++
	if name != "" {
		r.lacking[name] = true
	}
	return fmt.Errorf("%w: %w", errBeyond, err)
}

func (r *runner) module(c *script.Command, allowBeyond bool) error {
	r.current = nil
	r.lacking[""] = true
	code, err := r.compile(c)
	if err != nil {
		return r.beyondOr(err, c.Name, allowBeyond)
	}
	return r.instantiate(code, c.Name)
}

func (r *runner) instantiate(code *loader.Code, name string) error {
	inst, err := code.Instantiate(context.Background(), r.config(name))
	if err != nil {
		if r.lackingImport(err) {
			r.lacking[name], r.lacking[""] = true, true
			return fmt.Errorf("%w: %w", errBeyond, err)
		}
		return err
	}
	r.close = append(r.close, inst.Close)
	r.current = inst
	delete(r.lacking, "")
	if name != "" {
		r.named[name] = inst
		delete(r.lacking, name)
	}
	return nil
}

// lackingImport tells whether the error is about an import from a module that was refused.
func (r *runner) lackingImport(err error) bool {
	var link *loader.LinkError
	if !errors.As(err, &link) {
		return false
	}
	inst, registered := r.as[link.Module]
	return registered && inst == nil
}

func (r *runner) config(name string) *loader.Config {
	return &loader.Config{Name: name, StackSize: 8 << 20, Resolve: func(module, name string) (loader.Extern, bool) {
		if module == "spectest" {
			e, ok := r.host.exports[name]
			return e, ok
		}
		inst := r.as[module]
		if inst == nil {
			return nil, false
		}
		e := inst.Export(name)
		return e, e != nil
	}}
}

func (r *runner) instance(name string) (*loader.Instance, error) {
	if r.lacking[name] {
		return nil, errBeyond // a refused module is a failure of its own where it is not expected
	}
	inst := r.current
	if name != "" {
		inst = r.named[name]
	}
	if inst == nil {
		return nil, fmt.Errorf("no instance %q", name)
	}
	return inst, nil
}

// result is a value with its type.
type result struct {
	typ    abi.Type
	lo, hi uint64
}

func (r *runner) action(a *script.Action) ([]result, error) {
	inst, err := r.instance(a.Module)
	if err != nil {
		return nil, err
	}
	if a.Type == script.Get {
		g, ok := inst.Export(a.Field).(*loader.Global)
		if !ok {
			return nil, fmt.Errorf("no global %q", a.Field)
		}
		lo, hi := g.Get()
		return []result{{g.Type().Type, lo, hi}}, nil
	}
	f := inst.Func(a.Field)
	if f == nil {
		return nil, fmt.Errorf("no function %q", a.Field)
	}
	sig := f.Signature()
	if len(sig.Params) != len(a.Args) {
		return nil, fmt.Errorf("%q takes %d parameters, found %d", a.Field, len(sig.Params), len(a.Args))
	}
	stack := make([]uint64, sig.SlotCount())
	at := 0
	for i, t := range sig.Params {
		v := &a.Args[i]
		stack[at] = v.Lo
		if v.Ref == script.RefHost {
			stack[at] = v.Lo + 1 // handle 0 is null
		}
		if t == abi.V128 {
			stack[at+1] = v.Hi
		}
		at += t.Slots()
	}
	if err := f.Call(context.Background(), stack); err != nil {
		return nil, err
	}
	results := make([]result, len(sig.Results))
	at = 0
	for i, t := range sig.Results {
		results[i] = result{typ: t, lo: stack[at]}
		if t == abi.V128 {
			results[i].hi = stack[at+1]
		}
		at += t.Slots()
	}
	return results, nil
}

// wantTrap compares an error with the trap that the script names. The scripts abbreviate some texts and add details to others.
func wantTrap(err error, text string) error {
	var trap *loader.Trap
	if !errors.As(err, &trap) {
		if err == nil {
			return fmt.Errorf("expected the trap %q, found none", text)
		}
		return err
	}
	found := trap.Code.String()
	if !strings.HasPrefix(text, found) && !strings.HasPrefix(found, text) {
		return fmt.Errorf("expected the trap %q, found %q", text, found)
	}
	return nil
}

func (r *runner) refused(c *script.Command) error {
	name := c.Binary()
	if name == "" || c.ModuleType == "text" {
		return errText
	}
	if _, err := r.compile(c); err == nil {
		return fmt.Errorf("module %s accepted, expected %q", name, c.Text)
	}
	return nil
}

func (r *runner) notInstantiated(c *script.Command, allowBeyond bool) error {
	code, err := r.compile(c)
	if err != nil {
		return fmt.Errorf("expected a valid module: %w", r.beyondOr(err, c.Name, allowBeyond))
	}
	inst, err := code.Instantiate(context.Background(), r.config(""))
	if err == nil {
		r.close = append(r.close, inst.Close)
		return fmt.Errorf("instantiated, expected %q", c.Text)
	}
	if r.lackingImport(err) {
		return fmt.Errorf("%w: %w", errBeyond, err)
	}
	var link *loader.LinkError
	if c.Type == script.AssertUninstantiable {
		return wantTrap(err, c.Text)
	}
	if !errors.As(err, &link) {
		return fmt.Errorf("expected a link error (%s), found: %w", c.Text, err)
	}
	if !strings.HasPrefix(c.Text, link.Reason) {
		return fmt.Errorf("expected %q, found %q", c.Text, link.Reason)
	}
	return nil
}

// host is the module "spectest" that every script may import.
type host struct{ exports map[string]loader.Extern }

func newHost() *host {
	h := &host{exports: map[string]loader.Extern{}}
	bits := map[string]struct {
		t    abi.Type
		bits uint64
	}{
		"global_i32": {abi.I32, 666}, "global_i64": {abi.I64, 666},
		"global_f32": {abi.F32, 0x4426a666}, "global_f64": {abi.F64, 0x4084d4cccccccccd},
	}
	for name, g := range bits {
		h.exports[name] = loader.NewGlobal(artifact.Global{Type: g.t}, g.bits, 0)
	}
	prints := map[string][]abi.Type{"print": nil, "print_i32": {abi.I32}, "print_i64": {abi.I64}, "print_f32": {abi.F32}, "print_f64": {abi.F64},
		"print_i32_f32": {abi.I32, abi.F32}, "print_f64_f64": {abi.F64, abi.F64}}
	for name, params := range prints {
		h.exports[name] = loader.NewHostFunc(name, &abi.Signature{Params: params}, func(context.Context, *loader.Instance, []uint64) error { return nil })
	}
	table, err := loader.NewTable(artifact.Table{Elem: abi.FuncRef, Min: 10, Max: 20})
	if err != nil {
		panic(err)
	}
	memory, err := loader.NewMemory(artifact.Memory{Min: 1, Max: 2})
	if err != nil {
		panic(err)
	}
	h.exports["table"], h.exports["memory"] = table, memory
	return h
}
