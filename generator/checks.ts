import { z } from "zod";
import type { Value } from "./dsl";
import { interval, line, port, responseTime, seconds, timeout } from "./units";

/** How often a check runs, and when its state counts. Every check has these; the inventory's defaults fill the gaps. */
export const timing = {
  interval: interval.describe("how often to check, such as 1m").optional(),
  retryInterval: interval.describe("how often to check while a problem is not confirmed yet, such as 30s").optional(),
  attempts: z
    .int("must be a whole number")
    .min(1, "must be 1 or more")
    .max(100, "must be 100 or less")
    .describe("how many checks in a row must fail before a problem counts")
    .optional(),
};

const common = {
  name: z
    .string()
    .regex(
      /^[A-Za-z0-9]([A-Za-z0-9 ._:-]{0,98}[A-Za-z0-9])?$/,
      "must be 1 to 100 letters, digits, spaces and . _ : -, and start and end with a letter or digit",
    )
    .describe("the service's name on its host; by default it follows from the check")
    .optional(),
  ...timing,
};

/** Says which of two limits is the wrong way round, at the warning one. */
function inOrder(limits: { warning?: string; critical?: string }, context: z.RefinementCtx): void {
  const { warning, critical } = limits;
  if (warning === undefined || critical === undefined || seconds(warning) <= seconds(critical)) return;
  const message = `must not be above "critical" (${critical}); swap them`;
  context.addIssue({ code: "custom", path: ["warning"], message });
}

const responseTimes = {
  warning: responseTime.describe("response time from which the state is WARNING, such as 500ms").optional(),
  critical: responseTime.describe("response time from which the state is CRITICAL, such as 2s").optional(),
};

const ping = z
  .strictObject({
    ...common,
    ...responseTimes,
    warningLoss: loss("WARNING"),
    criticalLoss: loss("CRITICAL"),
  })
  .superRefine(inOrder)
  .superRefine(({ warningLoss, criticalLoss }, context) => {
    if (warningLoss === undefined || criticalLoss === undefined || warningLoss <= criticalLoss) return;
    const message = `must not be above "criticalLoss" (${criticalLoss}); swap them`;
    context.addIssue({ code: "custom", path: ["warningLoss"], message });
  });

function loss(state: string) {
  return z
    .int("must be a whole number of percent, such as 20")
    .min(1, "must be 1 or more percent")
    .max(100, "must be 100 or less percent")
    .describe(`percentage of lost packets from which the state is ${state}, such as 20`)
    .optional();
}

/** check_nrpe joins the command and its arguments with `!`, so an argument cannot hold one. */
const nrpeArgument = z.union([
  line.regex(/^[^!]*$/, "must not contain !, which NRPE uses to separate arguments"),
  z.int("must be in quotes unless it is a whole number"),
]);

