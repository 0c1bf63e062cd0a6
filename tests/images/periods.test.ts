import { parseInventory } from "../../generator/inventory";
import { renderPackage } from "../../generator/package";
import { ICINGA_CLOCK_IMAGE } from "../swarm/seed";
import { Trial, type TrialContainer, until } from "./icingaTrial";

const SITES = [{ name: "frankfurt", slaves: 1 }];
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How many times faster than time Icinga's clock goes. */
const RATE = 6000;
/** The same for a second look, in which the machine may stall four times as long. */
const SECOND_RATE = RATE / 4;
/** How many Icingas run side by side. */
const ABREAST = 2;
/** Time of Icinga's clock, of which a second is 1.7 hours, that it has to start in before anybody looks. */
const WARM_UP = 16 * HOUR;
/**
 * How long Icinga, which does something every five minutes here, may be silent: less than the hour that clocks are changed
 * by, and as much as a busy machine needs, because it is less than half a second.
 */
const SILENCE = 45 * MINUTE;
/** How long after Icinga decided to do something it may be done, for the same reasons. */
const DELAY = 30 * MINUTE;

/** Who is told, or what is checked, by names that `OUGHT` explains. The hosts are always down. */
const inventory = (timezone: string, sunday: string, monday: string) => `
defaults: { interval: 5m, attempts: 1, notify: [people, at-night] }
periods:
  office: { timezone: ${timezone}, days: { weekdays: "09:00-17:00" } }
  weekend: { timezone: ${timezone}, days: { weekend: "09:00-17:00" } }
  night: { timezone: ${timezone}, days: { every day: "22:00-06:00" } }
  closed: { timezone: ${timezone}, days: { "${sunday}": "00:00-24:00", "${monday}": "12:00-13:00" } }
  shop: { timezone: ${timezone}, days: { every day: "09:00-17:00" }, except: [closed] }
contacts:
  office: { email: office@example.org, period: office }
  weekend: { email: weekend@example.org, period: weekend }
  shop: { email: shop@example.org, period: shop }
  night: { email: night@example.org }
  day: { email: day@example.org }
notifications:
  people: { contacts: [office, weekend, shop], on: [down], repeat: 5m }
  at-night: { contacts: [night], on: [down], repeat: 5m, period: night }
  but-downtimes: { contacts: [day], on: [down], repeat: 5m }
hosts:
  - { name: web, address: 127.0.0.1, location: frankfurt }
  - { name: till, address: 127.0.0.1, location: frankfurt, notify: [], period: office }
  - name: backup
    address: 127.0.0.1
    location: frankfurt
    notify: [but-downtimes]
    downtimes: [{ period: night, comment: copies the disks }]
`;

/** What a clock on the wall shows. */
interface Wall {
  /** Mon, Tue, ... */
  readonly weekday: string;
  /** YYYY-MM-DD */
  readonly date: string;
  /** HH:MM, from 00:00 to 23:59 */
  readonly time: string;
}

const isOpen = ({ time }: Wall) => "09:00" <= time && time < "17:00";
const isWeekend = ({ weekday }: Wall) => ["Sat", "Sun"].includes(weekday);
const isNight = ({ time }: Wall) => "22:00" <= time || time < "06:00";
const isLunch = ({ time }: Wall) => "12:00" <= time && time < "13:00";

/** When something ought to happen, by what the clocks of the place show. */
const OUGHT: Readonly<Record<string, (wall: Wall, sunday: string) => boolean>> = {
  "told office": (wall) => isOpen(wall) && !isWeekend(wall),
  "told weekend": (wall) => isOpen(wall) && isWeekend(wall),
  "told shop": (wall, sunday) =>
    isOpen(wall) && wall.date !== sunday && !(wall.date === dayAfter(sunday, 1) && isLunch(wall)),
  "told night": isNight,
  "told day": (wall) => !isNight(wall),
  "checked till": (wall) => isOpen(wall) && !isWeekend(wall),
};

