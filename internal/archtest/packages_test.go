package archtest

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The page that says where things are has each package, and none that is gone.
func TestArchitecture_NamesEveryPackage(t *testing.T) {
	text, err := os.ReadFile("../../docs/ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	above := ""
	for _, m := range regexp.MustCompile(`(?m)^(  )?([a-z0-9/]+)/ +[a-zA-Z0-9\x60]`).FindAllStringSubmatch(string(text), -1) {
		if m[1] == "" {
			above = m[2]
			told = append(told, m[2])
		} else {
			told = append(told, above+"/"+m[2])
		}
	}
	list := exec.Command("go", "list", "./...")
	list.Dir = "../.."
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	var there []string
	for line := range strings.Lines(string(out)) {
		there = append(there, strings.TrimPrefix(strings.TrimSpace(line), module))
	}
	for _, name := range there {
		if !slices.Contains(told, name) {
			t.Errorf("docs/ARCHITECTURE.md does not tell of %s", name)
		}
	}
	for _, name := range told {
		if !slices.Contains(there, name) && name != "e2e" { // which has no Go of its own
			t.Errorf("docs/ARCHITECTURE.md tells of %s, which is no package", name)
		}
	}
}
