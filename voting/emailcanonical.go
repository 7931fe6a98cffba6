package voting

import "strings"

// mailbox says which spellings of an address reach one mailbox at a provider.
// A rule is here only when two people can never be behind two spellings: to
// take two voters for one is worse than to miss a cheat, who can always buy
// another address.
type mailbox struct {
	as     string // the domain that stands for all of its domains; "" = each for itself
	tags   string // what comes after the first of these is the owner's own
	ignore string // characters that do not matter
	below  bool   // tag@user.domain is user@domain
}

var (
	// Google: "Dots don't matter in Gmail addresses", "+" since its beginning, and
	// googlemail.com, the name in Germany and Britain for years, is the same.
	gmail = mailbox{as: "gmail.com", tags: "+", ignore: "."}

	// Microsoft: "+" (Exchange "plus addressing"). Its domains are apart: the same
	// name at outlook.com and at hotmail.com may be two people. Dots matter.
	microsoft = mailbox{tags: "+"}

	// Apple: who has @mac.com or @me.com has the same name @icloud.com, and nobody
	// else can have it; "+" goes to the same mailbox.
	apple = mailbox{as: "icloud.com", tags: "+"}

	// Proton: one name at all of its domains; "+"; a name with ".", "-" or "_"
	// added or left out is the same name, for delivery and for who may take it.
	proton = mailbox{as: "proton.me", tags: "+", ignore: ".-_"}

	// Fastmail: "+", and its "subdomain addressing". Its domains are apart.
	fastmail = mailbox{tags: "+", below: true}

	// Yahoo: a disposable address is NICKNAME-KEYWORD, the nickname one person's. A
	// Yahoo ID has letters, digits, "_" and ".", so that neither mark can be part
	// of a name. (yahoo.co.jp is another company, with other rules.)
	yahoo = mailbox{tags: "-+"}

	// Yandex: one name at all of its domains; "+".
	yandex = mailbox{as: "yandex.ru", tags: "+"}

	// Posteo and mailbox.org: "+"; their help pages say so.
	plus = mailbox{tags: "+"}
)

// mailboxes are the rules by domain. A domain that is not here keeps its local
// part: a "+" there may be anybody's name.
var mailboxes = providers(map[*mailbox]string{
	&gmail: "gmail.com googlemail.com",
	&microsoft: "outlook.com outlook.fr outlook.be outlook.de outlook.es outlook.it outlook.pt outlook.ie outlook.dk outlook.at outlook.jp outlook.co.uk " +
		"hotmail.com hotmail.fr hotmail.be hotmail.ch hotmail.ca hotmail.de hotmail.es hotmail.it hotmail.nl hotmail.se hotmail.no hotmail.dk hotmail.co.uk " +
		"live.com live.fr live.be live.ca live.ch live.de live.it live.nl live.se live.no live.dk live.ie live.cn live.co.uk msn.com windowslive.com passport.com",
	&apple:    "icloud.com me.com mac.com",
	&proton:   "proton.me protonmail.com protonmail.ch pm.me",
	&fastmail: "fastmail.com fastmail.fm",
	&yahoo: "yahoo.com yahoo.fr yahoo.de yahoo.es yahoo.it yahoo.ca yahoo.ie yahoo.in yahoo.se yahoo.no yahoo.dk yahoo.gr yahoo.pl yahoo.ro yahoo.co.uk yahoo.co.in " +
		"yahoo.com.br yahoo.com.ar yahoo.com.mx yahoo.com.au ymail.com rocketmail.com",
	&yandex: "yandex.ru yandex.com yandex.by yandex.kz ya.ru",
	&plus:   "posteo.de posteo.net mailbox.org",
})

func providers(domains map[*mailbox]string) map[string]*mailbox {
	all := map[string]*mailbox{}
	for rule, list := range domains {
		for _, domain := range strings.Fields(list) {
			all[domain] = rule
		}
	}
	return all
}

// Canonical is the same for two spellings that are known to reach one mailbox,
// and differs for any other two but by case. It is for comparing, through a
// keyed hash, and never for sending: see Deliver. It is itself an address, whose
// canonical form it is.
func (e Email) Canonical() string {
	if e.IsZero() {
		return ""
	}
	local, domain := strings.ToLower(e.local), e.domain
	rule, found := mailboxes[domain]
	if !found {
		user, parent, _ := strings.Cut(domain, ".")
		if above := mailboxes[parent]; above != nil && above.below && len(user) <= maxLocal {
			return user + "@" + parent
		}
		return local + "@" + domain
	}
	// A mark at the beginning is no tag's: there is no name before it.
	if at := strings.IndexAny(local, rule.tags); at > 0 {
		local = strings.TrimRight(local[:at], ".")
	}
	kept := strings.Map(func(r rune) rune {
		if strings.ContainsRune(rule.ignore, r) {
			return -1
		}
		return r
	}, local)
	if kept != "" { // else it was marks alone: the provider gives out no such name
		local = kept
	}
	if rule.as != "" {
		domain = rule.as
	}
	return local + "@" + domain
}
