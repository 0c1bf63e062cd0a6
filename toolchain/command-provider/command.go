package main

import (
	"context"
	"fmt"
	"strings"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Command is the resource `command:local:Command`: its life cycle is a handful of shell commands.
type Command struct{}

// Annotate sets the token, which would otherwise come from the Go package's name.
func (c *Command) Annotate(a infer.Annotator) {
	a.SetToken("local", "Command")
}

// Logging chooses which of a command's streams are shown while it runs. Both are captured as outputs in any case.
type Logging string

// Values lists what `logging` may be; anything else fails in Check.
func (Logging) Values() []infer.EnumValue[Logging] {
	return []infer.EnumValue[Logging]{
		{Name: "stdout", Value: "stdout", Description: "Show stdout only."},
		{Name: "stderr", Value: "stderr", Description: "Show stderr only."},
		{Name: "stdoutAndStderr", Value: "stdoutAndStderr", Description: "Show both; the default."},
		{Name: "none", Value: "none", Description: "Show neither."},
	}
}

// Inputs are the inputs this provider supports. The official one also has `assetPaths` and `archivePaths`.
type Inputs struct {
	Create                 *string            `pulumi:"create,optional"`
	Update                 *string            `pulumi:"update,optional"`
	Delete                 *string            `pulumi:"delete,optional"`
	Triggers               *[]any             `pulumi:"triggers,optional" provider:"replaceOnChanges"`
	Environment            *map[string]string `pulumi:"environment,optional"`
	Stdin                  *string            `pulumi:"stdin,optional"`
	Interpreter            *[]string          `pulumi:"interpreter,optional"`
	Dir                    *string            `pulumi:"dir,optional"`
	Logging                *Logging           `pulumi:"logging,optional"`
	AddPreviousOutputInEnv *bool              `pulumi:"addPreviousOutputInEnv,optional"`
}

var supported = []string{
	"create", "update", "delete", "triggers", "environment", "stdin", "interpreter", "dir", "logging",
	"addPreviousOutputInEnv",
}

// State is what a Command leaves in the stack: its inputs, and what the last create or update wrote.
type State struct {
	Inputs
	Stdout string `pulumi:"stdout"`
	Stderr string `pulumi:"stderr"`
}

// Check names every input that this provider does not know, so that a program that needs one fails with its name
// rather than behaving differently from the official provider.
func (*Command) Check(ctx context.Context, req infer.CheckRequest) (infer.CheckResponse[Inputs], error) {
	var failures []p.CheckFailure
	news := req.NewInputs
	for key := range req.NewInputs.All {
		if isSupported(key) || strings.HasPrefix(key, "__") {
			continue
		}
		news = news.Delete(key)
		failures = append(failures, p.CheckFailure{
			Property: key,
			Reason: fmt.Sprintf("%q is not supported by the command provider that toolchain/ builds (supported: %s); "+
				"install the official plugin to use it", key, strings.Join(supported, ", ")),
		})
	}
	inputs, more, err := infer.DefaultCheck[Inputs](ctx, news)
	return infer.CheckResponse[Inputs]{Inputs: inputs, Failures: append(failures, more...)}, err
}

func isSupported(key string) bool {
	for _, name := range supported {
		if name == key {
			return true
		}
	}
	return false
}

// Create runs `create`. The outputs of a preview stay unknown.
func (*Command) Create(ctx context.Context, req infer.CreateRequest[Inputs]) (infer.CreateResponse[State], error) {
	id, err := resource.NewUniqueHex(req.Name, 8, 0)
	if err != nil {
		return infer.CreateResponse[State]{}, err
	}
	state := State{Inputs: req.Inputs}
	if !req.DryRun && req.Inputs.Create != nil {
		err = state.run(ctx, *req.Inputs.Create)
	}
	return infer.CreateResponse[State]{ID: id, Output: state}, err
}

// Update runs `update`, or `create` again where there is none: any changed input but `triggers` comes here.
func (*Command) Update(
	ctx context.Context, req infer.UpdateRequest[Inputs, State],
) (infer.UpdateResponse[State], error) {
	state := State{Inputs: req.Inputs, Stdout: req.State.Stdout, Stderr: req.State.Stderr}
	command := req.Inputs.Update
	if command == nil {
		command = req.Inputs.Create
	}
	var err error
	if !req.DryRun && command != nil {
		err = state.run(ctx, *command)
	}
	return infer.UpdateResponse[State]{Output: state}, err
}

// Delete runs `delete` with everything else as it was at the last create or update.
func (*Command) Delete(ctx context.Context, req infer.DeleteRequest[State]) (infer.DeleteResponse, error) {
	if req.State.Delete == nil {
		return infer.DeleteResponse{}, nil
	}
	return infer.DeleteResponse{}, req.State.run(ctx, *req.State.Delete)
}
