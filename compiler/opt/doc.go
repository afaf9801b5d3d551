// Package opt holds the passes over SSA functions, one file each, all of them linear
// or nearly so. A pass works in place on an analysed function (ssa.Func.Analyze) and leaves
// it analysed; ssa.Check holds before and after.
//
//   - thread leads edges past branches that they decide, replaces block parameters that are
//     always the same value, and merges blocks with their only successor.
//   - forward gives loads the values stored or loaded before, and reads of globals likewise,
//     and moves constants from indices to offsets where they cannot wrap.
//   - fold simplifies instructions by a table of rules, and branches on what is constant.
//   - gvn numbers values over the dominator tree and removes what was computed before.
//   - schedule has loops that iterate a function of floats begin with what the next round waits for.
//
// WebAssembly's semantics are kept exactly: traps happen where and in the order they
// did, and arithmetic on floats is only folded where no NaN is in sight.
package opt
