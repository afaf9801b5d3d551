//go:build !race

package loader

// raceDetector is set where stacks must be handed over by operations that the race detector sees.
const raceDetector = false
