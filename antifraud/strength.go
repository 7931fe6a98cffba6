package antifraud

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/joute/joute/contest"
)

// signals is how many there are.
const signals = len(contest.Signals)

// The places of contest.Signals, in its order.
const (
	atBase = iota
	atUnproven
	atEmail
	atPartner
	atPresent
	atSchoolDomain
	atHosting
	atVPN
	atTor
	atMobile
	atCampus
	atNetWindow
	atBlockWindow
	atDriven
	atDeviceWindow
	atAgentWindow
	atHidden
	atShareShape
	atDwellFast
	atDwellSame
	atConfirmFast
	atConfirmSame
	atOldPasses
	atAccount
	atChurn
	atKnownFarm

	atEnd
)

var _ [signals]struct{} = [atEnd]struct{}{} // each signal has a place

// maxTerm bounds what one signal adds.
const maxTerm = contest.MaxWeight

// strengths are how strongly each signal is seen, by place: 0 is not seen, 1 is
// there, and those that are counted have log-odds of their own, in hundredths.
type strengths [signals]float64

// hundredths makes a strength one that its text gives back exactly.
func hundredths(x float64) float64 { return math.Round(x*100) / 100 }

func clip(x, least, most float64) float64 { return min(max(x, least), most) }

// implied are places that the others tell: every attempt has the base, and who
// proves nothing is unproven.
func implied(place int) bool { return place == atBase || place == atUnproven }

// imply fills in what is not written.
func (s *strengths) imply() {
	s[atBase], s[atUnproven] = 1, 0
	if s[atEmail] == 0 && s[atPartner] == 0 && s[atPresent] == 0 && s[atSchoolDomain] == 0 {
		s[atUnproven] = 1
	}
}

// texts are the signals as they are kept: the name of each, and =STRENGTH where
// it is not 1, as in "net-hosting", "device-window=1.5". What is implied is left
// out, so most ballots have none: nil.
func (s *strengths) texts() []string {
	n := 0
	for place, strength := range s {
		if strength != 0 && !implied(place) {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	texts := make([]string, 0, n)
	for place, strength := range s {
		switch name := string(contest.Signals[place]); {
		case strength == 0 || implied(place):
		case strength == 1:
			texts = append(texts, name)
		default:
			texts = append(texts, name+"="+strconv.FormatFloat(strength, 'f', -1, 64))
		}
	}
	return texts
}

var places = func() map[string]int {
	at := map[string]int{}
	for place, signal := range contest.Signals {
		at[string(signal)] = place
	}
	return at
}()

// parseStrengths reads what texts wrote.
func parseStrengths(texts []string) (s strengths, err error) {
	for _, text := range texts {
		name, number, scaled := strings.Cut(text, "=")
		strength := 1.0
		if scaled {
			strength, err = strconv.ParseFloat(number, 64)
			if err != nil || math.IsNaN(strength) || math.Abs(strength) > maxTerm {
				return s, fmt.Errorf("signal %.40q: expected NAME or NAME=STRENGTH, %d at most", text, maxTerm)
			}
		}
		if place, known := places[name]; known && !implied(place) {
			s[place] = strength
		}
	}
	s.imply()
	return s, nil
}
