package main

import (
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// columns writes rows of cells with two spaces between: columns that have numbers in
// them to the right, so that they can be compared at a glance, all others to the left.
func columns(w io.Writer, rows [][]string) error {
	var width []int
	numbers := map[int]bool{}
	for _, row := range rows {
		for i, cell := range row {
			if i == len(width) {
				width = append(width, 0)
			}
			width[i] = max(width[i], utf8.RuneCountInString(cell))
			if _, err := strconv.ParseInt(cell, 10, 64); err == nil {
				numbers[i] = true
			}
		}
	}
	var out strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if numbers[i] {
				cell, pad = pad+cell, ""
			}
			line.WriteString(cell + pad + "  ")
		}
		out.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, err := io.WriteString(w, out.String())
	return err
}
