// Package mutant plants bugs, each behind a build tag, so that "make mutants" can show that the tests find them.
// Without a tag its constants are false and what they guard is not compiled.
package mutant
