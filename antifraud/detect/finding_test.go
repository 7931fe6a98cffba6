package detect

import (
	"math"
	"testing"

	"github.com/joute/joute/antifraud"
)

func TestTemper_TakesBackBelief(t *testing.T) {
	for _, row := range []struct{ w, want float64 }{
		{0, 0}, {0.3, 0.3}, {0.5, 0.5}, {1, 1}, {0.9, logistic(tempered * math.Log(9))},
	} {
		if got := temper(row.w); !near(got, row.want) {
			t.Errorf("%v: %v, want %v", row.w, got, row.want)
		}
	}
	for w := 0.5; w < 1; w += 0.01 {
		if x := temper(w); x > w || temper(w+0.009) < x {
			t.Fatalf("%v: %v", w, x)
		}
	}
}

// member is a farm of one, who is surely in it, by what the families say of the
// member; firm are those that speak against the farm.
func member(strong bool, by [families]float64, firm ...int) *farm {
	f := &farm{who: []int32{0}, w: []float64{0.999999}, own: make([]terms, 1), sure: make([]float64, 1), by: [][families]float64{by}, strong: strong}
	f.confirmed = []confirmed{{w: 0.999999, by: by}}
	for _, family := range firm {
		f.evidence.firm[family], f.evidence.some[family] = true, true
	}
	return f
}

func TestFarm_VoidTakesTwoFamiliesOneNeitherAccountNorTempo(t *testing.T) {
	all := []int{byDevice, byTempo, byNetwork, byAccount, byStructure, byProvenance}
	for _, row := range []struct {
		name   string
		strong bool
		by     [families]float64
		firm   []int
		void   bool
	}{
		{"device and tempo", true, [families]float64{byDevice: 2, byTempo: 2}, all, true},
		{"network and account", true, [families]float64{byNetwork: 2, byAccount: 2}, all, true},
		{"device and structure", true, [families]float64{byDevice: 2, byStructure: 2}, all, true},
		{"account and tempo", true, [families]float64{byAccount: 5, byTempo: 5}, all, false},
		{"an address that one other member has, and tempo", true, [families]float64{byNetwork: pooled, byTempo: 5}, all, false},
		{"structure and tempo", true, [families]float64{byStructure: 2, byTempo: 2}, all, true},
		{"fans, one of them a little quick", true, [families]float64{byStructure: 5, byTempo: clearly}, all, false},
		{"a way to come, at the farm's pace", true, [families]float64{byProvenance: 2, byTempo: 2}, all, true},
		{"a way to come, and a device", true, [families]float64{byProvenance: 5, byDevice: 5}, all, false},
		{"one alone, however much", true, [families]float64{byDevice: 9}, all, false},
		{"the second hardly", true, [families]float64{byDevice: 9, byNetwork: against}, all, false},
		{"the second for the crowd", true, [families]float64{byDevice: 9, byNetwork: -2}, all, false},
		{"the second says nothing of the farm", true, [families]float64{byDevice: 2, byTempo: 2}, []int{byDevice}, false},
		{"nothing", true, [families]float64{}, all, false},
		{"a farm that is not strong", false, [families]float64{byDevice: 2, byTempo: 2, byNetwork: 2}, all, false},
	} {
		f := member(row.strong, row.by, row.firm...)
		if got := f.belief(0); got >= 0.9 != row.void {
			t.Errorf("%s: %v", row.name, got)
		}
		if got := f.strong && f.condemns(0); got != row.void {
			t.Errorf("%s: condemns %v", row.name, got)
		}
	}
}

// A hold is answered, and a void is not: what voids is what is confirmed, and a way to come
// and a pace void only who is certain.
func TestFarm_VoidTakesWhatIsConfirmed(t *testing.T) {
	both, way := [families]float64{byDevice: 2, byTempo: 2}, [families]float64{byProvenance: 2, byTempo: 2}
	for _, row := range []struct {
		name string
		w    float64
		by   [families]float64
		is   confirmed
		want float64
	}{
		{"all of it", 0.999, both, confirmed{0.999, both}, temper(0.999)},
		{"a device that says it of one other", 0.999, both, confirmed{0.999, [families]float64{byDevice: clearly, byTempo: 2}}, unsure},
		{"less probable without what two say of each other", 0.999, both, confirmed{0.95, both}, unsure},
		{"a way to come, of somebody who is certain", 0.9995, way, confirmed{0.999, way}, temper(0.999)},
		{"and who is not quite", 0.999, way, confirmed{0.999, way}, unsure},
	} {
		f := member(true, row.by, byDevice, byTempo, byProvenance)
		f.w[0], f.confirmed[0] = row.w, row.is
		if got := f.belief(0); !near(got, row.want) {
			t.Errorf("%s: %v, want %v", row.name, got, row.want)
		}
	}
}

