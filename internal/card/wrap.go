package card

import "strings"

// block is a text set in lines of one size.
type block struct {
	style
	size  float64
	lead  float64 // from baseline to baseline, in em
	lines []string
}

// height is from the top of the first line's capitals to the last baseline.
func (b block) height() float64 {
	if len(b.lines) == 0 {
		return 0
	}
	return b.size * (capital + float64(len(b.lines)-1)*b.lead)
}

// capital is how tall a capital of the fonts is, in em.
const capital = 0.722

// set finds the largest size from most down to least at which a text stands in
// a box, whole and with no word broken. At least, words are broken and what is
// too much is cut.
func (s style) set(text string, most, least, lead, width, height float64) block {
	for size := most; size > least; size *= 0.94 {
		b := block{s, size, lead, s.wrap(text, size, width, false)}
		if b.lines != nil && b.height() <= height {
			b.lines = s.even(b.lines, text, size, width)
			return b
		}
	}
	b := block{s, least, lead, s.wrap(text, least, width, true)}
	if most := int((height/least-capital)/lead) + 1; len(b.lines) > most {
		b.lines = b.lines[:max(most, 1)]
		last := &b.lines[len(b.lines)-1]
		*last = s.cut(*last+"…", least, width)
	}
	return b
}

// even breaks a text into as many lines of more equal length: a last line of one
// short word looks like a mistake.
func (s style) even(lines []string, text string, size, width float64) []string {
	if len(lines) < 2 {
		return lines
	}
	for narrow := width * 0.95; narrow > width/2; narrow *= 0.95 {
		other := s.wrap(text, size, narrow, false)
		if other == nil || len(other) > len(lines) {
			break
		}
		lines = other
	}
	return lines
}

// wrap breaks a text into lines. Nil says that a word is wider than a line and
// may not be broken.
func (s style) wrap(text string, size, width float64, broken bool) []string {
	var lines []string
	line, used := "", 0.0
	for _, word := range strings.Fields(strings.ReplaceAll(text, "\u00a0", glued)) {
		word = strings.ReplaceAll(word, glued, "\u00a0")
		wide := s.width(word, size)
		if joined := used + s.advance(' ')*size + wide; line != "" && joined <= width {
			line, used = line+" "+word, joined
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for ; wide > width; wide = s.width(word, size) {
			if !broken {
				return nil
			}
			n := s.fits(word, size, width)
			lines = append(lines, word[:n])
			word = word[n:]
		}
		line, used = word, wide
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// glued stands for a space that does not break, which strings.Fields would break.
const glued = "\x00"

// fits is how many bytes of a word a line holds, a letter at least.
func (s style) fits(word string, size, width float64) int {
	used := 0.0
	for i, r := range word {
		if used += s.advance(r) * size; used > width && i > 0 {
			return i
		}
	}
	return len(word)
}
