//go:build race

package card

// slowdown is what the race detector costs a loop over pixels.
const slowdown = 10
