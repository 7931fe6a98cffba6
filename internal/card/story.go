package card

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"strings"

	"rsc.io/qr"
)

// StoryWidth and storyHeight fill a phone held upright.
const StoryWidth, storyHeight = 1080, 1920

// Apps lay their own buttons over the top and the foot of a story: nothing that
// must be read is there.
const (
	storyTop  = 250.0
	storyFoot = storyHeight - 340.0
)

const (
	storyMargin = 84.0
	storyWidth  = StoryWidth - 2*storyMargin

	// codeSide is the least a code's side measures, its quiet zone aside: a third
	// of the width is scanned from one phone by another.
	codeSide  = 400
	codeQuiet = 4 // modules, as ISO/IEC 18004 has it
)

// Story is a picture to post: what to vote for, and the way there as a code and as
// text. It has no number, so that it is never old and tells nothing that is hidden.
type Story struct {
	Ground, Ink color.RGBA // Ink, white or black, is for text on Ground

	Brand   string // whose contest it is
	Above   string // the contest
	Call    string // "vote for", said to who sees it
	Heading string
	Instead string // when nothing of Heading can be drawn
	Below   string

	Link  string // where the code leads
	Shown string // the same for people to type
}

// Version tells stories apart that do not look the same. It proves nothing.
func (s *Story) Version() string { return versionOf(s) }

// PNG draws the story. It fails when the link is too long for a code.
func (s *Story) PNG() ([]byte, error) {
	code, err := qr.Encode(s.Link, qr.M)
	if err != nil {
		return nil, fmt.Errorf("card: story: %w", err)
	}
	on := newCanvas(StoryWidth, storyHeight)
	square := s.draw(on, code.Size+2*codeQuiet, codeScale(code))
	picture := on.paletted(s.Ground, s.Ink)
	picture.Palette = append(picture.Palette, opposite(s.Ink))
	stamp(picture, code, square, codeScale(code))
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		return nil, fmt.Errorf("card: story: %w", err)
	}
	return out.Bytes(), nil
}

// codeScale is how many pixels a module has.
func codeScale(code *qr.Code) int { return (codeSide + code.Size - 1) / code.Size }

// draw draws all but the code, and says where that goes: a square of so many
// modules with the quiet zone in it.
func (s *Story) draw(on *canvas, modules, scale int) (square image.Point) {
	on.stroke(shade, point{-80, 1500}, point{900, -120}, 150)
	on.stroke(shade, point{180, -120}, point{1240, 1500}, 150)
	// The foot is another colour, its edge as oblique as a lance: apps write over it.
	on.fill(ink, point{0, 1700}, point{StoryWidth, 1610}, point{StoryWidth, storyHeight}, point{0, storyHeight})
	on.fill(shade, point{0, 1672}, point{StoryWidth, 1582}, point{StoryWidth, 1596}, point{0, 1686})
	on.mark(ground, 48, StoryWidth-storyMargin, 1740)

	top := storyTop + 34
	if brand := drawable(s.Brand); brand != "" {
		on.write(ink, spaced, 34, storyMargin, top, spaced.cut(strings.ToUpper(brand), 34, storyWidth))
		top += 56
	}
	if contest := drawable(s.Above); contest != "" {
		on.write(ink, plain, 42, storyMargin, top, plain.cut(contest, 42, storyWidth))
		top += 30
	}

	// From the foot up: the link, the code over it.
	shown := strong.set(s.Shown, 42, 26, 1.2, storyWidth, 64)
	y := storyFoot - float64(len(shown.lines)-1)*shown.size*shown.lead - 12
	for i, line := range shown.lines {
		on.write(ink, shown.style, shown.size, (StoryWidth-shown.width(line, shown.size))/2, y+float64(i)*shown.size*shown.lead, line)
	}
	const rim = 14 // of ink, so that the code's white stands out of a light ground too
	side := float64(modules * scale)
	corner := point{float32(math.Round((StoryWidth - side) / 2)), float32(math.Round(y - 66 - rim - side))}
	on.rounded(ink, corner.x-rim, corner.y-rim, float32(side+2*rim), 32)

	foot := float64(corner.y) - rim - 56
	s.text(on, top, foot)
	return image.Pt(int(corner.x), int(corner.y))
}

// text is what to vote for, between two heights.
func (s *Story) text(on *canvas, top, foot float64) {
	call, below := strong.cut(drawable(s.Call), 52, storyWidth), drawable(s.Below)
	heading := drawable(s.Heading)
	if heading == "" {
		heading = drawable(s.Instead)
	}
	const callRoom, belowRoom = 96.0, 74.0
	room := foot - top - 40
	if call != "" {
		room -= callRoom
	}
	if below != "" {
		room -= belowRoom
	}
	b := title.set(heading, 152, 46, 1.06, storyWidth, room)
	y := top + 40 + (room-b.height())*0.45
	if call != "" {
		on.write(ink, strong, 52, storyMargin, y+52*capital, call)
		y += callRoom
	}
	y += b.size * capital
	for _, line := range b.lines {
		on.write(ink, b.style, b.size, storyMargin-b.size*0.05, y, line)
		y += b.size * b.lead
	}
	if below != "" {
		y += belowRoom - b.size*(b.lead-0.14)
		on.write(ink, plain, 44, storyMargin, y, plain.cut(below, 44, storyWidth))
	}
}

// stamp draws a code in black on white, whatever the contest's colours: that is
// what every scanner reads.
func stamp(on *image.Paletted, code *qr.Code, at image.Point, scale int) {
	white, black := uint8(tones-1), uint8(tones) // the ink, and what is not
	if brightness(on.Palette[white].(color.RGBA)) == 0 {
		white, black = black, white
	}
	side := (code.Size + 2*codeQuiet) * scale
	for y := range side {
		row := on.Pix[on.PixOffset(at.X, at.Y+y):][:side]
		for x := range row {
			row[x] = white
			if code.Black(x/scale-codeQuiet, y/scale-codeQuiet) {
				row[x] = black
			}
		}
	}
}

// opposite is white for black, and black for anything else.
func opposite(c color.RGBA) color.RGBA {
	if brightness(c) == 0 {
		return color.RGBA{0xff, 0xff, 0xff, 0xff}
	}
	return color.RGBA{A: 0xff}
}
