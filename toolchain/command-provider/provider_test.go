package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/blang/semver"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/integration"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

const urn = resource.URN("urn:pulumi:stack::project::command:local:Command::name")

func newServer(t *testing.T) integration.Server {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	server, err := integration.NewServer(ctx, "command", semver.MustParse("1.2.1"), integration.WithProvider(newProvider()))
	if err != nil {
		t.Fatal(err)
	}
	return server
}

type props = map[string]property.Value

func text(value string) property.Value { return property.New(value) }

func create(t *testing.T, inputs props) (p.CreateResponse, error) {
	t.Helper()
	return newServer(t).Create(p.CreateRequest{Urn: urn, Properties: property.NewMap(inputs)})
}

func mustCreate(t *testing.T, inputs props) property.Map {
	t.Helper()
	response, err := create(t, inputs)
	if err != nil {
		t.Fatal(err)
	}
	return response.Properties
}

func expect(t *testing.T, state property.Map, name, want string) {
	t.Helper()
	if got := state.Get(name).AsString(); got != want {
		t.Errorf("%s is %q, not %q", name, got, want)
	}
}

func TestCreateCapturesOutputsWithoutTheLastNewline(t *testing.T) {
	state := mustCreate(t, props{"create": text(`printf 'a\n\n'; printf 'b\n' >&2`)})
	expect(t, state, "stdout", "a\n")
	expect(t, state, "stderr", "b")
	expect(t, state, "create", `printf 'a\n\n'; printf 'b\n' >&2`)
}

func TestCreateWithoutCommandDoesNothing(t *testing.T) {
	expect(t, mustCreate(t, props{"delete": text("false")}), "stdout", "")
}

func TestPreviewRunsNothing(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "mark")
	inputs := property.NewMap(props{"create": text("touch " + mark)})
	server := newServer(t)
	created, err := server.Create(p.CreateRequest{Urn: urn, Properties: inputs, DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	if !created.Properties.Get("stdout").IsComputed() {
		t.Errorf("stdout of a preview is %#v, not unknown", created.Properties.Get("stdout"))
	}
	state := property.NewMap(props{"create": text("true"), "stdout": text("old"), "stderr": text("")})
	if _, err := server.Update(p.UpdateRequest{ID: "id", Urn: urn, State: state, Inputs: inputs, DryRun: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("the command ran")
	}
}

func TestSettings(t *testing.T) {
	folder := t.TempDir()
	state := mustCreate(t, props{
		"create":      text("import os, sys; print(os.getcwd(), os.environ['A'], sys.stdin.read())"),
		"interpreter": property.New([]property.Value{text("python3"), text("-c")}),
		"dir":         text(folder),
		"environment": property.New(props{"A": text("b=c")}),
		"stdin":       text("in"),
	})
	expect(t, state, "stdout", folder+" b=c in")
}

func TestFailureShowsOutputAndExitCode(t *testing.T) {
	for _, logging := range []string{"stdoutAndStderr", "none"} {
		_, err := create(t, props{"create": text("echo out; echo err >&2; exit 7"), "logging": text(logging)})
		if err == nil {
			t.Fatal("no error")
		}
		for _, part := range []string{"exit status 7", "out", "err"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q is not in %q", part, err)
			}
		}
	}
	if _, err := create(t, props{"create": text("true"), "dir": text("/does/not/exist")}); err == nil {
		t.Error("a folder that does not exist is no error")
	}
}

func update(t *testing.T, state, inputs props) (p.UpdateResponse, error) {
	t.Helper()
	return newServer(t).Update(p.UpdateRequest{
		ID: "id", Urn: urn, State: property.NewMap(state), Inputs: property.NewMap(inputs),
	})
}

func TestUpdateFallsBackToCreateAndSeesThePreviousOutput(t *testing.T) {
	state := props{"create": text("true"), "stdout": text("before"), "stderr": text("")}
	script := `echo "$0 ${PULUMI_COMMAND_STDOUT-unset} ${PULUMI_COMMAND_STDERR-unset}"`
	for name, inputs := range map[string]props{
		"before unset": {"create": text("false"), "update": text(script)},
		"before again": {"create": text("echo before again")},
		"unset unset":  {"create": text(script), "addPreviousOutputInEnv": property.New(false)},
	} {
		response, err := update(t, state, inputs)
		if err != nil {
			t.Fatal(err)
		}
		if got := response.Properties.Get("stdout").AsString(); !strings.HasSuffix(got, name) {
			t.Errorf("stdout is %q, not %q", got, name)
		}
	}
	response, err := update(t, state, props{"delete": text("true")})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, response.Properties, "stdout", "before")
}

