import { z } from "zod";
import { addressProblem } from "./address";
import { CATALOGUE, CHECK_NAMES, type CheckName, type CommonSettings } from "./catalogue";
import { connection } from "./catalogue/client";
import { groupNames, periodName, remarks, ruleNames, timing } from "./catalogue/kind";
import type { Value } from "./dsl";
import { NOTIFICATION_EVENTS } from "./model";
import { isInherited, ownSettingsSchema } from "./ownChecks";
import { periodSchema } from "./periods";
import { interval, line, name, seconds } from "./units";

const simple = z.union([line, z.number(), z.boolean()]);
const variable = z.union([simple, z.array(simple)]).describe("text, a number, true, false, or a list of these");

/** Variables that Icinga's own commands read: on a host they would change checks that nobody thinks of. */
const READ_BY_COMMANDS =
  /^(ping|nrpe|tcp|udp|http|dns|ssh|smtp|s?imap|s?pop|ftp|ntp|snmp|dummy|hostalive|check|own|mail)_/;
const SET_BY_GENERATOR = new Set(["location", "notify", "checks", "parents", "downtimes"]);

const vars = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be a variable name of letters, digits and _, such as rack")
      .refine((variableName) => !SET_BY_GENERATOR.has(variableName), "is set by the generator; choose another name")
      .refine(
        (variableName) => !READ_BY_COMMANDS.test(variableName),
        "is read by Icinga's checks; choose another name",
      ),
    variable,
  )
  .describe("custom variables, such as { rack: B7 }")
  .optional();

const events = z
  .array(z.enum(NOTIFICATION_EVENTS))
  .min(1, "must not be empty")
  .describe(`states and events: ${NOTIFICATION_EVENTS.join(", ")}`);

const contact = z.strictObject({
  displayName: line.describe("what people read instead of the name").optional(),
  email: z.email("must be a mail address such as alice@example.com").describe("where mails go"),
  period: periodName.describe("name of the period in which they are told; by default always").optional(),
  on: events.describe("what they are told of; by default all that the rules say").optional(),
});

const contactGroup = z.strictObject({
  displayName: line.describe("what people read instead of the name").optional(),
  members: z.array(z.string()).min(1, "must not be empty").describe("names of contacts"),
});

const delay = z.union([z.literal("at once"), interval]);

const notificationRule = z
  .strictObject({
    contacts: z.array(z.string()).min(1, "must not be empty").describe("names of contacts and contact groups"),
    on: events.default(["down", "warning", "critical", "unknown", "recovery"]),
    period: periodName.describe("name of the period outside of which it keeps silent; by default never").optional(),
    after: delay.describe("how long a problem must have lasted, such as 30m; by default at once").optional(),
    until: interval.describe("how long a problem may have lasted, such as 2h; by default any time").optional(),
    repeat: interval.describe("time between reminders, such as 1h; by default none").optional(),
  })
  .superRefine(({ after, until }, context) => {
    if (until === undefined || after === undefined || after === "at once" || seconds(after) < seconds(until)) return;
    context.addIssue({ code: "custom", path: ["after"], message: `must be below "until" (${until}); swap them` });
  })
  .superRefine(({ on }, context) => {
    if (on.some((event) => event !== "recovery" && event !== "acknowledgement")) return;
    const message = 'tells nobody: who was not told of a problem hears nothing of its end; add "down" or "critical"';
    context.addIssue({ code: "custom", path: ["on"], message });
  });

const downtimes = z
  .array(
    z.strictObject({
      period: periodName.describe("name of the period in which the work takes place"),
      comment: line.describe("why, for people"),
    }),
  )
  .describe("planned work, during which nobody is told of problems")
  .optional();

const group = z.strictObject({ displayName: line.describe("what people read instead of the name").optional() });

/** One argument of a plugin. It may be empty: some plugins are called so. */
const argument = z
  .string()
  .max(1000, "must have at most 1000 characters")
  .regex(/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]*$/u, "must be one line without control characters");

/** A check that an inventory defines for itself. */
export const ownCheckSchema = z
  .strictObject({
    description: line.describe("what it checks, for people").optional(),
    extends: z
      .enum(CHECK_NAMES as [CheckName, ...CheckName[]])
      .describe("the check it is a special case of")
      .optional(),
    plugin: z
      .array(argument)
      .min(1, "must not be empty")
      .refine(([plugin]) => plugin !== "", "must begin with the plugin's name, such as check_x")
      .describe("a plugin of the slaves and its arguments, such as [check_x, -H, $address$]")
      .optional(),
    parameters: z
      .record(z.string().regex(/^[a-z][A-Za-z0-9_]{0,49}$/, "must be letters, digits and _, such as path"), line)
      .describe("what hosts can tell the plugin: name and meaning")
      .optional(),
    settings: z
      .record(z.string(), z.unknown())
      .describe("what it is told where a host or role does not say it")
      .optional(),
  })
  .superRefine((check, context) => {
    if ((check.extends === undefined) !== (check.plugin === undefined)) return;
    context.addIssue({ code: "custom", path: [], message: 'needs either "extends" or "plugin"' });
  })
  .superRefine((check, context) => {
    if (check.parameters === undefined || check.plugin !== undefined) return;
    context.addIssue({ code: "custom", path: ["parameters"], message: 'belongs to "plugin"; leave it out' });
  });