const nrpe = z.strictObject({
  command: z
    .string()
    .regex(/^[^\s!"'\][=;]{1,200}$/, "must be the name in command[...] of the client's nrpe.cfg, such as check_load")
    .describe("the name in command[...] of the client's nrpe.cfg, such as check_load"),
  arguments: z.array(nrpeArgument).describe("what the client puts in place of $ARG1$, $ARG2$, ...").optional(),
  port: port.describe("the client's port; NRPE's own is 5666").optional(),
  protocol: z
    .literal([2, 3], "must be 2 or 3, or left out")
    .describe("version of NRPE's packets, 2 or 3, for clients that do not agree on one by themselves")
    .optional(),
  ssl: z
    .enum(["anonymous", "off"], 'must be "anonymous" or "off"')
    .describe("anonymous (NRPE's default) or off, for clients that run with -n")
    .optional(),
  timeout: timeout.describe("how long to wait for the client's answer, such as 30s").optional(),
  ...common,
});

const tcp = z
  .strictObject({
    port: port.describe("the port to connect to, such as 22"),
    ...responseTimes,
    timeout: timeout.describe("how long to wait for the connection, such as 10s").optional(),
    ...common,
  })
  .superRefine(inOrder);

const http = z
  .strictObject({
    port: port.describe("the port; 80, or 443 with tls").optional(),
    tls: z.boolean().describe("true for https").optional(),
    path: z
      .string()
      .regex(/^\/[\x21-\x7e]*$/, "must start with / and hold no spaces, such as /health")
      .describe("what to ask for, such as /health")
      .optional(),
    virtualHost: z
      .string()
      .regex(/^[A-Za-z0-9._:-]+$/, "must be a host name, such as www.example.com")
      .describe("the name to ask for where one address serves several, such as www.example.com")
      .optional(),
    status: z
      .array(z.int("must be a whole number").min(100, "must be 100 to 599").max(599, "must be 100 to 599"))
      .min(1, "must not be empty")
      .describe("status codes that are good, such as [200, 301]; by default all below 400")
      .optional(),
    contains: line.describe("text that must be in the answer").optional(),
    ...responseTimes,
    timeout: timeout.describe("how long to wait for the answer, such as 10s").optional(),
    ...common,
  })
  .superRefine(inOrder);

/** What a check becomes in Icinga: a command and the custom variables that its arguments come from. */
export interface IcingaCheck {
  readonly command: string;
  /** Seconds the plugin itself waits; undefined for its own limit. */
  readonly timeout?: number | undefined;
  readonly vars: Readonly<Record<string, Value | undefined>>;
}

interface CheckKind<Schema extends z.ZodType> {
  /** One sentence for people. */
  readonly description: string;
  readonly schema: Schema;
  /** Name of the service where none is given. */
  readonly defaultName: (settings: z.output<Schema>) => string;
  readonly toIcinga: (settings: z.output<Schema>) => IcingaCheck;
}

/** Lets the compiler tie a kind's functions to its schema. */
function kind<Schema extends z.ZodType>(definition: CheckKind<Schema>): CheckKind<Schema> {
  return definition;
}

const optionalSeconds = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : seconds(text);

function ordered(
  warning: string | undefined,
  critical: string | undefined,
  [warningDefault, criticalDefault]: readonly [number, number],
): [number, number] {
  const [low, high] = [optionalSeconds(warning), optionalSeconds(critical)];
  return [low ?? Math.min(warningDefault, high ?? warningDefault), high ?? Math.max(criticalDefault, low ?? 0)];
}

/** The checks there are. One entry is all that a new one needs: validation, documentation and rendering follow from it. */
export const CATALOGUE = {
  ping: kind({
    description: "ICMP echo: round trip time and lost packets",
    schema: ping,
    defaultName: () => "ping",
    toIcinga: (settings) => {
      // check_ping wants all four, in order: where one of two is given, the other's default makes room for it.
      const [warning, critical] = ordered(settings.warning, settings.critical, [0.1, 0.5]);
      const { warningLoss, criticalLoss } = settings;
      return {
        command: "ping",
        vars: {
          ping_wrta: Math.round(warning * 1000),
          ping_crta: Math.round(critical * 1000),
          ping_wpl: warningLoss ?? Math.min(20, criticalLoss ?? 20),
          ping_cpl: criticalLoss ?? Math.max(60, warningLoss ?? 60),
        },
      };
    },
  }),
  nrpe: kind({
    description: "a command of the host's NRPE client",
    schema: nrpe,
    defaultName: ({ command }) => command.replace(/^check_/, "").replace(/[^A-Za-z0-9._:-]/g, "-") || "nrpe",
    toIcinga: (settings) => ({
      command: "nrpe",
      timeout: optionalSeconds(settings.timeout),
      vars: {
        nrpe_command: settings.command,
        nrpe_arguments: settings.arguments?.map(String),
        nrpe_port: settings.port,
        nrpe_version_2: settings.protocol === 2 ? true : undefined,
        nrpe_version_3: settings.protocol === 3 ? true : undefined,
        nrpe_no_ssl: settings.ssl === "off" ? true : undefined,
        nrpe_timeout: optionalSeconds(settings.timeout),
      },
    }),
  }),
  tcp: kind({
    description: "a TCP port that accepts connections",
    schema: tcp,
    defaultName: (settings) => `tcp-${settings.port}`,
    toIcinga: (settings) => ({
      command: "tcp",
      timeout: optionalSeconds(settings.timeout),
      vars: {
        tcp_port: settings.port,
        tcp_wtime: optionalSeconds(settings.warning),
        tcp_ctime: optionalSeconds(settings.critical),
        tcp_timeout: optionalSeconds(settings.timeout),
      },
    }),
  }),
  http: kind({
    description: "a web server's answer",
    schema: http,
    defaultName: ({ tls = false }) => (tls ? "https" : "http"),
    toIcinga: (settings) => ({
      command: "http",
      timeout: optionalSeconds(settings.timeout),
      vars: {
        http_port: settings.port ?? (settings.tls ? 443 : undefined),
        http_ssl: settings.tls ? true : undefined,
        http_sni: settings.tls && settings.virtualHost !== undefined ? true : undefined,
        http_uri: settings.path,
        http_vhost: settings.virtualHost,
        http_expect: settings.status?.map((code) => ` ${code}`).join(","),
        http_string: settings.contains,
        http_warn_time: optionalSeconds(settings.warning),
        http_critical_time: optionalSeconds(settings.critical),
        http_timeout: optionalSeconds(settings.timeout),
      },
    }),
  }),
} as const;

/** Name of a kind of check. */
export type CheckName = keyof typeof CATALOGUE;

/** Names of all kinds of checks, in the catalogue's order. */
export const CHECK_NAMES = Object.keys(CATALOGUE) as CheckName[];

/** A check with its settings, as validated: `{ check: "tcp", settings: { port: 22 } }`. */
export type CheckSettings = {
  readonly [Name in CheckName]: {
    readonly check: Name;
    readonly settings: z.output<(typeof CATALOGUE)[Name]["schema"]>;
  };
}[CheckName];

/** A service's name: the one that was given, or what follows from the check. */
export function serviceName(check: CheckSettings): string {
  return check.settings.name ?? kindOf(check).defaultName(check.settings);
}

/** A check in Icinga's terms. */
export function toIcinga(check: CheckSettings): IcingaCheck {
  return kindOf(check).toIcinga(check.settings);
}

/** The compiler cannot follow that the entry and the settings belong to the same name; `CheckSettings` says they do. */
function kindOf(check: CheckSettings): CheckKind<z.ZodType<CheckSettings["settings"]>> {
  return CATALOGUE[check.check] as unknown as CheckKind<z.ZodType<CheckSettings["settings"]>>;
}
