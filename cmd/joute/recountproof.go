package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/joute/joute/internal/client"
	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ledger"
)

// proof compares the lines of a ledger with signed checkpoints: the server's
// newest, and those that were kept.
type proof struct {
	key    string
	signed bool // there is something to prove
	trees  ledger.Trees
	boxes  []seenBox
	out    proven
}

// seenBox is what a checkpoint says of a box.
type seenBox struct {
	name string
	box  int
	size int64
}

// proven is what the checkpoints have proved, for whoever reads it.
type proven struct {
	Key      string   `json:"key"`
	Records  int64    `json:"records"`            // that the server's newest checkpoint covers
	Withheld int64    `json:"withheld"`           // of them, known by their hash alone
	Contains []string `json:"contains,omitempty"` // checkpoints that were given
}

const newestName = "the server's checkpoint"

// newProof asks the server for its newest checkpoint. A server that signs nothing
// yet proves nothing, unless a checkpoint was kept; whoever names the key that
// must have signed is refused, as whoever cheats would rather show no signature.
func newProof(ctx context.Context, server *client.Client, contest, pinned string, kept []ledger.Seen) (*proof, error) {
	view, err := server.Contest(ctx, contest)
	if err != nil {
		return nil, err
	}
	if pinned != "" && view.LedgerKey != "" && pinned != view.LedgerKey {
		return nil, fmt.Errorf("the server signs with another key than the one given: %s", view.LedgerKey)
	}
	p := &proof{key: cmp.Or(pinned, view.LedgerKey)}
	newest, err := server.Checkpoint(ctx, contest)
	if err != nil {
		return nil, err
	}
	all := kept
	if newest != nil {
		all = append([]ledger.Seen{{Name: newestName, Note: newest}}, kept...)
	}
	if len(all) == 0 && pinned != "" {
		return nil, errors.New("the server has signed no checkpoint yet: there is nothing that --public-key could prove")
	}
	if len(all) > 0 && p.key == "" {
		return nil, errors.New("the server shows no ledger_key: give the key that has signed as --public-key")
	}
	p.signed, p.out.Key = len(all) > 0, p.key
	for _, seen := range all {
		if err := p.want(contest, seen); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *proof) want(contest string, seen ledger.Seen) error {
	of, boxes, err := ledger.Signed(seen.Note, p.key)
	if err == nil && of != contest {
		err = fmt.Errorf("it is of %s", of)
	}
	if err == nil {
		err = p.trees.Want(seen.Name, boxes)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", seen.Name, err)
	}
	for box, tree := range boxes {
		p.boxes = append(p.boxes, seenBox{seen.Name, box, tree.N})
		if seen.Name == newestName {
			p.out.Records += tree.N
		}
	}
	if seen.Name != newestName {
		p.out.Contains = append(p.out.Contains, seen.Name)
	}
	return nil
}

// reached tells a ledger that was rolled back, which would be waited for in vain:
// what a kept checkpoint has was in the ledger before the board was read.
func (p *proof) reached(board []int64) error {
	newest := map[int]int64{}
	for _, b := range p.boxes {
		if b.name == newestName {
			newest[b.box] = b.size
		}
	}
	for _, b := range p.boxes {
		have := newest[b.box]
		if b.box < len(board) {
			have = max(have, board[b.box])
		} else if b.size > 0 {
			return fmt.Errorf("%s: it has records of box %d, which the contest does not have", b.name, b.box)
		}
		if b.size > have {
			return fmt.Errorf("%s: it has %d records of box %d, and the server has %d: the ledger was rolled back", b.name, b.size, b.box, have)
		}
	}
	return nil
}

// add takes the next line of a box.
func (p *proof) add(line []byte, r voting.Record) error {
	if r.Position.Offset > p.trees.Size(r.Position.Box) {
		return nil
	}
	leaf := ledger.Leaf(line)
	var withheld struct {
		Leaf string `json:"leaf"`
	}
	if r.NamesBallot() && r.Entry == "" { // of a hidden entry, read without an organizer's key
		if err := json.Unmarshal(line, &withheld); err != nil {
			return fmt.Errorf("record %s: %w", r.Position, err)
		}
		var err error
		if leaf, err = tlog.ParseHash(withheld.Leaf); err != nil {
			return fmt.Errorf("record %s lacks its entry and the hash of the whole line", r.Position)
		}
		p.out.Withheld++
	}
	return p.trees.Add(r.Position.Box, leaf)
}

// said is nil where nothing was signed.
func (p *proof) said() *proven {
	if !p.signed {
		return nil
	}
	return &p.out
}

func (o *proven) String() string {
	if o == nil {
		return "proof: none, the server has signed no checkpoint yet"
	}
	text := fmt.Sprintf("proof: %d records have the roots of the checkpoint signed by %s", o.Records, printable(o.Key))
	if o.Withheld > 0 {
		text += fmt.Sprintf("\nproof: %d of them are of hidden entries: their hashes are proved, and not what their lines say", o.Withheld)
	}
	for _, name := range o.Contains {
		text += "\nproof: the ledger goes on from " + name
	}
	return text
}
