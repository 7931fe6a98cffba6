package voting

import (
	"bufio"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"strings"
)

//go:embed disposable.txt
var disposableText string

// Domains is a set of domains, each with all that is below it. It is never
// changed, and may be shared.
type Domains struct{ names map[string]struct{} }

// maxDomainFaults is how many bad lines are told; a file of another kind has
// them all.
const maxDomainFaults = 20

// ParseDomains reads a list of domains: one a line, # begins a comment. The
// error has one line for each of the first lines that are none.
func ParseDomains(r io.Reader) (*Domains, error) {
	d := &Domains{names: map[string]struct{}{}}
	var faults []error
	lines, number := bufio.NewScanner(r), 0
	for lines.Scan() {
		number++
		text, _, _ := strings.Cut(strings.TrimPrefix(lines.Text(), "\ufeff"), "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		name, err := mailDomain(text)
		if err == nil {
			d.names[name] = struct{}{}
			continue
		}
		if len(faults) == maxDomainFaults {
			faults = append(faults, fmt.Errorf("line %d and perhaps others", number))
			return nil, errors.Join(faults...)
		}
		faults = append(faults, fmt.Errorf("line %d: expected a domain such as example.org, found %.60q", number, text))
	}
	if err := lines.Err(); err != nil {
		faults = append(faults, fmt.Errorf("line %d: %w", number+1, err))
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return d, nil
}

// BuiltinDisposable is a short list of the best-known services that give a
// mailbox to anybody for some minutes. There are thousands: who needs more
// gives a list of their own.
func BuiltinDisposable() *Domains {
	d, err := ParseDomains(strings.NewReader(disposableText))
	if err != nil {
		panic("voting: disposable.txt: " + err.Error()) // of the program; a test reads it
	}
	return d
}

// Len is how many domains are listed.
func (d *Domains) Len() int {
	if d == nil {
		return 0
	}
	return len(d.names)
}

// Has tells whether the domain, or one it is below, is listed.
func (d *Domains) Has(domain string) bool {
	if d == nil {
		return false
	}
	for domain != "" {
		if _, found := d.names[domain]; found {
			return true
		}
		_, domain, _ = strings.Cut(domain, ".")
	}
	return false
}

// Disposable tells whether the address is of a service that the list has. It is
// evidence: a real person may have such an address.
func (e Email) Disposable(list *Domains) bool { return list.Has(e.domain) }
