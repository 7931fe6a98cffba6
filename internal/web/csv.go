package web

import (
	"bytes"
	"encoding/csv"
	"mime"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// typeCSV is with its header line (RFC 4180 and 7111).
const typeCSV = "text/csv; charset=utf-8; header=present"

// wantsCSV says that a caller asks for a table: by ?format=csv, else by Accept.
func wantsCSV(c *fiber.Ctx) bool {
	if format := c.Query("format"); format != "" {
		return format == "csv"
	}
	for one := range strings.SplitSeq(c.Get(fiber.HeaderAccept), ",") {
		if kind, _, err := mime.ParseMediaType(one); err == nil && kind == "text/csv" {
			return true
		}
	}
	return false
}

// csvText is a table as CSV, safe to open in a spreadsheet.
func csvText(rows [][]string) []byte {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.UseCRLF = true
	for _, row := range rows {
		safe := make([]string, len(row))
		for i, cell := range row {
			safe[i] = csvCell(cell)
		}
		_ = w.Write(safe) // to memory
	}
	w.Flush()
	return out.Bytes()
}

// csvCell keeps a spreadsheet from taking a text for a formula: what begins like
// one gets an apostrophe in front (OWASP, "CSV Injection").
func csvCell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

// sendCSV answers a table that is for one reader only, as a file of that name.
func sendCSV(c *fiber.Ctx, name string, rows [][]string) error {
	c.Set(fiber.HeaderContentType, typeCSV)
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+name+`.csv"`)
	return c.Send(csvText(rows))
}
