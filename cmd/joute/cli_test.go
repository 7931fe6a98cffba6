package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var everyCommand = []string{"serve", "demo", "apply", "rehearse", "export", "captain", "hall", "recount", "verify", "score", "detect", "replay", "farmlab", "bench"}

func TestCLI_HelpNamesEveryFlagsVariable(t *testing.T) {
	for _, command := range everyCommand {
		code, help, stderr := run(t, nil, "", command, "--help")
		if code != 0 || stderr != "" {
			t.Errorf("%s --help: exit %d, %s", command, code, stderr)
		}
		for _, word := range strings.Fields(help) {
			flag, ok := strings.CutPrefix(word, "--")
			flag, _, _ = strings.Cut(strings.TrimRight(flag, ",.:;"), "=")
			if !ok || flag == "help" || flag == "version" {
				continue
			}
			if variable := "$JOUTE_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_")); !strings.Contains(help, variable) {
				t.Errorf("%s --help does not name %s", command, variable)
			}
		}
		if _, same, _ := run(t, nil, "", "help", command); same != help {
			t.Errorf("help %s is another text than %s --help", command, command)
		}
	}
	for _, shown := range [][3]string{{"export", "--server", "http://127.0.0.1:8080"}, {"hall", "--for", "72h"}, {"demo", "--farm", "2m"}, {"serve", "--mail-from", "joute@localhost"}} {
		if _, help, _ := run(t, nil, "", shown[0], "--help"); !regexp.MustCompile(shown[1] + `="?` + shown[2]).MatchString(help) {
			t.Errorf("%s --help does not show what %s is without it", shown[0], shown[1])
		}
	}
	for _, args := range [][]string{nil, {"help"}, {"--help"}} {
		code, help, _ := run(t, nil, "", args...)
		for _, command := range everyCommand {
			if code != 0 || !strings.Contains(help, command) {
				t.Errorf("joute %v: exit %d, without %s", args, code, command)
			}
		}
	}
}

// What is set for a server must not stop another command on the same machine, as a
// switch stops at what is no yes or no.
func TestCLI_AVariableIsASwitchForAllCommandsOrForNone(t *testing.T) {
	taken := map[string]string{} // the first spelling by variable
	for _, command := range append(slices.Clone(everyCommand), "forget", "restore", "farmlab make", "farmlab score", "farmlab play", "farmlab networks", "farmlab costs") {
		_, help, _ := run(t, nil, "", append(strings.Fields(command), "--help")...)
		for line := range strings.Lines(help) {
			flag, ok := strings.CutPrefix(strings.TrimSpace(line), "--")
			if !ok {
				continue
			}
			name, _, valued := strings.Cut(strings.Fields(flag)[0], "=")
			spelling := name
			if valued {
				spelling += "=VALUE"
			}
			if first := taken[name]; first != "" && first != spelling {
				t.Errorf("%s: --%s, elsewhere --%s: one variable for both", command, spelling, first)
			}
			taken[name] = spelling
		}
	}
	if taken["networks"] != "networks=VALUE" || taken["json"] != "json" {
		t.Errorf("the help was not read: %v", taken)
	}
}

func TestCLI_Version(t *testing.T) {
	if code, out, _ := run(t, nil, "", "--version"); code != 0 || strings.Count(out, "\n") != 1 || len(out) < 2 {
		t.Errorf("exit %d, %q", code, out)
	}
}

// TestCLI_FaultsAreOneSentence holds every wrong use to exit 1, one line on
// standard error and nothing on standard output.
func TestCLI_FaultsAreOneSentence(t *testing.T) {
	for _, tc := range []struct {
		args []string
		says string
	}{
		{[]string{"vote"}, "vote"},
		{[]string{"serve", "--nope"}, "--nope"},
		{[]string{"apply"}, "<file>"},
		{[]string{"export"}, "<contest>"},
		{[]string{"captain", "c"}, "<school>"},
		{[]string{"bench"}, "--contest"},
		{[]string{"verify"}, "<dir>"},
		{[]string{"verify", "no-such-folder"}, "no-such-folder"},
		{[]string{"verify", ".", "--checkpoint", "no-such-file"}, "no-such-file"},
		{[]string{"verify", ".", "--public-key", "x"}, "name+hash+key"},
		{[]string{"score", "--profiles", "p"}, "--out"},
		{[]string{"score", "--profiles", "no-such-file", "--out", "o"}, "no-such-file: there is no such file\n"},
		{[]string{"score", "--profiles", os.DevNull, "--out", "no-such-folder/o"}, "write no-such-folder/o: no such file or directory\n"},
		{[]string{"score", "--profiles", "p", "--out", "o", "--base-rate", "1"}, "--base-rate"},
		{[]string{"serve", "--log-format", "xml"}, "text"},
		{[]string{"bench", "--contest", "c", "--duration", "long"}, "duration"},
		{[]string{"bench", "--contest", "c", "--voters", "0"}, "--voters"},
		{[]string{"demo", "--rate", "0"}, "--rate"},
		{[]string{"recount", "c", "--server", "localhost"}, "http://host:port"},
		{[]string{"recount", "c", "--server", "http://127.0.0.1:1"}, "nothing listens there"},
		{[]string{"apply", "no-such-file.yaml"}, "no-such-file.yaml: there is no such file"},
		{[]string{"export", "c", "--evidence", "--after", "1-0-1-1"}, "--after"},
		{[]string{"bench", "--contest", "c", "--ballots", "x", "--server", "http://127.0.0.1:1"}, "nothing listens"},
	} {
		code, stdout, stderr := run(t, nil, "", tc.args...)
		if code != 1 || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "joute: ") || !strings.Contains(stderr, tc.says) {
			t.Errorf("joute %v: exit %d, stdout %q, stderr %q", tc.args, code, stdout, stderr)
		}
	}
}

func TestCLI_FlagsBeforeEnvironmentBeforeDefaults(t *testing.T) {
	vars := env{"JOUTE_SERVER": "http://127.0.0.1:1"}
	if _, _, stderr := run(t, vars, "", "recount", "c"); !strings.Contains(stderr, "http://127.0.0.1:1") {
		t.Errorf("the environment was not asked: %s", stderr)
	}
	if _, _, stderr := run(t, vars, "", "recount", "c", "--server", "http://127.0.0.1:2"); !strings.Contains(stderr, "http://127.0.0.1:2") {
		t.Errorf("the flag did not win: %s", stderr)
	}
	if code, _, stderr := run(t, env{"JOUTE_UNSAFE_STORE": "perhaps"}, "", "serve"); code != 1 || !strings.Contains(stderr, "perhaps") {
		t.Errorf("a variable that is no boolean: exit %d, %s", code, stderr)
	}
}
