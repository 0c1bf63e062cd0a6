package main

import (
	_ "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	_ "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfgen"
	_ "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	_ "github.com/docker/docker/client"
	_ "github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

func main() {}
