package compiler

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/compiler/artifact"
	"github.com/wasmaot/wasmaot/compiler/wasm"
)

// piece is what is kept of a function until all are there. Its sites, the places in its code that traps and backtraces are told by,
// are packed at once: unpacked they would take as much memory as the text.
type piece struct {
	text, traps, calls stored // in job.bytes
	relocs             stored // in job.relocs
	frameSize          uint32
}

// openStores sets the sizes of blocks, for a module with so many bytes of code.
func (j *job) openStores(size int) {
	j.bytes.size = min(1<<16, size+1<<10)
	j.relocs.size = min(1<<11, size/16+1<<4)
}

// finished copies the code of the function just compiled out of memory that is used again.
func (w *worker) finished() piece {
	c := &w.code
	p := piece{text: w.bytes.put(&w.job.bytes, c.Text), relocs: w.relocs.put(&w.job.relocs, c.Relocs), frameSize: c.FrameSize}
	w.packer.Reset()
	for _, t := range c.Traps {
		at := w.f.Origin(t.Pos)
		w.packer.Add(artifact.Site{Off: t.Off, Pos: at.Pos, Code: t.Trap, Call: at.Call})
	}
	w.packed = w.packer.AppendTo(w.packed[:0])
	p.traps = w.bytes.put(&w.job.bytes, w.packed)
	w.packer.Reset()
	for _, s := range c.Calls {
		at := w.f.Origin(s.Pos)
		w.packer.Add(artifact.Site{Off: s.Off, Pos: at.Pos, Call: at.Call})
	}
	w.packed = w.packer.AppendTo(w.packed[:0])
	p.calls = w.bytes.put(&w.job.bytes, w.packed)
	return p
}

// link lays the functions' code out one after the other and resolves calls between them.
func (j *job) link(m *wasm.Module, a *artifact.Artifact) error {
	codes := make([]backend.Code, len(j.pieces))
	for i := range codes {
		p := &j.pieces[i]
		codes[i].Text, codes[i].Relocs, codes[i].FrameSize = j.bytes.get(p.text), j.relocs.get(p.relocs), p.frameSize
	}
	l := newLayout(j.target, codes, textOrder(m, len(codes)))
	if l.size > math.MaxInt32 {
		return fmt.Errorf("the module's code is too large: expected at most 2 GiB of %s code", j.target.Name)
	}
	a.Text = artifact.Pages(l.size)
	a.Funcs = make([]artifact.Func, len(codes))
	for i := range codes {
		fn := &m.Funcs[m.ImportedFuncs+i]
		a.Funcs[i] = artifact.Func{Off: uint32(l.offs[i]), Size: uint32(len(codes[i].Text)), FrameSize: codes[i].FrameSize, Type: fn.Type, WasmOff: fn.Offset}
	}
	tables := beside(func() { j.linkTables(m, a, l.order) })
	defer tables()
	for i := range codes {
		c := &codes[i]
		copy(a.Text[l.offs[i]:], c.Text)
		if err := l.resolve(a.Text, i, c); err != nil {
			return fmt.Errorf("function %d: %w", m.ImportedFuncs+i, err)
		}
	}
	return nil
}

// linkTables joins the functions' sites, in the order of the text, and names.
func (j *job) linkTables(m *wasm.Module, a *artifact.Artifact, order []int) {
	var traps, calls artifact.SitesBuilder
	var trapsSize, callsSize int
	for i := range j.pieces {
		trapsSize, callsSize = trapsSize+int(j.pieces[i].traps.n), callsSize+int(j.pieces[i].calls.n)
	}
	traps.Reserve(trapsSize)
	calls.Reserve(callsSize)
	var names strings.Builder
	for i := range j.pieces {
		f := &a.Funcs[i]
		name := m.Names.Funcs[uint32(m.ImportedFuncs+i)]
		f.NameOff, f.NameLen = uint32(names.Len()), uint32(len(name))
		names.WriteString(name)
	}
	for _, i := range order {
		p, f := &j.pieces[i], &a.Funcs[i]
		traps.Append(j.bytes.get(p.traps), f.Off)
		calls.Append(j.bytes.get(p.calls), f.Off)
	}
	a.Traps, a.Calls, a.Names = traps.Sites(), calls.Sites(), names.String()
}

// codeLayout is where functions are. Where calls do not reach everything, functions are in clusters, each followed by veneers for
// the calls from it that would go too far.
type codeLayout struct {
	target *backend.Target
	order  []int // of the functions in the text
	offs   []uint64
	size   uint64

	near     []uint64 // places before there were veneers; nil if everything is in reach
	slack    uint64   // what veneers move at most
	clusters []cluster
	current  int      // cluster whose veneers are in veneers
	veneers  []uint32 // by target: offset, where one is in the current cluster
}

