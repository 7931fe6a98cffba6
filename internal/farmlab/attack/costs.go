package attack

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/goccy/go-yaml"

	"github.com/joute/joute/antifraud"
)

//go:embed costs.yaml
var builtinCosts []byte

// Costs are prices in one currency. Where they come from is said in costs.yaml.
type Costs struct {
	Hosting     float64 `yaml:"hosting_address_day" json:"hosting_address_day"`
	Residential float64 `yaml:"residential_address_day" json:"residential_address_day"`
	Mobile      float64 `yaml:"mobile_address_day" json:"mobile_address_day"`
	Device      float64 `yaml:"device" json:"device"`
	Inbox       float64 `yaml:"inbox" json:"inbox"`
	AgedAccount float64 `yaml:"aged_account" json:"aged_account"`
	Challenge   float64 `yaml:"challenge" json:"challenge"`
	PersonVote  float64 `yaml:"person_vote" json:"person_vote"`
}

// BuiltinCosts are the prices of costs.yaml.
func BuiltinCosts() Costs {
	c, err := ParseCosts(builtinCosts)
	if err != nil {
		panic(err) // a test reads them
	}
	return c
}

// CostsText is costs.yaml, for editing.
func CostsText() []byte { return bytes.Clone(builtinCosts) }

// maxPrice is above what anybody pays for a vote.
const maxPrice = 1e6

// ParseCosts reads a table of prices, every one of them: a price left out would be
// taken for a gift. All faults are told at once.
func ParseCosts(text []byte) (Costs, error) {
	unset := math.Inf(-1)
	c := Costs{unset, unset, unset, unset, unset, unset, unset, unset}
	d := yaml.NewDecoder(bytes.NewReader(text), yaml.DisallowUnknownField())
	if err := d.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return Costs{}, fmt.Errorf("costs: %w", err)
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return Costs{}, errors.New("costs: expected one document")
	}
	var faults []error
	for _, one := range []struct {
		name  string
		price float64
	}{
		{"hosting_address_day", c.Hosting}, {"residential_address_day", c.Residential}, {"mobile_address_day", c.Mobile}, {"device", c.Device},
		{"inbox", c.Inbox}, {"aged_account", c.AgedAccount}, {"challenge", c.Challenge}, {"person_vote", c.PersonVote},
	} {
		switch {
		case one.price == unset:
			faults = append(faults, fmt.Errorf("costs: %s is missing", one.name))
		case !(one.price >= 0 && one.price <= maxPrice):
			faults = append(faults, fmt.Errorf("costs: %s: expected a price from 0 to %g, found %g", one.name, maxPrice, one.price))
		}
	}
	if len(faults) > 0 {
		return Costs{}, errors.Join(faults...)
	}
	return c, nil
}

// address is the price of one for a day.
func (c Costs) address(kind antifraud.NetKind) float64 {
	switch kind {
	case antifraud.NetHosting, antifraud.NetVPN, antifraud.NetTor:
		return c.Hosting
	case antifraud.NetMobile:
		return c.Mobile
	}
	return c.Residential
}