// Whoever runs no scripts has friends: votes for the same and no reading time are no farm.
func TestFarm_NoPageTakesAnAddressOrADevice(t *testing.T) {
	for family, void := range map[int]bool{byStructure: false, byNetwork: true, byDevice: true} {
		by := [families]float64{byTempo: 2}
		by[family] = 5
		f := member(true, by, byTempo, family)
		f.evidence.pageless = true
		if got := f.condemns(0); got != void {
			t.Errorf("with %s: %v", familyOf[family], got)
		}
	}
	e := evidence{by: [families]float64{byTempo: 200, byStructure: 500}, all: 900, place: 4, pageless: true}
	if strong, ok := e.convinces(weighing(100), 40); strong || ok {
		t.Errorf("structure and no page: strong %v, convincing %v", strong, ok)
	}
	e = evidence{by: [families]float64{byTempo: 200, byNetwork: 200}, all: 900, place: 4, pageless: true}
	if strong, ok := e.convinces(weighing(100), 40); !strong || !ok {
		t.Errorf("a pool of addresses and no page: strong %v, convincing %v", strong, ok)
	}
}

func TestFarm_ADeviceOfOnesOwnAcquitsOfAPaceAtAnAddress(t *testing.T) {
	for _, row := range []struct {
		name          string
		device, agent float64
		also          int // another family that speaks against the member; -1: none
		condemned     bool
	}{
		{"nothing known of the device", 0, 0, -1, true},
		{"a device that says little", -0.6, -0.3, -1, true},
		{"neither device nor browser are the farm's", -0.6, -0.6, -1, false},
		{"a device of their own, the farm's browser", -2.5, 2, -1, true},
		{"an account that is bad as well", -2, -2, byAccount, true},
	} {
		by := [families]float64{byTempo: 2, byNetwork: 2}
		if row.also >= 0 {
			by[row.also] = 2
		}
		f := member(true, by, byDevice, byTempo, byNetwork, byAccount)
		f.own[0][atDevice], f.own[0][atAgent] = row.device, row.agent
		if got := f.condemns(0); got != row.condemned {
			t.Errorf("%s: condemned %v", row.name, got)
		}
	}
}

// Two families that are of different members make nobody void, not even whoever happens to
// have both.
func TestFarm_FamiliesAreOfTheSameMembers(t *testing.T) {
	pace, address := [families]float64{byTempo: 2}, [families]float64{byNetwork: 2}
	both := [families]float64{byTempo: 2, byNetwork: 2}
	hand := func(w float64, members ...[families]float64) *farm {
		f := member(true, both, byTempo, byNetwork)
		f.w[0], f.confirmed[0].w = w, w
		for _, by := range members {
			f.who, f.w, f.own, f.sure = append(f.who, 0), append(f.w, 0.999999), append(f.own, terms{}), append(f.sure, 0)
			f.by, f.confirmed = append(f.by, by), append(f.confirmed, confirmed{0.999999, by})
		}
		return f
	}
	for _, row := range []struct {
		name string
		f    *farm
		want bool
	}{
		{"one of five has both", hand(0.999999, pace, pace, address, address), false},
		{"one of two", hand(0.999999, pace), true},
		{"three of five do", hand(0.999999, both, both, pace, address), true},
		{"who has both hardly is a member", hand(0.6, pace), false},
	} {
		if got := row.f.coherent(); got != row.want {
			t.Errorf("%s: %v", row.name, got)
		}
	}
}

func TestFarm_WhoHasNoLookOfTheirOwnIsDoubted(t *testing.T) {
	for _, row := range []struct {
		by     [families]float64
		stands bool
	}{
		{[families]float64{byDevice: 1.1}, true}, {[families]float64{byTempo: 1.1}, true}, {[families]float64{byNetwork: 3}, false},
		{[families]float64{byDevice: clearly}, false}, {[families]float64{}, false},
	} {
		f := member(true, row.by)
		f.w[0] = 0.8
		p := temper(0.8)
		want := p
		if !row.stands {
			want = p * p
		}
		if got := f.belief(0); f.stands(0) != row.stands || !near(got, want) {
			t.Errorf("%v: %v, want %v", row.by, got, want)
		}
	}
}

func TestSuspect_FarmsAddUpAndThePlainestIsNamed(t *testing.T) {
	a, b := member(true, [families]float64{byDevice: 2, byTempo: 2}, byDevice, byTempo), member(false, [families]float64{byDevice: 2})
	a.w[0], b.w[0] = 0.5, 0.4
	a.confirmed[0].w = 0.5
	s := suspect(2, []farm{*b, *a})
	if !near(s[0].score, 1-0.5*0.6) || s[0].farm != 1 || s[0].in != 0 {
		t.Errorf("%+v", s[0])
	}
	if s[1].score != 0 || s[1].farm != unseen {
		t.Errorf("of no farm: %+v", s[1])
	}
}

// weighing is a hand of so many members in a contest of 1,000, by itself.
func weighing(members float64) *hand {
	return &hand{composition: composition{mass: members}, c: &crowd{n: 1000}}
}

