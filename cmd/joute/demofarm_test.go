package main

import (
	"regexp"
	"strconv"
	"testing"
	"time"
)

var (
	farmSeen  = regexp.MustCompile(`farm 1: after \S+ (\d+) of its votes are off the board as void, (\d+) are held`)
	farmAgain = regexp.MustCompile(`farm 1: it comes again: (\d+) of (\d+) rejected at the door`)
)

// The demo tells its story by itself: a farm is seen, its votes leave the board, and
// when it comes again it is rejected.
func TestDemo_ShowsAFarm(t *testing.T) {
	if testing.Short() {
		t.Skip("most of a minute")
	}
	t.Parallel()
	d := start(t, nil, "leaderboard", "demo", "--listen", "127.0.0.1:0", "--farm", "10s")
	var told [][]string
	for deadline := time.Now().Add(3 * time.Minute); len(told) < 2; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the demo says:\n%s%s", d.stdout.String(), d.stderr.String())
		}
		told = nil
		for _, line := range []*regexp.Regexp{farmSeen, farmAgain} {
			if found := line.FindStringSubmatch(d.stdout.String()); found != nil {
				told = append(told, found)
			}
		}
	}
	number := func(text string) int {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if void := number(told[0][1]); void < 10 {
		t.Errorf("%s", told[0][0])
	}
	if rejected, all := number(told[1][1]), number(told[1][2]); all != farmVotes/2 || rejected < all*95/100 {
		t.Errorf("%s", told[1][0])
	}
}