/** Icinga without its plugins: every host is down, and that somebody is told, or a host is checked, is a line in the log. */
const ICINGA = `
include <itl>
object CheckerComponent "checker" { }
object NotificationComponent "notification" { }
object HostGroup "icinga-swarm" { }
object CheckCommand "hostalive" {
  import "dummy-check-command"
  vars.dummy_state = 2
  vars.dummy_text = {{ log(LogInformation, "event", Json.encode([ "checked " + macro("$host.name$"), get_time() ])) }}
}
object NotificationCommand "icinga-swarm-mail" {
  execute = (notification, user) => log(LogInformation, "event", Json.encode([ "told " + user.name, get_time() ]))
}
include "/etc/icinga2/package.conf"
`;

/** The parts of the package that a single Icinga without zones takes. */
const PARTS = [
  ...["groups", "periods", "templates"].map((name) => `global-templates/${name}.conf`),
  "frankfurt/hosts.conf",
  ...["contacts", "notifications", "downtimes"].map((name) => `master/${name}.conf`),
];

/** Icinga's log in the fixture. */
const LOG = "/var/log/icinga-clock.log";

interface Run {
  readonly timezone: string;
  /** The day on which the clocks are changed. */
  readonly sunday: string;
  /** Icinga starts; people look from `WARM_UP` later on. */
  readonly start: string;
  /** Monday of the week in which the package was made. */
  readonly made: string;
}

const runs: Run[] = [
  { timezone: "Europe/Berlin", sunday: "2027-03-28" },
  { timezone: "Europe/Berlin", sunday: "2026-10-25" },
  { timezone: "America/Chicago", sunday: "2026-11-01" },
].flatMap((change) => [
  // An Icinga that runs on over the change, and one that is started between the change and the Monday.
  { ...change, start: `${dayAfter(change.sunday, -3)}T20:00Z`, made: dayAfter(change.sunday, -6) },
  { ...change, start: `${change.sunday}T08:00Z`, made: dayAfter(change.sunday, 1) },
]);

/** When what happened. */
type Events = ReadonlyMap<string, readonly number[]>;

let trial: Trial;
const events = new Map<Run, Events>();
/** Whether a second look has shown a fault: then there is nothing left to find out by further ones. */
let isDefect = false;

jest.setTimeout(600_000);
beforeAll(async () => {
  trial = await Trial.create();
  const waiting = [...runs];
  const observeNext = async (): Promise<void> => {
    const run = waiting.shift();
    if (run === undefined) return;
    // An Icinga that did not get to the end has done nothing, which is a fault, too.
    events.set(run, await observe(run, RATE).catch(() => new Map()));
    await observeNext();
  };
  await Promise.all(Array.from({ length: ABREAST }, observeNext));
});
afterAll(() => trial.remove());

describe.each(runs)("around $sunday in $timezone, since $start", (run) => {
  // A defect shows again, a stall of the machine does not: where there is a fault, a calmer second look decides.
  beforeAll(async () => {
    if (isDefect || !hasFault(run)) return;
    events.set(run, await observe(run, SECOND_RATE));
    isDefect = hasFault(run);
  });

  it.each(Object.keys(OUGHT))("%s when the clocks there say so, and at no other time", (what) => {
    expect(faultsOf(run, what)).toEqual({ wrong: [], silences: [] });
  });
});

function hasFault(run: Run): boolean {
  return Object.keys(OUGHT).some((what) => {
    const { wrong, silences } = faultsOf(run, what);
    return wrong.length > 0 || silences.length > 0;
  });
}

/** When something happened that ought not to, and when it did not though it ought to. */
function faultsOf(run: Run, what: string): { wrong: string[]; silences: string[] } {
  const moments = (events.get(run)?.get(what) ?? []).filter((moment) => moment >= beginOf(run));
  const ought = (moment: number) => OUGHT[what]?.(wallAt(moment, run.timezone), run.sunday) ?? false;
  const wrong = moments.filter((moment) => !ought(moment) && !ought(moment - DELAY));
  const silences = stretches(run, ought).flatMap(([from, to]) => silencesOf(moments, from, to));
  return { wrong: wrong.map(shown), silences: silences.map(([from, to]) => `${shown(from)} to ${shown(to)}`) };
}

/**
 * Runs an Icinga to the end of the Monday behind the change.
 *
 * @param rate how many times faster than time its clock goes
 */