func TestDeleteUsesTheStateAndFailsLoudly(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "mark")
	state := props{
		"delete":      text(`echo "$A $PULUMI_COMMAND_STDOUT" > ` + mark),
		"environment": property.New(props{"A": text("from-state")}),
		"stdout":      text("before"),
		"stderr":      text(""),
	}
	remove := func() error {
		return newServer(t).Delete(p.DeleteRequest{ID: "id", Urn: urn, Properties: property.NewMap(state)})
	}
	if err := remove(); err != nil {
		t.Fatal(err)
	}
	if written, err := os.ReadFile(mark); err != nil || string(written) != "from-state before\n" {
		t.Errorf("delete wrote %q, %v", written, err)
	}
	state["delete"] = text("exit 3")
	if err := remove(); err == nil || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("error is %v", err)
	}
}

func TestDiff(t *testing.T) {
	olds := props{"create": text("a"), "triggers": property.New([]property.Value{text("1")})}
	diff := func(change props, remove ...string) p.DiffResponse {
		news := property.NewMap(olds)
		for key, value := range change {
			news = news.Set(key, value)
		}
		for _, key := range remove {
			news = news.Delete(key)
		}
		state := property.NewMap(olds).Set("stdout", text("")).Set("stderr", text(""))
		response, err := newServer(t).Diff(p.DiffRequest{
			ID: "id", Urn: urn, State: state, OldInputs: property.NewMap(olds), Inputs: news,
		})
		if err != nil {
			t.Fatal(err)
		}
		return response
	}
	if diff(nil).HasChanges {
		t.Error("equal inputs differ")
	}
	for _, name := range []string{"create", "update", "delete", "stdin", "dir"} {
		if got := diff(props{name: text("new")}).DetailedDiff[name].Kind; got != p.Update && got != p.Add {
			t.Errorf("a change of %s is %q", name, got)
		}
	}
	if got := diff(nil, "triggers").DetailedDiff["triggers"].Kind; got != p.DeleteReplace {
		t.Errorf("removing triggers is %q", got)
	}
}

func TestCheckNamesWhatItDoesNotSupport(t *testing.T) {
	check := func(inputs props) []p.CheckFailure {
		response, err := newServer(t).Check(p.CheckRequest{Urn: urn, Inputs: property.NewMap(inputs)})
		if err != nil {
			t.Fatal(err)
		}
		return response.Failures
	}
	if failures := check(props{"create": text("true"), "triggers": property.New([]property.Value{text("x")})}); len(failures) != 0 {
		t.Errorf("failures: %v", failures)
	}
	for _, name := range []string{"assetPaths", "archivePaths", "creat"} {
		failures := check(props{"create": text("true"), name: property.New([]property.Value{text("x")})})
		if len(failures) != 1 || failures[0].Property != name || !strings.Contains(failures[0].Reason, name) {
			t.Errorf("failures for %s: %v", name, failures)
		}
	}
	if failures := check(props{"create": property.New(3.0)}); len(failures) != 1 {
		t.Errorf("failures for a wrong type: %v", failures)
	}
}

func TestSecretsStaySecret(t *testing.T) {
	state := mustCreate(t, props{
		"create":      text("echo $TOKEN"),
		"environment": property.New(props{"TOKEN": text("hush").WithSecret(true)}),
	})
	expect(t, state, "stdout", "hush")
	// As in the official provider: what a command prints is not secret by itself (`additionalSecretOutputs` makes it so).
	if state.Get("stdout").Secret() {
		t.Error("stdout became secret")
	}
	if state.Get("create").Secret() {
		t.Error("create became secret")
	}
	token := state.Get("environment").AsMap().Get("TOKEN")
	if !token.Secret() && !state.Get("environment").Secret() {
		t.Error("the token is in the state as plain text")
	}
}

