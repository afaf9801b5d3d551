package wasm

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// Error says what is wrong with a module, and where.
type Error struct {
	Offset   uint32 // in the file
	Func     int64  // index of the function it is in, -1 if it is in none
	FuncName string // from the name section, may be empty
	Msg      string
	Feature  Features // features that the module needs and that are not enabled; 0 if it is plainly invalid
}

// Error reads "function 17 (main.fib) at 0x1a2f: type mismatch: expected i32, found i64".
func (e *Error) Error() string {
	switch {
	case e.Func < 0:
		return fmt.Sprintf("at 0x%x: %s", e.Offset, e.Msg)
	case e.FuncName == "":
		return fmt.Sprintf("function %d at 0x%x: %s", e.Func, e.Offset, e.Msg)
	}
	name := clip(e.FuncName)
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		name = strconv.Quote(name) // a hostile name must not reach a terminal
	}
	return fmt.Sprintf("function %d (%s) at 0x%x: %s", e.Func, name, e.Offset, e.Msg)
}

// clip shortens a name from the file for a message.
func clip(name string) string {
	const limit = 200
	if len(name) <= limit {
		return name
	}
	return strings.ToValidUTF8(name[:limit], "") + "…"
}
