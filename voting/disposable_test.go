package voting

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func TestParseDomains_ReadsAListAndWhatIsBelow(t *testing.T) {
	d, err := ParseDomains(strings.NewReader("\ufeff# list\r\n\r\nMail.Example # a comment\n  bücher.example\t\nmail.example\n"))
	if err != nil || d.Len() != 2 {
		t.Fatal(d.Len(), err)
	}
	for address, want := range map[string]bool{
		"a@mail.example": true, "a@x.mail.example": true, "a@x.y.Mail.Example": true, "a@xn--bcher-kva.example": true, "a@bücher.example": true,
		"a@hotmail.example": false, "a@example.org": false, "a@mail.example.org": false,
	} {
		e, err := ParseEmail(address)
		if err != nil {
			t.Fatal(err)
		}
		if e.Disposable(d) != want {
			t.Errorf("%s: disposable is %v", address, !want)
		}
	}
	if e, _ := ParseEmail("a@mail.example"); e.Disposable(nil) || (*Domains)(nil).Len() != 0 {
		t.Error("a list that is none has domains")
	}
}

func TestParseDomains_TellsBadLinesByNumber(t *testing.T) {
	d, err := ParseDomains(strings.NewReader("good.example\nuser@bad.example\n# fine\ncom\nhttps://bad.example/\n*.bad.example\n"))
	if d != nil || err == nil {
		t.Fatal(d, err)
	}
	lines := strings.Split(err.Error(), "\n")
	for i, want := range []string{"line 2: ", "line 4: ", "line 5: ", "line 6: "} {
		if len(lines) != 4 || !strings.HasPrefix(lines[i], want) {
			t.Fatalf("told:\n%s", err)
		}
	}
	if _, err := ParseDomains(bytes.NewReader(make([]byte, 1<<20))); err == nil || len(err.Error()) > 1000 {
		t.Errorf("a line of 1 MiB: %v", err)
	}
	if _, err := ParseDomains(strings.NewReader(strings.Repeat("<html>\n", 1000))); err == nil || strings.Count(err.Error(), "\n") != maxDomainFaults {
		t.Errorf("another kind of file: %v", err)
	}
}

func TestBuiltinDisposable_HasTheBestKnownAndNoProviderOfPeople(t *testing.T) {
	d := BuiltinDisposable()
	for _, name := range []string{"mailinator.com", "yopmail.com", "x.yopmail.com", "guerrillamail.com", "temp-mail.org"} {
		if !d.Has(name) {
			t.Errorf("no %s", name)
		}
	}
	for name := range mailboxes {
		if d.Has(name) {
			t.Errorf("%s is where people have their mail", name)
		}
	}
	if d.Len() < 50 || d.Len() != strings.Count(disposableText, "\n")-3 {
		t.Errorf("%d domains in %d lines: one is there twice", d.Len(), strings.Count(disposableText, "\n"))
	}
}

// The rules are written down as lists: none may say two things of one domain.
func TestMailboxes_EachDomainHasOneRule(t *testing.T) {
	for domain, rule := range mailboxes {
		if name, err := mailDomain(domain); err != nil || name != domain {
			t.Errorf("%s can be no address's domain", domain)
		}
		if rule.as != "" && mailboxes[rule.as] != rule {
			t.Errorf("%s stands for itself as %s, which has another rule", domain, rule.as)
		}
	}
}

func FuzzParseDomains(f *testing.F) {
	f.Add([]byte(disposableText))
	f.Add([]byte("a.example\n#\nbad"))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := ParseDomains(bytes.NewReader(text))
		if (d == nil) != (err != nil) {
			t.Fatal(d, err)
		}
		if d == nil {
			return
		}
		for name := range d.names {
			if !d.Has(name) || !d.Has(fmt.Sprintf("x.%s", name)) {
				t.Fatalf("%q is listed and not found", name)
			}
			if e, err := ParseEmail("a@" + name); err == nil && !e.Disposable(d) {
				t.Fatalf("%q", name)
			}
		}
	})
}
