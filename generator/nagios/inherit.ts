import type { World } from "./interpret";
import { DIRECTIVES, type NagiosObject, type Value } from "./objects";
import type { ObjectType } from "./read";
import type { Remarks } from "./refusal";

/**
 * Gives every object what it lacks and its templates have: of several templates, the first one's.
 *
 * @param problems gets the templates that are not there
 */
export function inherit(world: World, problems: Remarks): void {
  for (const type of Object.keys(world) as ObjectType[]) {
    const done = new Set<NagiosObject>();
    for (const object of world[type].all) inheritInto(object, world[type].templates, done, problems);
    // A + that nothing was added to has done its work. Those of escalations still meet their host or service.
    for (const object of world[type].all) withoutPlus(object);
  }
}

function inheritInto(
  object: NagiosObject,
  templates: ReadonlyMap<string, NagiosObject>,
  done: Set<NagiosObject>,
  problems: Remarks,
): void {
  // Also what ends a circle of templates: each hands on what it has so far.
  if (done.has(object)) return;
  done.add(object);
  const use = object.values.get("use");
  if (use === undefined) return;
  // Nagios does not strip blanks here: "a, b" names a template " b".
  for (const name of (use.text ?? "").split(",")) {
    const template = templates.get(name);
    if (template === undefined) {
      const blank =
        name !== name.trim() && templates.has(name.trim()) ? "; there must be no blank beside the comma" : "";
      problems.add(use.place, `there is no ${object.type} template ${JSON.stringify(name)}${blank}`);
      continue;
    }
    inheritInto(template, templates, done, problems);
    takeFrom(template, object);
  }
}

function takeFrom(template: NagiosObject, object: NagiosObject): void {
  const { values } = object;
  for (const [name, kind] of Object.entries(DIRECTIVES[object.type])) {
    const theirs = template.values.get(name);
    if (theirs === undefined) continue;
    const ours = values.get(name);
    if (ours === undefined || theirs.wins === true) values.set(name, { text: theirs.text, place: theirs.place });
    else if (kind.kind === "list") values.set(name, combine(theirs, ours));
  }
  for (const [name, value] of template.custom) {
    if (!object.custom.has(name)) object.custom.set(name, value);
  }
  takeDates(template, object);
}

/** Names of an object whose + asks for those of its template, too. */
export function combine(theirs: Value, ours: Value): Value {
  if (ours.text?.startsWith("+") !== true || theirs.text === null) return ours;
  return { ...ours, text: `${theirs.text},${ours.text.slice(1)}` };
}

function takeDates(template: NagiosObject, object: NagiosObject): void {
  for (const date of template.dates) {
    if (!object.dates.some(({ when }) => when === date.when)) object.dates.push(date);
  }
  if (object.type !== "timeperiod") return;
  for (const [name, value] of template.values) {
    if (!object.values.has(name) && name !== "use" && name !== "name") object.values.set(name, value);
  }
}

function withoutPlus({ type, values }: NagiosObject): void {
  for (const [name, { kind, needsText }] of Object.entries(DIRECTIVES[type])) {
    const value = values.get(name);
    if (kind !== "list" || value?.text?.startsWith("+") !== true) continue;
    if (type.endsWith("escalation") && needsText === true) continue;
    values.set(name, { ...value, text: value.text.slice(1) });
  }
}
