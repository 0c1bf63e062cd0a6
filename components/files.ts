import * as fs from "node:fs";
import * as docker from "@pulumi/docker";
import type * as pulumi from "@pulumi/pulumi";
import type { ConfigFile } from "./swarmService";

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

/** A script that a vendor's image is given: its file in a folder of `images/`, and its path in the container. */
export interface VendorScript {
  readonly file: string;
  readonly path: string;
}

/** Those scripts as Docker configs named `<name>-<file without .sh>`. */
export function scriptConfigs(
  name: string,
  folder: string,
  scripts: readonly VendorScript[],
  parent: pulumi.Resource,
): ConfigFile[] {
  return scripts.map(({ file, path }) => {
    const text = fs.readFileSync(`images/${folder}/${file}`, "utf8");
    return { config: dockerConfig(`${name}-${file.replace(".sh", "")}`, text, parent), path };
  });
}

function toBase64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}
