import type * as pulumi from "@pulumi/pulumi";
import { type Registry, ServiceImage } from "../components/serviceImage";
import { DEBIAN_IMAGE, ICINGA_VERSION } from "./versions";

/** The images that this project builds for its services. */
export interface Images {
  readonly master: ServiceImage;
  readonly slave: ServiceImage;
  readonly generator: ServiceImage;
}

/** What the generator's bundle is made of, besides its own folder. */
const BUNDLE_SOURCES = ["generator", "node_modules/esbuild-wasm", "node_modules/js-yaml", "node_modules/zod"];

/**
 * Builds all images, the base first.
 *
 * @param registry where they are pushed to. @default nowhere: the one node that built them runs them
 */
export function buildImages(registry: Registry | undefined, opts: pulumi.ComponentResourceOptions): Images {
  const base = new ServiceImage("image-base", { image: "base", base: DEBIAN_IMAGE, registry }, opts);
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
