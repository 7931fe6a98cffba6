package ballotbox

import (
	"slices"
	"testing"

	"github.com/joute/joute/internal/store"
	"github.com/joute/joute/voting"
)

// What the scripts have written of every ballot and voter is what Go spells from
// the ledger, byte for byte, on both stores.
func TestForm_GoSpellsWhatTheScriptsWrite(t *testing.T) {
	onEveryStore(t, func(t *testing.T, st *store.Store) {
		b, s := New(st), newContest(t, "rules: {ballots: {max: 3, per: day}, per_entry: 2, undo: 1h}", "scoring: {schools: {by: total}, ties: earliest}")
		counted, present, held := ballotFor("ada", "n-1"), ballotFor("ada", "n-2"), ballotFor("bob", "s-1")
		present.Present = true
		held.Standing, held.Reasons, held.Present = voting.Held, []string{"unproven", "lockstep"}, true
		void, withdrawn, device := ballotFor("bob", "n-1"), ballotFor("eve", "n-1"), ballotFor("phone", "s-1")
		for _, ballot := range []voting.Ballot{counted, present, held, void, withdrawn, device} {
			mustCast(t, b, s, ballot)
		}
		for ballot, change := range map[*voting.Ballot]Change{
			&void:      {Standing: voting.Void, Actor: voting.ActorOrganizer, Reasons: []string{"bought"}},
			&withdrawn: {Standing: voting.Withdrawn, Actor: voting.ActorVoter},
		} {
			change.Voter, change.Ballot = ballot.Voter, ballot.ID
			if _, changed, err := b.Change(t.Context(), s, change); err != nil || !changed {
				t.Fatalf("%+v: changed %v, %v", change, changed, err)
			}
		}
		if _, err := b.into(t.Context(), s, device.Voter, voterNamed("ada"), false); err != nil {
			t.Fatal(err)
		}

		keys, ledger := keysOf(s.Contest.ID, 0), ledgerOf(t, b, s, voting.Position{})
		hashes, args, err := repairs(s.Contest, keys, func(yield func(voting.Record)) error {
			for _, r := range ledger {
				yield(r)
			}
			return nil
		}, ledger) // of all, as if all were torn
		if err != nil {
			t.Fatal(err)
		}
		compared := map[string]bool{}
		for i := slices.Index(args, any("/withdrawn")) + 2; i < len(args); i += 3 {
			at, field, want := args[i].(int)-firstHash, args[i+1].(string), args[i+2].(string)
			if at < 0 {
				continue // the queue of the held
			}
			got, err := st.Client().HGet(t.Context(), hashes[at], field).Result()
			if err != nil || got != want {
				t.Errorf("%s holds %q, Go spells %q (%v)", hashes[at], got, want, err)
			}
			kind := "turns"
			switch {
			case len(field) == 32: // a ballot, and its voter
				kind = want[:1]
			case want[0] == '=':
				kind = "joined"
			}
			compared[kind] = true
		}
		for _, kind := range []string{"c", "C", "H", "v", "w", "turns", "joined"} {
			if !compared[kind] {
				t.Errorf("nothing kept as %q was compared", kind)
			}
		}
		for _, ballot := range []voting.Ballot{counted, present, held} {
			cast, err := b.Find(t.Context(), s, ballot.Voter, ballot.ID)
			if err != nil || cast.Entry != ballot.Entry || cast.Standing != ballot.Standing || cast.Present != ballot.Present || !slices.Equal(cast.Reasons, ballot.Reasons) {
				t.Errorf("%+v is read as %+v, %v", ballot, cast, err)
			}
		}
	})
}
