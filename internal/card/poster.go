package card

import (
	"fmt"
	"html"
	"image/color"
	"math"
	"strconv"
	"strings"

	"golang.org/x/image/font/sfnt"
	"rsc.io/qr"
)

// A sheet of A4, in millimetres. Printers leave up to 5 mm of an edge white, and
// nothing of a poster is closer to it than its margin.
const (
	sheetWidth, sheetHeight = 210.0, 297.0

	posterMargin = 16.0
	posterWidth  = sheetWidth - 2*posterMargin

	posterCode = 84.0 // the code's side, its quiet zone aside: read from two metres
)

// Poster is a sheet to print: black on white, little of it coloured, as it may be
// copied a hundred times on somebody's printer.
type Poster struct {
	Lang   string
	Accent color.RGBA // dark enough to be read on white

	Brand   string
	Above   string
	Call    string
	Heading string
	Instead string // when nothing of Heading can be drawn
	Below   string
	Scan    string // what to do with the code
	Foot    string // until when

	Link  string // where the code leads
	Shown string // the same for people to type
}

// SVG is the poster as one file that needs no other: letters are outlines, so it
// is the same on every machine and at every printer's. It fails when the link is
// too long for a code.
func (p *Poster) SVG() ([]byte, error) {
	code, err := qr.Encode(p.Link, qr.M)
	if err != nil {
		return nil, fmt.Errorf("card: poster: %w", err)
	}
	heading := drawable(p.Heading)
	if heading == "" {
		heading = drawable(p.Instead)
	}
	accent := fmt.Sprintf("#%02x%02x%02x", p.Accent.R, p.Accent.G, p.Accent.B)
	on := &sheet{}
	// On paper it is as large as the paper lets it, and never on two sheets.
	fmt.Fprintf(on, `<svg xmlns="http://www.w3.org/2000/svg" width="210mm" height="297mm" viewBox="0 0 210 297" lang="%s" role="img">`+
		`<title>%s</title><style>@page{size:A4 portrait;margin:0}@media print{svg{width:100%%;height:100%%}}</style><path fill="#fff" d="M0 0h210v297H0z"/>`,
		html.EscapeString(p.Lang), html.EscapeString(strings.Join(filled(drawable(p.Call), heading, drawable(p.Above), p.Shown), " · ")))
	// Two lances, as on cards, at the upper edge.
	fmt.Fprintf(on, `<path fill="%s" d="M%g 14h%gl-4 8H%[2]gz"/>`, accent, posterMargin, posterWidth)

	y := 35.0
	if brand := drawable(p.Brand); brand != "" {
		on.write(accent, spaced, 5.6, posterMargin, y, spaced.cut(strings.ToUpper(brand), 5.6, posterWidth))
		y += 9
	}
	if contest := drawable(p.Above); contest != "" {
		on.write("#000", plain, 8, posterMargin, y, plain.cut(contest, 8, posterWidth))
		y += 6
	}

	// From the foot up.
	foot := sheetHeight - 18
	on.mark(accent, 6, sheetWidth-posterMargin, foot)
	on.write("#000", strong, 5.6, posterMargin, foot, strong.cut(drawable(p.Foot), 5.6, posterWidth-40))
	foot -= 14
	shown := strong.set(p.Shown, 8.4, 4.6, 1.2, posterWidth, 10)
	foot -= float64(len(shown.lines)-1) * shown.size * shown.lead
	for i, line := range shown.lines {
		on.write("#000", shown.style, shown.size, (sheetWidth-shown.width(line, shown.size))/2, foot+float64(i)*shown.size*shown.lead, line)
	}
	scan := plain.cut(drawable(p.Scan), 6.4, posterWidth)
	foot -= 12
	on.write("#000", plain, 6.4, (sheetWidth-plain.width(scan, 6.4))/2, foot, scan)
	foot -= 6.4*capital + 5
	side := posterCode * float64(code.Size+2*codeQuiet) / float64(code.Size)
	// A frame in the accent, round the quiet zone.
	left, top := (sheetWidth-side)/2, foot-side-1.5
	fmt.Fprintf(on, `<rect x="%.2f" y="%.2f" width="%.2f" height="%[3]g" rx="5" fill="none" stroke="%s" stroke-width="3"/>`, left-1.5, top-1.5, math.Ceil((side+3)*100)/100, accent)
	on.code(code, left, top, side)
	p.text(on, accent, heading, y, top-12)
	on.WriteString("</svg>\n")
	return []byte(on.String()), nil
}

