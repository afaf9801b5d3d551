package oracle

import "math"

// vector is a v128 by its bytes.
func vector(b [16]byte) Value { return Value{Lo: le.Uint64(b[:]), Hi: le.Uint64(b[8:])} }

func vectorBytes(v Value) (b [16]byte) {
	le.PutUint64(b[:], v.Lo)
	le.PutUint64(b[8:], v.Hi)
	return b
}

// lane is the bits of lane i of a vector whose lanes have w bits.
func lane(v Value, w, i int) uint64 {
	half, at := v.Lo, i*w
	if at >= 64 {
		half, at = v.Hi, at-64
	}
	return half >> at & (math.MaxUint64 >> (64 - w))
}

func setLane(v Value, w, i int, bits uint64) Value {
	half, at := &v.Lo, i*w
	if at >= 64 {
		half, at = &v.Hi, at-64
	}
	mask := uint64(math.MaxUint64) >> (64 - w)
	*half = *half&^(mask<<at) | bits&mask<<at
	return v
}

// build makes a vector of its lanes.
func build(w int, f func(i int) uint64) (v Value) {
	for i := range 128 / w {
		v = setLane(v, w, i, f(i))
	}
	return v
}

func splat(w int, bits uint64) Value {
	return build(w, func(int) uint64 { return bits })
}

// at is lane i of a vector whose lanes are of type T.
func at[T num](v Value, i int) T { return from[T](lane(v, width[T](), i)) }

// widen is the lanes of type A from number first on, as many as a vector of R has.
func widen[A, R num](v Value, first int) Value {
	return build(width[R](), func(i int) uint64 { return to(R(at[A](v, first+i))) })
}

// vectorOp is the meaning of an operator that takes or leaves a vector.
type vectorOp func(in *inst, args []Value) Value

// each does a scalar operator on each lane, or each pair of lanes.
func each(w int, f scalar) vectorOp {
	return func(_ *inst, args []Value) Value {
		return build(w, func(i int) uint64 {
			b := uint64(0)
			if len(args) == 2 {
				b = lane(args[1], w, i)
			}
			r, _ := f(lane(args[0], w, i), b)
			return r
		})
	}
}

func each1[A, R num](f func(A) R) vectorOp { return each(width[A](), op1(f)) }

func each2[A, R num](f func(a, b A) R) vectorOp { return each(width[A](), op2(f)) }

// compare sets all bits of the lanes for which a relation holds.
func compare[A num](f func(a, b A) bool) vectorOp {
	return func(_ *inst, args []Value) Value {
		return build(width[A](), func(i int) uint64 { return -truth(f(at[A](args[0], i), at[A](args[1], i))) })
	}
}

// shift does an operator with the same count for each lane.
func shift[A integer](f func(a, n A) A) vectorOp {
	return func(_ *inst, args []Value) Value {
		return build(width[A](), func(i int) uint64 { return to(f(at[A](args[0], i), A(args[1].Lo))) })
	}
}

func splatOf(w int) vectorOp {
	return func(_ *inst, args []Value) Value { return splat(w, args[0].Lo) }
}

// extractAs takes a lane of type A and makes it an R.
func extractAs[A, R num](in *inst, args []Value) Value {
	return Value{Lo: to(R(at[A](args[0], int(in.b))))}
}

// extract takes the bits of a lane.
func extract(w int) vectorOp {
	return func(in *inst, args []Value) Value { return Value{Lo: lane(args[0], w, int(in.b))} }
}

func replace(w int) vectorOp {
	return func(in *inst, args []Value) Value { return setLane(args[0], w, int(in.b), args[1].Lo) }
}

// bitwise is an operator on all bits, half by half.
func bitwise(f func(a, b, c uint64) uint64) vectorOp {
	return func(_ *inst, args []Value) Value {
		var x [3]Value
		copy(x[:], args)
		return Value{Lo: f(x[0].Lo, x[1].Lo, x[2].Lo), Hi: f(x[0].Hi, x[1].Hi, x[2].Hi)}
	}
}

// allTrue tells whether no lane is 0.
func allTrue(w int) vectorOp {
	return func(_ *inst, args []Value) Value {
		for i := range 128 / w {
			if lane(args[0], w, i) == 0 {
				return Value{Lo: 0}
			}
		}
		return Value{Lo: 1}
	}
}

// bitmask gathers the topmost bits of the lanes.
func bitmask(w int) vectorOp {
	return func(_ *inst, args []Value) (r Value) {
		for i := range 128 / w {
			r.Lo |= lane(args[0], w, i) >> (w - 1) << i
		}
		return r
	}
}

