import * as fc from "fast-check";
import { dump } from "js-yaml";
import { CHECK_NAMES, type CheckName, isCheckName, kindOf } from "../../../generator/catalogue";
import { NOTIFICATION_EVENTS } from "../../../generator/model";
import { SITES } from "./sites";

/** An inventory as somebody might write it, with everything that the schema has, and what has to become of it. */
export interface ArbitraryInventory {
  /** Path -> YAML text. */
  readonly files: Readonly<Record<string, string>>;
  readonly expected: Expected;
}

/** What Icinga has to know of an inventory, told from what is written, without the generator's own resolving. */
export interface Expected {
  readonly hosts: ReadonlyMap<string, ExpectedHost>;
  readonly contacts: readonly string[];
  readonly contactGroups: readonly string[];
  readonly periods: readonly string[];
  /** Names of the own checks that are plugins. */
  readonly plugins: readonly string[];
}

export interface ExpectedHost {
  readonly location: string;
  /** Icinga's command, or the beginning of the name of one made from it. */
  readonly command: RegExp;
  readonly displayName: string;
  readonly notes: string;
  readonly parents: readonly string[];
  /** Service -> its Icinga command. */
  readonly services: ReadonlyMap<string, string>;
  /** `<host>!<rule>` and `<host>!<service>!<rule>`. */
  readonly notifications: readonly string[];
}

type Settings = Record<string, unknown>;
type WrittenCheck = string | Record<string, Settings>;

/** Draws a value of an arbitrary that is made once: one made for a single draw could not be shrunk. */
type Draw = <Drawn>(from: fc.Arbitrary<Drawn>) => Drawn;

/** What has a meaning of its own in Icinga's language, in YAML, in a shell, or in the generator. */
const HOSTILE = [
  ...['"', "'", "\\", '\\"', "\\\\", "\\n", "$", "$$", "$host.name$", "$address$", "{", "}", "{{", "}}", "{{{", "}}}"],
  ...['" }\nobject Host "x" {', '"\n}', "/*", "*/", "//", "#", "%", "`id`", "$(id)", "; rm", "|", "&a", "*a", "!tag"],
  ...["- a", "a: b", "a: #b", "? x", "---", "...", "null", "true", "0x1f", "1e3", "~", "<<", "@", "\u00e9\u0301", "雪"],
  ...["\u{1f600}", "\u202e", "\u00a0", "\ufeff", "\t", "\r\n", "\u0001", "\u007f", "\u2028"],
];

const hostile = fc
  .array(fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: "grapheme", maxLength: 8 })), {
    minLength: 1,
    maxLength: 4,
  })
  .map((parts) => parts.join("").toString());

/** Several lines are allowed. */
const text = hostile.map((written) => written.replaceAll("\0", "") || "-");
const line = hostile.map((written) => written.replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/gu, "") || "-");

/** Names that other programs trip over; each is made unique by a number behind it. */
const name = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9 ._:-]{0,20}$/),
  fc
    .constantFrom("constructor", "object", "null", "true", "7", "0x", "in", "Host", "a - b", "x:y", "...", "no")
    .filter((written) => /^[A-Za-z0-9]/.test(written)),
);

const port = fc.integer({ min: 1, max: 65535 });
const interval = fc
  .tuple(fc.integer({ min: 1, max: 999 }), fc.constantFrom("s", "m", "h", "d"))
  .map((parts) => parts.join(""));
const timeout = fc.oneof(
  fc.integer({ min: 1, max: 999 }).map((seconds) => `${seconds}s`),
  fc.constantFrom("1m", "5m"),
);
const webPage = fc.webUrl({ withQueryParameters: true, withFragments: true, validSchemes: ["http", "https"] });
const hostName = fc.stringMatching(/^[A-Za-z0-9._:-]{1,20}$/);
const address = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.domain().filter((domain) => domain.length < 200),
);

/** Two of something in order, one of them, or none. */
function ordered(low: string, high: string, number: fc.Arbitrary<number>, write: (value: number) => unknown) {
  return fc.tuple(number, number, fc.constantFrom("both", "both", low, high, "none")).map(([one, other, which]) => ({
    ...(which === "both" || which === low ? { [low]: write(Math.min(one, other)) } : {}),
    ...(which === "both" || which === high ? { [high]: write(Math.max(one, other)) } : {}),
  }));
}

