package contest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// reader collects faults while the tree is read. Reading goes on after a fault,
// with the zero value, so that one pass reports them all.
type reader struct {
	faults Faults
	stored bool // the document was taken once: see ParseStored
}

// value is a place in the tree and the way there.
type value struct {
	*node
	r    *reader
	path string
}

func (v value) fault(format string, args ...any) {
	v.r.faults = append(v.r.faults, Fault{v.path, v.line, fmt.Sprintf(format, args...)})
}

// expected is the usual fault: what should be here, and what is.
func (v value) expected(what string, args ...any) {
	v.fault("expected %s, found %s", fmt.Sprintf(what, args...), v.found())
}

// object is a value's members. Those asked for by name are the known ones.
type object struct {
	value
	asked []string
}

// object reads v as an object; when it is not one, that is a fault and all members are missing.
func (v value) object() *object {
	if v.kind != kindObject {
		v.expected("an object")
		return &object{value: value{&node{kind: kindNull, line: v.line}, v.r, v.path}}
	}
	return &object{value: v}
}

func (v value) member(name string) string {
	if v.path == "" {
		return name
	}
	return v.path + "." + name
}

func (o *object) get(name string) (value, bool) {
	if !slices.Contains(o.asked, name) {
		o.asked = append(o.asked, name)
	}
	for _, m := range o.members {
		if m.name == name {
			return value{m.node, o.r, o.member(name)}, true
		}
	}
	return value{}, false
}

// end reports members nobody asked for, and members given twice.
func (o *object) end() {
	seen := make(map[string]bool, len(o.members))
	for _, m := range o.members {
		at := value{&node{line: m.line}, o.r, o.member(shorten(m.name))}
		switch {
		case seen[m.name]:
			at.fault("expected once, found again")
		case !slices.Contains(o.asked, m.name):
			if near := nearest(m.name, o.asked); near != "" {
				at.fault("unknown member: did you mean %s?", near)
			} else {
				at.fault("unknown member: expected one of %s", strings.Join(o.asked, ", "))
			}
		}
		seen[m.name] = true
	}
}

// optional reads a member when it is there, else takes the default.
func optional[T any](o *object, name string, otherwise T, read func(value) T) T {
	if v, ok := o.get(name); ok {
		return read(v)
	}
	return otherwise
}

// required reads a member; when it is missing, that is a fault.
func required[T any](o *object, name, what string, read func(value) T) T {
	v, ok := o.get(name)
	if ok {
		return read(v)
	}
	var zero T
	// An object that is none has had its fault already.
	if o.kind == kindObject {
		value{o.node, o.r, o.member(name)}.fault("expected %s, found nothing", what)
	}
	return zero
}

// list reads each item of a list. Too few or too many is a fault, and then no item is read.
func list[T any](v value, least, most int, what string, read func(value) T) []T {
	if v.kind != kindList {
		v.expected("a list of %s", what)
		return nil
	}
	if n := len(v.items); n < least || n > most {
		v.fault("expected %d to %d %s, found %d", least, most, what, n)
		return nil
	}
	if len(v.items) == 0 {
		return nil // as if the member were missing: the same contest, the same bytes
	}
	out := make([]T, len(v.items))
	for i, item := range v.items {
		out[i] = read(value{item, v.r, v.path + "[" + strconv.Itoa(i) + "]"})
	}
	return out
}

// nearest is the known name at most two letters away from what was written.
func nearest(name string, known []string) string {
	best, distance := "", 3
	for _, k := range known {
		// Names are short; a long one is nobody's slip.
		if len(name) > 40 {
			break
		}
		if d := editDistance(name, k); d < distance && d < len(k) {
			best, distance = k, d
		}
	}
	return best
}

// editDistance is Levenshtein's, over bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
