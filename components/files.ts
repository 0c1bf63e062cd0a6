import * as docker from "@pulumi/docker";
import type * as pulumi from "@pulumi/pulumi";

/**
 * A Docker secret. It has no name of its own: Docker cannot change a secret, so a changed value makes a new one, moves
 * the services over and then removes the old one, which only an automatic name allows.
 */
export function dockerSecret(name: string, value: pulumi.Output<string>, parent: pulumi.Resource): docker.Secret {
  return new docker.Secret(name, { data: value.apply(toBase64) }, { parent });
}

/** A Docker config from text that is no secret; unnamed for the same reason. */
export function dockerConfig(name: string, text: string, parent: pulumi.Resource): docker.ServiceConfig {
  return new docker.ServiceConfig(name, { data: toBase64(text) }, { parent });
}

function toBase64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}
