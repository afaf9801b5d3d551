package amd64

func (e *emitter) emitAddBit() {
	size := uint8(4)
	if e.In.Aux&auxWide != 0 {
		size = 8
	}
	e.comparison(2)
	e.a.RI(ADC, size, e.Reg(0), 0)
}
