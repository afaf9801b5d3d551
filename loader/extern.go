package loader

import "github.com/wasmaot/wasmaot/compiler/artifact"

// Extern is what can be imported and exported: *Func, *Memory, *Table, *Global.
type Extern interface {
	Kind() artifact.Kind
}

// Kind is artifact.KindFunc.
func (f *Func) Kind() artifact.Kind { return artifact.KindFunc }

// Kind is artifact.KindMemory.
func (m *Memory) Kind() artifact.Kind { return artifact.KindMemory }

// Kind is artifact.KindTable.
func (t *Table) Kind() artifact.Kind { return artifact.KindTable }

// Kind is artifact.KindGlobal.
func (g *Global) Kind() artifact.Kind { return artifact.KindGlobal }