// text is what to vote for, between two heights.
func (p *Poster) text(on *sheet, accent, heading string, top, foot float64) {
	call, below := strong.cut(drawable(p.Call), 11, posterWidth), drawable(p.Below)
	const callRoom, belowRoom = 18.0, 15.0
	room := foot - top - 6
	if call != "" {
		room -= callRoom
	}
	if below != "" {
		room -= belowRoom
	}
	b := title.set(heading, 34, 9.5, 1.06, posterWidth, room)
	y := top + 6 + (room-b.height())/2
	if call != "" {
		on.write(accent, strong, 11, posterMargin, y+11*capital, call)
		y += callRoom
	}
	y += b.size * capital
	for _, line := range b.lines {
		on.write("#000", b.style, b.size, posterMargin-b.size*0.05, y, line)
		y += b.size * b.lead
	}
	if below != "" {
		on.write("#000", plain, 9, posterMargin, y+belowRoom-b.size*(b.lead-0.14), plain.cut(below, 9, posterWidth))
	}
}

func filled(texts ...string) (out []string) {
	for _, text := range texts {
		if text != "" {
			out = append(out, text)
		}
	}
	return out
}

// sheet is an SVG being written.
type sheet struct {
	strings.Builder
	buf sfnt.Buffer
}

// write draws a line of text from x on the baseline y, as a path.
func (on *sheet) write(fill string, s style, size, x, y float64, text string) {
	if text == "" {
		return
	}
	fmt.Fprintf(on, `<path fill="%s" d="`, fill)
	s.outline(&on.buf, size, x, y, text, func(op sfnt.SegmentOp, p [3]point) {
		switch op {
		case sfnt.SegmentOpMoveTo:
			on.step('M', p[:1])
		case sfnt.SegmentOpLineTo:
			on.step('L', p[:1])
		case sfnt.SegmentOpQuadTo:
			on.step('Q', p[:2])
		case sfnt.SegmentOpCubeTo:
			on.step('C', p[:3])
		}
	})
	on.WriteString(`"/>`)
}

// step is one command of a path, to a hundredth of a millimetre.
func (on *sheet) step(command byte, points []point) {
	on.WriteByte(command)
	for i, p := range points {
		if i > 0 {
			on.WriteByte(' ')
		}
		on.WriteString(hundredths(p.x))
		on.WriteByte(' ')
		on.WriteString(hundredths(p.y))
	}
}

func hundredths(x float32) string {
	return strconv.FormatFloat(math.Round(float64(x)*100)/100, 'f', -1, 64)
}

// code draws a code with its quiet zone in a square. Dark modules that touch in a
// row are one rectangle: a printer shows no seams between them.
func (on *sheet) code(code *qr.Code, left, top, side float64) {
	fmt.Fprintf(on, `<path transform="translate(%.3f %.3f) scale(%.5f)" shape-rendering="crispEdges" d="`, left, top, side/float64(code.Size+2*codeQuiet))
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			from := x
			for code.Black(x, y) {
				x++
			}
			if x > from {
				fmt.Fprintf(on, "M%d %dh%dv1H%dz", from+codeQuiet, y+codeQuiet, x-from, from+codeQuiet)
			}
		}
	}
	on.WriteString(`"/>`)
}

// mark is Joute's, two lances that cross, and its name.
func (on *sheet) mark(fill string, size, right, foot float64) {
	const name = "Joute"
	tall := size * capital
	x := right - strong.width(name, size)
	on.write(fill, strong, size, x, foot, name)
	fmt.Fprintf(on, `<path stroke="%s" stroke-width="%.2f" d="M%.2f %.2fl%.2f %.2[5]fM%.2[3]f %.2[6]fl%.2[5]f %.2[7]f"/>`, fill, tall*0.21, x-size*1.3, foot-tall, tall, foot, -tall)
}
