package regalloc

// A family is a set of values that had better share a register: parameters and their
// arguments, and what is made out of them in place. Often that is one variable of the
// source. The first of them to get a register tells the others their preference, so that the
// variable has one place in the function as long as nothing else interferes, and
// edges have nothing to do, also those whose target was allocated long before.

// headOf finds the value that stands for the family of v.
func (a *Allocator) headOf(v VReg) VReg {
	for {
		l := &a.lives[v]
		if l.link == 0 {
			return v
		}
		if up := a.lives[l.link].link; up != 0 {
			l.link = up // halves the way for the next time
		}
		v = l.link
	}
}

// join makes one family of those of v and w.
func (a *Allocator) join(v, w VReg) {
	x, y := &a.vals[v], &a.vals[w]
	if (x.flags|y.flags)&(isRemat|isIncoming) != 0 {
		return
	}
	x.flags |= isLinked
	y.flags |= isLinked
	if v, w = a.headOf(v), a.headOf(w); v != w {
		a.lives[v].link = w
	}
}

// wish is the register + 1 that v had best be in, 0 for any.
func (a *Allocator) wish(v VReg) rank {
	if h := a.vals[v].hint; h != 0 {
		return h
	}
	return a.preferred(v)
}

// preferred is the register + 1 that the family of v prefers, 0 for none.
func (a *Allocator) preferred(v VReg) rank {
	if a.vals[v].flags&isLinked == 0 {
		return 0
	}
	return a.lives[a.headOf(v)].pref
}

// settledIn tells the family of v that v is in register r.
func (a *Allocator) settledIn(v VReg, r rank) {
	if a.vals[v].flags&isLinked != 0 {
		if f := &a.lives[a.headOf(v)]; f.pref == 0 {
			f.pref = r + 1
		}
	}
}
