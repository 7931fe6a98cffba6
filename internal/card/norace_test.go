//go:build !race

package card

const slowdown = 1