async function observe(run: Run, rate: number): Promise<Events> {
  const before = Date.now();
  const icinga = await trial.start({
    image: ICINGA_CLOCK_IMAGE,
    name: `icinga-${runs.indexOf(run)}`,
    environment: { START: `@${run.start.slice(0, 10)} ${run.start.slice(11, 16)}:00` },
    files: { "/etc/icinga2/icinga2.conf": ICINGA, "/etc/icinga2/package.conf": packageOf(run) },
    health: false,
  });
  try {
    return await eventsUntilEnd(icinga, run, rate, before);
  } finally {
    await trial.discard(icinga);
  }
}

/** @param before when Icinga was started, in milliseconds */
async function eventsUntilEnd(icinga: TrialContainer, run: Run, rate: number, before: number): Promise<Events> {
  const log = (pattern: string) => icinga.run(["grep", "--only-matching", pattern, LOG]);
  const tail = () => icinga.output("tail", "--lines=50", LOG);
  await until(async () => (await log("Activated all objects")).code === 0, tail);
  await icinga.output("set-pace", String(rate));
  await new Promise((resolve) =>
    setTimeout(resolve, (endOf(run) - Date.parse(run.start)) / rate - (Date.now() - before)),
  );
  let found: Events = new Map();
  await until(async () => {
    found = eventsOf((await log("information/event: .*")).output);
    return [...found.values()].some((moments) => (moments.at(-1) ?? 0) >= endOf(run));
  }, tail);
  return found;
}

function packageOf({ timezone, sunday, made }: Run): string {
  const { inventory: read, problems } = parseInventory(
    { "a.yaml": inventory(timezone, sunday, dayAfter(sunday, 1)) },
    SITES,
  );
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  const rendered = renderPackage(read, SITES, { monday: made });
  return PARTS.map((part) => rendered.get(`zones.d/${part}`) ?? "").join("\n");
}

/** What happened, with when it did, by lines of the log; the last line may be half of one. */
function eventsOf(lines: string): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const line of lines.split("\n").filter((text) => text.endsWith("]"))) {
    const [what, seconds] = JSON.parse(line.slice(line.indexOf("["))) as [string, number];
    const moments = found.get(what);
    if (moments === undefined) found.set(what, [seconds * 1000]);
    else moments.push(seconds * 1000);
  }
  return found;
}

/** From when on people look. */
function beginOf({ start }: Run): number {
  return Date.parse(start) + WARM_UP;
}

/** When the Monday behind the change is over, in UTC. */
function endOf({ sunday }: Run): number {
  return Date.parse(sunday) + 2 * DAY;
}

/** The stretches of the time of a run in which something ought to happen. */
function stretches(run: Run, ought: (moment: number) => boolean): [number, number][] {
  const found: [number, number][] = [];
  for (let moment = beginOf(run); moment < endOf(run); moment += MINUTE) {
    if (!ought(moment)) continue;
    const last = found.at(-1);
    if (last?.[1] === moment) last[1] += MINUTE;
    else found.push([moment, moment + MINUTE]);
  }
  return found;
}

/** Where nothing happened within a stretch for too long. */
function silencesOf(moments: readonly number[], from: number, to: number): [number, number][] {
  const edges = [from, ...moments.filter((moment) => from <= moment && moment < to), to];
  return edges
    .map((edge, index): [number, number] => [edge, edges[index + 1] ?? edge])
    .filter(([left, right]) => right - left > SILENCE);
}

const formats = new Map<string, Intl.DateTimeFormat>();

function wallAt(moment: number, timezone: string): Wall {
  let format = formats.get(timezone);
  if (format === undefined) {
    const digits = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" } as const;
    format = new Intl.DateTimeFormat("en-GB", { timeZone: timezone, weekday: "short", hourCycle: "h23", ...digits });
    formats.set(timezone, format);
  }
  const parts = Object.fromEntries(format.formatToParts(moment).map(({ type, value }) => [type, value]));
  const { weekday = "", year, month, day, hour, minute } = parts;
  return { weekday, date: `${year}-${month}-${day}`, time: `${hour}:${minute}` };
}

function dayAfter(date: string, days: number): string {
  return new Date(Date.parse(date) + days * DAY).toISOString().slice(0, 10);
}

function shown(moment: number): string {
  return new Date(moment).toISOString();
}
