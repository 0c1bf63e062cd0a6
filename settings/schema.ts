import { isIPv4 } from "node:net";
import { z } from "zod";
import { locationSchema, MASTER, replayHoursSchema } from "../generator/location";
import { generatorSchema } from "../generator/serviceSettings";
import { DEBIAN_IMAGE, GRAFANA_IMAGE, MYSQL_IMAGE } from "../images/versions";
import { parseCidr } from "../render/cidr";
import { DIRECT_PREFIX, directSlots } from "../render/directSubnets";

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
  { key: "grafanaAdminPassword", kind: "password" },
  { key: "grafanaSecretKey", kind: "password" },
  { key: "graphiteSecretKey", kind: "password" },
  { key: "gatewaySessionKey", kind: "password" },
  { key: "icingaTicketSalt", kind: "password" },
  { key: "icingaApiGeneratorPassword", kind: "password" },
  { key: "icingaCaCertificate", kind: "caCertificate" },
  { key: "icingaCaKey", kind: "caKey" },
  { key: "registryPassword", kind: "given" },
  { key: "mailRelayPassword", kind: "given" },
  { key: "gatewayCertificate", kind: "given" },
  { key: "gatewayKey", kind: "given" },
  { key: "gatewayOpenIdConnect", kind: "given" },
  { key: "generatorDeployKey", kind: "given" },
  { key: "nrpeCaCertificate", kind: "given" },
  { key: "nrpeClientCertificate", kind: "given" },
  { key: "nrpeClientKey", kind: "given" },
] as const satisfies readonly Credential[];

export type CredentialKey = (typeof CREDENTIALS)[number]["key"];

/** What slaves show NRPE clients that ask for a certificate; one without the others is of no use. */
export const NRPE_KEYS: readonly CredentialKey[] = ["nrpeCaCertificate", "nrpeClientCertificate", "nrpeClientKey"];

/** The gateway's own certificate; one without the other is of no use. */
export const GATEWAY_KEYS: readonly CredentialKey[] = ["gatewayCertificate", "gatewayKey"];