func TestLinesAreShownAsTheyCome(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	display := &lines{show: func(line string) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, line)
	}}
	out, err := display.stream(), display.stream()
	for _, write := range []struct {
		to   interface{ Write([]byte) (int, error) }
		text string
	}{{out, "one\ntw"}, {err, "bad\r\n"}, {out, "o\n\nthr"}, {out, "ee"}, {err, strings.Repeat("x", longestLine+5)}} {
		if _, failure := write.to.Write([]byte(write.text)); failure != nil {
			t.Fatal(failure)
		}
	}
	display.flush()
	want := []string{"one", "bad", "two", "", strings.Repeat("x", longestLine), "three", "xxxxx"}
	if fmt.Sprint(seen) != fmt.Sprint(want) {
		t.Errorf("shown: %q", seen)
	}
}

func TestLoggingChoosesTheStreams(t *testing.T) {
	for value, want := range map[Logging][2]bool{
		"stdout": {true, false}, "stderr": {false, true}, "stdoutAndStderr": {true, true}, "none": {false, false},
	} {
		state := State{Inputs: Inputs{Logging: &value}}
		if got := [2]bool{state.shows("stdout"), state.shows("stderr")}; got != want {
			t.Errorf("%s shows %v", value, got)
		}
	}
	if state := (State{}); !state.shows("stdout") || !state.shows("stderr") {
		t.Error("the default does not show both")
	}
}

// waitForPid waits for a process ID in a file, written by a command that is under way.
func waitForPid(t *testing.T, path string) int {
	t.Helper()
	for range 500 {
		var pid int
		if content, err := os.ReadFile(path); err == nil {
			if _, err := fmt.Sscanf(string(content), "%d\n", &pid); err == nil {
				return pid
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("no process ID in %s", path)
	return 0
}

func isGone(pid int) bool {
	for range 500 {
		if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err != nil || strings.Contains(string(stat), ") Z ") {
			return syscall.Kill(pid, 0) != nil || err == nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}

func TestCancelEndsTheWholeProcessGroup(t *testing.T) {
	for name, script := range map[string]string{
		"a child of the shell":            "sleep 600 & echo $! > %s; wait",
		"an orphan that holds the output": "sleep 600 & echo $! > %s",
		"one that ignores SIGTERM":        "trap '' TERM; sleep 600 & echo $! > %s; while :; do sleep 1; done",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "pid")
			server := newServer(t)
			ended := make(chan error, 1)
			go func() {
				_, err := server.Create(p.CreateRequest{
					Urn: urn, Properties: property.NewMap(props{"create": text(fmt.Sprintf(script, file))}),
				})
				ended <- err
			}()
			pid := waitForPid(t, file)
			if err := server.Cancel(); err != nil {
				t.Fatal(err)
			}
			select {
			case err := <-ended:
				if err == nil {
					t.Error("a cancelled command succeeded")
				}
			case <-time.After(10 * time.Second):
				t.Fatal("still running")
			}
			if !isGone(pid) {
				t.Error("its child is still running")
			}
		})
	}
}

// TestDeathOfTheProviderEndsTheCommand kills a copy of this test that runs a command, as Pulumi kills its plugins.
func TestDeathOfTheProviderEndsTheCommand(t *testing.T) {
	if file := os.Getenv("TEST_RUN_UNTIL_KILLED"); file != "" {
		_, _ = create(t, props{"create": text("sleep 600 & echo $! > " + file + "; wait")})
		return
	}
	file := filepath.Join(t.TempDir(), "pid")
	provider, err := os.StartProcess(os.Args[0], []string{os.Args[0], "-test.run=" + t.Name()}, &os.ProcAttr{
		Env: append(os.Environ(), "TEST_RUN_UNTIL_KILLED="+file),
	})
	if err != nil {
		t.Fatal(err)
	}
	pid := waitForPid(t, file)
	if err := provider.Kill(); err != nil {
		t.Fatal(err)
	}
	_, _ = provider.Wait()
	if !isGone(pid) {
		t.Error("the command outlived the provider")
	}
}
