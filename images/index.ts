import type * as pulumi from "@pulumi/pulumi";
import { type Registry, ServiceImage } from "../components/serviceImage";
import { ICINGA_VERSION, THRUK_BUILD_ARGS } from "./versions";

/** The images that this project builds for its services. */
export interface Images {
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

/**
 * Builds all images, the base first.
 *
 * @param given images that are not built here: what the base stands on, and what stands for Thruk's if anything does
 * @param registry where they are pushed to. @default nowhere: the one node that built them runs them
 */
export function buildImages(
  given: { readonly debian: string; readonly thruk?: string },
  registry: Registry | undefined,
  opts: pulumi.ComponentResourceOptions,
): Images {
  const base = new ServiceImage("image-base", { image: "base", base: given.debian, registry }, opts);
  const icinga = { base, registry, buildArgs: { ICINGA_VERSION } };
  return {
    master: new ServiceImage("image-master", { image: "icinga-master", copies: [REPLAY_CHECK], ...icinga }, opts),
    slave: new ServiceImage("image-slave", { image: "icinga-slave", ...icinga }, opts),
    generator: new ServiceImage(
      "image-generator",
      { image: "config-generator", base, registry, copies: BUNDLE_SOURCES },
      opts,
    ),
    graphite: new ServiceImage("image-graphite", { image: "graphite", base, registry }, opts),
    thruk:
      given.thruk ??
      new ServiceImage("image-thruk", { image: "thruk", base, registry, buildArgs: THRUK_BUILD_ARGS }, opts).reference,
    nagvis: new ServiceImage("image-nagvis", { image: "nagvis", base, registry }, opts),
    gateway: new ServiceImage("image-gateway", { image: "gateway", base, registry }, opts),
  };
}
