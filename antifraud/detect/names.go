package detect

import "hash/maphash"

// names gives each text a small code, in the order in which they come. What a contest's
// voters show is mostly seen once, so a text takes its bytes and some twenty more; and no
// pointer is among them, so the collector passes by.
type names struct {
	all   []byte // the texts, one after another
	ends  []int  // of each in all, by code
	slots []slot // a power of two of them, at most three quarters taken
	seed  maphash.Seed
}

// slot is a place of the table: a text's hash, and one more than its code; 0: it is free.
type slot struct{ hash, after uint32 }

const fewestSlots = 16

// code gives the text's code, a new one the first time, and unseen for none.
func (n *names) code(text string) int32 {
	if text == "" {
		return unseen
	}
	if n.slots == nil {
		n.slots, n.seed = make([]slot, fewestSlots), maphash.MakeSeed()
	}
	hash := uint32(maphash.String(n.seed, text))
	i := n.place(hash)
	for ; n.slots[i].after != 0; i = (i + 1) & (len(n.slots) - 1) {
		if s := n.slots[i]; s.hash == hash && string(n.bytes(int32(s.after-1))) == text {
			return int32(s.after - 1)
		}
	}
	n.all = append(n.all, text...)
	n.ends = append(n.ends, len(n.all))
	n.slots[i] = slot{hash, uint32(len(n.ends))}
	if len(n.ends) > len(n.slots)/4*3 {
		n.grow()
	}
	return int32(len(n.ends) - 1)
}

// place is where a text of this hash is looked for first.
func (n *names) place(hash uint32) int { return int(hash) & (len(n.slots) - 1) }

func (n *names) grow() {
	old := n.slots
	n.slots = make([]slot, 2*len(old))
	for _, s := range old {
		if s.after == 0 {
			continue
		}
		i := n.place(s.hash)
		for n.slots[i].after != 0 {
			i = (i + 1) & (len(n.slots) - 1)
		}
		n.slots[i] = s
	}
}

func (n *names) bytes(code int32) []byte {
	from := 0
	if code > 0 {
		from = n.ends[code-1]
	}
	return n.all[from:n.ends[code]]
}

// text is the one that has a code.
func (n *names) text(code int32) string { return string(n.bytes(code)) }

// count is how many there are.
func (n *names) count() int { return len(n.ends) }
