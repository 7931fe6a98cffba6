package archtest

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/joute/joute/internal/redistest"
	"github.com/joute/joute/internal/store"
)

type compose struct {
	Services map[string]struct {
		Image       string
		Build       string
		Entrypoint  []string
		Command     []string
		Environment map[string]string
		Volumes     []string
		Healthcheck struct{ Test []string }
		DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
	}
	Volumes map[string]any
}

func readCompose(t *testing.T) compose {
	t.Helper()
	text, err := os.ReadFile("../../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file compose
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	return file
}

const password = "geheim"

// conf turns the flags of redis-server into lines of redis.conf.
func conf(t *testing.T, command []string) []string {
	t.Helper()
	if len(command)%2 != 1 || command[0] != "redis-server" {
		t.Fatalf("expected redis-server and pairs of flag and value, found %q", command)
	}
	var lines []string
	for pair := range slices.Chunk(command[1:], 2) {
		name, ok := strings.CutPrefix(pair[0], "--")
		if !ok {
			t.Fatalf("expected a flag, found %q", pair[0])
		}
		value := pair[1]
		if strings.HasPrefix(value, "${REDIS_PASSWORD:?") {
			value = password
		}
		lines = append(lines, name+` "`+value+`"`)
	}
	return lines
}

func refused(t *testing.T, command []string) []string {
	t.Helper()
	srv := redistest.StartPlain(t, conf(t, command)...)
	s, err := store.Open(t.Context(), store.Options{URL: "redis://:" + password + "@" + srv.Addr()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	faults, _, err := s.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return faults
}

func TestCompose_RedisPassesTheInterlock(t *testing.T) {
	command := readCompose(t).Services["redis"].Command
	if faults := refused(t, command); len(faults) != 0 {
		t.Errorf("joute would refuse this Redis: %q", faults)
	}
	// The check sees a flag that is missing.
	at := slices.Index(command, "--appendfsync")
	if at < 0 {
		t.Fatal("no --appendfsync in the file")
	}
	if faults := refused(t, slices.Delete(slices.Clone(command), at, at+2)); len(faults) != 1 || !strings.Contains(faults[0], "appendfsync") {
		t.Errorf("without --appendfsync: %q", faults)
	}
}

// What a kill leaves behind does not keep the Redis of the file from starting.
func TestCompose_RedisStartsAfterAKill(t *testing.T) {
	redis := readCompose(t).Services["redis"]
	if !slices.Contains(redis.Volumes, "./scripts/redis-aof-tail:/usr/local/bin/redis-aof-tail:ro") {
		t.Fatalf("the script is not in the container: %q", redis.Volumes)
	}
	srv := redistest.StartPlain(t, conf(t, redis.Command)...)
	if err := srv.Client().Do(t.Context(), "AUTH", password).Err(); err != nil {
		t.Fatal(err)
	}
	aof := srv.AOF()
	srv.Kill()
	file, err := os.OpenFile(aof, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	const unfinished = "*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n"
	if _, err := file.WriteString(unfinished); err != nil {
		t.Fatal(err)
	}
	file.Close()
	start := exec.Command(redis.Entrypoint[0], redis.Entrypoint[1:]...)
	for i, arg := range start.Args { // other paths; and what would be started is said
		start.Args[i] = strings.NewReplacer("$$", "$", "/usr/local/bin/redis-aof-tail", "../../scripts/redis-aof-tail",
			"/data/", srv.Dir()+"/", "docker-entrypoint.sh", "echo starts").Replace(arg)
	}
	start.Args = append(start.Args, redis.Command...)
	out, err := start.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "cut ") || !strings.Contains(string(out), "starts redis-server --appendonly yes") {
		t.Fatalf("%v %s", err, out)
	}
	srv.Restart() // which Redis refuses with the end of before
	// Control: what is more than an unfinished end keeps it from starting.
	srv.Kill()
	if err := os.WriteFile(aof, []byte("*1\r\n$4\r\nPONG\r\n?\r\n"+unfinished+"*1\r\n$4\r\nEXEC\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	again := exec.Command(start.Args[0], start.Args[1:]...)
	if out, err := again.CombinedOutput(); err == nil || strings.Contains(string(out), "starts redis-server") {
		t.Errorf("it starts on a damaged file: %s", out)
	}
}

// The command and the environment of the file start the real program over the
// Redis of the file; only addresses and folders are others.
func TestCompose_JouteStarts(t *testing.T) {
	file := readCompose(t)
	srv := redistest.StartPlain(t, conf(t, file.Services["redis"].Command)...)
	binary := os.Getenv("JOUTE_BINARY") // scripts/test has built it
	if binary == "" {
		binary = filepath.Join(t.TempDir(), "joute")
		if out, err := exec.Command("go", "build", "-o", binary, "../../cmd/joute").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	args := strings.NewReplacer("0.0.0.0:8080", "127.0.0.1:0", "/data", t.TempDir()).Replace(strings.Join(file.Services["joute"].Command, "\n"))
	joute := exec.Command(binary, strings.Split(args, "\n")...)
	values := strings.NewReplacer(
		"${REDIS_PASSWORD:?choose a password for Redis}", password,
		"${JOUTE_ADMIN_KEY:?choose the organizer's key}", "organizer-organizer",
		"${JOUTE_PUBLIC_URL:-}", "", "${JOUTE_TRUSTED_PROXIES:-}", "",
		"${JOUTE_SMTP:-}", "", "${JOUTE_MAIL_FROM:-}", "",
		"@redis:6379", "@"+srv.Addr())
	for name, value := range file.Services["joute"].Environment {
		joute.Env = append(joute.Env, name+"="+values.Replace(value))
	}
	var log bytes.Buffer
	joute.Stderr = &log
	stdout, err := joute.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := joute.Start(); err != nil {
		t.Fatal(err)
	}
	patience := time.AfterFunc(time.Minute, func() { joute.Process.Kill() })
	defer patience.Stop()
	line, _ := bufio.NewReader(stdout).ReadString('\n')
	joute.Process.Signal(syscall.SIGTERM)
	if err := joute.Wait(); err != nil || !strings.HasPrefix(line, "listening on http://127.0.0.1:") {
		t.Fatalf("%v, stdout %q, stderr:\n%s", err, line, &log)
	}
}

func TestCompose_ServicesFitTogether(t *testing.T) {
	file := readCompose(t)
	redis, joute := file.Services["redis"], file.Services["joute"]
	if !strings.HasPrefix(redis.Image, "redis:7.") {
		t.Errorf("redis image %q: expected one pinned to a minor version of 7", redis.Image)
	}
	if joute.DependsOn["redis"].Condition != "service_healthy" || !strings.Contains(strings.Join(redis.Healthcheck.Test, " "), "redis-cli ping") {
		t.Error("joute does not wait for a Redis that answers")
	}
	if !slices.Contains(joute.Command, "--data=/data") || !slices.Contains(joute.Volumes, "joute:/data") || !slices.Contains(redis.Volumes, "redis:/data") {
		t.Error("keys and ballots are not on volumes")
	}
	for _, name := range []string{"redis", "joute"} {
		if _, ok := file.Volumes[name]; !ok {
			t.Errorf("volume %s is not declared", name)
		}
	}
	if !strings.HasPrefix(joute.Environment["JOUTE_ADMIN_KEY"], "${JOUTE_ADMIN_KEY:?") {
		t.Error("the organizer's key must come from the environment, and be required")
	}
}

// The last word on the file is Docker's own, where it is installed.
func TestCompose_DockerReadsIt(t *testing.T) {
	if exec.Command("docker", "compose", "version").Run() != nil {
		t.Skip("docker compose is not installed here")
	}
	config := exec.Command("docker", "compose", "-f", "../../docker-compose.yml", "config", "-q")
	config.Env = append(os.Environ(), "REDIS_PASSWORD="+password, "JOUTE_ADMIN_KEY=organizer-organizer")
	if out, err := config.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	config = exec.Command("docker", "compose", "-f", "../../docker-compose.yml", "config", "-q")
	config.Env = append(os.Environ(), "REDIS_PASSWORD="+password, "JOUTE_ADMIN_KEY=")
	if out, err := config.CombinedOutput(); err == nil || !bytes.Contains(out, []byte("JOUTE_ADMIN_KEY")) {
		t.Errorf("without an organizer's key: %v, %s", err, out)
	}
}
