import type * as pulumi from "@pulumi/pulumi";
import { type Registry, ServiceImage } from "../components/serviceImage";
import { ICINGA_VERSION } from "./versions";

/** The images that this project builds for its services. */
export interface Images {
  readonly master: ServiceImage;
  readonly slave: ServiceImage;
  readonly generator: ServiceImage;
}

/** What the generator's bundle is made of, besides its own folder. */
const BUNDLE_SOURCES = [
  "generator",
  "node_modules/croner",
  "node_modules/esbuild-wasm",
  "node_modules/js-yaml",
  "node_modules/zod",
];

/**
 * Builds all images, the base first.
 *
 * @param debian the image that the base stands on
 * @param registry where they are pushed to. @default nowhere: the one node that built them runs them
 */
export function buildImages(
  debian: string,
  registry: Registry | undefined,
  opts: pulumi.ComponentResourceOptions,
): Images {
  const base = new ServiceImage("image-base", { image: "base", base: debian, registry }, opts);
  const icinga = { base, registry, buildArgs: { ICINGA_VERSION } };
  return {
    master: new ServiceImage("image-master", { image: "icinga-master", ...icinga }, opts),
    slave: new ServiceImage("image-slave", { image: "icinga-slave", ...icinga }, opts),
    generator: new ServiceImage(
      "image-generator",
      { image: "config-generator", base, registry, copies: BUNDLE_SOURCES },
      opts,
    ),
  };
}
