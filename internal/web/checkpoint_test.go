package web

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"strings"
	"testing"

	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ledger"
)

// What anybody needs to prove a count: the key, the newest checkpoint, and lines
// that are its leaves, also where an entry is withheld.
func TestCheckpoint_ProvesTheLinesThatAreServed(t *testing.T) {
	dir := t.TempDir()
	signer, err := ledger.NewSigner(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	must(t, err)
	e := startOn(t, sharedURL(t), func(s *Server) { s.cfg.Ledgers = ledger.NewShelf(dir, signer) })
	id, path := e.contest("")
	if key := e.do("GET", path, "").want(200, "").text("ledger_key"); key != signer.Public() {
		t.Errorf("the key is %q", key)
	}
	e.do("GET", path+"/checkpoint", "").want(404, "not-found")
	e.do("GET", "/v1/contests/"+newID()+"/checkpoint", "").want(404, "no-such-contest")

	for _, entry := range []string{"lumiere-1", "vercors-1", "vercors-1"} {
		e.do("POST", path+"/ballots", ballot(newBallot(), entry), e.pass(path)).want(201, "")
	}
	var m map[string]any
	must(t, json.Unmarshal([]byte(contestText(id, "")), &m))
	m["entries"].([]any)[1].(map[string]any)["hidden"] = true
	taken, err := json.Marshal(m)
	must(t, err)
	e.do("PUT", path, string(taken), asOrganizer).want(200, "")
	e.do("POST", path+"/close", "", asOrganizer).want(200, "")
	e.do("POST", path+"/publish", "", asOrganizer).want(200, "")
	own := lines(e.do("GET", path+"/ledger", "", asOrganizer).want(200, ""))
	public := lines(e.do("GET", path+"/ledger", "").want(200, ""))

	w, err := ledger.Open(dir, id, signer)
	must(t, err)
	defer w.Close()
	var stored [][]byte
	for _, line := range own {
		var r voting.Record
		must(t, json.Unmarshal([]byte(line), &r))
		again, err := json.Marshal(r)
		must(t, err)
		if !bytes.Equal(again, []byte(line)) {
			t.Errorf("served as\n%s\nand a leaf is\n%s", line, again)
		}
		stored = append(stored, again)
	}
	must(t, w.Append(0, stored))
	committed, err := w.Commit()
	must(t, err)

	answer := e.do("GET", path+"/checkpoint", "").want(200, "")
	if !bytes.Equal(answer.body, committed.Note) || !strings.HasPrefix(answer.header.Get("Content-Type"), "text/plain") {
		t.Fatalf("%v %s", answer.header, answer.body)
	}
	name, boxes, err := ledger.Signed(answer.body, signer.Public())
	if err != nil || name != id || boxes[0].N != int64(len(own)) {
		t.Fatalf("%s, %v, %v", name, boxes, err)
	}
	withheld := 0
	for what, lines := range map[string][]string{"organizer": own, "public": public} {
		var trees ledger.Trees
		must(t, trees.Want("checkpoint", boxes))
		for i, line := range lines {
			leaf := ledger.Leaf([]byte(line))
			var r struct {
				Leaf string `json:"leaf"`
			}
			must(t, json.Unmarshal([]byte(line), &r))
			if r.Leaf != "" {
				withheld++
				if strings.Contains(line, "vercors-1") || r.Leaf != ledger.Leaf([]byte(own[i])).String() {
					t.Errorf("%s: %s", what, line)
				}
				leaf = ledger.Leaf([]byte(own[i]))
			}
			if err := trees.Add(0, leaf); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
	if withheld != 2 {
		t.Errorf("%d lines have a leaf, and two ballots are of an entry that is hidden", withheld)
	}
}
