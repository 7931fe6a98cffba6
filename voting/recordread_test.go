package voting

import (
	"reflect"
	"testing"

	"github.com/google/uuid"
)

// lines are records as they are written.
func lines(t testing.TB) (all [][]byte) {
	cast := Record{
		Position: Position{7, 3, 1_800_000_000_123, 42}, Kind: KindCast, Ballot: uuid.UUID{1, 2}, Entry: "n-1", School: "north",
		Voter: Voter{9, 8}, Standing: Counted, Actor: ActorVoter, Present: true,
	}
	held, join, open := cast, cast, Record{Position: cast.Position, Kind: KindOpen, Actor: ActorOrganizer, Version: 3}
	held.Kind, held.Standing, held.Reasons, held.Actor, held.Policy, held.Model = KindHold, Held, []string{"lockstep", "velocity"}, ActorDetector, "p1", "3"
	join.Kind, join.Standing, join.Into = KindJoin, "", Voter{1}
	for _, r := range []Record{cast, held, join, open} {
		line, err := r.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, line)
	}
	return all
}

func TestRecord_IsReadWithoutReflection(t *testing.T) {
	for _, line := range lines(t) {
		if !new(Record).read(line) {
			t.Errorf("%s is left to the general parser", line)
		}
	}
}

// FuzzRecord_Read holds what is read against the general parser, which goes by the tags.
func FuzzRecord_Read(f *testing.F) {
	for _, line := range lines(f) {
		f.Add(line)
	}
	for _, line := range []string{`{"ballot":"urn:uuid:0198c0de-0000-7000-8000-000000000000"}`, `{"position":""}`, `{"position":"1"}`, `{"voter":""}`, `{"reasons":[]}`, `{"version":9999999999}`} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var got, want Record
		if !got.read(line) {
			return
		}
		if err := want.decode(line); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q is read as %+v, by the general parser as %+v, %v", line, got, want, err)
		}
	})
}

func BenchmarkRecord(b *testing.B) {
	line := lines(b)[0]
	for name, read := range map[string]func(*Record) bool{
		"read":   func(r *Record) bool { return r.read(line) },
		"decode": func(r *Record) bool { return r.decode(line) == nil },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !read(new(Record)) {
					b.Fatal("not read")
				}
			}
		})
	}
}
