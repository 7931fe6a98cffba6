package archtest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What may be watched is told to who operates, and what they are told to watch is there.
func TestMetrics_AreThoseOfTheDocs(t *testing.T) {
	counted := regexp.MustCompile(`"(joute_[a-z_]+)"`)
	var made []string
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range counted.FindAllStringSubmatch(string(text), -1) {
			made = append(made, m[1])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile("`(joute_[a-z_]+)").FindAllStringSubmatch(string(text), -1) {
			told[m[1]] = true
			if !slices.Contains(made, m[1]) {
				t.Errorf("%s tells of %s, which is no metric", file, m[1])
			}
		}
	}
	if len(made) < 20 {
		t.Errorf("only %d metrics were found: %v", len(made), made)
	}
	for _, name := range made {
		if !told[name] {
			t.Errorf("no page of docs tells of %s", name)
		}
	}
}
