package antifraud

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/joute/joute/contest"
)

const (
	// fastDwell is what a person takes at the very least from a page to the press
	// on it: seeing (0.25 s) and pointing (0.3 s, Fitts) leave no time to read.
	fastDwell = 500

	// fastConfirm is shorter than any two presses of a finger, of which there are 6
	// to 8 in a second at best.
	fastConfirm = 80

	// oldPass is from when on a pass was not made to vote at once.
	oldPass = 30 * time.Minute
)

// driven are in the agents of browsers that a program drives and that say so. A
// program that is no browser is another matter: the API is for sites' own servers.
var driven = []string{"Headless", "PhantomJS", "Selenium", "Puppeteer", "Playwright"}

func isDriven(agent string) bool {
	return slices.ContainsFunc(driven, func(name string) bool { return strings.Contains(agent, name) })
}

// Signs are what an attempt shows by itself and is counted of all.
type Signs struct {
	Fast, Quick, Hidden, Driven, OldPass bool
}

// Signs tells them. An attempt that does not say something shows nothing by it.
func (a *Attempt) Signs() Signs {
	return Signs{
		Fast:    a.Client.DwellMS != nil && *a.Client.DwellMS < fastDwell,
		Quick:   a.Client.ConfirmMS != nil && *a.Client.ConfirmMS < fastConfirm,
		Hidden:  a.Client.Visible != nil && !*a.Client.Visible,
		Driven:  isDriven(a.UserAgent),
		OldPass: !a.Issued.IsZero() && a.At.Sub(a.Issued) >= oldPass,
	}
}

// netPlaces are the places of the kinds of network that have one.
var netPlaces = map[NetKind]int{NetHosting: atHosting, NetVPN: atVPN, NetTor: atTor, NetMobile: atMobile, NetCampus: atCampus}

// see tells how strongly an attempt shows each signal: of those that are counted
// the strongest window's.
func see(a Attempt, windows []Counts) (s strengths) {
	is := func(place int, shown bool) {
		if shown {
			s[place] = 1
		}
	}
	is(atEmail, a.Level == string(contest.LevelEmail))
	is(atPartner, a.Level == string(contest.LevelPartner))
	is(atPresent, a.Present)
	is(atSchoolDomain, a.School)
	s.imply() // somebody in the hall with an address of the school shows three

	longest := Counts{}
	if len(windows) > 0 {
		longest = windows[len(windows)-1]
	}
	if place, known := netPlaces[a.NetKind]; known {
		s[place] = 1
		if a.NetKind.Suspicious() {
			s[place] = hundredths(rarity(longest.OfKind, longest.All))
		}
	}
	signs := a.Signs()
	for _, sign := range [...]struct {
		place int
		shown bool
		of    float64
	}{
		{atDriven, signs.Driven, longest.Driven}, {atHidden, signs.Hidden, longest.Hidden},
		{atDwellFast, signs.Fast, longest.Fast}, {atConfirmFast, signs.Quick, longest.Quick},
	} {
		if sign.shown {
			s[sign.place] = hundredths(rarity(sign.of, longest.All))
		}
	}
	for i := range windows {
		s.count(&a, &windows[i], signs)
	}
	// A script that waits for so long does everything for so long: one cause, so only
	// the stronger of both counts.
	if s[atDwellSame] >= s[atConfirmSame] {
		s[atConfirmSame] = 0
	} else {
		s[atDwellSame] = 0
	}
	s[atAccount] = scaled(contest.SignalAccount, a.Account)
	is(atChurn, a.Churned)
	// Nobody brings a farm into the hall, or has the addresses that a school gives
	// out: who does is not of one, whatever they have in common with it.
	is(atKnownFarm, a.KnownFarm && !a.Present && !a.School)
	return s
}

// count sees what a window's counts say, where that is more than was seen.
func (s *strengths) count(a *Attempt, c *Counts, signs Signs) {
	more := func(place int, logOdds float64) {
		s[place] = max(s[place], scaled(contest.Signals[place], logOdds))
	}
	if a.NetKind.Suspicious() {
		more(atNetWindow, excess(c.KindOnEntry, c.OfEntry, c.OfKind, c.All))
	}
	if a.Client.Device != "" {
		onEntry, byVia := excess(c.DeviceOnEntry, c.OfEntry, c.OfDevice, c.All), excess(c.DeviceByVia, c.OfVia, c.OfDevice, c.All)
		more(atDeviceWindow, max(onEntry, byVia))
		if a.NetKind != NetCampus { // a school buys its computers together
			more(atBlockWindow, excess(c.DeviceInBlock, c.OfBlock, c.OfDevice, c.All))
		}
	} else {
		more(atAgentWindow, excess(c.AgentOnEntry, c.OfEntry, c.OfAgent, c.All))
	}
	if a.Client.DwellMS != nil {
		more(atDwellSame, pile(c.DwellSame, c.DwellNear, WidthNear(*a.Client.DwellMS)))
	}
	if a.Client.ConfirmMS != nil {
		more(atConfirmSame, pile(c.ConfirmSame, c.ConfirmNear, WidthNear(*a.Client.ConfirmMS)))
	}
	if signs.OldPass {
		more(atOldPasses, hoard(c.OfMinute, c.OldPasses))
	}
	if a.Client.Via != "" {
		more(atShareShape, fan(c.OfVia, c.Onward))
	}
}

// scaled clips log-odds to what its signal may say, both ways.
func scaled(signal Signal, logOdds float64) float64 {
	most := signal.Strongest()
	return hundredths(clip(logOdds, -most, most))
}

// hoard is how many passes of one minute come together, long after they were
// made, beyond what old passes do that are spread over an hour of minutes: voters
// come back at all times, and a class that got its passes together is one minute's.
func hoard(ofMinute, old float64) float64 {
	if ofMinute < Crowd {
		return 0
	}
	return beyond(ofMinute, 1+max(old-ofMinute, 0)/60, 4)
}

// fan is the shape of what came by one code: many, of whom nobody brings anybody.
// Large cascades are often one broadcast too (Goel et al. 2016, "The Structural
// Virality of Online Diffusion"), so of 50 it says nothing, of 200 something, and
// never much.
func fan(came, onward float64) float64 {
	if onward > 0 || came < 50 {
		return 0
	}
	return math.Log(came/50) / 2
}