const responseTimes = ordered("warning", "critical", fc.integer({ min: 1, max: 9999 }), (value) => `${value}ms`);

/** Both limits, or none. */
function limits(number: fc.Arbitrary<number>, write: (value: number) => unknown, isLowWorse = false) {
  return fc.option(fc.tuple(number, number), { nil: undefined }).map((pair) => {
    if (pair === undefined) return {};
    const [low, high] = [write(Math.min(...pair)), write(Math.max(...pair))];
    return isLowWorse ? { warning: high, critical: low } : { warning: low, critical: high };
  });
}

const percents = limits(fc.integer({ min: 1, max: 100 }), (value) => `${value}%`, true);
const counts = limits(fc.nat(5000), (value) => value);

const connection = fc.record(
  { port, protocol: fc.constantFrom(2, 3), ssl: fc.constantFrom("anonymous", "certificates", "off"), timeout },
  { requiredKeys: [] },
);
const nrpeCommand = fc.oneof(
  fc.constantFrom("check_x", "$a$", "{{{", "}", "\\", "check/*", "*/"),
  fc.stringMatching(/^[a-z_]{1,20}$/),
);

/** Joins arbitrary mappings into one. */
function joined(...parts: fc.Arbitrary<object>[]): fc.Arbitrary<Settings> {
  return fc.tuple(...parts).map((all) => Object.assign({}, ...all) as Settings);
}

