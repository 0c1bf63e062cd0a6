// Command pulumi-resource-command serves `command:local:Command`, the one resource of Pulumi's command package that
// this project's program uses. It is built only where the official plugin cannot be downloaded.
package main

import (
	"context"
	"fmt"
	"os"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi-go-provider/middleware/schema"
)

// version is the release of the official plugin whose place this one takes; the build sets it.
var version = "0.0.0"

func newProvider() p.Provider {
	return infer.Provider(infer.Options{
		Metadata: schema.Metadata{
			DisplayName: "Command",
			Description: "Stand-in for the official command provider where that one cannot be downloaded.",
		},
		Resources: []infer.InferredResource{infer.Resource(&Command{})},
	})
}

func main() {
	if err := newProvider().Run(context.Background(), "command", version); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
