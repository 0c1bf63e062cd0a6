import { type CommonSettings, isCheckName, kindOf, type NrpeConnection } from "./catalogue";
import type { Value } from "./dsl";
import { type Check, compare, type Host, type IcingaCheck, type Timing } from "./model";
import { ownToIcinga } from "./ownChecks";
import type {
  InventoryHost,
  InventoryLocation,
  InventoryRole,
  OwnCheck,
  WrittenCheck,
  WrittenSettings,
} from "./schema";
import { seconds } from "./units";

/** How often to check where nobody says anything. */
export const BUILT_IN_TIMING: Timing = { interval: 60, retryInterval: 30, attempts: 3 };

/** Of nearly all checks and hosts: one object for all of them. */
const AS_DEFAULTS: Partial<Timing> = {};
const NONE: readonly string[] = [];

/** The sections of all files together. */
export interface Sections {
  readonly defaults: WrittenSettings;
  readonly locations: ReadonlyMap<string, InventoryLocation>;
  readonly roles: ReadonlyMap<string, InventoryRole>;
  readonly checks: ReadonlyMap<string, OwnCheck>;
}

/** A place where settings stand, and what stands there. */
export interface Level {
  /** In words: `host`, `role linux`, `location frankfurt`, `defaults`. */
  readonly label: string;
  readonly settings: WrittenSettings;
}

/** A setting and the level it comes from. */
export interface Found<T> {
  readonly value: T;
  readonly level: Level;
}

/** A check as written, with what follows from its words alone. */
interface Parsed {
  readonly kind: string;
  /** Of an own check: what the inventory says it is. */
  readonly definition: OwnCheck | undefined;
  /** As written. */
  readonly settings: CommonSettings;
  /** Together with what the definition says. */
  readonly complete: CommonSettings;
  readonly name: string;
}

/** What hosts with the same roles at the same location have in common. */
interface Bundle {
  readonly levels: readonly Level[];
  readonly checks: readonly Check[];
}

/** The keys of a level that decide how a check is made. */
const DECIDING = ["interval", "retryInterval", "attempts", "period", "notify", "nrpe"] as const;

/**
 * Puts together what the defaults, a location, roles and a host say: the nearest wins. Nearest is the check itself, then
 * the host, then its roles (for a role's own check that role, then the one named last), then the location, then the
 * defaults. Variables and what `nrpe` holds are looked up one by one, downtimes and groups add up, everything else
 * replaces.
 */
export class Resolver {
  private readonly bundles = new Map<string, Bundle>();
  private readonly sharedChecks = new Map<string, ReadonlyMap<string, string>>();
  readonly timing: Timing;

  constructor(private readonly sections: Sections) {
    this.timing = { ...BUILT_IN_TIMING, ...timingOf(sections.defaults) };
  }

  /** A host with everything that counts for it. */
  host(written: InventoryHost): Host {
    const bundle = this.bundle(written.location, written.roles);
    const own: Level = { label: "host", settings: written };
    const levels = [own, ...bundle.levels];
    const roles = written.roles.map((role) => this.role(role));
    const location = this.sections.locations.get(written.location);
    return {
      name: written.name,
      address: written.address,
      location: written.location,
      displayName: written.displayName,
      groups: unique([...roles.flatMap((role) => role.groups), ...written.groups]),
      vars: merged(levels),
      parents: unique(written.parents),
      alive: this.alive(levels),
      timing: this.different(levels),
      period: pick(levels, "period")?.value,
      notify: unique(pick(levels, "notify")?.value ?? []),
      downtimes: [location, ...roles, written].flatMap((level) => level?.downtimes ?? []),
      checks: this.checks(written, bundle, own),
      notes: written.notes,
      runbook: written.runbook,
      dashboard: written.dashboard,
    };
  }

  /** Levels behind a host's own, nearest first. */
  levels(location: string, roles: readonly string[]): Level[] {
    const { defaults, locations } = this.sections;
    return [
      ...[...roles].reverse().map((role) => ({ label: `role ${role}`, settings: this.role(role) })),
      { label: `location ${location}`, settings: locations.get(location) ?? {} },
      { label: "defaults", settings: defaults },
    ];
  }

