package web

import (
	"bufio"
	"encoding/csv"
	"slices"
	"strings"
	"testing"
)

func TestCSV_NoCellIsAFormulaAndEachIsReadBack(t *testing.T) {
	for cell, want := range map[string]string{
		"": "", "plain": "plain", "=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1", "\r=1": "'\r=1", "\n=1": "'\n=1",
		`=HYPERLINK("x";"y")`: `'=HYPERLINK("x";"y")`, `a"b`: `a"b`, "a,b": "a,b", "a\nb": "a\nb", "é": "é", "a=1": "a=1", "'": "'",
	} {
		var text strings.Builder
		out := bufio.NewWriter(&text)
		must(t, writeCSV(out, cell, "last"))
		must(t, out.Flush())
		if !strings.HasSuffix(text.String(), `","last"`+"\r\n") {
			t.Errorf("%q: %q", cell, text.String())
		}
		// The reader takes CRLF in a cell for LF.
		if got, err := csv.NewReader(strings.NewReader(text.String())).Read(); err != nil || !slices.Equal(got, []string{strings.ReplaceAll(want, "\r\n", "\n"), "last"}) {
			t.Errorf("%q is read back as %q, %v", cell, got, err)
		}
	}
}
