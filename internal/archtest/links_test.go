package archtest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	dropped = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors are what a page's headings can be linked by, as GitHub makes them.
func anchors(page []byte) map[string]bool {
	names := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(string(page), -1) {
		names[strings.ReplaceAll(strings.ToLower(dropped.ReplaceAllString(m[1], "")), " ", "-")] = true
	}
	return names
}

// broken are the links of a page that lead to no file of the tree, or to no heading of it.
func broken(path string, page []byte) (links []string) {
	for _, m := range link.FindAllStringSubmatch(string(page), -1) {
		file, anchor, _ := strings.Cut(m[1], "#")
		if strings.Contains(file, ":") { // of another site
			continue
		}
		text := page
		if file != "" {
			there := filepath.Join(filepath.Dir(path), file)
			info, err := os.Stat(there)
			if err == nil && !info.IsDir() {
				text, err = os.ReadFile(there)
			}
			if err != nil {
				links = append(links, m[1])
				continue
			}
		}
		if anchor != "" && !anchors(text)[anchor] {
			links = append(links, m[1])
		}
	}
	return links
}

func TestDocs_EachLinkLeadsSomewhere(t *testing.T) {
	looked := 0
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Name() == "node_modules" {
			if err == nil {
				err = filepath.SkipDir
			}
			return err
		}
		if entry.IsDir() || filepath.Ext(path) != ".md" {
			return nil
		}
		page, err := os.ReadFile(path)
		looked += len(link.FindAll(page, -1))
		for _, dead := range broken(path, page) {
			t.Errorf("%s: nothing is at %s", path, dead)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if looked < 100 {
		t.Errorf("only %d links were found", looked)
	}
}

func TestDocs_FindsLinksThatLeadNowhere(t *testing.T) {
	page := []byte("# One, two\n[a](#one-two) [b](#three) [c](imports_test.go) [d](gone.md) [e](https://example.org/gone) [f](../../README.md#joute) [g](../../README.md#gone)\n")
	if got := strings.Join(broken("page.md", page), " "); got != "#three gone.md ../../README.md#gone" {
		t.Errorf("found %q", got)
	}
}
