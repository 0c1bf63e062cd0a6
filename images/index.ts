import type * as pulumi from "@pulumi/pulumi";
import { type Registry, RegistryAccess } from "../components/registryAccess";
import { contentHash, type ImageContent, ServiceImage } from "../components/serviceImage";
import { ICINGA_VERSION, THRUK_BUILD_ARGS } from "./versions";

/** The images that this project builds for its services. */
export interface Images {
  /** Where they are pushed to; none where the one node that built them runs them. */
  readonly registry?: RegistryAccess;
  readonly master: ServiceImage;
  readonly slave: ServiceImage;
  readonly generator: ServiceImage;
  readonly graphite: ServiceImage;
  /** A reference: where the vendor's packages cannot be had, an image that stands for it. */
  readonly thruk: pulumi.Input<string>;
  readonly nagvis: ServiceImage;
  readonly gateway: ServiceImage;
}

/** What the generator's bundle is made of, besides its own folder. */
const BUNDLE_SOURCES = [
  "generator",
  "node_modules/croner",
  "node_modules/esbuild-wasm",
  "node_modules/js-yaml",
  "node_modules/zod",
];

/** The master has the slaves' check of what waits for others to be in reach. */
const REPLAY_CHECK = "images/icinga-slave/check_replay_log";

/** What images are built from and where they go. */
export interface ImagesArgs {
  /** Images that are not built here: what the base stands on, and what stands for Thruk's if anything does. */
  readonly given: { readonly debian: string; readonly thruk?: string };
  /** Where they are pushed to. @default nowhere: the one node that built them runs them */
  readonly registry?: Registry;
  /** Of the registry's user. */
  readonly registryPassword: pulumi.Output<string>;
  /** Where Docker answers that builds them: a socket or `ssh://user@host`. */
  readonly dockerHost: pulumi.Input<string>;
}

/** Builds all images, the base first. */
export function buildImages(args: ImagesArgs, opts: pulumi.ComponentResourceOptions): Images {
  const contents = imageContents(args.given.debian);
  const registry =
    args.registry &&
    new RegistryAccess(
      "registry",
      {
        ...args.registry,
        password: args.registryPassword,
        dockerHost: args.dockerHost,
        contents: Object.values(contents).map(contentHash),
      },
      opts,
    );
  const base = new ServiceImage("image-base", { ...contents.base, base: args.given.debian, registry }, opts);
  const build = (part: Exclude<keyof typeof contents, "base">) =>
    new ServiceImage(`image-${part}`, { ...contents[part], base, registry }, opts);
  return {
    registry,
    master: build("master"),
    slave: build("slave"),
    generator: build("generator"),
    graphite: build("graphite"),
    thruk: args.given.thruk ?? build("thruk").reference,
    nagvis: build("nagvis"),
    gateway: build("gateway"),
  };
}

/** What goes into each image, by its part of the stack. */
function imageContents(debian: string) {
  const first: ImageContent = { image: "base", base: debian };
  const base = { contentHash: contentHash(first) };
  return {
    base: first,
    master: { image: "icinga-master", base, copies: [REPLAY_CHECK], buildArgs: { ICINGA_VERSION } },
    slave: { image: "icinga-slave", base, buildArgs: { ICINGA_VERSION } },
    generator: { image: "config-generator", base, copies: BUNDLE_SOURCES },
    graphite: { image: "graphite", base },
    thruk: { image: "thruk", base, buildArgs: THRUK_BUILD_ARGS },
    nagvis: { image: "nagvis", base },
    gateway: { image: "gateway", base },
  };
}