/** A check that an inventory defines for itself, as written. */
export type OwnCheck = z.output<typeof ownCheckSchema>;

/** One check of a host or role: a name, or a name with settings. */
export type WrittenCheck = string | Readonly<Record<string, CommonSettings | undefined>>;

/** What may stand in the defaults, at a location, in a role and at a host: the nearest wins. */
export interface WrittenSettings {
  readonly interval?: string | undefined;
  readonly retryInterval?: string | undefined;
  readonly attempts?: number | undefined;
  readonly period?: string | undefined;
  readonly notify?: readonly string[] | undefined;
  readonly nrpe?: z.output<typeof nrpeSettings> | undefined;
  readonly alive?: "none" | WrittenCheck | undefined;
  readonly vars?: Readonly<Record<string, Value>> | undefined;
}

const nrpeSettings = z.strictObject(connection);

/** The shape of an inventory's files. It depends on the checks that the inventory defines for itself. */
export interface Schemas {
  readonly file: z.ZodType<InventoryFile>;
  readonly host: z.ZodType<InventoryHost>;
  readonly check: z.ZodType<WrittenCheck>;
}

/** One host of a file. */
export interface InventoryHost extends WrittenSettings, Remarked {
  readonly name: string;
  readonly address: string;
  readonly location: string;
  readonly displayName?: string | undefined;
  readonly groups: readonly string[];
  readonly roles: readonly string[];
  readonly checks: readonly WrittenCheck[];
  readonly without: readonly string[];
  readonly parents: readonly string[];
  readonly downtimes?: readonly { readonly period: string; readonly comment: string }[] | undefined;
}

interface Remarked {
  readonly notes?: string | undefined;
  readonly runbook?: string | undefined;
  readonly dashboard?: string | undefined;
}

/** A bundle of checks and settings. */
export interface InventoryRole extends WrittenSettings {
  readonly description?: string | undefined;
  readonly checks: readonly WrittenCheck[];
  readonly groups: readonly string[];
  readonly downtimes?: InventoryHost["downtimes"];
}

/** What an inventory says of a location. */
export interface InventoryLocation extends WrittenSettings {
  readonly downtimes?: InventoryHost["downtimes"];
}

/** One file of an inventory, with the schema's defaults filled in. */
export interface InventoryFile {
  readonly defaults?: WrittenSettings | undefined;
  readonly locations: Readonly<Record<string, InventoryLocation>>;
  readonly roles: Readonly<Record<string, InventoryRole>>;
  readonly checks: Readonly<Record<string, OwnCheck>>;
  readonly groups: Readonly<Record<string, z.output<typeof group>>>;
  readonly serviceGroups: Readonly<Record<string, z.output<typeof group>>>;
  readonly contacts: Readonly<Record<string, z.output<typeof contact>>>;
  readonly contactGroups: Readonly<Record<string, z.output<typeof contactGroup>>>;
  readonly periods: Readonly<Record<string, z.output<typeof periodSchema>>>;
  readonly notifications: Readonly<Record<string, z.output<typeof notificationRule>>>;
  readonly hosts: readonly InventoryHost[];
}

/** The sections of a file that are mappings from a name. */
export const NAMED_SECTIONS = [
  "locations",
  "roles",
  "checks",
  "groups",
  "serviceGroups",
  "contacts",
  "contactGroups",
  "periods",
  "notifications",
] as const;

export type NamedSection = (typeof NAMED_SECTIONS)[number];

const ownCheckName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,59}$/, "must be letters, digits, - and _, and start with a letter, such as orders")
  .refine((own) => !isInherited(own), "has a meaning of its own here; choose another name")
  .refine((own) => !Object.hasOwn(CATALOGUE, own), "is the name of a check that is there already; choose another one");

/** The section of own checks alone: it is read before all others, because they may use what it defines. */
export const ownChecksSchema = z
  .record(ownCheckName, ownCheckSchema)
  .describe("checks of your own: special cases of others, or plugins");

/** Making schemas takes longer than reading a small inventory does. */
let withoutOwnChecks: Schemas | undefined;

/**
 * The schemas of an inventory.
 *
 * @param ownChecks the checks that it defines for itself
 */
