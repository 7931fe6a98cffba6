package antifraud

import (
	"math"
	"strconv"
)

// featureKinds are the kinds of [Feature]: what of an attempt's evidence can be
// the same for all members of a farm.
// Those that name something particular come before those that name a sort.
var featureKinds = [...]string{"device", "agent", "net", "block", "via", "net_kind", "referrer", "dwell", "confirm"}

const (
	kinds = len(featureKinds)

	kindDevice, kindNet, kindNetKind = 0, 2, 5 // places of featureKinds
)

// featureFamilies are the families of featureKinds, by place.
var featureFamilies = [kinds]Family{
	FamilyDevice, FamilyDevice, FamilyNetwork, FamilyNetwork, FamilyProvenance, FamilyNetwork, FamilyProvenance, FamilyTempo, FamilyTempo,
}

// particular are the kinds of which an attempt has to show one to bear a signature:
// hosting at a robot's pace is a sort of visitor, and no farm that is known.
var particular = [kinds]bool{true, true, true, true, true}

func kindOf(name string) (place int, known bool) {
	for place, kind := range featureKinds {
		if kind == name {
			return place, true
		}
	}
	return 0, false
}

// Feature is the value that the evidence has of a kind of feature; empty: none was
// seen, or there is no such kind. Who writes a [Signature] takes values from here.
func (e *Evidence) Feature(kind string) string {
	place, known := kindOf(kind)
	if !known {
		return ""
	}
	return e.features()[place]
}

// features are the values by place of featureKinds.
func (e *Evidence) features() [kinds]string {
	values := [kinds]string{e.Device, e.Agent, e.Net, e.Block, e.Via, string(e.NetKind), string(e.Referrer)}
	if e.DwellMS != nil {
		values[kinds-2] = TimeStep(*e.DwellMS)
	}
	if e.ConfirmMS != nil {
		values[kinds-1] = TimeStep(*e.ConfirmMS)
	}
	return values
}

// TimeStep names a time that somebody took, in milliseconds, by steps of 2^(1/4):
// two times of one step differ by less than a fifth. People's times spread over
// dozens of steps, a script that waits a fixed time has one or two.
func TimeStep(ms int64) string {
	if ms < 1 {
		return "0"
	}
	return strconv.Itoa(1 + int(4*math.Log2(float64(ms))))
}
