import { DIRECTIVES, type DirectiveKind, type NagiosObject, NAMED_TYPES, type Value } from "./objects";
import { parseDate } from "./periods";
import type { Definition, Directive, ObjectType } from "./read";
import type { Remarks } from "./refusal";

/** All objects of one type, as they are written. */
export interface Kindred {
  /** The last one of the files first: the order in which Nagios goes through them. */
  readonly all: readonly NagiosObject[];
  /** By the name that the object says itself; one that it has from a template does not count. */
  readonly named: ReadonlyMap<string, NagiosObject>;
  /** By the name that `use` takes. */
  readonly templates: ReadonlyMap<string, NagiosObject>;
}

export type World = Readonly<Record<ObjectType, Kindred>>;

/**
 * Understands definitions one by one, before any looks at another.
 *
 * @param problems gets what Nagios refuses
 * @param notes gets what Nagios reads as something else than is written, or not at all
 */
export function interpret(definitions: readonly Definition[], problems: Remarks, notes: Remarks): World {
  const types = Object.keys(DIRECTIVES) as ObjectType[];
  const entries = types.map((type) => {
    const ofType = definitions.filter((definition) => definition.type === type);
    return [type, kindred(ofType, problems, notes)];
  });
  return Object.fromEntries(entries) as World;
}

function kindred(definitions: readonly Definition[], problems: Remarks, notes: Remarks): Kindred {
  const all: NagiosObject[] = [];
  const named = new Map<string, NagiosObject>();
  const templates = new Map<string, NagiosObject>();
  for (const definition of definitions) {
    const object = new Interpreter(definition, problems, notes).object();
    all.push(object);
    const register = (names: Map<string, NagiosObject>, directive: string, what: string) => {
      for (const { value, ...place } of definition.directives.filter(({ name }) => name === directive)) {
        const first = names.get(value);
        if (first === undefined) names.set(value, object);
        else {
          const at = `${first.place.file}:${first.place.line}`;
          problems.add(place, `the ${what} ${JSON.stringify(value)} is defined at ${at} already`);
        }
      }
    };
    register(templates, "name", `${definition.type} template`);
    if (isNamed(definition.type)) register(named, `${definition.type}_name`, definition.type);
  }
  return { all: all.reverse(), named, templates };
}

function isNamed(type: ObjectType): boolean {
  return NAMED_TYPES.some((named) => named === type);
}

class Interpreter {
  private readonly values = new Map<string, Value>();
  private readonly custom = new Map<string, Value>();
  private readonly dates: NagiosObject["dates"] = [];
  private registered = true;

  constructor(
    private readonly definition: Definition,
    private readonly problems: Remarks,
    private readonly notes: Remarks,
  ) {}

  object(): NagiosObject {
    const { type, directives, ...place } = this.definition;
    for (const directive of directives) this.take(directive);
    const { values, custom, dates, registered } = this;
    if (isNamed(type) && registered && !values.has(`${type}_name`) && !values.has("name")) {
      this.problems.add(place, `this ${type} has no ${type}_name`);
    }
    return { type, place, values, custom, dates, registered };
  }

  private take(directive: Directive): void {
    const { type } = this.definition;
    if (directive.name === "register") this.registered = leadingInteger(directive.value) > 0;
    else if (directive.name === "name" || directive.name === "use")
      this.set(directive.name, directive, directive.value);
    else if (directive.name.startsWith("_") && ["host", "service", "contact"].includes(type))
      this.takeCustom(directive);
    else {
      const known = directiveOf(type, directive.name);
      if (known !== undefined) this.takeKnown(known, directive);
      else if (type !== "timeperiod") this.refuse(directive, `a ${type} has no directive ${directive.name}`);
      else this.takeDate(directive);
    }
  }

  private takeCustom(directive: Directive): void {
    const name = directive.name.slice(1).toUpperCase();
    if (name === "") this.refuse(directive, "a custom variable without a name");
    else if (this.custom.has(name))
      this.notes.add(directive, `Nagios takes the first _${name} of this ${this.definition.type}`);
    else this.custom.set(name, { text: isNothing(directive.value) ? null : directive.value, place: place(directive) });
  }

  private takeDate(directive: Directive): void {
    const parsed = parseDate(`${directive.name} ${directive.value}`);
    if (parsed === undefined) {
      this.refuse(directive, `a timeperiod cannot read: ${directive.name} ${directive.value}`);
    } else if (parsed.weekday) this.set(parsed.when, directive, parsed.ranges);
    else this.dates.push({ when: parsed.when, ranges: parsed.ranges, place: place(directive) });
  }

