package ledger_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/joute/joute/voting/ledger"
)

// signed is a ledger of one box with these very lines, whatever they are, as a signer who
// means ill would make it.
func signed(t *testing.T, lines ...string) files {
	t.Helper()
	f := files{"public-key": []byte(signerOf(t, 1).Public() + "\n"), "box-0/000000000001.ndjson": []byte(strings.Join(lines, "\n") + "\n")}
	f.rehash("box-0")
	var leaves [][]byte
	for _, line := range lines {
		leaves = append(leaves, []byte(line))
	}
	root := fmt.Sprintf("%d %s\n", len(lines), rootOf(leaves))
	f["checkpoint"] = sign(t, "joute-ledger/"+contest+"\nboxes 1\n"+root)
	f["box-0/checkpoint"] = sign(t, "joute-ledger/"+contest+"/box-0\n"+strings.Replace(root, " ", "\n", 1))
	return f
}

func sign(t *testing.T, text string) []byte {
	t.Helper()
	out, err := note.Sign(&note.Note{Text: text}, signerOf(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// verified is what verify says of the files, or that it waits for ever.
func verified(t *testing.T, dir string, o ledger.Options) (ledger.Report, error) {
	t.Helper()
	var report ledger.Report
	done := make(chan error, 1)
	go func() {
		var err error
		report, err = ledger.Verify(dir, o)
		done <- err
	}()
	select {
	case err := <-done:
		return report, err
	case <-time.After(20 * time.Second):
		t.Fatal("it waits for ever")
		return report, nil
	}
}

// A line that is signed and that some read in one way and some in another: whoever signs could
// have everybody count what pleases them.
func TestVerify_ALineHasOneReading(t *testing.T) {
	first, second := string(lineOf(0, 1)), string(lineOf(0, 2))
	change := func(old, new string) string {
		if strings.Count(second, old) != 1 {
			t.Fatalf("%s has not one %s", second, old)
		}
		return strings.Replace(second, old, new, 1)
	}
	for name, row := range map[string]struct{ line, want string }{
		"as it is":                      {second, ""},
		"a member of a later version":   {change(`,"actor"`, `,"weight":2,"actor"`), ""},
		"a kind of a later version":     {change(`"kind":"cast"`, `"kind":"bless"`), ""},
		"written with an escape":        {change(`"entry":"entry-2"`, `"entry":"\u0065ntry-2"`), ""},
		"a standing twice":              {change(`"standing":"counted"`, `"standing":"void","standing":"counted"`), "duplicate"},
		"twice, once with an escape":    {change(`"standing":"counted"`, `"standing":"void","st\u0061nding":"counted"`), "duplicate"},
		"twice within what is unknown":  {change(`,"actor"`, `,"x":{"a":1,"a":2},"actor"`), "duplicate"},
		"in other letters":              {change(`"standing":"counted"`, `"standing":"void","Standing":"counted"`), `is "standing" to some readers`},
		"in letters that fold":          {change(`"entry":"entry-2"`, "\"entry\":\"entry-2\",\"\u017fchool\":\"south\""), `is "school" to some readers`},
		"alone in other letters":        {change(`"entry":"entry-2"`, `"ENTRY":"entry-2"`), `is "entry" to some readers`},
		"another instant":               {change(`"at":"2027`, `"at":"2017`), "its instant"},
		"an instant that is a number":   {strings.Replace(second, `"at":"2027-01-15T08:00:00.000Z"`, `"at":1`, 1), "record 2"},
		"a position of another form":    {change(`{"position":"7-0-`, `{"position":"7-00-`), "not a position"},
		"a position that is escaped":    {change(`{"position":"7-0-`, `{"position":"\u0037-0-`), "record 2"},
		"a space before the position":   {change(`{"position"`, `{ "position"`), "does not begin with a position"},
		"not the next position":         {string(lineOf(0, 3)), "does not follow record 1"},
		"a position of another box":     {string(lineOf(1, 2)), "does not follow record 1"},
		"bytes that are no text":        {change(`"entry":"entry-2"`, "\"entry\":\"entry-2\xff\""), "UTF-8"},
		"half a pair of surrogates":     {change(`"entry":"entry-2"`, `"entry":"\ud800"`), "record 2"},
		"a number that is none to some": {change(`,"actor"`, `,"version":1e0,"actor"`), "record 2"},
		"a version beyond all numbers":  {change(`,"actor"`, `,"version":`+strings.Repeat("9", 1000)+`,"actor"`), "record 2"},
		"deep":                          {change(`,"actor"`, `,"x":`+strings.Repeat("[", 100_000)+strings.Repeat("]", 100_000)+`,"actor"`), "record 2"},
		"a ballot that changes its entry": {strings.NewReplacer(`"position":"7-0-1800000000000-1"`, `"position":"7-0-1800000000000-2"`,
			`"kind":"cast"`, `"kind":"release"`, `"entry":"entry-1"`, `"entry":"entry-2"`).Replace(first), "for another entry"},
		"a return before the end":  {second + "\r", ""}, // every reader takes it for a space
		"more behind the record":   {second + `{"position":"7-0-1800000000000-2"}`, "record 2"},
		"a text that is no object": {`["position"]`, "does not begin with a position"},
	} {
		t.Run(name, func(t *testing.T) {
			report, err := verified(t, signed(t, first, row.line).store(t), ledger.Options{})
			if row.want == "" && (err != nil || report.Contests[0].Boxes[0].Size != 2) {
				t.Fatalf("%+v, %v", report, err)
			}
			if row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want) || !strings.Contains(err.Error(), "record 2")) {
				t.Fatalf("%v, want %q", err, row.want)
			}
			if err != nil && (report.Contests[0].Tally.Counted != 0 || len(report.Contests[0].Tally.Entries) != 0) {
				t.Errorf("what is not proved is counted: %+v", report.Contests[0].Tally)
			}
		})
	}
}

// Edits that a random one is not, by somebody who knows how a ledger is made: each must be found.
func TestVerify_FindsWhatNobodyDoesByChance(t *testing.T) {
	ledger.SegmentsOf(t, 1500)
	ledgerOf := func(id string, last int64, seed byte) files {
		dir := inMemory(t)
		w, err := ledger.Open(dir, id, signerOf(t, seed))
		if err != nil {
			t.Fatal(err)
		}
		for box := range 2 {
			if err := w.Append(box, linesOf(box, 1, last)); err != nil {
				t.Fatal(err)
			}
		}
		commit(t, w)
		w.Close()
		if id != contest {
			if err := os.Rename(filepath.Join(dir, id), filepath.Join(dir, contest)); err != nil {
				t.Fatal(err)
			}
		}
		return load(t, dir)
	}
	older, other, foreign := ledgerOf(contest, 20, 1), ledgerOf("another", 30, 1), ledgerOf(contest, 30, 2)
	signatureOf := func(f files, name string) []byte { return f[name][bytes.LastIndex(f[name], []byte("—")):] }
	pipe := func(t *testing.T, path string) {
		if err := errors.Join(os.Remove(path), syscall.Mkfifo(path, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	link := func(t *testing.T, path string) {
		aside := filepath.Join(t.TempDir(), "aside")
		text, err := os.ReadFile(path)
		if err := errors.Join(err, os.WriteFile(aside, text, 0o600), os.Remove(path), os.Symlink(aside, path)); err != nil {
			t.Fatal(err)
		}
	}
	type row struct {
		edit   func(f files)
		spoil  func(t *testing.T, path string)
		o      ledger.Options
		at     string
		proved bool
	}
	rows := map[string]row{
		"nothing":               {proved: true},
		"signed by another too": {edit: func(f files) { f["checkpoint"] = slices.Concat(f["checkpoint"], signatureOf(foreign, "checkpoint")) }, at: "checkpoint"},
		"a box signed by another too": {edit: func(f files) {
			f["box-1/checkpoint"] = slices.Concat(f["box-1/checkpoint"], signatureOf(foreign, "box-1/checkpoint"))
		}, at: "box-1/checkpoint"},
		"a newer checkpoint, not signed":       {edit: func(f files) { f["checkpoint"] = bytes.Replace(f["checkpoint"], []byte("\n30 "), []byte("\n31 "), 1) }, at: "checkpoint"},
		"another's signature":                  {edit: func(f files) { f["checkpoint"] = foreign["checkpoint"] }, at: "checkpoint"},
		"the checkpoint of another contest":    {edit: func(f files) { f["checkpoint"] = other["checkpoint"] }, at: "checkpoint"},
		"a box's checkpoint from before":       {edit: func(f files) { f["box-0/checkpoint"] = older["box-0/checkpoint"] }, at: "box-0/checkpoint"},
		"a box's of a contest of equal votes":  {edit: func(f files) { f["box-0/checkpoint"] = other["box-0/checkpoint"] }, at: "box-0/checkpoint"},
		"a key that has not signed beside it":  {edit: func(f files) { f["public-key"] = foreign["public-key"] }, o: ledger.Options{PublicKey: signerOf(t, 1).Public()}, at: "checkpoint"},
		"a checkpoint elsewhere has a box":     {o: ledger.Options{Checkpoints: []ledger.Seen{{Name: "seen", Note: sign(t, "joute-ledger/"+contest+"/box-7\n3\n"+rootOf(linesOf(7, 1, 3)).String()+"\n")}}}, at: "seen"},
		"a checkpoint elsewhere is not signed": {o: ledger.Options{Checkpoints: []ledger.Seen{{Name: "seen", Note: foreign["checkpoint"]}}}, at: "seen"},
		"sparse behind what is signed": {spoil: func(t *testing.T, path string) {
			if err := os.Truncate(path, 1<<40); err != nil {
				t.Skip(err)
			}
		}, at: "box-0/000000000028.ndjson", proved: true}, // a crash leaves that
	}
	for _, name := range []string{"public-key", "checkpoint", "box-0/checkpoint", "box-0/hashes", "box-0/000000000001.ndjson"} {
		rows["a pipe as "+name] = row{spoil: pipe, at: name}
		rows["a link as "+name] = row{spoil: link, at: name}
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			f := load(t, committed(t)) // two boxes of 30 records
			if row.edit != nil {
				row.edit(f)
			}
			dir := f.store(t)
			if row.spoil != nil {
				row.spoil(t, filepath.Join(dir, contest, row.at))
			}
			report, err := verified(t, dir, row.o)
			if row.proved {
				if err != nil || report.Contests[0].Boxes[0].Size != 30 {
					t.Fatalf("%+v, %v", report, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), row.at) {
				t.Fatalf("%+v, %v: want %s", report, err, row.at)
			}
			if p := report.Contests[0]; p.Tally.Counted != 0 || len(p.Seen) > 0 {
				t.Errorf("with a fault it proves %+v and goes on from %q", p.Tally, p.Seen)
			}
		})
	}
}

// A contest's ledger that is gone as a whole, or gutted, is told where its data folder is there.
func TestVerify_ALedgerThatIsGone(t *testing.T) {
	data := inMemory(t)
	mustMake := func(path string, text string) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(data, path)), 0o700), os.WriteFile(filepath.Join(data, path), []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(committed(t), filepath.Join(data, "ledger")); err != nil {
		t.Fatal(err)
	}
	mustMake("keys/contest-"+contest+".key", "x")
	mustMake("keys/server.key", "x")
	mustMake("keys/ledger.key", "x")
	mustMake("ledger/notes", "x")
	if err := os.Mkdir(filepath.Join(data, "ledger", "begun"), 0o700); err != nil { // by a server that was killed
		t.Fatal(err)
	}
	if report, err := ledger.Verify(data, ledger.Options{}); err != nil || len(report.Contests) != 1 {
		t.Fatalf("control: %+v, %v", report, err)
	}
	for _, name := range []string{"keys/contest-gone.key", "keys/contest-gone.forgotten", "ledger/gone/box_0"} {
		mustMake(name, "x")
		report, err := ledger.Verify(data, ledger.Options{})
		if err == nil || !strings.Contains(err.Error(), filepath.Join(data, "ledger", "gone")) || len(report.Contests) != 2 {
			t.Errorf("%s: %+v, %v", name, report, err)
		}
		if err := errors.Join(os.Remove(filepath.Join(data, name)), os.RemoveAll(filepath.Join(data, "ledger", "gone"))); err != nil {
			t.Fatal(err)
		}
	}
}

// Names are made by who is to be verified: none ends a line of ours, or tells a terminal something.
func TestFault_IsOneLineOfPlainText(t *testing.T) {
	dir := committed(t)
	name := "zz\nproved\n\x1b[2J\u202e"
	if err := os.MkdirAll(filepath.Join(dir, name, "box-0"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := ledger.Verify(dir, ledger.Options{})
	if err == nil || strings.ContainsAny(err.Error(), "\n\x1b\u202e") || !strings.Contains(err.Error(), `zz\nproved`) {
		t.Errorf("%q", err)
	}
	if plain := "/srv/joute données/box-0"; ledger.Printable(plain) != plain {
		t.Errorf("%s", ledger.Printable(plain))
	}
}
