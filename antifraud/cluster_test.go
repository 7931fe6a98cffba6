package antifraud_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/joute/joute/antifraud"
)

func fields(list string) []string { return strings.Fields(strings.Trim(list, "[]")) }

func TestCluster_SameReasonsAndSameEntry(t *testing.T) {
	for _, row := range []struct{ suspects, groups string }{
		{"", "[]"},
		{"a:x", "[a [x] [0]]"},
		{"a:x a:x", "[a [x] [0 1]]"},
		{"a:x b:x a:x", "[a [x] [0 2] b [x] [1]]"},
		{"a:x a:y", "[a [x] [0] a [y] [1]]"},
		{"a:x,y a:y,x a:y,x,x", "[a [x y] [0 1 2]]"},
		{"a: a:", "[a [] [0 1]]"},
		{"a:x,y a:x a:y", "[a [x y] [0] a [x] [1] a [y] [2]]"},
	} {
		var suspects []antifraud.Suspect
		for _, one := range strings.Fields(row.suspects) {
			entry, reasons, _ := strings.Cut(one, ":")
			suspects = append(suspects, antifraud.Suspect{Entry: entry, Reasons: strings.FieldsFunc(reasons, func(r rune) bool { return r == ',' })})
		}
		var got []string
		for _, g := range antifraud.Cluster(suspects) {
			got = append(got, fmt.Sprint(g.Entry, " ", g.Reasons, " ", g.Members))
		}
		if fmt.Sprint(got) != row.groups {
			t.Errorf("%q: %v, want %s", row.suspects, got, row.groups)
		}
	}
}

func TestCluster_LeavesWhatItIsGivenAsItIs(t *testing.T) {
	suspects := []antifraud.Suspect{{Entry: "a", Reasons: []string{"y", "x"}}}
	antifraud.Cluster(suspects)
	if suspects[0].Reasons[0] != "y" {
		t.Error("sorted in place")
	}
}

func TestShared_CountsThoseAlikeAndNothingThatWasNotSeen(t *testing.T) {
	evidence := func(net, block, device string) antifraud.Suspect {
		return antifraud.Suspect{Evidence: &antifraud.Evidence{Net: net, Block: block, Device: device}}
	}
	got := antifraud.Shared([]antifraud.Suspect{
		evidence("n1", "b1", "d1"), evidence("n1", "b1", ""), evidence("n2", "b1", ""), {}, evidence("", "", "d1"),
	})
	want := []antifraud.Sharing{{2, 3, 2}, {2, 3, 0}, {1, 3, 0}, {}, {0, 0, 2}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
