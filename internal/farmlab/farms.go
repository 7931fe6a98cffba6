package farmlab

import (
	"fmt"
	"time"

	"github.com/joute/joute/antifraud"
)

// tools are what a farm works with: what it is short of is what it repeats.
type tools struct {
	exits   []address // nil: a home of its own for each voter
	gadgets []gadget  // nil: each voter has an own, as honest people do
	pace    float64   // median dwell in seconds; 0: it opens no page
	jitter  float64   // of its logarithm; people have about 0.7 among them
	come    []visit   // each as likely
	account account
	genuine float64 // share of the accounts that look like anybody's
	astray  float64 // share of the workers with a device of their own, and of those at home
}

// farm plays people or programs that are paid for votes, or one who cheats.
func (w *world) farm(f Cohort) {
	n := w.sizes(f)
	switch f.Kind {
	case "burst":
		w.burst(n(80, 320))
	case "drip":
		w.drip(n(80, 280))
	case "camouflage":
		w.camouflage(n(80, 260))
	case "single":
		w.single(n(80, 240))
	case "aged":
		w.aged(n(60, 220))
	case "churn":
		w.churn(n(80, 260))
	case "spoof":
		w.spoof(n(80, 320))
	case "hoard":
		w.hoard(n(60, 300))
	case "lone":
		w.lone(n(5, 80), false)
	case "lone-campus":
		w.lone(n(5, 80), true)
	case "link":
		w.link(n(80, 300))
	case "proxies":
		w.smallPool(n(80, 300), "proxies", w.targets(1, 3))
	case "false-flag":
		w.smallPool(n(80, 300), "false-flag", w.favourite())
	default:
		panic(fmt.Sprintf("farmlab: there is no farm of kind %q", f.Kind))
	}
}

// targets are entries that a farm is paid for: not the loved ones alone.
func (w *world) targets(least, most int) []int {
	return w.Perm(len(w.entries))[:min(w.between(least, most), len(w.entries))]
}

// favourite is an entry that is first by itself, or second: who pays for it
// wants it thrown out.
func (w *world) favourite() []int {
	votes := map[string]int{}
	for _, b := range w.ballots {
		if !w.labels[b.Voter].Farm {
			votes[b.Entry]++
		}
	}
	first, second := 0, 0
	for i, e := range w.entries {
		switch n := votes[e.id]; {
		case n > votes[w.entries[first].id]:
			first, second = i, first
		case i != first && (second == first || n > votes[w.entries[second].id]):
			second = i
		}
	}
	return []int{[]int{first, second}[w.IntN(2)]}
}

// worker is one voter of a farm's.
func (w *world) worker(t *tools, group string) *voter {
	v := &voter{id: w.name(), level: "device", school: -1, pace: t.pace, jitter: t.jitter, confirm: w.habits.confirm}
	if t.jitter < 0.3 {
		v.confirm = 250
	}
	v.home = w.exit(t)
	if t.gadgets == nil || w.chance(t.astray) {
		v.gadget = w.own()
	} else {
		v.gadget = pick(w.dice, t.gadgets)
	}
	if w.chance(0.3 * w.mix.Members.Email) { // inboxes are cheap, not free
		v.level = "email"
	}
	if w.chance(w.mix.Members.Profiles) {
		kind := t.account
		if w.chance(t.genuine) {
			kind = lived
		}
		v.level, v.profile = "partner", w.profile(kind)
	}
	return w.label(v, true, group)
}

func (w *world) exit(t *tools) address {
	if t.exits == nil || w.chance(t.astray) {
		return w.home()
	}
	return pick(w.dice, t.exits)
}

// order is what a worker casts: for most or all of the targets, in the windows,
// now and then through another exit.
func (w *world) order(t *tools, group string, targets []int, windows []window, most int) {
	v := w.worker(t, group)
	hours := pick(w.dice, windows)
	come := pick(w.dice, t.come)
	for _, to := range some(w.dice, targets, min(len(targets), most)) {
		if t.exits != nil && w.chance(0.4) {
			v.home = w.exit(t)
		}
		w.cast(v, w.pays(hours, t), to, come)
	}
}

// pays is when a farm casts: programs at any time, patient ones by day.
func (w *world) pays(hours window, t *tools) time.Time {
	if t.jitter < 0.3 {
		return hours.any(w.dice)
	}
	return w.calendar.by(w.dice, hours)
}

// disguise is how a farm's visitors say they came. The school's own link is
// public: a farm may use it.
func (w *world) disguise(targets []int, linked float64) []visit {
	main := []visit{
		{referrer: antifraud.ReferrerSocial}, {referrer: antifraud.ReferrerDirect}, {}, {referrer: antifraud.ReferrerSite},
	}[w.IntN(4)]
	all := make([]visit, 20)
	for i := range all {
		switch {
		case w.chance(linked):
			all[i] = visit{referrer: antifraud.ReferrerShare, via: w.schools[w.entries[targets[0]].school].link, opened: w.opens && w.chance(0.5)}
		case w.chance(0.85):
			all[i] = main
		default:
			all[i] = visit{referrer: antifraud.ReferrerSearch}
		}
	}
	return all
}
