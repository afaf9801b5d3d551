package compiler

import (
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/wasmaot/wasmaot/backend"
	"github.com/wasmaot/wasmaot/compiler/artifact"
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

// packTraps and packCalls leave the sites of the function just compiled in the packer.
func (w *worker) packTraps() {
	w.packer.Reset()
	for _, t := range w.code.Traps {
		at := w.f.Origin(t.Pos)
		w.packer.Add(artifact.Site{Off: t.Off, Pos: at.Pos, Code: t.Trap, Call: at.Call})
	}
}

func (w *worker) packCalls() {
	w.packer.Reset()
	for _, s := range w.code.Calls {
		at := w.f.Origin(s.Pos)
		w.packer.Add(artifact.Site{Off: s.Off, Pos: at.Pos, Call: at.Call})
	}
}

// finished copies the code of the function just compiled out of memory that is used again.
func (w *worker) finished() piece {
	c := &w.code
	p := piece{text: w.bytes.put(&w.job.bytes, c.Text), relocs: w.relocs.put(&w.job.relocs, c.Relocs), frameSize: c.FrameSize}
	w.packTraps()
	w.packed = w.packer.AppendTo(w.packed[:0])
	p.traps = w.bytes.put(&w.job.bytes, w.packed)
	w.packCalls()
	w.packed = w.packer.AppendTo(w.packed[:0])
	p.calls = w.bytes.put(&w.job.bytes, w.packed)
	return p
}

// Code is what a module's functions were compiled to: an artifact that is yet to be put together, in memory or in a file.
type Code struct {
	*job
	parts  []codePart
	layout *codeLayout
}

// codePart is a function's code.
type codePart struct {
	text   []byte
	relocs []backend.Reloc
}

// link lays the functions' code out one after the other, in an order.
func (j *job) link(order []int) (*Code, error) {
	c := &Code{job: j, parts: make([]codePart, len(j.pieces))}
	for i := range c.parts {
		p := &j.pieces[i]
		c.parts[i] = codePart{j.bytes.get(p.text), j.relocs.get(p.relocs)}
	}
	c.layout = newLayout(j.target, c.parts, order)
	if c.layout.size > math.MaxInt32 {
		return nil, fmt.Errorf("the module's code is too large: expected at most 2 GiB of %s code", j.target.Name)
	}
	for i := range j.a.Funcs {
		f := &j.a.Funcs[i]
		f.Off, f.Size, f.FrameSize = uint32(c.layout.offs[i]), uint32(len(c.parts[i].text)), j.pieces[i].frameSize
	}
	return c, nil
}

// Artifact puts the artifact together in memory. It refers to parts of the module's file.
func (c *Code) Artifact() (*artifact.Artifact, error) {
	text, image := artifact.Pages(c.layout.size), artifact.Pages(c.image.size)
	rest := beside(func() {
		collect(image, func(put artifact.Put) error { return c.image.write(c.module, put) })
		c.linkTables()
	})
	defer rest()
	if err := collect(text, func(put artifact.Put) error { return c.layout.write(c.parts, put) }); err != nil {
		return nil, err
	}
	c.a.Text, c.a.Image = text, image
	return c.a, nil
}

// collect puts parts together.
func collect(all []byte, write func(put artifact.Put) error) error {
	return write(func(part []byte) error {
		n := copy(all, part)
		all = all[n:]
		return nil
	})
}

// WriteTo puts the artifact together in a file, without having its text and its image in memory as a whole. What is no file gets it from there.
func (c *Code) WriteTo(w io.Writer) (int64, error) {
	file, ok := w.(io.WriterAt)
	if ok {
		ok = artifact.Erase(file) == nil
	}
	if !ok {
		a, err := c.Artifact()
		if err != nil {
			return 0, err
		}
		return a.WriteTo(w)
	}
	return c.a.WriteParts(file,
		artifact.Parts{Size: c.layout.size, Write: func(put artifact.Put) error { return c.layout.write(c.parts, put) }},
		artifact.Parts{Size: c.image.size, Write: func(put artifact.Put) error { return c.image.write(c.module, put) }},
		c.linkTables)
}

// linkTables joins the functions' sites, in the order of the text, and names.
func (c *Code) linkTables() {
	joined := func(list func(p *piece) stored) artifact.Sites {
		return artifact.JoinSites(len(c.layout.order), func(n int) ([]byte, uint32) {
			i := c.layout.order[n]
			return c.bytes.get(list(&c.pieces[i])), c.a.Funcs[i].Off
		})
	}
	c.a.Traps = joined(func(p *piece) stored { return p.traps })
	c.a.Calls = joined(func(p *piece) stored { return p.calls })
	c.joinNames()
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

func newLayout(target *backend.Target, codes []codePart, order []int) *codeLayout {
	l := &codeLayout{target: target, order: order, offs: make([]uint64, len(codes)), current: -1}
	l.placeAll(codes)
	if target.Reach != 0 && l.size >= uint64(target.Reach) {
		slices.Sort(l.order) // clusters have consecutive functions
		l.placeAll(codes)
		l.addVeneers(codes)
	}
	return l
}

func (l *codeLayout) placeAll(codes []codePart) {
	l.size = 0
	for _, i := range l.order {
		l.place(i, &codes[i])
	}
}

// place puts function i at the end.
func (l *codeLayout) place(i int, c *codePart) {
	align := uint64(l.target.FuncAlign)
	l.offs[i] = (l.size + align - 1) &^ (align - 1)
	l.size = l.offs[i] + uint64(len(c.text))
}

// addVeneers makes the clusters and lays them out.
func (l *codeLayout) addVeneers(codes []codePart) {
	l.near = append([]uint64(nil), l.offs...)
	l.veneers = make([]uint32, len(codes))
	half := uint64(l.target.Reach / 2) // so that veneers are in reach from all of the cluster
	for i := range codes {
		k := len(l.clusters) - 1
		if k < 0 || l.near[i]+uint64(len(codes[i].text))-l.near[l.clusters[k].first] > half {
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
func (l *codeLayout) targets(k int, codes []codePart) (list []uint32) {
	const seen = 1
	c := &l.clusters[k]
	for i := c.first; i < c.end; i++ {
		for _, r := range codes[i].relocs {
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

// partSize is how much of the text is written at a time: it stays in the processor's cache.
const partSize = 1 << 16

// textWriter holds the part of the text that is written next.
type textWriter struct {
	part []byte
	base uint64 // where it is
}

// write gives the text in parts.
func (l *codeLayout) write(codes []codePart, put artifact.Put) error {
	w := textWriter{part: make([]byte, 0, min(2*partSize, artifact.PageUp(l.size)))}
	for _, i := range l.order {
		if l.near != nil && (l.current < 0 || i >= l.clusters[l.current].end) {
			if err := l.writeVeneers(&w); err != nil {
				return err
			}
			l.nextCluster()
		}
		w.fill(l.offs[i])
		w.part = append(w.part, codes[i].text...)
		if err := l.resolve(&w, i, codes[i].relocs); err != nil {
			return fmt.Errorf("function %d of those defined: %w", i, err)
		}
		if n := len(w.part) &^ 63; n >= partSize {
			if err := put(w.part[:n]); err != nil {
				return err
			}
			w.base += uint64(n)
			w.part = w.part[:copy(w.part, w.part[n:])]
		}
	}
	if err := l.writeVeneers(&w); err != nil {
		return err
	}
	w.fill(artifact.PageUp(l.size))
	return put(w.part)
}

// fill appends zeros up to a place.
func (w *textWriter) fill(to uint64) {
	w.part = append(w.part, make([]byte, to-w.base-uint64(len(w.part)))...)
}

// resolve puts the distances of function i's calls into the text.
func (l *codeLayout) resolve(w *textWriter, i int, relocs []backend.Reloc) error {
	for _, r := range relocs {
		to := uint32(l.offs[r.Target])
		if l.near != nil && l.isFar(i, r) {
			to = l.veneers[r.Target]
		}
		if err := l.target.Patch(w.part, uint32(w.base), uint32(l.offs[i])+r.Off, r.Kind, to); err != nil {
			return err
		}
	}
	return nil
}

// nextCluster gives the veneers of the next cluster their places.
func (l *codeLayout) nextCluster() {
	l.current++
	c := &l.clusters[l.current]
	for n, t := range c.far {
		l.veneers[t] = uint32(c.at) + uint32(n)*l.target.VeneerSize
	}
}

// writeVeneers appends those of the current cluster, if there is one.
func (l *codeLayout) writeVeneers(w *textWriter) error {
	if l.current < 0 {
		return nil
	}
	c := &l.clusters[l.current]
	for _, t := range c.far {
		w.fill(uint64(l.veneers[t]))
		at := len(w.part)
		w.fill(uint64(l.veneers[t] + l.target.VeneerSize))
		if err := l.target.Veneer(w.part[at:], l.veneers[t], uint32(l.offs[t])); err != nil {
			return err
		}
	}
	return nil
}
