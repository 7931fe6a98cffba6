package detect

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"testing"
	"time"
)

func TestTune(t *testing.T) {
	w := os.Getenv("W")
	if w == "" {
		t.Skip()
	}
	f, err := os.Open(w + "/ballots.ndjson.gz")
	if err != nil {
		t.Fatal(err)
	}
	z, _ := gzip.NewReader(f)
	s := bufio.NewScanner(z)
	var d Detector
	for s.Scan() {
		var b Ballot
		if err := json.Unmarshal(s.Bytes(), &b); err != nil {
			t.Fatal(err)
		}
		d.Add(b)
	}
	start := time.Now()
	r := d.Whole()
	t.Log(time.Since(start))
	out, _ := os.Create(os.Getenv("OUT"))
	e := json.NewEncoder(out)
	for _, f := range r.Findings {
		e.Encode(f)
	}
	out.Close()
}
