package fans

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/joute/joute/community"
	"github.com/joute/joute/contest/registry"
)

// Proof says what somebody agreed to, when and where.
type Proof struct {
	Position      string // of the join's record; 0-0 while the request waits
	Asked         time.Time
	Confirmed     time.Time // zero while the request waits
	School        string
	Wording       string // version; see [Fans.Wordings]
	Page          string
	Lang          string
	Under15Parent bool
}

// member is what the store keeps of one.
type member struct {
	proof   Proof
	address []byte // sealed
}

// Confirmed is a member, the address in clear.
type Confirmed struct {
	Address string // to write to
	Proof
}

// open reads a member with the address.
func (f *Fans) open(s *registry.Stored, fan community.Fan, value string) (Confirmed, error) {
	m, err := parseMember(value)
	if err != nil {
		return Confirmed{}, err
	}
	address, err := f.keys.Open(m.address, addressPurpose(s.Contest.ID, fan))
	if err != nil {
		return Confirmed{}, fmt.Errorf("the address of %s: %w", fan, err)
	}
	return Confirmed{string(address), m.proof}, nil
}

// requestText is a request as the scripts keep it: see keys.go. No value may
// hold what parts them.
func requestText(r Request, address []byte) (string, error) {
	parent := "0"
	if r.Under15Parent {
		parent = "1"
	}
	values := []string{r.School, r.Wording.Version, r.Page, string(r.Channel), r.Lang, parent, base64.RawURLEncoding.EncodeToString(address)}
	for _, value := range values {
		if value == "" || strings.ContainsAny(value, "|\n") {
			return "", errors.New("a value that is empty, or parts values")
		}
	}
	return strings.Join(values, "|"), nil
}

// parseMember reads a member, or a request with the position 0-0.
func parseMember(value string) (member, error) {
	part := strings.Split(value, "|")
	if len(part) != 10 {
		return member{}, fmt.Errorf("corrupt fans: a member of %d parts", len(part))
	}
	asked, err1 := instant(part[2])
	confirmed, err2 := positionTime(part[0])
	_, err3 := community.ParseChannel(part[6]) // told by the join's record
	address, err4 := base64.RawURLEncoding.DecodeString(part[9])
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return member{}, fmt.Errorf("corrupt fans: %w", err)
	}
	return member{address: address, proof: Proof{
		Position: part[0], Asked: asked, Confirmed: confirmed, School: part[3], Wording: part[4], Page: part[5],
		Lang: part[7], Under15Parent: part[8] == "1",
	}}, nil
}

// positionTime is when the record at a position was made.
func positionTime(position string) (time.Time, error) {
	ms, _, _ := strings.Cut(position, "-")
	return instant(ms)
}

func instant(text string) (time.Time, error) {
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil || ms < 0 {
		return time.Time{}, fmt.Errorf("%q is no instant", text)
	}
	if ms == 0 {
		return time.Time{}, nil
	}
	return time.UnixMilli(ms).UTC(), nil
}