func TestEvidence_Convinces(t *testing.T) {
	const limit = 40
	const n = 100 // members
	type by = [families]float64
	for _, row := range []struct {
		name       string
		e          evidence
		members    float64
		strong, ok bool
	}{
		{"device and network", evidence{by: by{byDevice: 300, byNetwork: 150}, all: 500, place: 4, pool: 20}, n, true, true},
		{"device and tempo", evidence{by: by{byDevice: 300, byTempo: 50}, all: 400, place: 4, pool: 20}, n, true, true},
		{"tempo and account convince, and void nobody (condemns)", evidence{by: by{byTempo: 50, byAccount: 60}, all: 400, place: 4, pool: 20}, n, true, true},
		{"network alone", evidence{by: by{byNetwork: 400}, all: 500, place: 4, pool: 20}, n, false, false},
		{"tempo alone", evidence{by: by{byTempo: 400}, all: 500, place: 4, pool: 20}, n, false, false},
		{"account alone", evidence{by: by{byAccount: 400}, all: 500, place: 4, pool: 20}, n, false, false},
		{"structure alone", evidence{by: by{byStructure: 400}, all: 500, place: 4, pool: 20}, n, false, false},
		{"network and structure: no look", evidence{by: by{byNetwork: 400, byStructure: 400}, all: 900, place: 4, pool: 20}, n, false, false},
		{"the same through many addresses: enough to hold", evidence{by: by{byNetwork: 400, byStructure: 400}, all: 900, place: 4, pool: 20, addresses: 8}, n, false, true},
		{"devices alone hold, where they are many", evidence{by: by{byDevice: 400}, all: 500, place: 4, pool: 20}, n, false, true},
		{"few devices alone do not", evidence{by: by{byDevice: 400}, all: 500, place: 4, pool: 3}, n, false, false},
		{"one model of phone, and votes for the same: friends", evidence{by: by{byDevice: 300, byStructure: 300}, all: 700, place: 4, pool: 2}, n, false, false},
		{"many models, and votes for the same", evidence{by: by{byDevice: 300, byStructure: 300}, all: 700, place: 4, pool: 20}, n, true, true},
		{"one person's machine and pace", evidence{by: by{byDevice: 130, byTempo: 90}, all: 300, place: 4, pool: 1, machine: 0.9}, n, true, true},
		{"the same pace, and one agent on machines of their own", evidence{by: by{byDevice: 130, byTempo: 90}, all: 300, place: 4}, n, false, false},
		{"many have that phone on one campus, and some are quick", evidence{by: by{byDevice: 260, byTempo: 40}, all: 400, place: 4, pool: 1, machine: 0.9}, n, false, false},
		{"the same of many machines is not enough", evidence{by: by{byDevice: 130, byTempo: 90}, all: 300, place: 4, pool: 20}, n, false, false},
		{"a look more like the crowd's than the crowd", evidence{by: by{byDevice: 300, byNetwork: 150, byTempo: -20}, all: 500, place: 4, pool: 20}, n, false, false},
		{"they vote anywhere", evidence{by: by{byDevice: 300, byNetwork: 150}, all: 500, place: 1.9, pool: 20}, n, false, false},
		{"less than the best of so many cohorts", evidence{by: by{byDevice: 300, byNetwork: 150}, all: limit - 16, place: 4, pool: 20}, n, false, false},
		{"about as much: nobody is void for it", evidence{by: by{byDevice: 330, byNetwork: 150}, all: limit - 1, place: 4, pool: 20}, n, false, true},
		{"three are nobody's farm", evidence{by: by{byDevice: 60, byNetwork: 60}, all: 500, place: 4, pool: 20}, leastHand - 1, false, false},
		{"more than half of a contest is its crowd", evidence{by: by{byDevice: 3000, byNetwork: 3000}, all: 9000, place: 4, pool: 20}, 501, false, false},
	} {
		strong, ok := row.e.convinces(weighing(row.members), limit)
		if strong != row.strong || ok != row.ok {
			t.Errorf("%s: strong %v, convincing %v", row.name, strong, ok)
		}
	}
}

func TestMixed(t *testing.T) {
	for _, row := range []struct{ x, s, want float64 }{
		{0, 0, 0}, {0, 1, math.Log(0.5 + 0.5*math.E)}, {-50, 3, 0}, {50, 3, 3}, {0, -50, math.Log(0.5)},
	} {
		if got := mixed(row.x, row.s); math.Abs(got-row.want) > 1e-9 {
			t.Errorf("%v, %v: %v, want %v", row.x, row.s, got, row.want)
		}
	}
}

func TestPartOf_NamesEveryFeatureOnce(t *testing.T) {
	names := map[string]bool{}
	for feature, part := range partOf {
		if part.signal == "" || part.family == "" || names[part.signal] {
			t.Errorf("feature %d: %+v", feature, part)
		}
		names[part.signal] = true
	}
	for family, name := range familyOf {
		if name == "" || name == antifraud.FamilyProof {
			t.Errorf("family %d: %q", family, name)
		}
	}
}