function optional(fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Settings> {
  return fc.record(fields, { requiredKeys: [] }) as fc.Arbitrary<Settings>;
}

const onClient = joined(optional({ command: nrpeCommand }), connection);

/** What each kind of check can be told beside what all of them can. */
const KINDS: Readonly<Record<CheckName, fc.Arbitrary<Settings>>> = {
  ping: joined(
    responseTimes,
    ordered("warningLoss", "criticalLoss", fc.integer({ min: 1, max: 100 }), (loss) => loss),
  ),
  http: joined(
    responseTimes,
    optional({
      port,
      tls: fc.boolean(),
      path: fc.stringMatching(/^\/[\x21-\x7e]{0,20}$/),
      virtualHost: hostName,
      status: fc.array(fc.integer({ min: 100, max: 599 }), { minLength: 1, maxLength: 3 }),
      contains: line,
      timeout,
    }),
  ),
  certificate: joined(
    ordered("criticalDays", "warningDays", fc.integer({ min: 1, max: 3650 }), (days) => days),
    optional({ port, virtualHost: hostName, timeout }),
  ),
  tcp: joined(fc.record({ port }), responseTimes, optional({ timeout })),
  udp: fc.record({ port, send: line, expect: line }),
  dns: joined(
    fc.record({ lookup: line }),
    responseTimes,
    optional({ expect: fc.array(line, { minLength: 1, maxLength: 3 }), timeout }),
  ),
  ssh: optional({ port, timeout }),
  smtp: joined(responseTimes, optional({ port, starttls: fc.boolean(), timeout })),
  imap: joined(responseTimes, optional({ port, tls: fc.boolean(), timeout })),
  pop: joined(responseTimes, optional({ port, tls: fc.boolean(), timeout })),
  ftp: joined(responseTimes, optional({ port, timeout })),
  ntp: joined(responseTimes, optional({ port, timeout })),
  snmp: joined(
    fc.record({ oid: fc.stringMatching(/^[A-Za-z0-9.:_-]{1,20}$/) }),
    optional({
      community: line,
      version: fc.constantFrom("1", "2c"),
      warning: fc.constantFrom("80", "10:20", "@1:2", "~:5", "-3:"),
      critical: fc.constantFrom("90", "5:30", "1.5"),
      label: line,
      units: line,
      port,
      timeout,
    }),
  ),
  nrpe: joined(
    fc.record({ command: nrpeCommand }),
    optional({
      arguments: fc.array(
        fc.oneof(
          line.map((one) => one.replaceAll("!", "") || "-"),
          fc.integer(),
        ),
        { maxLength: 4 },
      ),
    }),
    connection,
  ),
  load: joined(
    limits(fc.integer({ min: 1, max: 1000 }), (value) => value / 10),
    onClient,
  ),
  disk: joined(percents, onClient, optional({ path: line.map((one) => `/${one.replaceAll("!", "")}`) })).map(
    (settings) => {
      const { path, ...others } = settings;
      return settings["warning"] === undefined ? others : { ...others, ...(path === undefined ? {} : { path }) };
    },
  ),
  memory: joined(percents, onClient),
  swap: joined(percents, onClient),
  processes: joined(counts, onClient),
  users: joined(counts, onClient),
  passive: optional({ freshness: interval }),
};

/** Icinga's command for a kind of check. */
function commandOf(kind: CheckName, settings: Settings): string {
  switch (kind) {
    case "certificate":
      return "http";
    case "ntp":
      return "ntp_time";
    case "imap":
    case "pop":
      return settings["tls"] === true ? `s${kind}` : kind;
    case "nrpe":
    case "load":
    case "disk":
    case "memory":
    case "swap":
    case "processes":
    case "users":
      return "nrpe";
    default:
      return kind;
  }
}

const TIMES = ["08:00-12:00, 13:00-17:30", "22:00-06:00", "none", "00:00-24:00", "00:00-00:30", "09:00-17:00"];
const DAYS = [
  ...["monday", "tuesday", "saturday", "weekdays", "weekend", "every day", "2026-12-24", "2026-12-27 - 2027-01-01"],
  ...["12-25", "02-29", "day 1", "day -1", "day 31", "2nd tuesday", "last monday in may", "5th friday"],
];
const TIME_ZONES = ["UTC", "Europe/Berlin", "America/Chicago", "Asia/Kathmandu", "Pacific/Apia", "Australia/Lord_Howe"];

const VARIABLES = [
  ...[
    "rack",
    "object",
    "import",
    "in",
    "null",
    "this",
    "host",
    "service",
    "apply",
    "true",
    "address",
    "name",
    "groups",
  ],
  ...["constructor", "toString", "A_1", "_x", "dummy", "pingx", "zone", "macro", "command_endpoint", "check_"],
].filter((variable) => variable !== "check_");
const simple = fc.oneof(line, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer(), fc.boolean());
const vars = fc.dictionary(fc.constantFrom(...VARIABLES), fc.oneof(simple, fc.array(simple, { maxLength: 3 })), {
  maxKeys: 4,
  noNullPrototype: true,
});

const days = fc.dictionary(fc.constantFrom(...DAYS), fc.constantFrom(...TIMES), {
  minKeys: 1,
  maxKeys: 4,
  noNullPrototype: true,
});
const groups = fc.array(
  name.map((group) => `${group}s`),
  { maxLength: 3 },
);
const events = fc
  .uniqueArray(fc.constantFrom(...NOTIFICATION_EVENTS), { minLength: 1 })
  .filter((list) => list.some((event) => event !== "recovery" && event !== "acknowledgement"));
const timing = { interval, retryInterval: interval, attempts: fc.integer({ min: 1, max: 100 }) };
const remarks = { notes: text, runbook: webPage, dashboard: webPage };

/** What each place can be told, but for the names of other entries. */
const FIELDS = {
  title: optional({ displayName: line }),
  contact: optional({ displayName: line, on: events }),
  rule: optional({ on: events, repeat: interval }),
  level: optional({ ...timing, nrpe: connection, vars }),
  role: optional({ description: line, groups }),
  host: optional({ displayName: line, groups, ...remarks }),
  check: optional({ ...timing, groups, ...remarks }),
  own: optional({ description: line }),
};
const MAIL_ADDRESSES = ["a@example.com", "o'neil+x_y@mail.example.com", "A.B-c@sub.example.org"];
const PLUGINS = ["check_x", "/usr/lib/nagios/plugins/check_y", 'a "b" \\'];

const flag = fc.boolean();
const number = fc.nat();
const lines = fc.array(line, { maxLength: 3 });
const ownName = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,20}$/);
const hostStart = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/);
const parameterNames = fc.uniqueArray(
  fc.stringMatching(/^p[A-Za-z0-9_]{0,10}$/).filter((parameter) => parameter !== "period"),
  { maxLength: 3 },
);
const parameterValue = fc.oneof(line, fc.integer(), fc.boolean());

function upTo(draw: Draw, max: number): number {
  return draw(number) % (max + 1);
}

function oneOf<Item>(draw: Draw, all: readonly Item[]): Item {
  return all[upTo(draw, all.length - 1)] as Item;
}

