import { z } from "zod";
import type { IcingaCheck } from "../model";
import { line, port, timeout } from "../units";
import { common, kind, notAbove, type NrpeConnection, numbersInOrder, optionalSeconds } from "./kind";

/** How NRPE clients are spoken to. */
export const connection = {
  port: port.describe("the client's port; NRPE's own is 5666").optional(),
  protocol: z
    .literal([2, 3], "must be 2 or 3, or left out")
    .describe("version of NRPE's packets, 2 or 3, for clients that do not agree on one by themselves")
    .optional(),
  ssl: z
    .enum(["anonymous", "certificates", "off"], 'must be "anonymous", "certificates" or "off"')
    .describe("anonymous (NRPE's default), certificates (the stack's own), or off, for clients that run with -n")
    .optional(),
  timeout: timeout.describe("how long to wait for the client's answer, such as 30s").optional(),
};

/** check_nrpe joins the command and its arguments with `!`, so an argument cannot hold one. */
const nrpeArgument = z.union([
  line.regex(/^[^!]*$/, "must not contain !, which NRPE uses to separate arguments"),
  z.int("must be in quotes unless it is a whole number"),
]);

const command = z
  .string()
  .regex(/^[^\s!"'\][=;]{1,200}$/, "must be the name in command[...] of the client's nrpe.cfg, such as check_load");

const nrpe = z.strictObject({
  command: command.describe("the name in command[...] of the client's nrpe.cfg, such as check_load"),
  arguments: z.array(nrpeArgument).describe("what the client puts in place of $ARG1$, $ARG2$, ...").optional(),
  ...connection,
  ...common,
});

const otherCommand = (name: string) =>
  command.describe(`the name in command[...] of the client's nrpe.cfg; ${name} by default`).optional();

const percent = z.string().regex(/^([1-9]\d?|100)%$/, "must be a percentage such as 10%");

/** Free space: less is worse, so the warning limit is the higher one. */
function freeInOrder(limits: { warning?: unknown; critical?: unknown }, context: z.RefinementCtx): void {
  const { warning, critical } = limits;
  if (typeof warning !== "string" || typeof critical !== "string") return;
  if (parseInt(critical, 10) > parseInt(warning, 10)) notAbove(context, "critical", "warning", warning);
}

/** A limit is sent only together with the other one: the client's command puts them into places. */
function bothOrNone(limits: { warning?: unknown; critical?: unknown }, context: z.RefinementCtx): void {
  const { warning, critical } = limits;
  if ((warning === undefined) === (critical === undefined)) return;
  const [given, missing] = warning === undefined ? ["critical", "warning"] : ["warning", "critical"];
  const message = `needs ${JSON.stringify(missing)} beside it: the client's command takes both, or none and its own`;
  context.addIssue({ code: "custom", path: [given], message });
}

const loadAverage = z
  .number("must be a number")
  .positive("must be above 0")
  .describe("load average over one minute, such as 8");
const count = z.int("must be a whole number").min(0, "must be 0 or more");

const load = z
  .strictObject({
    warning: loadAverage.describe("load average from which the state is WARNING, such as 8").optional(),
    critical: loadAverage.describe("load average from which the state is CRITICAL, such as 16").optional(),
    command: otherCommand("check_load"),
    ...connection,
    ...common,
  })
  .superRefine(numbersInOrder)
  .superRefine(bothOrNone);

const freeSpace = {
  warning: percent.describe("free share below which the state is WARNING, such as 20%").optional(),
  critical: percent.describe("free share below which the state is CRITICAL, such as 10%").optional(),
};

const disk = z
  .strictObject({
    path: line
      .regex(/^\/[^!]*$/, "must be a path such as /var")
      .describe("the file system, such as /var")
      .optional(),
    ...freeSpace,
    command: otherCommand("check_disk"),
    ...connection,
    ...common,
  })
  .superRefine(freeInOrder)
  .superRefine(bothOrNone)
  .superRefine(({ path, warning }, context) => {
    if (path === undefined || warning !== undefined) return;
    const message =
      'needs "warning" and "critical" beside it: the client\'s command takes all three, or none and its own';
    context.addIssue({ code: "custom", path: ["path"], message });
  });

const freeMemory = (name: string) =>
  z
    .strictObject({ ...freeSpace, command: otherCommand(name), ...connection, ...common })
    .superRefine(freeInOrder)
    .superRefine(bothOrNone);

const counted = (what: string, name: string) =>
  z
    .strictObject({
      warning: count.describe(`number of ${what} above which the state is WARNING`).optional(),
      critical: count.describe(`number of ${what} above which the state is CRITICAL`).optional(),
      command: otherCommand(name),
      ...connection,
      ...common,
    })
    .superRefine(numbersInOrder)
    .superRefine(bothOrNone);

/** Where the slave's init script puts what it is given to show to clients. */
const CERTIFICATES = "/run/icinga-swarm/nrpe";

function askClient(
  name: string,
  args: readonly (string | number)[],
  own: NrpeConnection,
  inherited: NrpeConnection,
): IcingaCheck {
  const given = Object.entries(own).filter(([, setting]) => setting !== undefined);
  const { port: at, protocol, ssl, timeout: limit }: NrpeConnection = { ...inherited, ...Object.fromEntries(given) };
  return {
    command: "nrpe",
    timeout: optionalSeconds(limit),
    vars: {
      nrpe_command: name,
      nrpe_arguments: args.length === 0 ? undefined : args.map(String),
      nrpe_port: at,
      nrpe_version_2: protocol === 2 ? true : undefined,
      nrpe_version_3: protocol === 3 ? true : undefined,
      nrpe_no_ssl: ssl === "off" ? true : undefined,
      nrpe_ca: ssl === "certificates" ? `${CERTIFICATES}/ca.crt` : undefined,
      nrpe_cert: ssl === "certificates" ? `${CERTIFICATES}/client.crt` : undefined,
      nrpe_key: ssl === "certificates" ? `${CERTIFICATES}/client.key` : undefined,
      nrpe_timeout: optionalSeconds(limit),
    },
  };
}

/** The connection as far as a check says it itself. */
function ownConnection({ port: at, protocol, ssl, timeout: limit }: NrpeConnection): NrpeConnection {
  return { port: at, protocol, ssl, timeout: limit };
}

interface Limits extends NrpeConnection {
  readonly command?: string | undefined;
  readonly warning?: string | number | undefined;
  readonly critical?: string | number | undefined;
  readonly path?: string | undefined;
}

/** The order of arguments is that of the sample configuration which NRPE itself brings. */
function limitedCommand(name: string) {
  return (settings: Limits, inherited: NrpeConnection): IcingaCheck => {
    const args = [settings.warning, settings.critical, settings.path].filter((limit) => limit !== undefined);
    return askClient(settings.command ?? name, args, ownConnection(settings), inherited);
  };
}

/** Checks that the host's own NRPE client makes. */
export const CLIENT_CHECKS = {
  nrpe: kind({
    description: "a command of the host's NRPE client",
    schema: nrpe,
    defaultName: ({ command: asked }) => asked.replace(/^check_/, "").replace(/[^A-Za-z0-9._:-]/g, "-") || "nrpe",
    toIcinga: (settings, inherited) =>
      askClient(settings.command, settings.arguments ?? [], ownConnection(settings), inherited),
  }),
  load: kind({
    description: "the load average (NRPE command check_load)",
    schema: load,
    defaultName: () => "load",
    toIcinga: limitedCommand("check_load"),
  }),
  disk: kind({
    description: "free space of a file system (NRPE command check_disk)",
    schema: disk,
    defaultName: ({ path }) => (path === undefined ? "disk" : diskName(path)),
    toIcinga: limitedCommand("check_disk"),
  }),
  memory: kind({
    description: "free memory (NRPE command check_mem)",
    schema: freeMemory("check_mem"),
    defaultName: () => "memory",
    toIcinga: limitedCommand("check_mem"),
  }),
  swap: kind({
    description: "free swap space (NRPE command check_swap)",
    schema: freeMemory("check_swap"),
    defaultName: () => "swap",
    toIcinga: limitedCommand("check_swap"),
  }),
  processes: kind({
    description: "the number of processes (NRPE command check_procs)",
    schema: counted("processes", "check_procs"),
    defaultName: () => "processes",
    toIcinga: limitedCommand("check_procs"),
  }),
  users: kind({
    description: "the number of users logged in (NRPE command check_users)",
    schema: counted("users", "check_users"),
    defaultName: () => "users",
    toIcinga: limitedCommand("check_users"),
  }),
} as const;

function diskName(path: string): string {
  const words = path.split(/[^A-Za-z0-9._:-]+/).filter((word) => word !== "");
  return words.length === 0 ? "disk-root" : `disk-${words.join("-")}`.slice(0, 90);
}
