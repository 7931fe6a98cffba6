package farmlab

import (
	"time"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/antifraud/detect"
)

// voter is somebody with a pass, or what a farm has of such.
type voter struct {
	id        string
	home      address
	away      *address // where some of the ballots come from
	awayShare float64
	gadget    gadget
	second    *gadget // a second device that holds the same pass
	pace      float64 // median dwell, in seconds; 0: no page is ever opened, or none that sees
	jitter    float64 // of its logarithm
	confirm   float64 // median, in milliseconds
	level     string
	profile   *antifraud.EvidenceProfile
	present   bool
	school    int // that an address proves; -1: none
	turns     map[turn]int
}

// turn is a period, and an entry in it or -1 for any.
type turn struct{ day, entry int }

// visit is how a voter came to the page.
type visit struct {
	referrer antifraud.Referrer
	via      string
	embed    string
	opened   bool
}

// label tells the truth about a voter, once.
func (w *world) label(v *voter, farm bool, group string) *voter {
	w.labels[v.id] = Label{Farm: farm, Group: group}
	return v
}

// honest is a new honest voter, by no cohort's habits.
func (w *world) honest(group string) *voter {
	h := &w.habits
	v := &voter{id: w.name(), gadget: w.own(), level: "device", school: -1, confirm: h.confirm * w.lognormal(1, 0.3)}
	switch {
	case len(w.households) > 0 && w.chance(h.withFamily):
		v.home = pick(w.dice, w.households)
	case w.chance(h.byTunnel):
		v.home = w.tunnel()
	case v.gadget.phone && w.chance(h.onMobile/0.75):
		v.home = w.onMobile()
	default:
		v.home = w.home()
		w.households = append(w.households, v.home)
	}
	if v.gadget.phone && w.chance(0.15) {
		mobile := w.onMobile()
		v.away, v.awayShare = &mobile, 0.4
	}
	if w.chance(0.03) {
		other := w.own()
		v.second = &other
	}
	v.pace, v.jitter = h.pace*w.lognormal(1, 0.45), 0.55
	if !v.gadget.phone {
		v.pace *= 1.7
	}
	if w.chance(h.silent) {
		v.pace, v.gadget.device, v.second = 0, "", nil
	}
	w.prove(v)
	return w.label(v, false, group)
}

// prove gives an honest voter what the contest asks for beside a device.
func (w *world) prove(v *voter) {
	m := w.mix.Members
	if w.chance(m.Email) {
		v.level = "email"
		if w.chance(0.4) {
			v.school = w.IntN(len(w.schools))
		}
	}
	if w.chance(m.Profiles) {
		kind := lived
		if w.chance(w.habits.emptyProfile) {
			kind = empty
		}
		v.level, v.profile = "partner", w.profile(kind)
	}
}

// atSchool moves a voter to a school: its campus is where they vote, or their
// second place.
func (w *world) atSchool(v *voter, at int, share float64) {
	campus := pick(w.dice, w.schools[at].campus)
	v.away, v.awayShare = &campus, share
	if v.school >= 0 {
		v.school = at
	}
	v.present = w.chance(w.mix.Members.Present * share)
}

// cast puts a ballot into the log where the rules allow it, and tells whether.
func (w *world) cast(v *voter, at time.Time, to int, come visit) bool {
	if !w.calendar.open(at) || !w.take(v, at, to) {
		return false
	}
	gadget, from := v.gadget, v.home
	if v.second != nil && w.chance(0.5) {
		gadget = *v.second
	}
	if v.away != nil && w.chance(v.awayShare) {
		from = *v.away
	}
	e := antifraud.Evidence{
		Net: from.net, Block: from.block, ASN: from.asn, NetKind: from.kind,
		Device: gadget.device, Agent: gadget.agent,
		Via: come.via, Referrer: come.referrer, EmbedOrigin: come.embed, Opened: come.opened,
		Profile: v.profile, Present: v.present, SchoolDomain: v.school >= 0 && v.school == w.entries[to].school,
	}
	if v.pace == 0 {
		e.Referrer, e.EmbedOrigin = "", ""
	} else {
		pace := v.pace
		if come.referrer == antifraud.ReferrerEmbed { // a vote inside an article is read with it
			pace *= 2.2
		}
		visible := !w.chance(0.015)
		e.DwellMS = whole(min(1000*w.lognormal(pace, v.jitter), 3_600_000))
		e.ConfirmMS = whole(min(w.lognormal(v.confirm, 0.9*v.jitter), 600_000))
		e.Visible = &visible
	}
	w.ballots = append(w.ballots, detect.Ballot{
		ID: w.uuid(), At: at.UTC().Truncate(time.Millisecond), Voter: v.id,
		Entry: w.entries[to].id, School: w.schools[w.entries[to].school].id, Level: v.level, Evidence: e,
	})
	return true
}

// take takes a turn of the voter's, if the rules leave one: per period so many,
// and one for an entry.
func (w *world) take(v *voter, at time.Time, to int) bool {
	period := 0
	if w.mix.Daily {
		at := at.UTC() // the zone of contests of our own
		if w.mix.Of != nil {
			at = at.In(w.mix.Of.Location())
		}
		period = at.Year()*1000 + at.YearDay()
	}
	if v.turns[turn{period, to}] > 0 || v.turns[turn{period, -1}] >= w.mix.Ballots {
		return false
	}
	if v.turns == nil {
		v.turns = map[turn]int{}
	}
	v.turns[turn{period, to}]++
	v.turns[turn{period, -1}]++
	return true
}
