//go:build unix && !linux

package wasmaot

const mapPopulate = 0
