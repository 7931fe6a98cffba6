package attack

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/goccy/go-yaml"

	"github.com/joute/joute/antifraud"
)

//go:embed costs.yaml
var builtinCosts []byte

// Costs are prices in one currency. Where they come from is said in costs.yaml.
type Costs struct {
	Hosting     float64 `json:"hosting_address_day"`
	Residential float64 `json:"residential_address_day"`
	Mobile      float64 `json:"mobile_address_day"`
	Device      float64 `json:"device"`
	Inbox       float64 `json:"inbox"`
	AgedAccount float64 `json:"aged_account"`
	Challenge   float64 `json:"challenge"`
	PersonVote  float64 `json:"person_vote"`
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
	var given map[string]float64
	d := yaml.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&given); err != nil && !errors.Is(err, io.EOF) {
		return Costs{}, fmt.Errorf("costs: %w", err)
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return Costs{}, errors.New("costs: expected one document")
	}
	var c Costs
	var faults []error
	for _, one := range []struct {
		name string
		into *float64
	}{
		{"hosting_address_day", &c.Hosting}, {"residential_address_day", &c.Residential}, {"mobile_address_day", &c.Mobile}, {"device", &c.Device},
		{"inbox", &c.Inbox}, {"aged_account", &c.AgedAccount}, {"challenge", &c.Challenge}, {"person_vote", &c.PersonVote},
	} {
		price, there := given[one.name]
		switch {
		case !there:
			faults = append(faults, fmt.Errorf("costs: %s is missing", one.name))
		case !(price >= 0 && price <= maxPrice): // nor is NaN a price
			faults = append(faults, fmt.Errorf("costs: %s: expected a price from 0 to %g, found %g", one.name, maxPrice, price))
		}
		*one.into = price
		delete(given, one.name)
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		faults = append(faults, fmt.Errorf("costs: there is no price %q", name))
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