  /** A check's kind, settings and service name. */
  parse(written: WrittenCheck): Parsed {
    if (typeof written === "string") return this.withName(written, {});
    const [[kind, settings] = ["", {}]] = Object.entries(written);
    return this.withName(kind, settings ?? {});
  }

  private withName(kind: string, settings: CommonSettings): Parsed {
    const definition = this.sections.checks.get(kind);
    const complete: CommonSettings = definition === undefined ? settings : { ...definition.settings, ...settings };
    const fallback = definition !== undefined || !isCheckName(kind) ? kind : kindOf(kind).defaultName(complete);
    return { kind, definition, settings, complete, name: complete.name ?? fallback };
  }

  /**
   * A check with everything that counts for it.
   *
   * @param levels all levels, nearest first
   * @param telling those of them that may tell somebody else than the host does
   */
  check(written: WrittenCheck, levels: readonly Level[], telling: readonly Level[]): Check {
    const parsed = this.parse(written);
    const { definition, settings, complete, name } = parsed;
    const own = [settings, definition?.settings ?? {}].map((said) => ({ label: "check", settings: said }) as Level);
    const all = [...own, ...levels];
    const { groups = [], notes, runbook, dashboard } = complete;
    return {
      name,
      icinga: toIcinga(parsed, nrpeOf(levels)),
      timing: this.different(all),
      period: pick(all, "period")?.value,
      notify: pick([...own, ...telling], "notify")?.value,
      groups: unique(groups),
      notes,
      runbook,
      dashboard,
    };
  }

  private checks(written: InventoryHost, bundle: Bundle, own: Level): Check[] {
    const levels = [own, ...bundle.levels];
    const ownChecks = written.checks.map((check) => this.check(check, levels, []));
    const replaced = new Set([...ownChecks.map(({ name }) => name), ...written.without]);
    const ofRoles = DECIDING.some((key) => written[key] !== undefined)
      ? this.roleChecks(written.location, written.roles, levels)
      : bundle.checks;
    const kept = replaced.size === 0 ? ofRoles : ofRoles.filter(({ name }) => !replaced.has(name));
    return ownChecks.length === 0 && kept === bundle.checks
      ? (bundle.checks as Check[])
      : [...kept, ...ownChecks].sort((left, right) => compare(left.name, right.name));
  }

  private bundle(location: string, roles: readonly string[]): Bundle {
    const key = JSON.stringify([location, roles]);
    let bundle = this.bundles.get(key);
    if (bundle === undefined) {
      const levels = this.levels(location, roles);
      bundle = { levels, checks: this.roleChecks(location, roles, levels) };
      this.bundles.set(key, bundle);
    }
    return bundle;
  }

  /** Checks that roles bring; of two with the same name the one of the later role. Sorted by name. */
  private roleChecks(location: string, roles: readonly string[], levels: readonly Level[]): Check[] {
    const byName = new Map<string, Check>();
    for (const role of roles) {
      const shared = this.shared(role, location);
      for (const check of this.checksOfRole(role, levels)) {
        const id = shared.get(fingerprint(check));
        byName.set(check.name, id === undefined ? check : { ...check, shared: id });
      }
    }
    return [...byName.values()].sort((left, right) => compare(left.name, right.name));
  }

  private checksOfRole(role: string, levels: readonly Level[]): Check[] {
    const { ordered, telling } = levelsOfRoleCheck(role, levels);
    return this.role(role).checks.map((check) => this.check(check, ordered, telling));
  }

  /** Ids of a role's checks where the role alone, perhaps with the location, decides everything. */
  private shared(role: string, location: string): ReadonlyMap<string, string> {
    const key = JSON.stringify([role, location]);
    let shared = this.sharedChecks.get(key);
    if (shared === undefined) {
      const anywhere = this.checksOfRole(role, [...this.levels("", [role])]);
      const here = this.checksOfRole(role, this.levels(location, [role]));
      shared = new Map(
        here.map((check, index) => {
          const print = fingerprint(check);
          const isLocal = print !== fingerprint(anywhere[index] as Check);
          return [print, `${role}/${check.name}${isLocal ? `@${location}` : ""}`];
        }),
      );
      this.sharedChecks.set(key, shared);
    }
    return shared;
  }