// narrow turns the lanes of two vectors into saturated ones of half the width.
func narrow[A int16 | int32, R int8 | uint8 | int16 | uint16](_ *inst, args []Value) Value {
	lanes := 128 / width[A]()
	return build(width[R](), func(i int) uint64 {
		return to(saturate[R](int64(at[A](args[i/lanes], i%lanes))))
	})
}

// saturate is the R nearest to x.
func saturate[R int8 | uint8 | int16 | uint16](x int64) R {
	return R(min(max(x, int64(minOf[R]())), int64(maxOf[R]())))
}

func addSat[T int8 | uint8 | int16 | uint16](a, b T) T { return saturate[T](int64(a) + int64(b)) }
func subSat[T int8 | uint8 | int16 | uint16](a, b T) T { return saturate[T](int64(a) - int64(b)) }

// widenLow turns the lower half of the lanes into lanes of twice the width, widenHigh the upper half.
func widenLow[A, R num](_ *inst, args []Value) Value { return widen[A, R](args[0], 0) }

func widenHigh[A, R num](_ *inst, args []Value) Value {
	return widen[A, R](args[0], 128/width[R]())
}

// productLow multiplies the lower halves of the lanes, widened; productHigh the upper ones.
func productLow[A, R integer](_ *inst, args []Value) Value {
	return productFrom[A, R](args, 0)
}

func productHigh[A, R integer](_ *inst, args []Value) Value {
	return productFrom[A, R](args, 128/width[R]())
}

func productFrom[A, R integer](args []Value, first int) Value {
	return build(width[R](), func(i int) uint64 { return to(R(at[A](args[0], first+i)) * R(at[A](args[1], first+i))) })
}

// pairSums adds neighbours, widened.
func pairSums[A, R integer](_ *inst, args []Value) Value {
	return build(width[R](), func(i int) uint64 { return to(R(at[A](args[0], 2*i)) + R(at[A](args[0], 2*i+1))) })
}

// dot multiplies lanes and adds neighbours.
func dot(_ *inst, args []Value) Value {
	product := func(i int) int32 { return int32(at[int16](args[0], i)) * int32(at[int16](args[1], i)) }
	return build(32, func(i int) uint64 { return to(product(2*i) + product(2*i+1)) })
}

// q15mulr multiplies numbers with 15 bits behind the point, rounded.
func q15mulr(a, b int16) int16 { return saturate[int16]((int64(a)*int64(b) + 0x4000) >> 15) }

func abs[T integer](a T) T {
	if a < 0 {
		return -a
	}
	return a
}

func least[T integer](a, b T) T    { return min(a, b) }
func greatest[T integer](a, b T) T { return max(a, b) }

// average rounds up.
func average[T uint8 | uint16](a, b T) T { return T((uint32(a) + uint32(b) + 1) / 2) }

// swizzle selects bytes of one vector, 0 for those there are not.
func swizzle(_ *inst, args []Value) Value {
	return build(8, func(i int) uint64 {
		if n := lane(args[1], 8, i); n < 16 {
			return lane(args[0], 8, int(n))
		}
		return 0
	})
}

// shuffle selects bytes of two vectors.
func shuffle(in *inst, args []Value) Value {
	return build(8, func(i int) uint64 {
		n := int(in.vec[i])
		return lane(args[n/16], 8, n%16)
	})
}

// pseudoMin is b < a ? b : a on bits, pseudoMax a < b ? b : a.
func pseudoMin[T float](_ *inst, args []Value) Value {
	w := width[T]()
	return build(w, func(i int) uint64 {
		if at[T](args[1], i) < at[T](args[0], i) {
			return lane(args[1], w, i)
		}
		return lane(args[0], w, i)
	})
}

func pseudoMax[T float](_ *inst, args []Value) Value {
	w := width[T]()
	return build(w, func(i int) uint64 {
		if at[T](args[0], i) < at[T](args[1], i) {
			return lane(args[1], w, i)
		}
		return lane(args[0], w, i)
	})
}

// lowLanes converts the two lanes of type A to the lower half of the result, the upper half is 0.
func lowLanes[A, R num](f func(A) R) vectorOp {
	return func(_ *inst, args []Value) (r Value) {
		for i := range 2 {
			r = setLane(r, width[R](), i, to(f(at[A](args[0], i))))
		}
		return r
	}
}
