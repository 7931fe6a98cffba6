package main

import "testing"

func TestGrowth_IsAtMostThreeTimesWhatIsInUseAndAtLeastHalfOfIt(t *testing.T) {
	for live, want := range map[uint64]int{0: 300, 10 << 20: 300, 64 << 20: 200, 128 << 20: 100, 192 << 20: 66, 4 << 30: 50} {
		if got := growth(live); got != want {
			t.Errorf("%d MiB in use may grow by %d %%, not %d", live>>20, got, want)
		}
	}
}
