// Package ssa is the compiler's intermediate representation: functions in SSA form with
// block parameters instead of phis, in flat slices free of pointers.
//
// [Ops] is the one table of operations; the checker, the printer, the parser and the
// passes follow from it. [Func.Analyze] computes order, dominators and loops, [Check] verifies a
// function, [Func.String] and [Parse] convert to and from the text form, [Eval] runs it.
//
// The text form:
//
//	func 3 "main.f" (i32, i64) -> (i32)
//	b0(v1:i32, v2:i64):
//	  v3:i64 = zext v1
//	  v4:i64 = add v3, 8:i64
//	  v5:addr = addr v1, 16, 4
//	  v6:i32 = load v5
//	  if v6 b1(v6), b2
//	b1(v7:i32):
//	  return (v7)
//	b2 cold:
//	  trap "unreachable"
package ssa
