import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

/** Something this folder can build from Go modules. Every version is pinned in exactly one place: see `version`. */
export interface Part {
  readonly name: string;
  /** Folder below toolchain/ with its go.mod and sources. */
  readonly folder: string;
  /** Name of the executable. */
  readonly file: string;
  /** Engine and language host: pinned in go.mod. Providers: what the npm package asks for. */
  readonly version: string;
  /** Arguments of `go build`. */
  readonly buildArgs: readonly string[];
}

export interface Plugin extends Part {
  /** Pulumi's name of the provider. */
  readonly plugin: "docker" | "command";
}

const sdkVersionVariable = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";

function pinnedInGoMod(folder: string, module: string): string {
  const goMod = readFileSync(join(__dirname, folder, "go.mod"), "utf8");
  const version = goMod
    .split("\n")
    .map((line) =>
      line
        .trim()
        .replace(/^require /, "")
        .split(" v"),
    )
    .find(([path]) => path === module)?.[1]
    ?.split(" ")[0];
  if (version === undefined) {
    throw new Error(`toolchain/${folder}/go.mod does not require ${module}`);
  }
  return version;
}

/** Version of an installed npm package, which for a provider's package is the version of the plugin it asks for. */
export function npmVersion(name: string): string {
  const path = createRequire(__filename).resolve(`${name}/package.json`);
  const { version } = JSON.parse(readFileSync(path, "utf8")) as { version: string };
  return version;
}

export function engine(): Part {
  const version = pinnedInGoMod("engine", "github.com/pulumi/pulumi/pkg/v3");
  return {
    name: "Pulumi engine",
    folder: "engine",
    file: "pulumi",
    version,
    buildArgs: [`-ldflags=-s -w -X ${sdkVersionVariable}=v${version}`, "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"],
  };
}

/** The language host: what stands in front of an older one of Pulumi's, and that one itself. */
export function languageHost(): Part {
  return {
    name: "Node.js language host",
    folder: "language-nodejs",
    file: "pulumi-language-nodejs",
    version: pinnedInGoMod("language-nodejs", "github.com/pulumi/pulumi/sdk/v3"),
    buildArgs: ["-ldflags=-s -w", "."],
  };
}

export function languageHostOfSdk(): Part {
  const front = languageHost();
  return {
    ...front,
    name: "Node.js language host of the SDK",
    file: "pulumi-language-nodejs-sdk",
    buildArgs: [
      `-ldflags=-s -w -X ${sdkVersionVariable}=v${front.version}`,
      "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
    ],
  };
}

export function plugins(): readonly Plugin[] {
  return (["docker", "command"] as const).map((plugin) => {
    const version = npmVersion(`@pulumi/${plugin}`);
    return {
      name: `${plugin} provider`,
      folder: `${plugin}-provider`,
      file: `pulumi-resource-${plugin}`,
      plugin,
      version,
      // no_compose leaves docker compose, which the program does not use, out of the docker provider.
      buildArgs: ["-tags=no_compose", `-ldflags=-s -w -X main.version=${version}`, "."],
    };
  });
}

/** Changes whenever what would be built from this part's folder may change. */
export function sourceHash(part: Part): string {
  const folder = join(__dirname, part.folder);
  const hash = createHash("sha256").update(JSON.stringify(part.buildArgs));
  for (const file of readdirSync(folder).sort()) {
    if (/^go\.(mod|sum)$/.test(file) || (file.endsWith(".go") && !file.endsWith("_test.go"))) {
      hash.update(`\0${file}\0`).update(readFileSync(join(folder, file)));
    }
  }
  return hash.digest("hex").slice(0, 12);
}