/** Some of a list, in its order. */
function some<Item>(draw: Draw, all: readonly Item[]): Item[] {
  const chosen = draw(number);
  return all.filter((_, index) => (chosen >> index) % 2 === 1);
}

function atLeastOne<Item>(draw: Draw, all: readonly Item[]): Item[] {
  const chosen = some(draw, all);
  return chosen.length === 0 ? [oneOf(draw, all)] : chosen;
}

/** Up to so many things, each under a name that no other has, in no section. */
function named<Content>(draw: Draw, section: string, max: number, content: (name: string) => Content) {
  const names = Array.from({ length: upTo(draw, max) }, (_, index) => `${draw(name)}${section}${index}`);
  return Object.fromEntries(names.map((one) => [one, content(one)]));
}

/** A key with one of some names, or without the key. */
function maybe(draw: Draw, key: string, names: readonly string[]): Settings {
  return names.length > 0 && draw(flag) ? { [key]: oneOf(draw, names) } : {};
}

/** An own check, what every use of it still has to say, and its Icinga command. */
interface Own {
  readonly name: string;
  readonly definition: Settings;
  readonly rest: Settings;
  readonly command: string;
}

/** What may be named anywhere. */
interface Names {
  readonly periods: readonly string[];
  readonly rules: readonly string[];
  readonly own: readonly Own[];
}

/** A check as written, with what it becomes. */
interface Made {
  readonly written: WrittenCheck;
  readonly service: string;
  readonly command: string;
  readonly notify?: readonly string[] | undefined;
}

interface Level {
  readonly notify?: readonly string[];
  readonly alive?: WrittenCheck;
}

interface DrawnRole {
  readonly written: Settings & Level;
  readonly checks: readonly Made[];
}

interface DrawnHost extends DrawnRole {
  readonly name: string;
  readonly parents: readonly string[];
  readonly location: string;
  readonly roles: readonly string[];
  readonly without: readonly string[];
}

/** What fast-check knows an arbitrary by from one run to the next. */
const builders = new WeakMap<object, () => unknown>();

function builderOf<Drawn>(from: fc.Arbitrary<Drawn>): () => fc.Arbitrary<Drawn> {
  const builder = (builders.get(from) as (() => fc.Arbitrary<Drawn>) | undefined) ?? (() => from);
  builders.set(from, builder);
  return builder;
}

/** Valid inventories for the locations of `SITES`. */
export const arbitraryInventory: fc.Arbitrary<ArbitraryInventory> = fc
  .gen()
  .map((generator) => inventory((from) => generator(builderOf(from))));

function inventory(draw: Draw): ArbitraryInventory {
  const periods = drawPeriods(draw);
  const contacts = named(draw, "c", 3, () => ({
    ...draw(FIELDS.contact),
    email: oneOf(draw, MAIL_ADDRESSES),
    ...maybe(draw, "period", Object.keys(periods)),
  }));
  const contactNames = Object.keys(contacts);
  const contactGroups =
    contactNames.length === 0
      ? {}
      : named(draw, "g", 2, () => ({ ...draw(FIELDS.title), members: atLeastOne(draw, contactNames) }));
  const told = [...contactNames, ...Object.keys(contactGroups)];
  const notifications = told.length === 0 ? {} : named(draw, "n", 3, () => drawRule(draw, told, Object.keys(periods)));
  const before: Names = { periods: Object.keys(periods), rules: Object.keys(notifications), own: [] };
  const own = Array.from({ length: upTo(draw, 3) }, (_, index) => drawOwn(draw, index, before));
  const names = { ...before, own };
  const defaults = draw(flag) ? drawSettings(draw, names) : undefined;
  const locations = Object.fromEntries(
    some(draw, SITES).map((site) => [site.name, { ...drawSettings(draw, names), ...downtimes(draw, names) }]),
  );
  const roles = new Map(Object.entries(named(draw, "r", 4, () => drawRole(draw, names))));
  const hosts: DrawnHost[] = [];
  const count = 1 + upTo(draw, 7);
  for (let index = 0; index < count; index += 1) hosts.push(drawHost(draw, index, names, roles, hosts));
  const sections = {
    locations,
    roles: Object.fromEntries([...roles].map(([role, { written }]) => [role, written])),
    checks: Object.fromEntries(own.map((check) => [check.name, check.definition])),
    groups: named(draw, "hg", 2, () => draw(FIELDS.title)),
    serviceGroups: named(draw, "sg", 2, () => draw(FIELDS.title)),
    contacts,
    contactGroups,
    periods,
    notifications,
  };
  const surroundings = { defaults, locations, roles, notifications, contacts, contactGroups, own };
  const written = hosts.map((host) => host.written);
  return {
    files: writeFiles(draw, defaults, sections, written),
    expected: {
      hosts: new Map(hosts.map((host) => [host.name, expectedHost(host, surroundings)])),
      contacts: contactNames,
      contactGroups: Object.keys(contactGroups),
      periods: Object.keys(periods),
      plugins: own.filter(({ definition }) => definition["plugin"] !== undefined).map((check) => check.name),
    },
  };
}

