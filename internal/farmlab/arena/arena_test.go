package arena

import (
	"os"
	"testing"
	"time"

	"github.com/joute/joute/internal/farmlab/attack"
)

func TestTry(t *testing.T) {
	for _, p := range attack.Profiles {
		start := time.Now()
		r, err := Trial{Profile: p, Costs: attack.BuiltinCosts(), Seed: 7, Options: Options{Every: 60 * time.Minute}}.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r.Table(os.Stdout)
		t.Log(time.Since(start))
	}
}
