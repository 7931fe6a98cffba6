package archtest

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// Each library that go.mod asks for itself has a line in docs/decisions/dependencies.md.
func TestDependencies_HaveALine(t *testing.T) {
	text, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	file, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/decisions/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	looked := 0
	for _, one := range file.Require {
		if one.Indirect {
			continue
		}
		looked++
		if name := strings.TrimPrefix(one.Mod.Path, "github.com/"); !strings.Contains(string(page), name) {
			t.Errorf("%s has no line", one.Mod.Path)
		}
	}
	if looked < 20 {
		t.Errorf("only %d libraries were looked at", looked)
	}
}