  private takeKnown(name: string, directive: Directive): void {
    const kind = DIRECTIVES[this.definition.type][name];
    const { value } = directive;
    switch (kind?.kind) {
      case "text":
      case "list":
        if (kind.needsText === true && value === "") this.refuse(directive, `${directive.name} is empty`);
        if (value === "null") return this.setNull(name, directive);
        if (this.definition.type === "service" && name === "check_command" && value.startsWith("!")) {
          this.values.set(name, { text: value.slice(1), place: place(directive), wins: true });
          return;
        }
        return this.set(name, directive, this.added(kind, name, value));
      case "plain":
        return this.set(name, directive, value);
      case "number":
      case "count":
        return this.set(name, directive, String(this.readNumber(kind, directive)));
      case "flag":
        return this.set(name, directive, leadingInteger(value) > 0 ? "1" : "0");
      case "states":
        return this.takeStates(kind, name, directive);
      case "state":
        return this.set(name, directive, this.letterOf(kind, directive, value) ?? "o");
      case "point":
        return this.takePoint(kind, name, directive);
      default:
        this.notes.add(directive, `${directive.name} has had no effect since Nagios 4`);
    }
  }

  private added({ adds }: DirectiveKind, name: string, value: string): string {
    const before = this.values.get(name)?.text ?? undefined;
    return adds === true && before !== undefined ? `${before},${value}` : value;
  }

  private readNumber({ kind }: DirectiveKind, directive: Directive): number {
    const { value } = directive;
    const read = kind === "count" ? leadingInteger(value) : Number.parseFloat(value) || 0;
    if (read !== Number(value) || value === "") {
      this.notes.add(directive, `Nagios reads ${directive.name} ${JSON.stringify(value)} as ${read}`);
    }
    return read;
  }

  private takeStates(kind: DirectiveKind, name: string, directive: Directive): void {
    let chosen = kind.adds === true ? (this.values.get(name)?.text ?? "n") : "n";
    for (const word of directive.value.split(/[, ]+/).filter((part) => part !== "")) {
      if (word === "n" || word === "none") chosen = "n";
      else if (word === "a" || word === "all") chosen = "a";
      else {
        const letter = this.letterOf(kind, directive, word);
        if (letter === undefined) return;
        chosen = withState(Object.keys(kind.states ?? {}), chosen, letter);
      }
    }
    const isServiceDependency = this.definition.type === "servicedependency";
    const isNotification = name === "notification_failure_options";
    // With "none" a dependency says nothing: Nagios makes none. Only a host's execution dependency stays, and never fails.
    if (chosen === "n" && /_failure_options$/.test(name) && (isServiceDependency || isNotification)) {
      this.values.delete(name);
    } else this.set(name, directive, chosen);
  }

  private letterOf({ states = {} }: DirectiveKind, directive: Directive, word: string): string | undefined {
    const letter = Object.keys(states).find((one) => one === word || states[one] === word);
    if (letter === undefined) {
      const known = Object.entries(states).map(([one, name]) => `${one} (${name})`);
      this.refuse(directive, `${directive.name} has no state ${JSON.stringify(word)}; it takes ${known.join(", ")}`);
    }
    return letter;
  }

  private takePoint({ dimensions = 2 }: DirectiveKind, name: string, directive: Directive): void {
    const parts = directive.value.split(/[, ]+/).filter((part) => part !== "");
    if (parts.length < dimensions) this.refuse(directive, `${directive.name} needs ${dimensions} coordinates`);
    else
      this.set(
        name,
        directive,
        parts
          .slice(0, dimensions)
          .map((part) => Number.parseFloat(part) || 0)
          .join(","),
      );
  }

  private set(name: string, directive: Directive, text: string): void {
    this.values.set(name, { text, place: place(directive) });
  }

  /** A value that an earlier line of the same definition gave stays. */
  private setNull(name: string, directive: Directive): void {
    if (!this.values.has(name)) this.values.set(name, { text: null, place: place(directive) });
  }

  private refuse(directive: Directive, message: string): void {
    this.problems.add(directive, message);
  }
}

/** The directive's own name, for one of the names it goes by. */
function directiveOf(type: ObjectType, name: string): string | undefined {
  const known = DIRECTIVES[type];
  if (Object.hasOwn(known, name)) return name;
  return Object.keys(known).find((one) => known[one]?.also?.includes(name));
}

function withState(known: readonly string[], chosen: string, letter: string): string {
  if (chosen === "a") return "a";
  const letters = new Set([...chosen.split(","), letter]);
  return known.filter((one) => letters.has(one)).join(",");
}

/** What C's atoi makes of a text. */
export function leadingInteger(text: string): number {
  return Number.parseInt(text, 10) || 0;
}

function isNothing(value: string): boolean {
  return value === "" || value === "null";
}

function place({ file, line }: Directive): Value["place"] {
  return { file, line };
}
