package amd64

// addSize is the size of a sum whose comparison may have another.
func (e *emitter) addSize() uint8 {
	if e.In.Aux&auxWide != 0 {
		return 8
	}
	return 4
}

func (e *emitter) emitAddBit() {
	e.comparison(2)
	e.a.RI(ADC, e.addSize(), e.Reg(0), 0)
}

func (e *emitter) emitAddWide() {
	a, op, size, sum := &e.a, opOf(e.In), e.In.Size, e.Reg(0)
	if formOf(e.In) == formImm {
		a.RI(op, size, sum, e.In.Imm)
	} else if r, m, isMem := e.operand(4); isMem {
		a.RM(op, size, sum, m)
	} else {
		a.RR(op, size, sum, r)
	}
	a.RI(ADC, e.addSize(), e.Reg(1), 0)
}

func (e *emitter) emitMulX() {
	high := e.Reg(0)
	low, at := high, 1
	if e.In.Cond != 0 {
		low, at = e.Reg(1), 2
	}
	if r, m, isMem := e.operand(at + 1); isMem {
		e.a.VRRM(opOf(e.In), 8, high, low, m)
	} else {
		e.a.VRRR(opOf(e.In), 8, high, low, r)
	}
}
