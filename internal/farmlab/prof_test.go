package farmlab

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/joute/joute/antifraud/detect"
)

func TestProf(t *testing.T) {
	f := os.Getenv("PROF")
	if f == "" {
		t.Skip()
	}
	d := detect.New(detect.Options{})
	start := time.Now()
	if err := EachBallot(f, func(b detect.Ballot) { d.Add(b) }); err != nil {
		t.Fatal(err)
	}
	fmt.Println("read", time.Since(start))
	start = time.Now()
	r := d.Whole()
	fmt.Println("whole", time.Since(start), len(r.Clusters))
}
