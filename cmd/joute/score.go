package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/joute/joute/antifraud/account"
)

type scoreCmd struct {
	Profiles string  `required:"" placeholder:"FILE" help:"Profiles, one JSON object a line, plain or gzip; - is standard input."`
	Out      string  `required:"" placeholder:"FILE" help:"Where the scores go, one JSON object a line, in the same order, written whole or not at all; - is standard output."`
	BaseRate float64 `default:"${base_rate}" help:"Share of accounts that are fake before one is looked at. It moves all scores, and never their order."`
}

func (scoreCmd) Help() string {
	return "A profile has an id and any of followers, following, posts, has_picture, has_bio, bio_length, username, name_digits, age_days,\n" +
		"has_url; what is missing is held against nobody, other members are skipped. A score is the probability that the account is fake;\n" +
		"its reasons are what moved it. A suspicion, never a proof: by itself it holds no ballot (docs/ANTIFRAUD.md, Account scores)."
}

// scoreDigits is how many decimals of a score are written: what is behind them is
// not known, and differs between processors.
const scoreDigits = 6

type scored struct {
	ID      string   `json:"id"`
	Score   float64  `json:"score"`
	Reasons []string `json:"reasons"`
}

func (cmd scoreCmd) Run(ctx context.Context, m *Main) error {
	if !(cmd.BaseRate > 0 && cmd.BaseRate < 1) { // NaN neither
		return errors.New("--base-rate: expected a share between 0 and 1, both excluded")
	}
	var absurd clamped
	err := m.writeWhole(cmd.Out, func(w *bufio.Writer) error {
		out := json.NewEncoder(w)
		out.SetEscapeHTML(false)
		return m.readLog(cmd.Profiles, func(n int, raw []byte) error {
			line, err := account.Parse(raw)
			if err = errors.Join(ctx.Err(), err); err != nil {
				return err
			}
			absurd.note(n, line.Absurd)
			v := line.Profile.Score()
			unit := math.Pow10(scoreDigits)
			return out.Encode(scored{line.ID, math.Round(v.At(cmd.BaseRate)*unit) / unit, append([]string{}, v.Reasons...)})
		})
	})
	if err != nil {
		return err
	}
	absurd.tell(m, told(cmd.Profiles))
	return nil
}

// clamped counts, by member, numbers that were put to what can be.
type clamped struct {
	members []string
	first   map[string]int // line
	times   map[string]int
}

func (c *clamped) note(line int, members []string) {
	for _, member := range members {
		if c.times[member] == 0 {
			if c.times == nil {
				c.first, c.times = map[string]int{}, map[string]int{}
			}
			c.members, c.first[member] = append(c.members, member), line
		}
		c.times[member]++
	}
}

// tell says each member once.
func (c *clamped) tell(m *Main, file string) {
	for _, member := range slices.Sorted(slices.Values(c.members)) {
		fmt.Fprintf(m.Stderr, "joute: %s:%d: %s: no account has such a number (%d in all): the nearest possible was taken, and none for NaN\n",
			file, c.first[member], member, c.times[member])
	}
}
