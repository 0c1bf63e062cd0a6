package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
)

const (
	// terminateGrace is how long a cancelled command may clean up between SIGTERM and SIGKILL.
	terminateGrace = 3 * time.Second
	// longestLine is where a line without an end is cut for display; outputs are never cut.
	longestLine = 16 * 1024
)

// run executes one command with the settings of s and stores what it wrote in s.
func (s *State) run(ctx context.Context, command string) error {
	argv := []string{"/bin/sh", "-c"}
	if s.Interpreter != nil && len(*s.Interpreter) > 0 {
		argv = append([]string{}, *s.Interpreter...)
	}
	argv = append(argv, command)

	//nolint:gosec // Running what the program says is the purpose of this provider.
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = s.env(os.Environ())
	if s.Dir != nil {
		cmd.Dir = *s.Dir
	}
	if s.Stdin != nil && *s.Stdin != "" {
		cmd.Stdin = strings.NewReader(*s.Stdin)
	}
	var stdout, stderr bytes.Buffer
	both := &lockedBuffer{}
	display := &lines{show: p.GetLogger(ctx).InfoStatus}
	cmd.Stdout, cmd.Stderr = io.MultiWriter(&stdout, both), io.MultiWriter(&stderr, both)
	if s.shows("stdout") {
		cmd.Stdout = io.MultiWriter(cmd.Stdout, display.stream())
	}
	if s.shows("stderr") {
		cmd.Stderr = io.MultiWriter(cmd.Stderr, display.stream())
	}

	err := runInGroup(ctx, cmd)
	display.flush()
	if err != nil {
		return fmt.Errorf("%w, from command %q, which wrote:\n%s", err, command, strings.TrimSuffix(both.String(), "\n"))
	}
	s.Stdout = strings.TrimSuffix(stdout.String(), "\n")
	s.Stderr = strings.TrimSuffix(stderr.String(), "\n")
	return nil
}

// env is the environment of a command: that of the provider, then the resource's own, then the previous output.
func (s *State) env(base []string) []string {
	env := append([]string{}, base...)
	if s.Environment != nil {
		for name, value := range *s.Environment {
			env = append(env, name+"="+value)
		}
	}
	if s.AddPreviousOutputInEnv == nil || *s.AddPreviousOutputInEnv {
		if s.Stdout != "" {
			env = append(env, "PULUMI_COMMAND_STDOUT="+s.Stdout)
		}
		if s.Stderr != "" {
			env = append(env, "PULUMI_COMMAND_STDERR="+s.Stderr)
		}
	}
	return env
}

func (s *State) shows(stream Logging) bool {
	return s.Logging == nil || *s.Logging == stream || *s.Logging == "stdoutAndStderr"
}

// runInGroup runs cmd in a process group of its own until it and everybody who holds its output has ended. When ctx
// ends, or this provider dies (Pulumi ends its plugins with SIGKILL), the whole group does.
func runInGroup(ctx context.Context, cmd *exec.Cmd) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	group, release, err := startGuard()
	if err != nil {
		return err
	}
	defer release()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: group}
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	_ = syscall.Kill(-group, syscall.SIGTERM)
	var ended error
	select {
	case ended = <-done:
		// The command is gone, but it may have left children that ignore SIGTERM.
		_ = syscall.Kill(-group, syscall.SIGKILL)
	case <-time.After(terminateGrace):
		_ = syscall.Kill(-group, syscall.SIGKILL)
		select {
		case ended = <-done:
		case <-time.After(terminateGrace):
			ended = errors.New("something outside its process group still holds its output")
		}
	}
	if ended == nil {
		ended = errors.New("it had just ended")
	}
	return fmt.Errorf("%w: %w", context.Cause(ctx), ended)
}

// startGuard starts the leader of a new process group: a shell that kills its group once this process is gone, which
// it sees by the end of its standard input. Starting it before the command leaves no moment without a guard.
func startGuard() (group int, release func(), err error) {
	guard := exec.Command("/bin/sh", "-c", `trap "" HUP INT TERM; read -r _; kill -KILL 0`)
	guard.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	lifeline, err := guard.StdinPipe()
	if err != nil {
		return 0, nil, err
	}
	if err := guard.Start(); err != nil {
		return 0, nil, err
	}
	return guard.Process.Pid, func() {
		_ = guard.Process.Kill()
		_ = lifeline.Close()
		_ = guard.Wait()
	}, nil
}

// lockedBuffer takes the writes of both streams in the order in which they come.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(data []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(data)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

// lines hands on whole lines of several streams, one call at a time.
type lines struct {
	mu      sync.Mutex
	show    func(string)
	streams []*lineWriter
}

type lineWriter struct {
	lines *lines
	rest  []byte
}

func (l *lines) stream() io.Writer {
	writer := &lineWriter{lines: l}
	l.streams = append(l.streams, writer)
	return writer
}

// flush hands on what the streams wrote after their last newline.
func (l *lines) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, stream := range l.streams {
		if len(stream.rest) > 0 {
			l.show(string(stream.rest))
			stream.rest = nil
		}
	}
}

func (w *lineWriter) Write(data []byte) (int, error) {
	w.lines.mu.Lock()
	defer w.lines.mu.Unlock()
	w.rest = append(w.rest, data...)
	for {
		end := bytes.IndexByte(w.rest, '\n')
		if end < 0 && len(w.rest) < longestLine {
			return len(data), nil
		}
		next := end + 1
		if end < 0 || end > longestLine {
			end, next = longestLine, longestLine
		}
		w.lines.show(strings.TrimSuffix(string(w.rest[:end]), "\r"))
		w.rest = w.rest[next:]
	}
}
