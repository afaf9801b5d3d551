// Package realworld tests modules that Go programs embed today, with host functions as their own projects define them. It is a module of its own: the modules
// under test come from the module proxy.
package realworld
