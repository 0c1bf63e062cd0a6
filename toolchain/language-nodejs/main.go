// Command pulumi-language-nodejs stands in front of an older Node.js language host of Pulumi's, which takes the options
// of Pulumi.yaml's runtime (typescript, nodeargs) as flags, and hands them on as those: today's engine tells them in a
// message that the older host does not know. It is built only where Pulumi cannot be downloaded.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	// The host itself, so that go.mod pins it.
	_ "github.com/pulumi/pulumi/sdk/v3/go/common/version"
	"gopkg.in/yaml.v3"
)

// program is the older host's file, beside this one.
const program = "pulumi-language-nodejs-sdk"

func main() {
	self, err := os.Executable()
	if err == nil {
		host := filepath.Join(filepath.Dir(self), program)
		arguments := append(append([]string{host}, options("Pulumi.yaml")...), os.Args[1:]...)
		err = syscall.Exec(host, arguments, os.Environ())
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// options gives the runtime options of a project file as flags. The engine starts a language host in the project's
// folder; where there is no project, or one without options, there is nothing to hand on.
func options(file string) []string {
	var project struct {
		Runtime struct {
			Options map[string]any `yaml:"options"`
		} `yaml:"runtime"`
	}
	text, err := os.ReadFile(file)
	if err != nil || yaml.Unmarshal(text, &project) != nil {
		return nil
	}
	var flags []string
	for _, name := range []string{"typescript", "nodeargs"} {
		if value, given := project.Runtime.Options[name]; given {
			flags = append(flags, fmt.Sprintf("-%s=%v", name, value))
		}
	}
	return flags
}
