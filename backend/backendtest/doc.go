// Package backendtest tests back ends by running what they make: functions in SSA form, random ones too, on the evaluator
// and natively. Each instruction set's tests call it on a machine of that kind.
package backendtest