export function inventorySchemas(ownChecks: ReadonlyMap<string, OwnCheck>): Schemas {
  return ownChecks.size > 0 ? makeSchemas(ownChecks) : (withoutOwnChecks ??= makeSchemas(ownChecks));
}

function makeSchemas(ownChecks: ReadonlyMap<string, OwnCheck>): Schemas {
  const check = checkSchema(ownChecks);
  const settings = {
    ...timing,
    period: periodName.describe("name of the period in which to check; by default always").optional(),
    notify: ruleNames.optional(),
    nrpe: nrpeSettings.describe("how NRPE clients are spoken to").optional(),
    alive: z
      .union([z.literal("none"), check])
      .refine(
        (alive) => !isPassive(alive, ownChecks),
        "must be a check that asks; results that come from outside do not",
      )
      .describe("what tells whether a host is up: a check, or none for always; by default a ping")
      .optional(),
    vars,
  };
  const checks = z.array(check).describe("what to check, such as [ping, tcp: { port: 22 }]").default([]);
  const groups = groupNames.describe("host groups, such as [web]").default([]);
  const host = z.strictObject({
    name: z
      .string()
      .regex(
        /^[A-Za-z0-9]([A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$/,
        "must be 1 to 128 letters, digits and . _ -, and start and end with a letter or digit",
      )
      .describe("the host's name, unique in the whole inventory"),
    address: z
      .string()
      .superRefine((address, context) => {
        const message = addressProblem(address);
        if (message !== undefined) context.addIssue({ code: "custom", message });
      })
      .describe("the IP address or DNS name that checks connect to, such as 10.1.2.3"),
    location: z.string().describe("name of the location whose slaves check the host"),
    displayName: line.describe("what people read instead of the name").optional(),
    roles: z.array(z.string()).describe("bundles of checks and settings; later ones win").default([]),
    checks,
    without: z.array(z.string()).describe("names of services that its roles bring and it does not want").default([]),
    groups,
    parents: z.array(z.string()).describe("hosts that it is reached through, such as [fra-router]").default([]),
    ...settings,
    downtimes,
    ...remarks,
  });
  const section = <Schema extends z.ZodType>(key: z.ZodString, content: Schema, description: string) =>
    z.record(key, content).describe(description).default({});
  const file = z.strictObject({
    defaults: z.strictObject(settings).describe("settings where nothing nearer says otherwise").optional(),
    locations: section(z.string(), z.strictObject({ ...settings, downtimes }), "settings of a location's hosts"),
    roles: section(
      name,
      z.strictObject({
        description: line.describe("what such hosts are, for people").optional(),
        checks,
        groups,
        ...settings,
        downtimes,
      }),
      "bundles of checks and settings",
    ),
    checks: ownChecksSchema.default({}),
    groups: section(name, group, "what host groups are called"),
    serviceGroups: section(name, group, "what service groups are called"),
    contacts: section(name, contact, "people who are told"),
    contactGroups: section(name, contactGroup, "several contacts under one name"),
    periods: section(name, periodSchema, "when to check, to tell, or to work"),
    notifications: section(name, notificationRule, "who is told what, and when"),
    hosts: z.array(host).describe("the hosts to monitor").default([]),
  });
  return { file, host, check } as unknown as Schemas;
}

/** Whether nobody asks: a host whose state waits for that would be down for ever. */
function isPassive(alive: unknown, ownChecks: ReadonlyMap<string, OwnCheck>): boolean {
  const [name = ""] = typeof alive === "object" && alive !== null ? Object.keys(alive) : [String(alive)];
  return name === "passive" || ownChecks.get(name)?.extends === "passive";
}

/** Names of the checks that need no settings, so that their bare name will do, and the schema of each check. */
function checkSchema(ownChecks: ReadonlyMap<string, OwnCheck>) {
  // A name that is refused would be missed in every other check with settings.
  const own = [...ownChecks].flatMap(([own, definition]) => {
    const schema = ownSettingsSchema(definition);
    return isInherited(own) ? [] : [[own, schema.describe(definition.description ?? `the check ${own}`)] as const];
  });
  const all = [
    ...CHECK_NAMES.map((check) => [check, CATALOGUE[check].schema.describe(CATALOGUE[check].description)] as const),
    ...own,
  ];
  const bare = all.filter(([, schema]) => schema.safeParse({}).success).map(([check]) => check);
  const withSettings = Object.fromEntries(all.map(([check, schema]) => [check, schema.optional()]));
  return z
    .union([
      z.enum(bare as [string, ...string[]]),
      z
        .strictObject(withSettings)
        .refine((one) => Object.keys(one).length === 1, "must name exactly one check, such as - tcp: { port: 22 }"),
    ])
    .describe("the name of a check, or one with its settings, such as tcp: { port: 22 }");
}
