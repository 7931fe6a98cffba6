package main

import (
	"strings"
	"testing"
)

func TestColumns_NumbersToTheRight(t *testing.T) {
	var out strings.Builder
	err := columns(&out, [][]string{
		{"contest", "counted", "held"},
		{"été-cv", "1204", "7"},
		{"gala", "98", "12", "differs by +3"},
	})
	want := "" +
		"contest  counted  held\n" +
		"été-cv      1204     7\n" +
		"gala          98    12  differs by +3\n"
	if err != nil || out.String() != want {
		t.Errorf("%v\n%s\nwant\n%s", err, out.String(), want)
	}
}