  private alive(levels: readonly Level[]): Host["alive"] {
    const found = pick(levels, "alive")?.value;
    // Icinga's own hostalive is a ping that only asks whether anything comes back.
    if (found === undefined || found === "ping" || found === "none") return found === "none" ? "none" : undefined;
    const parsed = this.parse(found);
    return {
      icinga: toIcinga(parsed, nrpeOf(levels)),
      timing: this.different([{ label: "check", settings: parsed.complete as WrittenSettings }, ...levels]),
    };
  }

  /** What the levels say of the timing, as far as it is not what the defaults say. */
  private different(levels: readonly Level[]): Partial<Timing> {
    const said = timingOf({
      interval: pick(levels, "interval")?.value,
      retryInterval: pick(levels, "retryInterval")?.value,
      attempts: pick(levels, "attempts")?.value,
    });
    const different = Object.entries(said).filter(([key, value]) => value !== this.timing[key as keyof Timing]);
    return different.length === 0 ? AS_DEFAULTS : Object.fromEntries(different);
  }

  private role(name: string): InventoryRole {
    const role = this.sections.roles.get(name);
    if (role === undefined) throw new Error(`there is no role ${name}`);
    return role;
  }
}

/**
 * The levels behind a check that a role brings.
 *
 * @param levels the host's own, if it is known, and those behind it, nearest first
 * @returns all levels, nearest first; and those of them that may tell somebody else than the host does
 */
export function levelsOfRoleCheck<L extends Level>(
  role: string,
  levels: readonly L[],
): { ordered: readonly L[]; telling: readonly L[] } {
  const isHost = ({ label }: Level) => label === "host";
  const isThis = ({ label }: Level) => label === `role ${role}`;
  const near = [...levels.filter(isHost), ...levels.filter(isThis)];
  const ordered = [...near, ...levels.filter((level) => !near.includes(level))];
  // A host's own word on whom to tell counts for all its services, unless the check says otherwise itself.
  const telling = levels.some((level) => isHost(level) && level.settings.notify !== undefined) ? [] : near;
  return { ordered, telling };
}

/** The nearest level that says something of a setting. */
export function pick<Key extends keyof WrittenSettings>(
  levels: readonly Level[],
  key: Key,
): Found<NonNullable<WrittenSettings[Key]>> | undefined {
  const level = levels.find(({ settings }) => settings[key] !== undefined);
  return level && { value: level.settings[key] as NonNullable<WrittenSettings[Key]>, level };
}

/** Each part of `nrpe` from the nearest level that says it. */
function nrpeOf(levels: readonly Level[]): NrpeConnection {
  const parts = [...levels].reverse().map(({ settings }) => settings.nrpe ?? {});
  return Object.assign({}, ...parts) as NrpeConnection;
}

function merged(levels: readonly Level[]): Record<string, Value> {
  const parts = [...levels].reverse().map(({ settings }) => settings.vars ?? {});
  return Object.assign({}, ...parts) as Record<string, Value>;
}

function timingOf({ interval, retryInterval, attempts }: WrittenSettings): Partial<Timing> {
  return {
    ...(interval === undefined ? {} : { interval: seconds(interval) }),
    ...(retryInterval === undefined ? {} : { retryInterval: seconds(retryInterval) }),
    ...(attempts === undefined ? {} : { attempts }),
  };
}

function toIcinga({ kind, definition, complete }: Parsed, nrpe: NrpeConnection): IcingaCheck {
  if (definition !== undefined) return ownToIcinga(kind, definition, complete, nrpe);
  if (!isCheckName(kind)) throw new Error(`there is no check ${kind}`);
  return kindOf(kind).toIcinga(complete, nrpe);
}

/** Two checks with the same one are the same service but for their host. */
function fingerprint({ shared: _shared, ...check }: Check): string {
  return JSON.stringify(check);
}

function unique(names: readonly string[]): readonly string[] {
  return names.length === 0 ? NONE : [...new Set(names)].sort(compare);
}
