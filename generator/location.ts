import { z } from "zod";

/**
 * Location names become parts of service names, hostnames, volume names, node labels and Icinga zone names, so they
 * are short, lower case, and may not end in what marks a slot (`-1`) or a further pair (`-p2`).
 */
const LOCATION_NAME = /^[a-z][a-z0-9-]{0,23}$/;
const SLOT_OR_PAIR_SUFFIX = /-p?\d+$/;

/** Names that would collide with a zone or a node label of the stack itself. */
const RESERVED_NAMES: readonly string[] = ["master", "central", "global-templates", "director-global"];

const locationName = z
  .string()
  .regex(
    LOCATION_NAME,
    "must start with a lower-case letter and have at most 24 lower-case letters, digits and hyphens, such as frankfurt",
  )
  .refine(
    (name) => !SLOT_OR_PAIR_SUFFIX.test(name),
    "must not end in -<digits> or -p<digits>, which mark slots and pairs",
  )
  .refine((name) => !name.endsWith("-"), "must not end in a hyphen")
  .refine((name) => !RESERVED_NAMES.includes(name), `must not be one of ${RESERVED_NAMES.join(", ")}: they are taken`);

/**
 * How a location's slaves reach the master: over the stack's overlay network, or directly at the address that the stack
 * publishes, with an overlay network of their own beside it.
 */
export const UPLINKS = ["overlay", "direct"] as const;

export type Uplink = (typeof UPLINKS)[number];

function isUnique(names: readonly string[]): boolean {
  return new Set(names).size === names.length;
}

/** One location: a site with its own slaves. The one definition of its shape, for the stack's settings and the generator. */
export const locationSchema = z.strictObject({
  /** Unique name, `[a-z][a-z0-9-]{0,23}`. */
  name: locationName,
  /** What people read. @default the name */
  displayName: z.string().min(1).optional(),
  /** Swarm nodes that run the location's slaves: host names, or `self` for the manager that Docker answers from. */
  nodes: z
    .array(z.string().min(1))
    .min(1, "needs at least one swarm node")
    .refine(isUnique, "must name each node once"),
  /** How many slaves check the location; two of them make a pair (one Icinga zone). @default 1 */
  slaves: z.int().min(1).max(20).default(1),
  /** Degrees north, for maps. */
  latitude: z.number().min(-90).max(90).optional(),
  /** Degrees east, for maps. */
  longitude: z.number().min(-180).max(180).optional(),
  /** Existing overlay networks that the location's slaves also join. @default none */
  networks: z.array(z.string().min(1)).refine(isUnique, "must name each network once").default([]),
  /** How its slaves reach the master. @default overlay */
  uplink: z.enum(UPLINKS).default("overlay"),
  /**
   * Subnet of the network that its slaves share while the uplink is direct.
   * @default a part of the stack's `networks.direct` that follows from the location's name
   */
  subnet: z.string().min(1).optional(),
});

/** A location with all its defaults filled in. */
export type Location = z.output<typeof locationSchema>;

/** The master as every other part of the stack knows it. */
export const MASTER = { service: "icinga-master", endpoint: "icinga-master", zone: "master", port: 5665 } as const;

/** Hours that the replay log is kept unless the stack says otherwise: Icinga's own default. */
export const REPLAY_HOURS = 24;

/** Hours that the replay log is kept. */
export const replayHoursSchema = z
  .int()
  .min(1, "must be at least 1: Icinga takes 0 for no replay at all")
  .max(8760)
  .default(REPLAY_HOURS);

/** Up to two slaves that share one Icinga zone: one replicated service. */
export interface Pair {
  /** Swarm service name: `icinga-slave-<location>`, further pairs `-p2`, `-p3`, ... */
  readonly service: string;
  /** Icinga zone name: `<location>`, further pairs `<location>-p2`, ... */
  readonly zone: string;
  /** Endpoint names, which are the hostnames of the slots: `<service>-1`, `<service>-2`. One or two. */
  readonly endpoints: readonly string[];
}

/** An Icinga zone has at most two endpoints. */
const SLAVES_PER_PAIR = 2;

/**
 * The pairs of a location, in order. Six slaves are three pairs; three slaves are a pair of two and a "pair" of one.
 *
 * @param location name and number of slaves
 */
export function topology(location: Pick<Location, "name" | "slaves">): Pair[] {
  const pairs = Math.ceil(location.slaves / SLAVES_PER_PAIR);
  return Array.from({ length: pairs }, (_, index) => {
    const suffix = index === 0 ? "" : `-p${index + 1}`;
    const service = `icinga-slave-${location.name}${suffix}`;
    const slots = Math.min(SLAVES_PER_PAIR, location.slaves - index * SLAVES_PER_PAIR);
    return {
      service,
      zone: `${location.name}${suffix}`,
      endpoints: Array.from({ length: slots }, (_unused, slot) => `${service}-${slot + 1}`),
    };
  });
}
