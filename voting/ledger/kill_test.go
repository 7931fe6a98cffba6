package ledger_test

import (
	"bufio"
	"crypto/ed25519"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/joute/joute/voting"
	"github.com/joute/joute/voting/ledger"
)

const childFolder = "JOUTE_TEST_LEDGER"

// TestMain is also the process that is killed: with a folder in its environment
// it appends there until it is, and prints what was committed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(childFolder); dir != "" {
		if err := appendForEver(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

func appendForEver(dir string) error {
	signer, err := ledger.NewSigner(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err != nil {
		return err
	}
	w, err := ledger.Open(dir, contest, signer)
	if err != nil {
		return err
	}
	for {
		for box := range 3 {
			for range 1 + rand.IntN(3) {
				next := w.Size(box) + 1
				if err := w.Append(box, linesOf(box, next, next+rand.Int64N(200))); err != nil {
					return err
				}
			}
		}
		c, err := w.Commit()
		if err != nil {
			return err
		}
		if _, err := fmt.Println(c.Size(0), c.Size(1), c.Size(2)); err != nil {
			return err
		}
	}
}

// A process that appends is killed again and again: no committed record is lost,
// none is there twice, and the next one goes on.
func TestCrash_KilledWhileItAppends(t *testing.T) {
	cycles := 15
	if os.Getenv("JOUTE_FAULTS") == "long" {
		cycles = 200
	}
	dir := inMemory(t)
	var committed [3]int64
	for cycle := range cycles {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childFolder+"="+dir)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		said := bufio.NewScanner(out)
		for commits := 0; said.Scan(); commits++ {
			if _, err := fmt.Sscan(said.Text(), &committed[0], &committed[1], &committed[2]); err != nil {
				t.Fatal(err)
			}
			if commits == 0 { // at any moment of the commits that follow
				time.AfterFunc(time.Duration(rand.IntN(20_000))*time.Microsecond, func() { child.Process.Kill() })
			}
		}
		if err := child.Wait(); err == nil || child.ProcessState.ExitCode() != -1 {
			t.Fatalf("cycle %d: it was not killed: %v", cycle, err)
		}
		checkpoint, err := ledger.ReadCheckpoint(dir, contest)
		if err != nil {
			t.Fatal(err)
		}
		for box, size := range committed {
			if checkpoint.Size(box) < size {
				t.Fatalf("cycle %d: box %d has %d records, and %d were committed", cycle, box, checkpoint.Size(box), size)
			}
		}
	}
	for box := range committed {
		offsets := read(t, dir, box, voting.Position{}) // fails on a line that is not its offset's
		if int64(len(offsets)) < committed[box] || offsets[len(offsets)-1] != int64(len(offsets)) {
			t.Errorf("box %d: %d records of %d", box, len(offsets), committed[box])
		}
	}
}
