package regalloc

// A family is a set of values that had better share a register: parameters and their
// arguments, and what is made out of them in place. Often that is one variable of the
// source. The first of them to get a register tells the others their preference, so that the
// variable has one place in the function as long as nothing else interferes, and
// edges have nothing to do, also those whose target was allocated long before.

// family finds the value that stands for the family of v.
func (a *Allocator) family(v VReg) *life {
	l := &a.lives[v]
	for l.link != 0 {
		up := &a.lives[l.link]
		if up.link == 0 {
			return up
		}
		l.link = up.link // halves the path for the next time
		l = &a.lives[l.link]
	}
	return l
}

// join makes one family of those of v and w.
func (a *Allocator) join(v, w VReg) {
	x, y := &a.vals[v], &a.vals[w]
	if (x.flags|y.flags)&(isRemat|isIncoming) != 0 {
		return
	}
	x.flags |= isLinked
	y.flags |= isLinked
	if f, g := a.family(v), a.family(w); f != g {
		f.link = a.headOf(w)
	}
}

// headOf is the number of the value that stands for the family of v.
func (a *Allocator) headOf(v VReg) VReg {
	for a.lives[v].link != 0 {
		v = a.lives[v].link
	}
	return v
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
	return a.family(v).pref
}

// settledIn tells the family of v that v is in register r.
func (a *Allocator) settledIn(v VReg, r rank) {
	if a.vals[v].flags&isLinked != 0 {
		if f := a.family(v); f.pref == 0 {
			f.pref = r + 1
		}
	}
}
