package card

import "strings"

const (
	margin = 64.0

	// The panel of the place stands on the right, its edge as oblique as a lance.
	panelTop, panelFoot = 840.0, 760.0
	panelLeft           = panelTop + 28 // text in it, clear of the edge from the lines on
	narrow              = panelFoot - margin - 40
)

func (c *Card) draw() *canvas {
	on := newCanvas(Width, Height)
	width := Width - 2*margin
	if c.Figure != "" || len(c.Rows) > 0 {
		width = narrow
		on.fill(shade, point{panelTop - 44, 0}, point{panelTop - 26, 0}, point{panelFoot - 26, Height}, point{panelFoot - 44, Height})
		on.fill(ink, point{panelTop, 0}, point{Width, 0}, point{Width, Height}, point{panelFoot, Height})
		c.panel(on)
		on.mark(ground, 26, Width-margin*3/4, Height-margin)
	} else {
		on.stroke(shade, point{700, Height + 40}, point{1240, -60}, 74)
		on.stroke(shade, point{740, -60}, point{1300, Height + 40}, 74)
		on.mark(ink, 26, Width-margin*3/4, Height-margin)
	}
	c.text(on, width)
	return on
}

// text is the left side: whose contest, what it is about, until when. Only the
// heading and what is below it ever use more than the left side.
func (c *Card) text(on *canvas, width float64) {
	top := margin + 22
	if brand := drawable(c.Brand); brand != "" {
		on.write(ink, spaced, 26, margin, top, spaced.cut(strings.ToUpper(brand), 26, narrow))
		top += 42
	}
	if part := drawable(c.Above); part != "" {
		on.write(ink, plain, 30, margin, top, plain.cut(part, 30, narrow))
		top += 20
	}
	foot := float64(Height) - margin
	until := strong.set(drawable(c.Foot), 26, 23, 1.3, narrow, 62)
	for i, line := range until.lines {
		on.write(ink, strong, until.size, margin, foot-float64(len(until.lines)-1-i)*until.size*until.lead, line)
	}
	foot -= until.height() + 48

	const above = 40 // the accent of an É included
	heading := drawable(c.Heading)
	if heading == "" {
		heading = drawable(c.Instead)
	}
	below := drawable(c.Below)
	room := foot - top - above
	if below != "" {
		room -= 76
	}
	b := title.set(heading, 128, 42, 1.06, width, room)
	// In the middle of what is free, a little high, as the eye has it.
	y := top + above + (room-b.height())*0.45 + b.size*capital
	for _, line := range b.lines {
		on.write(ink, b.style, b.size, margin-b.size*0.05, y, line)
		y += b.size * b.lead
	}
	if below != "" {
		y += 56 + b.size*0.14 - b.size*b.lead
		on.write(ink, plain, 38, margin, y, plain.cut(below, 38, width))
	}
}

// panel is the right side, in the ground's colour on the ink's.
func (c *Card) panel(on *canvas) {
	if len(c.Rows) > 0 {
		c.rows(on)
		return
	}
	const width = Width - margin/2 - panelLeft
	const middle = (panelLeft + Width - margin/2) / 2
	suffix := func(size float64) float64 { return strong.width(c.Suffix, size*0.4) }
	size := 270.0
	for size > 60 && title.width(c.Figure, size)+suffix(size) > width {
		size *= 0.95
	}
	lines := 0.0
	for range c.Lines {
		lines += 50
	}
	height := size*capital + lines + 24
	y := (Height-height)/2 + size*capital
	x := middle - (title.width(c.Figure, size)+suffix(size))/2
	on.write(ground, title, size, x, y, c.Figure)
	on.write(ground, strong, size*0.4, x+title.width(c.Figure, size)+size*0.02, y-size*(capital-0.4*capital), c.Suffix)
	y += 24
	for i, line := range c.Lines {
		y += 50
		s, size := plain, 32.0
		line = drawable(line)
		if i == 0 {
			s, size = strong, 36
		}
		for size > 20 && s.width(line, size) > width {
			size--
		}
		line = s.cut(line, size, width)
		on.write(ground, s, size, middle-s.width(line, size)/2, y, line)
	}
}

// rows are the first places, one under the other.
func (c *Card) rows(on *canvas) {
	const step = 150.0
	y := (Height - step*float64(len(c.Rows)-1)) / 2
	for i, row := range c.Rows {
		x := panelLeft - 40 + (panelFoot-panelTop)*(y-Height/2)/Height
		size := 92.0 - 14*float64(i)
		on.write(ground, title, size, x, y+size*capital/2, title.cut(row.Place, size, 90))
		x += title.width("0", 92) + 22
		name := strong.set(drawable(row.Name), 36, 25, 1.15, Width-margin/2-x, 100)
		at := y - name.height()/2 + name.size*capital
		for _, line := range name.lines {
			on.write(ground, name.style, name.size, x, at, line)
			at += name.size * name.lead
		}
		y += step
	}
}

// mark is Joute's, two lances that cross, and its name.
func (c *canvas) mark(t tone, size, right, foot float64) {
	const name = "Joute"
	tall := float32(size * capital)
	x := right - strong.width(name, size)
	c.write(t, strong, size, x, foot, name)
	left, low := float32(x-size*1.3), float32(foot)
	c.stroke(t, point{left, low}, point{left + tall, low - tall}, tall*0.21)
	c.stroke(t, point{left, low - tall}, point{left + tall, low}, tall*0.21)
}
