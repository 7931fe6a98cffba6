package card

import (
	"image"
	"image/color"
	"math"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/vector"
)

// A canvas has one tone a pixel, from shade over ground to ink: that is all a
// card has, edges between them included, and a small palette makes a small file.
type canvas struct {
	*image.Gray
	buf sfnt.Buffer
}

type tone = uint8

const (
	tones = 16

	shade  tone = 0                                        // the ground, away from the ink: text on it is more readable still
	ground tone = shadeSteps * math.MaxUint8 / (tones - 1) // the accent itself
	ink    tone = math.MaxUint8

	shadeSteps = 2
	shadeDepth = 0.16
)

func newCanvas(width, height int) *canvas {
	c := &canvas{Gray: image.NewGray(image.Rect(0, 0, width, height))}
	for i := range c.Pix {
		c.Pix[i] = ground
	}
	return c
}

type point struct{ x, y float32 }

// fill fills a polygon with a tone.
func (c *canvas) fill(t tone, points ...point) {
	low, high := points[0], points[0]
	for _, p := range points {
		low, high = point{min(low.x, p.x), min(low.y, p.y)}, point{max(high.x, p.x), max(high.y, p.y)}
	}
	at := image.Pt(int(low.x)-1, int(low.y)-1)
	shape := vector.NewRasterizer(int(high.x)+2-at.X, int(high.y)+2-at.Y)
	for i, p := range points {
		x, y := p.x-float32(at.X), p.y-float32(at.Y)
		if i == 0 {
			shape.MoveTo(x, y)
			continue
		}
		shape.LineTo(x, y)
	}
	shape.ClosePath()
	c.blend(shape, at, t)
}

// stroke is a straight line of a width, its ends square.
func (c *canvas) stroke(t tone, from, to point, width float32) {
	dx, dy := to.x-from.x, to.y-from.y
	length := float32(math.Hypot(float64(dx), float64(dy)))
	px, py := -dy/length*width/2, dx/length*width/2
	c.fill(t, point{from.x + px, from.y + py}, point{to.x + px, to.y + py}, point{to.x - px, to.y - py}, point{from.x - px, from.y - py})
}

// rounded fills a square whose corners are round.
func (c *canvas) rounded(t tone, left, top, side, radius float32) {
	const steps = 12 // a quarter of a circle
	var around []point
	for corner, at := range [...]point{{left + side - radius, top + side - radius}, {left + radius, top + side - radius}, {left + radius, top + radius}, {left + side - radius, top + radius}} {
		for i := range steps + 1 {
			sin, cos := math.Sincos((float64(corner) + float64(i)/steps) * math.Pi / 2)
			around = append(around, point{at.x + radius*float32(cos), at.y + radius*float32(sin)})
		}
	}
	c.fill(t, around...)
}

// blend puts a shape's tone over what is there; at is where the shape's corner goes.
func (c *canvas) blend(shape *vector.Rasterizer, at image.Point, t tone) {
	size := shape.Size()
	mask := image.NewAlpha(image.Rectangle{Max: size})
	shape.Draw(mask, mask.Rect, image.Opaque, image.Point{})
	area := image.Rectangle{at, at.Add(size)}.Intersect(c.Rect)
	for y := area.Min.Y; y < area.Max.Y; y++ {
		from := mask.Pix[mask.PixOffset(area.Min.X-at.X, y-at.Y):]
		to := c.Pix[c.PixOffset(area.Min.X, y) : c.PixOffset(area.Max.X-1, y)+1]
		for i, over := range from[:len(to)] {
			if over != 0 {
				to[i] = uint8((int(to[i])*(255-int(over)) + int(t)*int(over) + 127) / 255)
			}
		}
	}
}

// write draws a line of text from x on the baseline y.
func (c *canvas) write(t tone, s style, size float64, x, y float64, text string) {
	width := int(math.Ceil(s.width(text, size)+size)) + 2
	left, top := int(math.Floor(x))-int(size/4)-1, int(math.Floor(y-size*1.2))
	shape := vector.NewRasterizer(width+int(size/2), int(size*1.7)+2)
	s.outline(&c.buf, size, x-float64(left), y-float64(top), text, func(op sfnt.SegmentOp, p [3]point) {
		switch op {
		case sfnt.SegmentOpMoveTo:
			shape.ClosePath()
			shape.MoveTo(p[0].x, p[0].y)
		case sfnt.SegmentOpLineTo:
			shape.LineTo(p[0].x, p[0].y)
		case sfnt.SegmentOpQuadTo:
			shape.QuadTo(p[0].x, p[0].y, p[1].x, p[1].y)
		case sfnt.SegmentOpCubeTo:
			shape.CubeTo(p[0].x, p[0].y, p[1].x, p[1].y, p[2].x, p[2].y)
		}
	})
	shape.ClosePath()
	c.blend(shape, image.Pt(left, top), t)
}

// paletted gives the tones their colours.
func (c *canvas) paletted(groundColour, inkColour color.RGBA) *image.Paletted {
	away := color.RGBA{A: 0xff}
	if brightness(inkColour) < brightness(groundColour) {
		away = color.RGBA{0xff, 0xff, 0xff, 0xff}
	}
	palette := make(color.Palette, tones)
	for i := range palette {
		if i < shadeSteps {
			palette[i] = mix(groundColour, away, shadeDepth*float64(shadeSteps-i)/shadeSteps)
			continue
		}
		palette[i] = mix(groundColour, inkColour, float64(i-shadeSteps)/(tones-1-shadeSteps))
	}
	out := image.NewPaletted(c.Rect, palette)
	for i, t := range c.Pix {
		out.Pix[i] = uint8((int(t)*(tones-1) + math.MaxUint8/2) / math.MaxUint8)
	}
	return out
}

func brightness(c color.RGBA) int { return 2*int(c.R) + 5*int(c.G) + int(c.B) }

func mix(a, b color.RGBA, share float64) color.RGBA {
	one := func(a, b uint8) uint8 { return uint8(math.Round(float64(a)*(1-share) + float64(b)*share)) }
	return color.RGBA{one(a.R, b.R), one(a.G, b.G), one(a.B, b.B), 0xff}
}