function drawPeriods(draw: Draw): Record<string, Settings> {
  const known: string[] = [];
  return named(draw, "p", 3, (period) => {
    const except = some(draw, known);
    known.push(period);
    if (upTo(draw, 3) === 3) return { days: { "every day": "00:00-24:00" } };
    return {
      ...draw(FIELDS.title),
      timezone: oneOf(draw, TIME_ZONES),
      days: draw(days),
      ...(except.length === 0 ? {} : { except }),
    };
  });
}

function drawRule(draw: Draw, told: readonly string[], periods: readonly string[]): Settings {
  const after = { after: oneOf(draw, ["at once", "1s", "5m"]) };
  const until = { until: oneOf(draw, ["301s", "2h"]) };
  return {
    contacts: atLeastOne(draw, told),
    ...draw(FIELDS.rule),
    ...oneOf(draw, [{}, after, until, { ...after, ...until }]),
    ...maybe(draw, "period", periods),
  };
}

/** What every check can be told, but for its name. */
function drawCommon(draw: Draw, { periods, rules }: Names): Settings {
  if (draw(flag)) return {};
  return {
    ...draw(FIELDS.check),
    ...maybe(draw, "period", periods),
    ...(draw(flag) ? { notify: some(draw, rules) } : {}),
  };
}

/** A definition takes some settings, and leaves the others to those who use it. */
function drawOwn(draw: Draw, index: number, names: Names): Own {
  const own = `${draw(ownName)}_${index}`;
  const description = draw(FIELDS.own);
  if (draw(flag)) {
    const kind = oneOf(draw, CHECK_NAMES);
    const settings = { ...draw(KINDS[kind]), ...drawCommon(draw, names) };
    const [given, rest] = split(draw, settings);
    const definition = { ...description, extends: kind, settings: given };
    return { name: own, definition, rest, command: commandOf(kind, settings) };
  }
  const parameters = Object.fromEntries(draw(parameterNames).map((parameter) => [parameter, draw(line)]));
  const values = Object.fromEntries(Object.keys(parameters).map((parameter) => [parameter, draw(parameterValue)]));
  const [given, rest] = split(draw, values);
  const macros = ["address", "name", "displayName", "vars.rack", ...Object.keys(parameters)];
  const plugin = [
    oneOf(draw, PLUGINS),
    ...some(draw, macros).map((macro) => `${oneOf(draw, ["", "--x="])}$${macro}$`),
    ...draw(lines).map((argument) => argument.replaceAll("$", "$$$$")),
  ];
  const definition = { ...description, plugin, parameters, settings: given };
  return { name: own, definition, rest, command: `icinga-swarm-own-${own}` };
}

function split(draw: Draw, settings: Settings): [given: Settings, rest: Settings] {
  const entries = Object.entries(settings);
  const given = some(draw, entries);
  return [Object.fromEntries(given), Object.fromEntries(entries.filter((entry) => !given.includes(entry)))];
}

/** Checks whose services have different names. */
function drawChecks(draw: Draw, max: number, names: Names): Made[] {
  const made = Array.from({ length: upTo(draw, max) }, () => drawCheck(draw, names));
  return [...new Map(made.map((check) => [check.service, check])).values()];
}

