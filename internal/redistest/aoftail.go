package redistest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// CutTail does to a killed server's files what operators do before a start: it runs
// scripts/redis-aof-tail and returns what that said.
func (s *Server) CutTail() (said string, err error) {
	root, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		parent := filepath.Dir(root)
		if parent == root {
			return "", fmt.Errorf("redistest: no go.mod above the test")
		}
		root = parent
	}
	out, err := exec.Command(filepath.Join(root, "scripts", "redis-aof-tail"), filepath.Join(s.dir, "appendonlydir")).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}
