package arena

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/joute/joute/contest"
	"github.com/joute/joute/internal/farmlab"
	"github.com/joute/joute/internal/farmlab/attack"
	"github.com/joute/joute/voting/sweep"
)

// Rehearsal is an organizer's own contest, with a crowd and farms that are made up.
type Rehearsal struct {
	Contest  *contest.Contest
	Seed     uint64
	Voters   int                 // of the crowd, beside those who come together
	Networks bool                // kinds of networks are known, as with serve --networks
	Finder   func() sweep.Finder // nil: detect.New
}

// sweeps is how often the detectors look in a rehearsal at most: often enough for what
// is void to be met again, and seldom enough to be done in a minute.
const sweeps = 40

// ErrTooFew is returned for a contest in which there is nothing to choose.
var ErrTooFew = errors.New("a rehearsal takes at least two entries that are not hidden")

func (r Rehearsal) mix() farmlab.Mix {
	m := farmlab.Mix{Of: r.Contest, Voters: r.Voters}
	if !r.Networks {
		m.Members.UnknownNets = 1
	}
	if r.Contest.Identity == contest.LevelPartner {
		m.Members.Profiles = 0.85
	}
	part := func(share float64) int { return max(20, int(share*float64(r.Voters))) }
	m.Crowds = []farmlab.Cohort{
		{Kind: "campus", Voters: part(0.2)}, {Kind: "viral", Voters: part(0.2)}, {Kind: "radio", Voters: part(0.1)}, {Kind: "carrier", Voters: part(0.05)},
		{Kind: "fanclub", Voters: part(0.03)}, {Kind: "computer-room", Voters: 30}, {Kind: "family"}, {Kind: "bus"},
	}
	m.Farms = []farmlab.Cohort{
		{Kind: "burst", Voters: part(0.06)}, {Kind: "link", Voters: part(0.06)}, {Kind: "proxies", Voters: part(0.06)}, {Kind: "drip", Voters: part(0.06)},
		{Kind: "lone", Voters: 25}, {Kind: "lone-campus", Voters: 25},
	}
	return m
}

// Became is how many attempts came to what.
type Became struct {
	Attempts   int `json:"attempts"`
	Challenged int `json:"challenged"` // asked for a challenge, and then taken
	Counted    int `json:"counted"`
	Held       int `json:"held"`
	Void       int `json:"void"`
	Rejected   int `json:"rejected"`
}

func (b *Became) add(standing attack.Standing, challenges int) {
	b.Attempts++
	b.Challenged += challenges
	switch standing {
	case attack.Counted:
		b.Counted++
	case attack.Held:
		b.Held++
	case attack.Void:
		b.Void++
	case attack.Rejected:
		b.Rejected++
	}
}

// Sides are what became of the honest and of farms.
type Sides struct {
	Honest Became `json:"honest"`
	Farms  Became `json:"farms"`
}

// Rehearsed is what would have become of a contest.
type Rehearsed struct {
	Contest string            `json:"contest"`
	Policy  string            `json:"policy"`
	Seed    uint64            `json:"seed"`
	All     Sides             `json:"all"`
	Schools map[string]*Sides `json:"schools"`
	Groups  map[string]Became `json:"groups"`  // kinds of crowds and farms
	Reasons map[string]*Sides `json:"reasons"` // of what is not counted
	Known   int               `json:"known_farms"`
}

// Run plays the contest from its opening to its close.
func (r Rehearsal) Run(ctx context.Context) (*Rehearsed, error) {
	if shown := slices.DeleteFunc(slices.Clone(r.Contest.Entries), func(e contest.Entry) bool { return e.Hidden }); len(shown) < 2 {
		return nil, ErrTooFew
	}
	w := farmlab.Make(r.mix(), r.Seed)
	voting := r.Contest.Phases.Voting
	a := New(r.Contest, Options{Finder: r.Finder, Every: max(time.Minute, voting.Closes.Sub(voting.Opens)/sweeps), Many: max(200, len(w.Ballots)/sweeps)})
	acts := make([]attack.Act, len(w.Ballots))
	ids := make([]string, len(w.Ballots))
	for i, b := range w.Ballots {
		if !contest.Level(b.Level).AtLeast(r.Contest.Identity) {
			b.Level = string(r.Contest.Identity) // who votes here proves what is asked for
		}
		label := w.Labels[b.Voter]
		acts[i], ids[i] = attack.Act{Ballot: b, Issued: b.At.Add(-20 * time.Second), Farm: label.Farm, Group: label.Group}, b.ID
	}
	told, err := a.Cast(ctx, acts)
	if err != nil {
		return nil, fmt.Errorf("rehearsal: %w", err)
	}
	if err := a.Close(ctx); err != nil {
		return nil, fmt.Errorf("rehearsal: %w", err)
	}
	fates, err := a.Ask(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("rehearsal: %w", err)
	}
	out := &Rehearsed{
		Contest: r.Contest.ID, Policy: r.Contest.Antifraud.Policy.Name, Seed: r.Seed, Known: len(a.farms),
		Schools: map[string]*Sides{}, Groups: map[string]Became{}, Reasons: map[string]*Sides{},
	}
	for i := range acts {
		fate, in := fates[acts[i].ID]
		if !in {
			fate = attack.Fate{Standing: told[i].Standing, Reasons: told[i].Reasons}
		}
		out.add(&acts[i], fate, told[i].Challenges)
	}
	return out, nil
}

