package farmlab

import "slices"

// Preset is a mix with a name.
type Preset struct {
	Name string
	What string // in a line
	Mix  Mix
}

// Presets are the contests by which detectors are judged. The first is the common
// case: an open contest, passes of devices, no profile.
var Presets = []Preset{
	{"school", "a dozen entries, no profiles, every crowd and farm", Mix{
		Entries: 12, Schools: 9, Days: 25, Ballots: 100_000, Voters: 7000, Crowds: cohorts(Crowds...), Farms: cohorts(Farms...)}},
	{"one-vote", "one ballot in the whole contest: nobody votes with anybody", Mix{
		Entries: 40, Schools: 25, Days: 14, Ballots: 1, Voters: 9000, Crowds: cohorts(Crowds...), Farms: cohorts(Farms...),
		Members: Members{NoConfirm: true, NoVisible: true}}},
	{"daily", "one ballot a day, many come back", Mix{
		Entries: 24, Schools: 24, Days: 10, Ballots: 1, Daily: true, Voters: 4000, Crowds: cohorts(Crowds...), Farms: cohorts(Farms...)}},
	{"region", "400 entries of 80 schools, five ballots", Mix{
		Entries: 400, Schools: 80, Days: 21, Ballots: 5, Voters: 12_000, Crowds: cohorts(Crowds...), Farms: cohorts(Farms...),
		Members: Members{NoConfirm: true, NoVisible: true, UnknownNets: 0.2}}},
	{"nation", "4,000 entries of 500 schools", Mix{
		Entries: 4000, Schools: 500, Days: 30, Ballots: 100_000, Voters: 20_000, Crowds: cohorts(Crowds...), Farms: cohorts(Farms...)}},
	{"profiles", "inside a community: most passes carry a profile", Mix{
		Entries: 15, Schools: 15, Days: 30, Ballots: 100_000, Voters: 7000, Crowds: cohorts(Crowds...), Farms: cohorts(Farms...),
		Members: Members{Profiles: 0.85, NoConfirm: true, NoVisible: true}}},
	{"bare", "profiles, but no device, agent, dwell, link or referrer", Mix{
		Entries: 300, Schools: 50, Days: 20, Ballots: 100_000, Voters: 10_000, Crowds: cohorts(Crowds...), Farms: cohorts(knownByOthers...),
		Members: Members{Profiles: 0.85, NoDevice: true, NoAgent: true, NoDwell: true, NoVia: true, NoReferrer: true, NoConfirm: true, NoVisible: true}}},
	{"unknown-nets", "no table tells what a network is", Mix{
		Entries: 30, Schools: 20, Days: 18, Ballots: 3, Voters: 8000, Crowds: cohorts(Crowds...), Farms: cohorts(Farms...),
		Members: Members{UnknownNets: 0.95}}},
	{"proven", "a third proved an address, some are seen in the hall", Mix{
		Entries: 20, Schools: 20, Days: 12, Ballots: 3, Voters: 6000, Crowds: cohorts(Crowds...), Farms: cohorts(Farms...),
		Members: Members{Email: 0.35, Present: 0.4, UnknownNets: 0.3}}},
	{"rivals", "farms for the winner to come, and bought for its rival", Mix{
		Entries: 8, Schools: 8, Days: 9, Ballots: 1, Voters: 5000, Crowds: cohorts("campus", "viral", "family"),
		Farms: cohorts("false-flag", "false-flag", "link", "proxies")}},
	{"cheaters", "nobody sells votes, some clear their storage", Mix{
		Entries: 18, Schools: 12, Days: 20, Ballots: 100_000, Voters: 6000, Crowds: cohorts("campus", "computer-room", "family", "fanclub"),
		Farms: cohorts("lone", "lone", "lone", "lone", "lone", "lone", "lone", "lone-campus", "lone-campus", "lone-campus", "lone-campus", "lone-campus")}},
	{"besieged", "a farm vote for every two honest ones", Mix{
		Entries: 10, Schools: 10, Days: 15, Ballots: 100_000, Voters: 3000, Crowds: cohorts("campus", "viral", "carrier", "family"),
		Farms: []Cohort{{"burst", 400}, {"drip", 500}, {"proxies", 400}, {"spoof", 300}, {"link", 400}, {"single", 300}}}},
	{"quiet", "no farm, no crowd", Mix{Entries: 14, Schools: 10, Days: 20, Ballots: 100_000, Voters: 5000}},
	{"crowds", "no farm, every crowd twice", Mix{
		Entries: 16, Schools: 12, Days: 16, Ballots: 100_000, Voters: 5000, Crowds: cohorts(slices.Concat(Crowds, Crowds)...)}},
	{"finale", "no farm, one vote each, all in three days", Mix{
		Entries: 6, Schools: 3, Days: 3, Ballots: 1, Voters: 4000, Crowds: cohorts("radio", "radio", "viral", "viral", "campus", "bus", "computer-room")}},
	{"hidden", "no farm, no kinds of networks, no devices", Mix{
		Entries: 50, Schools: 40, Days: 20, Ballots: 5, Voters: 6000, Crowds: cohorts(Crowds...),
		Members: Members{UnknownNets: 1, NoDevice: true, NoConfirm: true}}},
}

// knownByOthers are the farms that leave a trace without device, agent, dwell and
// link.
var knownByOthers = []string{"burst", "drip", "camouflage", "aged", "churn", "hoard", "proxies", "false-flag"}

// Named finds a preset.
func Named(name string) (Preset, bool) {
	at := slices.IndexFunc(Presets, func(p Preset) bool { return p.Name == name })
	if at < 0 {
		return Preset{}, false
	}
	return Presets[at], true
}
