package oracle_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/wasmaot/wasmaot/compiler/wasm"
	"github.com/wasmaot/wasmaot/spectest/oracle"
	"github.com/wasmaot/wasmaot/spectest/script"
)

// TestSuite runs the official test suite on the oracle. What needs more than Wasm 2.0 is left out: the counts of refused modules
// are from the suite's own README.
func TestSuite(t *testing.T) {
	suite, err := script.Find()
	if err != nil {
		t.Skip(err)
	}
	for group, beyond := range map[string]int{"core": 87, "simd": 1} {
		t.Run(group, func(t *testing.T) {
			names, err := suite.Names(group)
			if err != nil {
				t.Fatal(err)
			}
			counts := map[script.CommandType]int{}
			refused := 0
			for _, name := range names {
				sc, err := suite.Open(group, name)
				if err != nil {
					t.Fatal(err)
				}
				p := newPlayer(sc)
				for i := range sc.Commands {
					c := &sc.Commands[i]
					switch err := p.command(c); {
					case err == nil:
						counts[c.Type]++
					case !errors.Is(err, errSkip):
						t.Errorf("%s/%s:%d: %s: %v", group, sc.Source, c.Line, c.Type, err)
					}
				}
				refused += p.refused
			}
			t.Log(counts)
			if refused != beyond {
				t.Errorf("%d modules refused as beyond Wasm 2.0, expected %d", refused, beyond)
			}
		})
	}
}

// errSkip marks commands that need a module beyond Wasm 2.0, or are about the text format.
var errSkip = errors.New("skipped")

// player plays one script.
type player struct {
	script  *script.Script
	host    map[string]oracle.Extern
	current *oracle.Instance
	named   map[string]*oracle.Instance
	as      map[string]*oracle.Instance
	defined map[string]*wasm.Module
	refused int
}

func newPlayer(sc *script.Script) *player {
	return &player{script: sc, host: newHost(), named: map[string]*oracle.Instance{}, as: map[string]*oracle.Instance{}, defined: map[string]*wasm.Module{}}
}

func (p *player) command(c *script.Command) error {
	switch c.Type {
	case script.Module:
		p.current = nil
		if c.Name != "" {
			p.named[c.Name] = nil
		}
		m, err := p.needed(c)
		if err != nil {
			return err
		}
		err = p.instantiate(m, c.Name)
		if invalid := (*wasm.Error)(nil); errors.As(err, &invalid) {
			return p.beyond(err)
		}
		return err
	case script.ModuleDefinition:
		m, err := p.needed(c)
		p.defined[c.Name] = m
		return err
	case script.ModuleInstance:
		if p.defined[c.Definition] == nil {
			return errSkip
		}
		return p.instantiate(p.defined[c.Definition], c.Instance)
	case script.Register:
		inst, err := p.instance(c.Name)
		p.as[c.As] = inst
		return err
	case script.DoAction, script.AssertReturn:
		got, types, err := p.action(c.Action)
		if err != nil || c.Type == script.DoAction {
			return err
		}
		if len(got) != len(c.Expected) {
			return fmt.Errorf("expected %d results, found %d", len(c.Expected), len(got))
		}
		for i := range got {
			if err := match(got[i], types[i], &c.Expected[i]); err != nil {
				return fmt.Errorf("result %d: %w", i, err)
			}
		}
		return nil
	case script.AssertTrap, script.AssertExhaustion:
		_, _, err := p.action(c.Action)
		return wantTrap(err, c.Text)
	case script.AssertInvalid, script.AssertMalformed:
		if c.ModuleType == "text" {
			return errSkip
		}
		m, err := p.decode(c)
		if err != nil {
			return nil
		}
		return wantError[*wasm.Error](p.instantiate(m, ""), c.Text)
	}
	return p.notInstantiated(c)
}

func (p *player) decode(c *script.Command) (*wasm.Module, error) {
	src, err := p.script.File(c.Binary())
	if err != nil {
		return nil, err
	}
	return wasm.Decode(src, wasm.Features20)
}

// needed decodes a valid module.
func (p *player) needed(c *script.Command) (*wasm.Module, error) {
	m, err := p.decode(c)
	if err != nil {
		return nil, p.beyond(err)
	}
	return m, nil
}

// beyond is errSkip for modules that need more than Wasm 2.0. Some of it is but an error to a decoder of 2.0.
func (p *player) beyond(err error) error {
	p.refused++
	return fmt.Errorf("%w: %w", errSkip, err)
}

func (p *player) instantiate(m *wasm.Module, name string) error {
	inst, err := oracle.Instantiate(m, oracle.Config{Resolve: p.resolve})
	var link *oracle.LinkError
	if errors.As(err, &link) && p.lacks(link.Module) {
		return errSkip
	}
	if err != nil {
		return err
	}
	p.current = inst
	if name != "" {
		p.named[name] = inst
	}
	return nil
}

// lacks tells whether a module could not be registered.
func (p *player) lacks(module string) bool {
	inst, registered := p.as[module]
	return registered && inst == nil
}

func (p *player) resolve(module, name string) oracle.Extern {
	if module == "spectest" {
		return p.host[name]
	}
	if inst := p.as[module]; inst != nil {
		return inst.Export(name)
	}
	return nil
}

func (p *player) instance(name string) (*oracle.Instance, error) {
	inst := p.current
	if name != "" {
		inst = p.named[name]
	}
	if inst == nil {
		return nil, errSkip
	}
	return inst, nil
}

