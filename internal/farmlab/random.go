package farmlab

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"time"
)

// source is a stream of its own for each purpose: a cohort more changes nothing
// of the others.
func source(seed uint64, purpose ...any) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprint(h, purpose...)
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

func pow(x, y float64) float64 { return math.Pow(x, y) }

// dice are the draws that a world needs. It is for one goroutine.
type dice struct{ *rand.Rand }

func (d dice) chance(p float64) bool { return d.Float64() < p }

// between is uniform from a up to b, both included.
func (d dice) between(a, b int) int { return a + d.IntN(b-a+1) }

func (d dice) real(a, b float64) float64 { return a + (b-a)*d.Float64() }

// lognormal has that median; sigma is of the logarithm.
func (d dice) lognormal(median, sigma float64) float64 {
	return median * math.Exp(sigma*d.NormFloat64())
}

// geometric is how many successes come before a failure, mean on average, at
// most most.
func (d dice) geometric(mean float64, most int) int {
	n := 0
	for p := mean / (1 + mean); n < most && d.chance(p); {
		n++
	}
	return n
}

// halfNone is a share that is none for half of the farms, and up to most for the
// others.
func (d dice) halfNone(most float64) float64 {
	if d.chance(0.5) {
		return 0
	}
	return d.real(0, most)
}

// span is a duration uniform from a to b.
func (d dice) span(a, b time.Duration) time.Duration {
	return a + time.Duration(d.Float64()*float64(b-a))
}

// name is 72 random bits, written as evidence writes its hashes: nothing about
// its bearer can be read from it, not even when it was made.
func (d dice) name() string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], d.Uint64())
	binary.BigEndian.PutUint64(b[8:], d.Uint64())
	return base64.RawURLEncoding.EncodeToString(b[:9])
}

// uuid is a ballot's id.
func (d dice) uuid() string {
	a, b := d.Uint64(), d.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, 0x8000|b>>48&0x3fff, b&(1<<48-1))
}

// pick is one of them, each as likely.
func pick[T any](d dice, of []T) T { return of[d.IntN(len(of))] }

// some are n of them, or all, in any order.
func some[T any](d dice, of []T, n int) []T {
	order := d.Perm(len(of))
	chosen := make([]T, 0, n)
	for _, i := range order[:min(n, len(order))] {
		chosen = append(chosen, of[i])
	}
	return chosen
}

// odds are weights to draw places from.
type odds []float64 // running sums

func newOdds(n int, weight func(i int) float64) odds {
	o := make(odds, n)
	sum := 0.0
	for i := range o {
		sum += weight(i)
		o[i] = sum
	}
	return o
}

func (o odds) draw(d dice) int {
	at := d.Float64() * o[len(o)-1]
	low, high := 0, len(o)-1
	for low < high {
		if middle := (low + high) / 2; o[middle] > at {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low
}

// zipf has weights 1/(i+1)^s, each a little off so that no seed has the same.
func zipf(d dice, n int, s float64) odds {
	return newOdds(n, func(i int) float64 { return d.lognormal(1, 0.25) / pow(float64(i+1), s) })
}