func (o *Rehearsed) add(act *attack.Act, fate attack.Fate, challenges int) {
	side := func(s *Sides) *Became {
		if act.Farm {
			return &s.Farms
		}
		return &s.Honest
	}
	of := func(all map[string]*Sides, name string) *Became {
		if all[name] == nil {
			all[name] = &Sides{}
		}
		return side(all[name])
	}
	side(&o.All).add(fate.Standing, challenges)
	of(o.Schools, act.School).add(fate.Standing, challenges)
	group := o.Groups[act.Group]
	group.add(fate.Standing, challenges)
	o.Groups[act.Group] = group
	if fate.Standing != attack.Counted {
		for _, reason := range fate.Reasons {
			of(o.Reasons, reason).add(fate.Standing, 0)
		}
	}
}

// Table writes what would have become of the contest, for its organizer.
func (o *Rehearsed) Table(to io.Writer) error {
	t := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "%s, policy %s\tattempts\tcounted\tchallenged\theld\tvoid\trejected\thonest among those not counted\n", o.Contest, o.Policy)
	row := func(name string, s Sides) {
		h, f := s.Honest, s.Farms
		lost := h.Held + h.Void + h.Rejected
		all := lost + f.Held + f.Void + f.Rejected
		share := "-"
		if all > 0 {
			share = fmt.Sprintf("%d of %d (%.1f %%)", lost, all, 100*float64(lost)/float64(all))
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n", name, h.Attempts+f.Attempts, h.Counted+f.Counted, h.Challenged+f.Challenged, h.Held+f.Held, h.Void+f.Void, h.Rejected+f.Rejected, share)
	}
	section := func(name string) { fmt.Fprintln(t, name+strings.Repeat("\t", 7)) } // with its cells, or columns end there
	row("all", o.All)
	row("  of honest voters", Sides{Honest: o.All.Honest})
	row("  of farms", Sides{Farms: o.All.Farms})
	section("by school")
	for _, name := range most(o.Schools) {
		row("  "+name, *o.Schools[name])
	}
	section("by reason")
	for _, name := range most(o.Reasons) {
		row("  "+name, *o.Reasons[name])
	}
	section("by kind of crowd or farm")
	for _, name := range slices.Sorted(maps.Keys(o.Groups)) {
		s := Sides{Honest: o.Groups[name]}
		if slices.Contains(farmlab.Farms, name) {
			s = Sides{Farms: o.Groups[name]}
		}
		row("  "+name, s)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	lines := []string{fmt.Sprintf("%d farms were known at the door in the end.", o.Known)}
	if h := o.All.Honest; h.Attempts > 0 {
		lines = append(lines, fmt.Sprintf("Of %d honest ballots %.2f %% were not counted, and %.2f %% took a challenge.", h.Attempts, 100*float64(h.Held+h.Void+h.Rejected)/float64(h.Attempts), 100*float64(h.Challenged)/float64(h.Attempts)))
	}
	_, err := fmt.Fprintln(to, strings.Join(lines, "\n"))
	return err
}

// most are the names, those with most attempts that are not counted first.
func most(of map[string]*Sides) []string {
	lost := func(name string) int {
		s := of[name]
		return s.Honest.Attempts - s.Honest.Counted + s.Farms.Attempts - s.Farms.Counted
	}
	return slices.SortedFunc(maps.Keys(of), func(a, b string) int { return cmp.Or(lost(b)-lost(a), strings.Compare(a, b)) })
}