function drawCheck(draw: Draw, names: Names): Made {
  const kind = oneOf<string>(draw, [...CHECK_NAMES, ...names.own.map((own) => own.name)]);
  const own = names.own.find((one) => one.name === kind);
  const special = own === undefined ? draw(KINDS[kind as CheckName]) : own.rest;
  const base = own?.definition["extends"] ?? kind;
  const given = draw(flag) || base === "passive" ? { name: `${draw(name)}.z` } : {};
  const settings: Settings = { ...special, ...drawCommon(draw, names), ...given };
  const defined = (own?.definition["settings"] ?? {}) as Settings;
  const fallback = isCheckName(kind) ? kindOf(kind).defaultName(settings) : kind;
  const isBare = Object.keys(settings).length === 0 && draw(flag);
  return {
    written: isBare ? kind : { [kind]: settings },
    service: typeof settings["name"] === "string" ? settings["name"] : fallback,
    command: own?.command ?? commandOf(kind as CheckName, settings),
    notify: (settings["notify"] ?? defined["notify"]) as string[] | undefined,
  };
}

function drawSettings(draw: Draw, names: Names): Settings & Level {
  const alive = oneOf(draw, ["no", "no", "none", "ping", "check"]);
  return {
    ...draw(FIELDS.level),
    ...maybe(draw, "period", names.periods),
    ...(draw(flag) ? { notify: some(draw, names.rules) } : {}),
    ...(alive === "no" ? {} : { alive: alive === "check" ? drawAsking(draw, names) : alive }),
  };
}

/** A check that asks: results from outside do not tell whether a host is up. */
function drawAsking(draw: Draw, names: Names): WrittenCheck {
  const { written, command } = drawCheck(draw, names);
  return command === "passive" ? "ping" : written;
}

function downtimes(draw: Draw, { periods }: Names): Settings {
  if (periods.length === 0 || draw(flag)) return {};
  return { downtimes: draw(lines).map((comment) => ({ period: oneOf(draw, periods), comment })) };
}

function drawRole(draw: Draw, names: Names): DrawnRole {
  const checks = drawChecks(draw, 4, names);
  const settings = { ...drawSettings(draw, names), ...downtimes(draw, names) };
  return { written: { ...draw(FIELDS.role), ...settings, checks: checks.map((check) => check.written) }, checks };
}

/** Parents are among the hosts before it, so there are no circles. */
function drawHost(
  draw: Draw,
  index: number,
  names: Names,
  known: ReadonlyMap<string, DrawnRole>,
  before: readonly DrawnHost[],
): DrawnHost {
  const host = `${draw(hostStart)}${index}`;
  const location = oneOf(draw, SITES).name;
  const roles = some(draw, draw(flag) ? [...known.keys()] : [...known.keys()].reverse());
  const brought = roles.flatMap((role) => known.get(role)?.checks.map(({ service }) => service) ?? []);
  const without = draw(flag) ? some(draw, [...new Set(brought)]) : [];
  const checks = drawChecks(draw, 4, names);
  const parents = draw(flag) ? some(draw, before).map((parent) => parent.name) : [];
  const written = {
    name: host,
    address: draw(address),
    location,
    ...draw(FIELDS.host),
    ...drawSettings(draw, names),
    ...downtimes(draw, names),
    ...(roles.length === 0 ? {} : { roles }),
    ...(without.length === 0 ? {} : { without }),
    ...(parents.length === 0 ? {} : { parents }),
    ...(checks.length === 0 ? {} : { checks: checks.map((check) => check.written) }),
  };
  return { name: host, location, roles, without, parents, checks, written };
}

interface Surroundings {
  readonly defaults: Level | undefined;
  readonly locations: Readonly<Record<string, Level>>;
  readonly roles: ReadonlyMap<string, DrawnRole>;
  readonly notifications: Readonly<Record<string, Settings>>;
  readonly contacts: Readonly<Record<string, Settings>>;
  readonly contactGroups: Readonly<Record<string, { members: readonly string[] }>>;
  readonly own: readonly Own[];
}

