package window

// count is what was counted of one key.
type count struct {
	key          uint64 // 0: the place is free
	day          uint32 // in the generation of the day whose table this is
	hour, before uint32 // in generation gen of the hour, and in the one before it
	gen          uint32
}

// inHour is what was counted in a generation of the hour, and in the one before.
func (c *count) inHour(gen uint32) (now, before uint32) {
	switch gen - c.gen {
	case 0:
		return c.hour, c.before
	case 1:
		return 0, c.hour
	default:
		return 0, 0
	}
}

// table has a count for each key. Screening looks up some dozen keys a cast, among
// hundreds of thousands: what it costs is memory that is in no cache, and here that
// is one place a key, where the map of the language takes three. Keys are stirred
// already, so their bits are the place.
type table struct {
	parts [64]part // each grows alone, so that no cast waits for all of it
	keys  int
}

type part struct {
	places []count // a power of two, three quarters of them used at most
	used   int
}

// find is the count of a key, or nil.
func (t *table) find(key uint64) *count {
	p := &t.parts[key>>58]
	if len(p.places) == 0 {
		return nil
	}
	if c := p.place(key); c.key == key {
		return c
	}
	return nil
}

// reach reads where a key's place would be, so that it is in the processor's cache.
func (t *table) reach(key uint64) uint64 {
	p := &t.parts[key>>58]
	if len(p.places) == 0 {
		return 0
	}
	return p.places[key&uint64(len(p.places)-1)].key
}

// at is the count of a key, zero where there was none.
func (t *table) at(key uint64) *count {
	p := &t.parts[key>>58]
	if 4*(p.used+1) > 3*len(p.places) {
		p.grow()
	}
	c := p.place(key)
	if c.key != key {
		c.key = key
		p.used++
		t.keys++
	}
	return c
}

// place is where a key is, or the free place where it belongs.
func (p *part) place(key uint64) *count {
	for at, mask := key, uint64(len(p.places)-1); ; at++ {
		if c := &p.places[at&mask]; c.key == key || c.key == 0 {
			return c
		}
	}
}

func (p *part) grow() {
	former := p.places
	p.places = make([]count, max(2*len(former), 16))
	for i := range former {
		if c := &former[i]; c.key != 0 {
			*p.place(c.key) = *c
		}
	}
}
