package web

import (
	"fmt"
	"html/template"
	"strings"

	"rsc.io/qr"
)

// qrBorder is the quiet zone scanners need, in modules.
const qrBorder = 4

// qrSVG is a QR code of text, dark on light whatever the theme: many scanners
// read no inverted ones. label is what it is to who does not see it.
func qrSVG(text, label string) (template.HTML, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return "", fmt.Errorf("QR code: %w", err)
	}
	var path strings.Builder
	for y := range code.Size {
		for x := range code.Size {
			if code.Black(x, y) {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", x+qrBorder, y+qrBorder)
			}
		}
	}
	size := code.Size + 2*qrBorder
	return template.HTML(fmt.Sprintf(`<svg class="qr" role="img" aria-label="%s" viewBox="0 0 %d %[2]d" width="200" height="200" shape-rendering="crispEdges">`+
		`<path fill="#fff" d="M0 0h%[2]dv%[2]dH0z"/><path fill="#000" d="%s"/></svg>`, template.HTMLEscapeString(label), size, path.String())), nil
}