type cluster struct {
	first, end int      // functions
	at         uint64   // of the first veneer
	far        []uint32 // targets of the veneers
}

func newLayout(target *backend.Target, codes []backend.Code, order []int) *codeLayout {
	l := &codeLayout{target: target, order: order, offs: make([]uint64, len(codes)), current: -1}
	l.placeAll(codes)
	if target.Reach != 0 && l.size >= uint64(target.Reach) {
		slices.Sort(l.order) // clusters have consecutive functions
		l.placeAll(codes)
		l.addVeneers(codes)
	}
	return l
}

func (l *codeLayout) placeAll(codes []backend.Code) {
	l.size = 0
	for _, i := range l.order {
		l.place(i, &codes[i])
	}
}

// place puts function i at the end.
func (l *codeLayout) place(i int, c *backend.Code) {
	align := uint64(l.target.FuncAlign)
	l.offs[i] = (l.size + align - 1) &^ (align - 1)
	l.size = l.offs[i] + uint64(len(c.Text))
}

// addVeneers makes the clusters and lays them out.
func (l *codeLayout) addVeneers(codes []backend.Code) {
	l.near = append([]uint64(nil), l.offs...)
	l.veneers = make([]uint32, len(codes))
	half := uint64(l.target.Reach / 2) // so that veneers are in reach from all of the cluster
	for i := range codes {
		k := len(l.clusters) - 1
		if k < 0 || l.near[i]+uint64(len(codes[i].Text))-l.near[l.clusters[k].first] > half {
			l.clusters = append(l.clusters, cluster{first: i})
			k++
		}
		l.clusters[k].end = i + 1
	}
	// Veneers move what follows, so that more may be needed: each round counts those of the last. One for each function and
	// cluster is the most there can be.
	for {
		need := uint64(0)
		for k := range l.clusters {
			need += uint64(len(l.targets(k, codes)))*uint64(l.target.VeneerSize) + 2*uint64(l.target.FuncAlign)
		}
		if need <= l.slack {
			break
		}
		l.slack = need
	}
	l.size = 0
	for k := range l.clusters {
		c := &l.clusters[k]
		for i := c.first; i < c.end; i++ {
			l.place(i, &codes[i])
		}
		c.far = l.targets(k, codes)
		c.at = (l.size + 3) &^ 3
		l.size = c.at + uint64(len(c.far))*uint64(l.target.VeneerSize)
	}
}

// targets lists the functions in other clusters that cluster k calls and that are too far away.
func (l *codeLayout) targets(k int, codes []backend.Code) (list []uint32) {
	const seen = 1
	c := &l.clusters[k]
	for i := c.first; i < c.end; i++ {
		for _, r := range codes[i].Relocs {
			if l.isFar(i, r) && l.veneers[r.Target] != seen {
				l.veneers[r.Target] = seen
				list = append(list, r.Target)
			}
		}
	}
	for _, t := range list {
		l.veneers[t] = 0
	}
	return list
}

// isFar reports whether a call of function i may be too far.
func (l *codeLayout) isFar(i int, r backend.Reloc) bool {
	from, to := l.near[i]+uint64(r.Off), l.near[r.Target]
	return max(from, to)-min(from, to)+l.slack >= uint64(l.target.Reach)
}

// resolve puts the distances of function i's calls into the text, and a cluster's veneers with its first function.
func (l *codeLayout) resolve(text []byte, i int, c *backend.Code) error {
	if l.near != nil && (l.current < 0 || i >= l.clusters[l.current].end) {
		l.current++
		if err := l.writeVeneers(text, &l.clusters[l.current]); err != nil {
			return err
		}
	}
	for _, r := range c.Relocs {
		to := uint32(l.offs[r.Target])
		if l.near != nil && l.isFar(i, r) {
			to = l.veneers[r.Target]
		}
		if err := l.target.Patch(text, uint32(l.offs[i])+r.Off, r.Kind, to); err != nil {
			return err
		}
	}
	return nil
}

func (l *codeLayout) writeVeneers(text []byte, c *cluster) error {
	for n, t := range c.far {
		at := uint32(c.at) + uint32(n)*l.target.VeneerSize
		l.veneers[t] = at
		if err := l.target.Veneer(text, at, uint32(l.offs[t])); err != nil {
			return err
		}
	}
	return nil
}
