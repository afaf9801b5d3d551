// Package ssatest makes random SSA functions and runs them on the evaluator, for
// differential tests of passes and back ends.
package ssatest
