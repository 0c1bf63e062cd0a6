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
