package wasm

// push pushes the only result.
func (v *Validator) push(t ValType) {
	v.stack = append(v.stack, Operand{Type: t})
	v.nresults++
}

func (v *Validator) pushAll(types []ValType) {
	for _, t := range types {
		v.push(t)
	}
}

// pop pops an operand that has to match want; Bottom stands for any type. In unreachable
// code there are always more: of type Bottom, Ref 0 (spec, Appendix, "Validation Algorithm").
func (v *Validator) pop(pos int, want ValType) Operand {
	n := len(v.stack) - 1
	if n < v.height {
		if len(v.frames) > 0 && !v.frames[len(v.frames)-1].Unreachable {
			v.missing(pos, want)
		}
		return Operand{}
	}
	got := v.stack[n]
	v.stack = v.stack[:n]
	if got.Type != want && want != Bottom && !got.Type.Matches(want) {
		v.mismatch(pos, want, got.Type)
	}
	return got
}

func (v *Validator) missing(pos int, want ValType) {
	v.failAt(pos, "type mismatch: expected %s, found nothing: the block has no more operands", want)
}

// arg pops an operand into Args[i].
func (v *Validator) arg(pos, i int, want ValType) ValType {
	o := v.pop(pos, want)
	v.args[i] = o.Ref
	v.nargs = max(v.nargs, i+1)
	return o.Type
}

// argList pops operands into the beginning of Args.
func (v *Validator) argList(pos int, types []ValType) {
	for i := len(types) - 1; i >= 0; i-- {
		v.arg(pos, i, types[i])
	}
}

// apply pops and pushes by a fixed signature.
func (v *Validator) apply(pos int, sig Sig) {
	n := sig.Operands()
	base := len(v.stack) - n
	if base < v.height {
		v.applySlowly(pos, sig)
		return
	}
	for i, o := range v.stack[base:] {
		if o.Type != sig.Operand(i) {
			v.applySlowly(pos, sig)
			return
		}
		v.args[i] = o.Ref
	}
	v.nargs = n
	v.stack = v.stack[:base]
	if t := sig.Result(); t != Bottom {
		v.push(t)
	}
}

func (v *Validator) applySlowly(pos int, sig Sig) {
	for i := sig.Operands() - 1; i >= 0; i-- {
		v.arg(pos, i, sig.Operand(i))
	}
	if t := sig.Result(); t != Bottom {
		v.push(t)
	}
}

// label pops the operands of a branch and leaves them in Args.
func (v *Validator) label(pos int, depth uint32) []ValType {
	types := v.Frame(depth).LabelTypes()
	v.argList(pos, types)
	return types
}

// unreachable marks the rest of the innermost block.
func (v *Validator) unreachable() {
	v.stack = v.stack[:v.height]
	v.frames[len(v.frames)-1].Unreachable = true
}
