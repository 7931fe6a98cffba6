package web

import (
	"bufio"
	"strings"
)

// csvBOM lets spreadsheets know UTF-8 for what it is.
const csvBOM = "\ufeff"

// writeCSV writes one record by RFC 4180, each cell in quotes. A cell that a
// spreadsheet would take for a formula gets an apostrophe in front (OWASP, "CSV
// injection"): whoever joins a community must not run anything on the desk of
// who opens the list.
func writeCSV(out *bufio.Writer, cells ...string) error {
	for i, cell := range cells {
		if i > 0 {
			out.WriteByte(',')
		}
		if cell != "" && strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) {
			cell = "'" + cell
		}
		out.WriteByte('"')
		out.WriteString(strings.ReplaceAll(cell, `"`, `""`))
		out.WriteByte('"')
	}
	_, err := out.WriteString("\r\n") // bufio keeps the first error
	return err
}
