import { z } from "zod";
import { locationSchema } from "../generator/location";
import { generatorSchema } from "../generator/serviceSettings";
import { DEBIAN_IMAGE, MYSQL_IMAGE } from "../images/versions";
import { parseCidr } from "../render/cidr";

/** Prefix of every key in a stack's file. */
export const PROJECT = "icinga-swarm";

/** A credential of the stack: a flat, encrypted config key. `npm run secrets` makes those that can be made. */
export interface Credential {
  readonly key: string;
  /** `password`: any random text. `caCertificate`, `caKey`: PEM, made together. `given`: only the operator knows it. */
  readonly kind: "password" | "caCertificate" | "caKey" | "given";
}

/** Every credential of a stack, listed once. */
export const CREDENTIALS = [
  { key: "mysqlRootPassword", kind: "password" },
  { key: "mysqlIcingaPassword", kind: "password" },
  { key: "mysqlThrukPassword", kind: "password" },
  { key: "mysqlGrafanaPassword", kind: "password" },
  { key: "icingaTicketSalt", kind: "password" },
  { key: "icingaApiGeneratorPassword", kind: "password" },
  { key: "icingaCaCertificate", kind: "caCertificate" },
  { key: "icingaCaKey", kind: "caKey" },
  { key: "registryPassword", kind: "given" },
  { key: "generatorDeployKey", kind: "given" },
  { key: "nrpeCaCertificate", kind: "given" },
  { key: "nrpeClientCertificate", kind: "given" },
  { key: "nrpeClientKey", kind: "given" },
] as const satisfies readonly Credential[];

export type CredentialKey = (typeof CREDENTIALS)[number]["key"];

/** What slaves show NRPE clients that ask for a certificate; one without the others is of no use. */
export const NRPE_KEYS: readonly CredentialKey[] = ["nrpeCaCertificate", "nrpeClientCertificate", "nrpeClientKey"];

const cidr = z.string().refine((text) => parseCidr(text) !== undefined, "must be a subnet such as 10.118.0.0/22");
const port = z.int().min(1).max(65535);
/** What is wrong with it is said without quoting it: it may hold a token. */
const webAddress = z
  .url({ protocol: /^https?$/, error: "must be an address such as https://example.com/ping/1234" })
  .refine((text) => !text.includes("@"), "must not hold a user's name; a token belongs into the path");

/** The plain settings of a stack, one entry for each key `icinga-swarm:<key>`. */
export const settingsSchema = z.strictObject({
  locations: z.array(locationSchema).min(1, "needs at least one location"),
  /** Where the hosts to monitor stand, unless the generator pulls them from Git. */
  inventory: z.string().min(1).optional(),
  generator: generatorSchema.prefault({}),
  central: z.strictObject({ node: z.string().min(1) }).optional(),
  registry: z
    .strictObject({
      address: z.string().regex(/^[a-zA-Z0-9.-]+(:\d+)?$/, "must be host or host:port, without https:// or a path"),
      repository: z.string().regex(/^[a-z0-9._/-]+$/, "must be lower case, such as monitoring or team/monitoring"),
      username: z.string().min(1),
    })
    .optional(),
  networks: z
    .strictObject({
      cluster: cidr.default("10.118.0.0/22"),
      database: cidr.default("10.118.4.0/24"),
      livestatus: cidr.default("10.118.5.0/24"),
    })
    .prefault({}),
  mailRelay: z.strictObject({ host: z.string().min(1), port: port.default(25), from: z.email() }).optional(),
  /** An address outside that is called while monitoring works, so that somebody notices when it does not. */
  heartbeat: z.strictObject({ url: webAddress, intervalSeconds: z.int().min(10).max(3600).default(60) }).optional(),
  readiness: z.strictObject({ timeoutSeconds: z.int().min(5).max(7200).default(600) }).prefault({}),
  retention: z
    .strictObject({
      /** Days that the database keeps history (notifications, state changes, ...). */
      historyDays: z.int().min(1).default(365),
      /** Megabytes of a container's log file before it is rotated. */
      logMegabytes: z.int().min(1).default(20),
      /** Rotated log files kept for a container. */
      logFiles: z.int().min(1).default(5),
    })
    .prefault({}),
  memory: z
    .strictObject({
      mysql: z.int().min(512).default(2048),
      master: z.int().min(256).default(2048),
      slave: z.int().min(128).default(1024),
      generator: z.int().min(128).default(1024),
    })
    .prefault({}),
  images: z
    .strictObject({
      /** What the images built here stand on. */
      debian: z.string().min(1).default(DEBIAN_IMAGE),
      mysql: z.string().min(1).default(MYSQL_IMAGE),
    })
    .prefault({}),
});

/** The plain settings of a stack, with their defaults. */
export type PlainSettings = z.output<typeof settingsSchema>;

/** Every plain setting, without its prefix. */
export const SETTING_KEYS = Object.keys(settingsSchema.shape);
