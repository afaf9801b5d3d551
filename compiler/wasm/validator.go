package wasm

// Validator decodes and checks function bodies, one instruction a call. It is made to be
// reused from body to body and allocates nothing for an instruction.
type Validator struct{}

func Decode(src []byte, features Features) (*Module, error) { return nil, &Error{Func: -1} }

func (v *Validator) Begin(m *Module, index uint32) error { return &Error{Func: int64(index)} }
func (v *Validator) Locals() []ValType                   { return nil }
func (v *Validator) Next(in *Instr) (more bool, err error) {
	return false, nil
}
func (v *Validator) Args() []uint32            { return nil }
func (v *Validator) Results() []Operand        { return nil }
func (v *Validator) Unreachable() bool         { return false }
func (v *Validator) Depth() int                { return 0 }
func (v *Validator) Frame(depth uint32) *Frame { return nil }
func (v *Validator) Ended() Frame              { return Frame{} }
func (v *Validator) Stack() []Operand          { return nil }