func (p *player) action(a *script.Action) ([]oracle.Value, []wasm.ValType, error) {
	inst, err := p.instance(a.Module)
	if err != nil {
		return nil, nil, err
	}
	if a.Type == script.Get {
		g, ok := inst.Export(a.Field).(*oracle.Global)
		if !ok {
			return nil, nil, fmt.Errorf("no global %q", a.Field)
		}
		return []oracle.Value{g.Value}, []wasm.ValType{g.Type}, nil
	}
	f, ok := inst.Export(a.Field).(*oracle.Func)
	if !ok {
		return nil, nil, fmt.Errorf("no function %q", a.Field)
	}
	args := make([]oracle.Value, len(a.Args))
	for i, v := range a.Args {
		args[i] = oracle.Value{Lo: v.Lo, Hi: v.Hi}
		if v.Ref == script.RefHost {
			args[i].Lo++ // 0 is null
		}
	}
	results, err := inst.Call(f, args)
	return results, f.Type.Results, err
}

func (p *player) notInstantiated(c *script.Command) error {
	m, err := p.needed(c)
	if err != nil {
		return err
	}
	current := p.current
	err = p.instantiate(m, "")
	p.current = current
	switch c.Type {
	case script.AssertUnlinkable:
		return wantError[*oracle.LinkError](err, c.Text)
	case script.AssertUninstantiable:
		return wantTrap(err, c.Text)
	}
	return errors.New("unknown command")
}

func wantError[E error](err error, text string) error {
	var e E
	if err == nil || errors.Is(err, errSkip) || errors.As(err, &e) {
		if err == nil {
			return fmt.Errorf("expected the error %q, found none", text)
		}
		return nil
	}
	return fmt.Errorf("expected the error %q, found %w", text, err)
}

// wantTrap compares texts, of which the scripts abbreviate some and add details to others.
func wantTrap(err error, text string) error {
	var trap oracle.Trap
	if err == nil {
		return fmt.Errorf("expected the trap %q, found none", text)
	}
	if !errors.As(err, &trap) {
		return err
	}
	if !strings.HasPrefix(text, string(trap)) && !strings.HasPrefix(string(trap), text) {
		return fmt.Errorf("expected the trap %q, found %q", text, trap)
	}
	return nil
}

// match compares a result with what is expected.
func match(got oracle.Value, typ wasm.ValType, want *script.Value) error {
	isNull := got.Func == nil && got.Lo == 0
	ok := false
	switch want.Ref {
	case script.RefNull:
		ok = typ.IsRef() && isNull
	case script.RefSome:
		ok = typ.IsRef() && !isNull
	case script.RefHost:
		ok = typ == wasm.ExternRef && got.Lo == want.Lo+1
	default:
		if typ.String() != want.Type {
			return fmt.Errorf("expected type %s, found %s", want.Type, typ)
		}
		got, lo, hi := acceptNaNs(got, want)
		ok = got.Lo == lo && got.Hi == hi
	}
	if !ok {
		return fmt.Errorf("expected %s, found %s 0x%x 0x%x", want, typ, got.Lo, got.Hi)
	}
	return nil
}

// acceptNaNs puts the canonical NaN where any canonical or arithmetic one is expected, which the oracle's are but for
// their sign, and clears the sign there.
func acceptNaNs(got oracle.Value, want *script.Value) (oracle.Value, uint64, uint64) {
	v := *want
	typ := want.Type
	if typ == "v128" {
		typ = want.Lane
	}
	width, nan, sign := 32, uint64(0x7fc00000), uint64(1<<31)
	if typ == "f64" {
		width, nan, sign = 64, 0x7ff8<<48, 1<<63
	}
	for i, class := range v.NaNs {
		if class == script.NotNaN {
			continue
		}
		if at := i * width; at < 64 {
			v.Lo |= nan << at
			got.Lo &^= sign << at
		} else {
			v.Hi |= nan << (at - 64)
			got.Hi &^= sign << (at - 64)
		}
	}
	return got, v.Lo, v.Hi
}

// newHost makes the module "spectest" that every script may import.
func newHost() map[string]oracle.Extern {
	host := map[string]oracle.Extern{
		"global_i32": &oracle.Global{Value: oracle.Value{Lo: 666}, Type: wasm.I32},
		"global_i64": &oracle.Global{Value: oracle.Value{Lo: 666}, Type: wasm.I64},
		"global_f32": &oracle.Global{Value: oracle.Value{Lo: 0x4426a666}, Type: wasm.F32},
		"global_f64": &oracle.Global{Value: oracle.Value{Lo: 0x4084d4cccccccccd}, Type: wasm.F64},
		"table":      oracle.NewTable(wasm.FuncRef, wasm.Limits{Min: 10, Max: 20, HasMax: true}),
		"memory":     oracle.NewMemory(wasm.Limits{Min: 1, Max: 2, HasMax: true}),
	}
	for name, params := range map[string][]wasm.ValType{"print": nil, "print_i32": {wasm.I32}, "print_i64": {wasm.I64}, "print_f32": {wasm.F32},
		"print_f64": {wasm.F64}, "print_i32_f32": {wasm.I32, wasm.F32}, "print_f64_f64": {wasm.F64, wasm.F64}} {
		host[name] = &oracle.Func{Type: &wasm.FuncType{Params: params}, Host: func([]oracle.Value) ([]oracle.Value, error) { return nil, nil }}
	}
	return host
}
