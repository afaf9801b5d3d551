package loader

import "sync"

// node is something with memory outside Go's heap whose end must wait for others: an instance,
// a host-made memory or table. An edge from a to b says that code or references in a may
// reach b. A node's memory is freed when no open node reaches it.
//
// Most graphs are chains, for which counting edges suffices. Where references may flow
// both ways there are cycles: then the reachable nodes are marked.
type node struct {
	open   bool
	in     int // edges from nodes not yet freed
	out    map[*node]struct{}
	free   func()
	keep   map[any]struct{} // what must not be collected by Go before
	marked bool
}

// lifetimes is all nodes whose memory is not yet freed.
var lifetimes = struct {
	mu    sync.Mutex
	nodes map[*node]struct{}
}{nodes: map[*node]struct{}{}}

// newNode makes an open node; free is called once when its memory may go.
func newNode(free func()) *node {
	n := &node{open: true, free: free}
	lifetimes.mu.Lock()
	lifetimes.nodes[n] = struct{}{}
	lifetimes.mu.Unlock()
	return n
}

// reaches notes that n may reach to, nil for what needs no node. It reports false if that is too late: to's memory was
// freed.
func (n *node) reaches(to *node) bool {
	if n == to || to == nil {
		return true
	}
	lifetimes.mu.Lock()
	defer lifetimes.mu.Unlock()
	if _, alive := lifetimes.nodes[to]; !alive {
		return false
	}
	if _, known := n.out[to]; known {
		return true
	}
	if n.out == nil {
		n.out = map[*node]struct{}{}
	}
	n.out[to] = struct{}{}
	to.in++
	return true
}

// retain keeps a Go object at least as long as n's memory.
func (n *node) retain(x any) {
	lifetimes.mu.Lock()
	if n.keep == nil {
		n.keep = map[any]struct{}{}
	}
	n.keep[x] = struct{}{}
	lifetimes.mu.Unlock()
}

// close ends n's own use and frees what no open node reaches any more.
func (n *node) close() {
	lifetimes.mu.Lock()
	var dead []*node
	if n.open {
		n.open = false
		cyclic := n.in > 0
		if !cyclic {
			dead, cyclic = n.unlink()
		}
		if cyclic {
			dead = sweep(dead)
		}
	}
	lifetimes.mu.Unlock()
	for _, d := range dead {
		d.free()
		d.free, d.keep = nil, nil
	}
}

// unlink takes n, which no one reaches, out of the graph, and with it what only n held. It reports whether
// something closed is left that may be part of a cycle.
func (n *node) unlink() (dead []*node, cyclic bool) {
	work := []*node{n}
	for len(work) > 0 {
		n := work[len(work)-1]
		work = work[:len(work)-1]
		delete(lifetimes.nodes, n)
		dead = append(dead, n)
		for to := range n.out {
			to.in--
			switch {
			case to.open:
			case to.in == 0:
				work = append(work, to)
			default:
				cyclic = true
			}
		}
		n.out = nil
	}
	return dead, cyclic
}

// sweep takes all nodes out of the graph that no open node reaches.
func sweep(dead []*node) []*node {
	var work []*node
	for n := range lifetimes.nodes {
		if n.marked = n.open; n.marked {
			work = append(work, n)
		}
	}
	for len(work) > 0 {
		n := work[len(work)-1]
		work = work[:len(work)-1]
		for to := range n.out {
			if !to.marked {
				to.marked = true
				work = append(work, to)
			}
		}
	}
	for n := range lifetimes.nodes {
		if !n.marked {
			dead = append(dead, n)
		}
	}
	for _, n := range dead {
		delete(lifetimes.nodes, n)
		for to := range n.out {
			to.in--
		}
		n.out = nil
	}
	return dead
}
