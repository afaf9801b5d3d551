package oracle

import "github.com/wasmaot/wasmaot/compiler/wasm"

// machine runs one call from outside and all that it calls.
type machine struct {
	stack     []Value // of each call: its locals, then its operands
	fuel      int
	unlimited bool
	depth     int // calls still allowed within each other
}

func (m *machine) push(v Value) { m.stack = append(m.stack, v) }

func (m *machine) pushI32(n uint32) { m.push(Value{Lo: uint64(n)}) }

func (m *machine) pushBool(b bool) {
	if b {
		m.pushI32(1)
	} else {
		m.pushI32(0)
	}
}

func (m *machine) pop() Value {
	v := m.stack[len(m.stack)-1]
	m.stack = m.stack[:len(m.stack)-1]
	return v
}

// popN pops n operands, deepest first. They are good until the next push.
func (m *machine) popN(n int) []Value {
	at := len(m.stack) - n
	args := m.stack[at:]
	m.stack = m.stack[:at]
	return args
}

// call takes the arguments from the stack and leaves the results.
func (m *machine) call(f *Func) error {
	if f.Host != nil {
		results, err := f.Host(m.popN(len(f.Type.Params)))
		m.stack = append(m.stack, results...)
		return err
	}
	if m.depth == 0 {
		return TrapStackExhausted
	}
	m.depth--
	base := len(m.stack) - len(f.Type.Params)
	for range f.code.locals - len(f.Type.Params) {
		m.push(Value{})
	}
	err := m.run(f, base)
	m.depth++
	return err
}

// branch is where a branch goes.
func (m *machine) branch(l *label, operands int) int {
	m.leave(operands+l.height, l.arity)
	return l.pc
}

// leave drops what is below the topmost n values, down to a height of the stack.
func (m *machine) leave(height, n int) {
	copy(m.stack[height:], m.stack[len(m.stack)-n:])
	m.stack = m.stack[:height+n]
}

// run runs a body whose locals are on the stack from base on.
func (m *machine) run(f *Func, base int) error {
	operands := base + f.code.locals
	insts := f.code.insts
	for pc := 0; ; {
		if m.fuel--; m.fuel < 0 && !m.unlimited {
			return ErrFuel
		}
		in := &insts[pc]
		pc++
		switch in.op {
		case wasm.OpUnreachable:
			return TrapUnreachable
		case wasm.OpEnd: // of the function: branches to the outermost label come here
			m.leave(base, len(f.Type.Results))
			return nil
		case wasm.OpElse: // the end of the first part of an if
			pc = in.labels[0].pc
		case wasm.OpIf:
			if m.pop().Lo == 0 {
				pc = in.labels[0].pc
			}
		case wasm.OpBr, wasm.OpReturn:
			pc = m.branch(&in.labels[0], operands)
		case wasm.OpBrIf:
			if m.pop().Lo != 0 {
				pc = m.branch(&in.labels[0], operands)
			}
		case wasm.OpBrTable:
			n := min(m.pop().Lo, uint64(len(in.labels)-1))
			pc = m.branch(&in.labels[n], operands)
		case wasm.OpLocalGet:
			m.push(m.stack[base+int(in.a)])
		case wasm.OpLocalSet:
			m.stack[base+int(in.a)] = m.pop()
		case wasm.OpLocalTee:
			m.stack[base+int(in.a)] = m.stack[len(m.stack)-1]
		default:
			if err := m.step(f.inst, in); err != nil {
				return err
			}
		}
	}
}

// step does an instruction that is neither control nor about locals.
func (m *machine) step(i *Instance, in *inst) error {
	switch in.op {
	case wasm.OpCall:
		return m.call(i.Funcs[in.a])
	case wasm.OpCallIndirect:
		return m.callIndirect(i, in)
	case wasm.OpDrop:
		m.pop()
	case wasm.OpSelect, wasm.OpSelectT:
		args := m.popN(3)
		if args[2].Lo != 0 {
			m.push(args[0])
		} else {
			m.push(args[1])
		}
	case wasm.OpI32Const, wasm.OpI64Const, wasm.OpF32Const, wasm.OpF64Const, wasm.OpV128Const, wasm.OpRefNull:
		m.push(in.value)
	case wasm.OpGlobalGet:
		m.push(i.Globals[in.a].Value)
	case wasm.OpGlobalSet:
		i.Globals[in.a].Value = m.pop()
	case wasm.OpRefFunc:
		m.push(Value{Func: i.Funcs[in.a]})
	case wasm.OpRefIsNull:
		m.pushBool(m.pop().isNull())
	default:
		if t := m.operate(i, in); t != noTrap {
			return t
		}
	}
	return nil
}

// operate does an instruction that is in one of the tables.
func (m *machine) operate(i *Instance, in *inst) Trap {
	if do := stateful[in.op]; do != nil {
		return do(m, i, in)
	}
	info := wasm.Info(in.op)
	if info.Size != 0 {
		return m.access(i, in, info)
	}
	if do := vectors[in.op]; do != nil {
		m.push(do(in, m.popN(info.Sig.Operands())))
		return noTrap
	}
	args := [2]uint64{}
	for n, v := range m.popN(info.Sig.Operands()) {
		args[n] = v.Lo
	}
	r, t := scalars[in.op](args[0], args[1])
	m.push(Value{Lo: r})
	return t
}

func (m *machine) callIndirect(i *Instance, in *inst) error {
	table, n := i.Tables[in.b], m.pop().Lo
	if n >= uint64(len(table.Elems)) {
		return TrapUndefinedElement
	}
	f := table.Elems[n].Func
	if f == nil {
		return TrapUninitializedElement
	}
	if !f.Type.Equal(&i.Module.Types[in.a]) {
		return TrapIndirectCallType
	}
	return m.call(f)
}
