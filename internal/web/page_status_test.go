package web

import (
	"fmt"
	"strings"
	"testing"
)

// Whoever presses again may have lost the page that told them: it is told again,
// and not that the vote counts where it does not.
func TestStatus_PressedAgainTellsWhereTheVoteStands(t *testing.T) {
	e := start(t)
	id, path := e.contest(withFans + holding)
	b := e.browser("Accept-Language: en")
	first := b.press(b.get("/c/"+id), "lumiere-1")
	first.shows("Your vote is kept for review.", "It does not count yet.", "nothing shows yet", "What you can do")
	again := b.press(b.get("/c/"+id), "vercors-1")
	again.shows("You have already voted.", "“A” is stored safely. It does not count yet.", "nothing shows yet", "What you can do", "Make your vote count", "Join Tremplin")
	again.hides("Your vote counts")

	judge := func(standing string) {
		t.Helper()
		ledger := strings.Split(strings.TrimSpace(string(e.do("GET", path+"/ledger", "", asOrganizer).want(200, "").body)), "\n")
		_, ballot, _ := strings.Cut(ledger[len(ledger)-1], `"ballot":"`)
		e.do("POST", path+"/standings", fmt.Sprintf(`{"ballots":[%q],"standing":%q,"reason":"same-voter"}`, ballot[:36], standing), asOrganizer).want(200, "")
	}
	judge("counted")
	again = b.press(b.get("/c/"+id), "vercors-1")
	again.shows("You have already voted.", "Your vote counts, and there is no other one left", "My receipt", "Bring your friends")
	again.hides("does not count yet", "Make your vote count")

	judge("void")
	again = b.press(b.get("/c/"+id), "vercors-1")
	again.shows("You have already voted.", "was taken out of the count", "What you can do")
	again.hides("Your vote counts", "Join Tremplin", "Bring your friends") // there is nothing to thank for, nor to share
}