function expectedHost(host: DrawnHost, surroundings: Surroundings): ExpectedHost {
  const { defaults, locations, roles } = surroundings;
  const levels: (Level | undefined)[] = [
    host.written,
    ...[...host.roles].reverse().map((role) => roles.get(role)?.written),
    locations[host.location],
    defaults,
  ];
  const nearest = <Key extends keyof Level>(key: Key) => levels.find((level) => level?.[key] !== undefined)?.[key];
  const hostRules = nearest("notify") ?? [];
  const services = new Map<string, { command: string; rules: readonly string[] }>();
  for (const role of host.roles) {
    const { written, checks } = roles.get(role) as DrawnRole;
    for (const { service, command, notify } of checks) {
      const ofRole = host.written.notify === undefined ? written.notify : undefined;
      services.set(service, { command, rules: notify ?? ofRole ?? hostRules });
    }
  }
  for (const service of host.without) services.delete(service);
  for (const { service, command, notify } of host.checks)
    services.set(service, { command, rules: notify ?? hostRules });
  const telling = (rule: string, ...states: string[]) =>
    audiences(rule, surroundings).flatMap(({ name, on }) =>
      on.some((event) => [...states, "downtime", "flapping"].includes(event)) ? [name] : [],
    );
  return {
    location: host.location,
    displayName: (host.written["displayName"] ?? host.name) as string,
    notes: (host.written["notes"] ?? "") as string,
    parents: host.parents,
    command: aliveCommand(nearest("alive"), surroundings.own),
    services: new Map([...services].map(([service, { command }]) => [service, command])),
    notifications: [
      ...hostRules.flatMap((rule) => telling(rule, "down")).map((name) => `${host.name}!${name}`),
      ...[...services].flatMap(([service, { rules }]) =>
        rules
          .flatMap((rule) => telling(rule, "warning", "critical", "unknown"))
          .map((name) => `${host.name}!${service}!${name}`),
      ),
    ],
  };
}

/** A rule's notifications: one for each period and set of events that its contacts want. */
function audiences(rule: string, { notifications, contacts, contactGroups }: Surroundings) {
  const all = ["down", "warning", "critical", "unknown", "recovery"];
  const { contacts: named = [], on = all } = (notifications[rule] ?? {}) as { contacts?: string[]; on?: string[] };
  const people = new Set(named.flatMap((name) => contactGroups[name]?.members ?? [name]));
  const wishes = [...people].map((name) => contacts[name] as { period?: string; on?: string[] });
  if (wishes.every(({ period, on: own }) => period === undefined && own === undefined)) return [{ name: rule, on }];
  const found = wishes.map(({ period, on: own = on }) => {
    const both = on.filter((event) => own.includes(event));
    const during = period === undefined ? "" : ` in ${period}`;
    return [`${rule}${during}${both.length === on.length ? "" : ` on ${both.join(" ")}`}`, both] as const;
  });
  return [...new Map(found)].map(([name, both]) => ({ name, on: both }));
}

function aliveCommand(alive: WrittenCheck | undefined, own: readonly Own[]): RegExp {
  if (alive === undefined || alive === "ping") return /^hostalive$/;
  if (alive === "none") return /^dummy$/;
  const [[kind, settings] = ["", {}]] = typeof alive === "string" ? [[alive, {}] as const] : Object.entries(alive);
  const command = own.find((one) => one.name === kind)?.command ?? commandOf(kind as CheckName, settings);
  return new RegExp(`^(${command}|icinga-swarm-alive-${command}-[0-9a-f]{8})$`);
}

/** Sections and hosts go to one file or several, in several styles of YAML. */
function writeFiles(
  draw: Draw,
  defaults: Settings | undefined,
  sections: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  hosts: readonly Settings[],
): Record<string, string> {
  const paths = ["a.yaml", "b/c.yml", "d.yaml"].slice(0, 1 + upTo(draw, 2));
  const contents = paths.map((): Record<string, Settings | Settings[]> => ({}));
  const anywhere = () => oneOf(draw, contents);
  if (defaults !== undefined) anywhere()["defaults"] = defaults;
  for (const [section, entries] of Object.entries(sections)) {
    for (const [key, content] of Object.entries(entries)) {
      const file = anywhere();
      file[section] = { ...file[section], [key]: content };
    }
  }
  for (const host of hosts) {
    const file = anywhere();
    file["hosts"] = [...((file["hosts"] ?? []) as Settings[]), host];
  }
  return Object.fromEntries(paths.map((path, index) => [path, writeYaml(draw, contents[index] ?? {})]));
}

function writeYaml(draw: Draw, content: object): string {
  const flowLevel = oneOf(draw, ["json", -1, 0, 4]);
  return typeof flowLevel === "string"
    ? JSON.stringify(content)
    : dump(content, { noRefs: true, lineWidth: 100, flowLevel });
}
