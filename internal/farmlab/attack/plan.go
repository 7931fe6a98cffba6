package attack

import "fmt"

// Tell is one thing by which a farm may be told from people, and which it can change.
type Tell int

// The tells.
const (
	Addresses Tell = iota
	Devices
	Dwell
	Burst
	Link
	Agents
	Referrer
	Targets
	Accounts
	tells int = iota
)

var tellNames = [tells]string{"addresses", "devices", "dwell", "burst", "link", "agents", "referrer", "targets", "accounts"}

func (t Tell) String() string { return tellNames[t] }

// grades say how a tell is handled: each is dearer than the one before, or takes more
// care, and looks more like people. What is bought by the piece is bought for a wave.
var grades = [tells][]string{
	Addresses: {"a data centre's, 20 votes each", "data centres', 4 votes each", "homes', 4 votes each", "a home for each vote", "half homes, half carriers"},
	Devices:   {"one for 25 votes", "one for 6 votes", "one for each vote", "phones as people have"},
	Dwell:     {"a program's", "a program's that waits", "as people's"},
	Burst:     {"within a fiftieth of the round", "within a sixth", "over the round, by day"},
	Link:      {"none", "always the school's", "as people come"},
	Agents:    {"one", "five", "as people's"},
	Referrer:  {"one", "as people's"},
	Targets:   {"who pays", "and half as many for others", "and as many for others"},
	Accounts:  {"device passes", "a third with an inbox, others when a hold asks for one", "all with an inbox"},
}

// Plan is the grade of each tell.
type Plan [tells]int

// cheapest is how a farm begins where nobody is known to look at more than addresses.
// Whoever only has a cap to get by does not pay for what a cap does not see.
var cheapest = Plan{}

// words names the plan's grades by tell.
func (p Plan) words() map[string]string {
	words := make(map[string]string, tells)
	for t, grade := range p {
		words[tellNames[t]] = grades[t][grade]
	}
	return words
}

// can tells whether there is a grade above.
func (p Plan) can(t Tell) bool { return p[t]+1 < len(grades[t]) }

// Profile is a farm with a name, before it learns.
type Profile struct {
	Name, What string
	Plan       Plan
}

// Profiles are the farms that learn. The first is the common one.
var Profiles = []Profile{
	{"burst", "a program on rented machines, in minutes", Plan{}},
	{"link", "phones in one place, by the school's own link", Plan{Addresses: 1, Devices: 1, Dwell: 1, Burst: 1, Link: 1}},
	{"spoof", "a new device and agent for each vote, few addresses", Plan{Devices: 2, Agents: 2, Burst: 1}},
	{"proxies", "a small pool of homes, a few phones", Plan{Addresses: 2, Devices: 1, Dwell: 1, Burst: 1, Agents: 1}},
	{"drip", "over the day, through homes", Plan{Addresses: 2, Dwell: 1, Burst: 2, Agents: 1}},
	{"camouflage", "votes for others too", Plan{Addresses: 2, Devices: 1, Dwell: 1, Burst: 1, Targets: 2}},
	{"inboxes", "proves an address for each vote", Plan{Accounts: 2, Burst: 1}},
}

// Named finds a profile.
func Named(name string) (Profile, error) {
	names := ""
	for _, p := range Profiles {
		if p.Name == name {
			return p, nil
		}
		names += " " + p.Name
	}
	return Profile{}, fmt.Errorf("there is no profile %q; expected one of%s", name, names)
}
