// Command pulumi-resource-docker is Pulumi's docker provider as far as this project's program uses it: the same
// bridged Terraform provider, under the official tokens and names. It is built only where the official plugin cannot
// be downloaded. What it leaves out is `docker:index/image:Image` (not a bridged resource).
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"
	shimv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi/pkg/v3/resource/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	docker "github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

// version is the release of the official plugin whose place this one takes; the build sets it.
var version = "0.0.0"

func main() {
	info := providerInfo()
	if len(os.Args) == 2 && os.Args[1] == "-names" {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		exitOn(encoder.Encode(describe(info)))
		return
	}
	exitOn(provider.Main(info.Name, func(host *provider.HostClient) (pulumirpc.ResourceProviderServer, error) {
		bridged := tfbridge.NewProvider(context.Background(), host, info.Name, version, info.P, info, nil)
		return reachable{bridged}, nil
	}))
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// providerInfo says where Pulumi's names differ from what the bridge makes of the Terraform names. compareWithNpm.ts
// checks the result against the official npm package.
func providerInfo() tfbridge.ProviderInfo {
	type fields = map[string]*tfbridge.SchemaInfo
	info := tfbridge.ProviderInfo{
		P:       shimv2.NewProvider(docker.New(version)()),
		Name:    "docker",
		Version: version,
		Config: fields{
			"host": {Default: &tfbridge.DefaultInfo{EnvVars: []string{"DOCKER_HOST"}, Value: defaultHost()}},
			"registry_auth": {
				Name:        "registryAuth",
				MaxItemsOne: tfbridge.False(),
			},
		},
		// The rest gets its token from its Terraform name: `docker_service` is `docker:index/service:Service`.
		Resources: map[string]*tfbridge.ResourceInfo{
			"docker_config": {Tok: "docker:index/serviceConfig:ServiceConfig"},
			"docker_image": {
				Tok:    "docker:index/remoteImage:RemoteImage",
				Fields: fields{"name": {Name: "name"}},
			},
			"docker_container": {
				Tok:                 "docker:index/container:Container",
				DeleteBeforeReplace: true,
				Fields: fields{
					"command":           {Name: "command"},
					"networks_advanced": {Name: "networksAdvanced"},
				},
			},
		},
		DataSources: map[string]*tfbridge.DataSourceInfo{
			"docker_image": {Tok: "docker:index/getRemoteImage:getRemoteImage"},
		},
	}
	info.MustComputeTokens(tokens.SingleModule("docker_", "index", tokens.MakeStandard("docker")))
	// Names of at most 255 characters, "-" before the random part.
	info.SetAutonaming(255, "-")
	return info
}

func defaultHost() string {
	if runtime.GOOS == "windows" {
		return "npipe:////./pipe/docker_engine"
	}
	return "unix:///var/run/docker.sock"
}

// reachable adds what the official provider does when it is configured, for a preview too: it fails unless the Docker
// Engine answers, except over ssh, where the first use opens the connection.
type reachable struct {
	pulumirpc.ResourceProviderServer
}

func (r reachable) Configure(
	ctx context.Context, req *pulumirpc.ConfigureRequest,
) (*pulumirpc.ConfigureResponse, error) {
	setting := func(name string) string { return req.GetVariables()["docker:config:"+name] }
	host := setting("host")
	if host == "" {
		host = defaultHost()
	}
	if !strings.HasPrefix(host, "ssh://") {
		engine := docker.ProviderConfig{DefaultConfig: &docker.Config{
			Host:     host,
			Ca:       setting("caMaterial"),
			Cert:     setting("certMaterial"),
			Key:      setting("keyMaterial"),
			CertPath: setting("certPath"),
		}}
		client, err := engine.MakeClient(ctx, nil)
		if err != nil {
			return nil, fmt.Errorf("failed to connect to any docker daemon: %w", err)
		}
		_ = client.Close()
		// Builds with buildx take the engine from the environment.
		if err := os.Setenv("DOCKER_HOST", host); err != nil {
			return nil, err
		}
	}
	return r.ResourceProviderServer.Configure(ctx, req)
}
