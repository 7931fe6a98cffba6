package attack

import (
	"context"
	"slices"
	"time"
)

// Quorum is the ballot of a wave from which its detection is timed.
const Quorum = 50

// end fills in what became of a wave.
func (r *Round) end(votes []vote, fates []Fate) {
	for i, v := range votes {
		if !v.own {
			r.Decoys++
			continue
		}
		r.Votes++
		switch fates[i].Standing {
		case Counted:
			r.Counted++
			if fates[i].Asked {
				r.Asked++
			}
		case Held:
			r.Held++
		case Void:
			r.Void++
		case Rejected:
			r.Rejected++
		default:
			r.Refused++
		}
	}
	r.Surviving = float64(r.Counted) / float64(max(1, r.Votes))
	if r.Counted > 0 {
		price := r.Spent / float64(r.Counted)
		r.Price = &price
	}
	r.DetectSeconds = detected(votes, fates)
}

// detected is how long after its quorum half of a wave's ballots counted no more.
func detected(votes []vote, fates []Fate) *float64 {
	var cast, fell []time.Time
	for i, v := range votes {
		f := fates[i]
		if !v.own || f.Cast.IsZero() {
			continue
		}
		cast = append(cast, f.Cast)
		if f.Standing != Counted {
			fell = append(fell, f.Since)
		}
	}
	if len(cast) < Quorum || 2*len(fell) < len(cast) {
		return nil
	}
	slices.SortFunc(cast, time.Time.Compare)
	slices.SortFunc(fell, time.Time.Compare)
	took := max(0, fell[(len(cast)+1)/2-1].Sub(cast[Quorum-1]).Seconds())
	return &took
}

// audience is the crowd, and what it was told.
type audience struct {
	ids     []string
	group   map[string]string
	answers map[string]Answer
	held    map[string]bool // were, when their voters could look, and whether these answer
	proved  int
}

func (a *audience) heard(act Act, told Answer) {
	a.ids = append(a.ids, act.ID)
	a.group[act.ID], a.answers[act.ID] = act.Group, told
}

// end is what became of the crowd's ballots.
func (a *audience) end(ctx context.Context, g Ground) (Honest, error) {
	h := Honest{Groups: map[string]int{}, EverHeld: len(a.held), Proved: a.proved}
	var in []string
	for _, id := range a.ids {
		told := a.answers[id]
		if told.Standing == Refused { // by the rules, as anybody who comes too late
			continue
		}
		h.Ballots++
		if told.Challenges > 0 {
			h.Challenged++
		}
		if told.Standing == Rejected {
			h.Rejected++
			h.Groups[a.group[id]]++
			continue
		}
		in = append(in, id)
	}
	fates, err := g.Ask(ctx, in)
	if err != nil {
		return h, err
	}
	for id, fate := range fates {
		if fate.Standing != Counted {
			h.Groups[a.group[id]]++
		}
		if fate.Asked {
			h.Asked++
		}
		switch fate.Standing {
		case Held:
			h.Held++
		case Void:
			h.Void++
		}
	}
	return h, nil
}