const cidr = z.string().refine((text) => parseCidr(text) !== undefined, "must be a subnet such as 10.118.0.0/22");
/** Room for the network of at least one location with a direct uplink. */
const directRange = cidr.refine((text) => directSlots(text) > 0, `must be a /${DIRECT_PREFIX} or larger`);
const port = z.int().min(1).max(65535);
/** `host:port`, an address with a path, and numbers that are no address are none. */
function isHost(text: string): boolean {
  return /^[\d.]+$/.test(text) ? isIPv4(text) : /^(?!-)[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/.test(text);
}

/** What is wrong with it is said without quoting it: it may hold a token. */
const webAddress = z
  .url({ protocol: /^https?$/, error: "must be an address such as https://example.com/ping/1234" })
  .refine((text) => !text.includes("@"), "must not hold a user's name; a token belongs into the path");

/** What a user may do in every page: administer all, command Icinga and edit what is drawn, or look. */
export const ROLES = ["admin", "operator", "viewer"] as const;

const userSchema = z.strictObject({
  /** As typed at the login. */
  name: z
    .string()
    .regex(/^[a-z][a-z0-9._-]{0,31}$/, "must be lower case letters, digits, dots and hyphens, such as j.doe"),
  role: z.enum(ROLES),
  /** bcrypt, of at least 2^10 rounds; `npm run user` makes it. */
  passwordHash: z
    .string()
    .regex(/^\$2[aby]\$(1[0-9]|2[0-9]|3[01])\$[./A-Za-z0-9]{53}$/, "must be a bcrypt hash; make it with: npm run user"),
});

/** Somebody who may log in. */
export type User = z.output<typeof userSchema>;

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
      repository: z
        .string()
        .regex(
          /^[a-z0-9]+([._-]+[a-z0-9]+)*(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*$/,
          "must be lower case, without a slash at either end, such as monitoring or team/monitoring",
        ),
      username: z.string().min(1),
    })
    .optional(),
  networks: z
    .strictObject({
      cluster: cidr.default("10.118.0.0/22"),
      database: cidr.default("10.118.4.0/24"),
      livestatus: cidr.default("10.118.5.0/24"),
      metrics: cidr.default("10.118.6.0/24"),
      web: cidr.default("10.118.7.0/24"),
      /** Each location with a direct uplink has a network of its own in it. */
      direct: directRange.default("10.118.64.0/18"),
    })
    .prefault({}),
  /** Where slaves with a direct uplink reach the master. */
  master: z
    .strictObject({
      publishedAddress: z
        .string()
        .refine(
          isHost,
          "must be a host's name or IPv4 address alone, such as icinga.example.com; the port is publishedPort",
        ),
      /** Of the central node. */
      publishedPort: port.default(MASTER.port),
    })
    .optional(),
  mailRelay: z
    .strictObject({
      host: z.string().regex(/^[A-Za-z0-9.:-]+$/, "must be a host's name or address"),
      port: port.default(25),
      from: z.email(),
      /** Whom to log in as, with `mailRelayPassword`. */
      username: z
        .string()
        .regex(/^[\x21-\x7e]+$/, "must be of ASCII characters without blanks")
        .optional(),
      /** What alone vouches for its certificate, as PEM, where no public CA does. */
      caCertificate: z.string().includes("-----BEGIN CERTIFICATE-----", "must be a certificate as PEM text").optional(),
    })
    .optional(),
  /** The one door to all pages. */
  gateway: z
    .strictObject({
      /** The name that people type; in the certificate that it makes itself, and where plain HTTP is redirected to. */
      hostname: z
        .string()
        .regex(/^[a-zA-Z0-9.-]+$/, "must be a host's name or address, without https:// or a port")
        .optional(),
      httpsPort: port.default(443),
      /** Redirects to HTTPS. */
      httpPort: port.default(80),
      /** Minutes without a request after which a login ends. */
      idleMinutes: z.int().min(1).max(10080).default(60),
    })
    .prefault({}),
  /** Who may log in. */
  users: z.array(userSchema).default([]),
  maps: z
    .strictObject({
      /** Tiles of the world map, with {z}, {x} and {y}; without, locations stand on a plain ground. */
      tiles: z
        .string()
        .regex(
          /^(?=.*\{z\})(?=.*\{x\})(?=.*\{y\})https?:\/\/[A-Za-z0-9:/.{}?=&_,%@+~-]+$/,
          "must be an address with {z}, {x} and {y}, such as https://tiles.example.com/{z}/{x}/{y}.png",
        )
        .optional(),
    })
    .prefault({}),
  /** An address outside that is called while monitoring works, so that somebody notices when it does not. */
  heartbeat: z.strictObject({ url: webAddress, intervalSeconds: z.int().min(10).max(3600).default(60) }).optional(),
  readiness: z.strictObject({ timeoutSeconds: z.int().min(5).max(7200).default(600) }).prefault({}),
  retention: z
    .strictObject({
      /** Days that history (notifications, state changes, ...) is kept: in the database, in Icinga's log, in Thruk. */
      historyDays: z.int().min(1).default(365),
      /** What Graphite keeps of each value, as in storage-schemas.conf: how fine for how long, finest first. */
      metrics: z
        .string()
        .regex(/^\d+[smhdwy]:\d+[smhdwy](,\d+[smhdwy]:\d+[smhdwy])*$/, "must be such as 1m:7d,5m:60d,1h:2y")
        .default("1m:7d,5m:60d,1h:2y"),
      /** Hours that results wait for a master, or anything for a slave, that is out of reach. */
      replayHours: replayHoursSchema,
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
      graphite: z.int().min(256).default(1024),
      grafana: z.int().min(128).default(512),
      thruk: z.int().min(256).default(1024),
      nagvis: z.int().min(128).default(512),
      gateway: z.int().min(64).default(256),
    })
    .prefault({}),
  images: z
    .strictObject({
      /** What the images built here stand on. */
      debian: z.string().min(1).default(DEBIAN_IMAGE),
      mysql: z.string().min(1).default(MYSQL_IMAGE),
      grafana: z.string().min(1).default(GRAFANA_IMAGE),
      /** Stands for the image that is built here from Thruk's own package. */
      thruk: z.string().min(1).optional(),
    })
    .prefault({}),
});

/** The plain settings of a stack, with their defaults. */
export type PlainSettings = z.output<typeof settingsSchema>;

/** Every plain setting, without its prefix. */
export const SETTING_KEYS = Object.keys(settingsSchema.shape);
