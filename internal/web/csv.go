package web

import (
	"bufio"
	"bytes"
	"mime"
	"strings"

	"github.com/gofiber/fiber/v2"
)

const (
	// typeCSV is with its header line (RFC 4180 and 7111).
	typeCSV = "text/csv; charset=utf-8; header=present"

	// csvBOM lets spreadsheets know UTF-8 for what it is.
	csvBOM = "\ufeff"
)

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

// writeCSV writes one record by RFC 4180, each cell in quotes. A cell that a
// spreadsheet would take for a formula gets an apostrophe in front (OWASP, "CSV
// injection"): whoever joins a community, or has a page, must not run anything on
// the desk of who opens the list.
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

// asCSV says of the answer that it is a table, as a file of that name.
func asCSV(c *fiber.Ctx, name string) {
	c.Set(fiber.HeaderContentType, typeCSV)
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+name+`.csv"`)
}

// sendCSV answers a table.
func sendCSV(c *fiber.Ctx, name string, rows [][]string) error {
	var body bytes.Buffer
	out := bufio.NewWriter(&body)
	out.WriteString(csvBOM)
	for _, row := range rows {
		if err := writeCSV(out, row...); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	asCSV(c, name)
	return c.Send(body.Bytes())
}
