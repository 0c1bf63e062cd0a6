/** Every image and package version this project pins, in one place. */

/** Base of the images built here. */
export const DEBIAN_IMAGE = "debian:trixie-slim";

/** The official MySQL image. The tests run the same series (9.7). */
export const MYSQL_IMAGE = "mysql:9.7";

/** The official Grafana image. */
export const GRAFANA_IMAGE = "grafana/grafana:13.2.0";

/**
 * Icinga from Debian trixie. Stay below 2.18, which removes Livestatus and IDO, on which Thruk, NagVis and the database
 * of this stack stand.
 */
export const ICINGA_VERSION = "2.14.6";

/**
 * Thruk from its vendor's repository for the base's Debian release. The key that signs it is pinned by its fingerprint, as the
 * vendor published it (Labs Repository GPG Key Rotation, April 2026); `key` is its file's name there.
 */
export const THRUK = {
  version: "3.28",
  repository: "https://labs.consol.de/repo/stable",
  key: "monitoring-repo-consol-de-gpg-2026.asc",
  keyFingerprint: "E1C8FD55CA5EEEFF05E93DD3CBB9B38BE1B9D330",
} as const;

/** The same for the build of images/thruk. */
export const THRUK_BUILD_ARGS = {
  THRUK_VERSION: THRUK.version,
  THRUK_REPOSITORY: THRUK.repository,
  THRUK_KEY: THRUK.key,
  THRUK_KEY_FINGERPRINT: THRUK.keyFingerprint,
} as const;
