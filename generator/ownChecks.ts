import { z } from "zod";
import { type CheckName, type CommonSettings, kindOf, type NrpeConnection } from "./catalogue";
import { common } from "./catalogue/kind";
import type { IcingaCheck, OwnCommand } from "./model";
import { suggestion } from "./nearest";
import type { OwnCheck } from "./schema";
import { line } from "./units";

/** What a plugin's arguments may name beside its parameters, and what Icinga calls it. */
const HOST_MACROS: Readonly<Record<string, string>> = {
  address: "$check_address$",
  name: "$host.name$",
  displayName: "$host.display_name$",
};

const MACRO = /\$([^$]*)\$/g;
const parameterValue = z.union([line, z.number(), z.boolean()], "must be text, a number, true or false");

type Written = Readonly<Record<string, unknown>>;

/**
 * What hosts and roles may tell an own check: what its kind or plugin takes. What the definition says already is
 * optional; limits are looked at together with it.
 *
 * @param definition as written in the inventory
 */
export function ownSettingsSchema(definition: OwnCheck): z.ZodObject {
  // A definition that is wrong is reported where it stands, not once more wherever it is used.
  if ((definition.extends === undefined) === (definition.plugin === undefined)) return z.looseObject({});
  if (Object.keys(definition.parameters ?? {}).some(isInherited)) return z.looseObject({});
  const given = definition.settings ?? {};
  if (definition.extends === undefined) {
    const parameters = Object.entries(definition.parameters ?? {}).map(([parameter, meaning]) => {
      const schema = parameterValue.describe(meaning);
      return [parameter, Object.hasOwn(given, parameter) ? schema.optional() : schema] as const;
    });
    return z.strictObject({ ...common, ...Object.fromEntries<z.ZodType>(parameters) });
  }
  const { schema } = kindOf(definition.extends);
  const fields = Object.entries(schema.shape).map(([field, type]) => [
    field,
    Object.hasOwn(given, field) ? z.optional(type as z.ZodType) : type,
  ]);
  return z
    .strictObject(Object.fromEntries(fields) as Record<string, z.ZodType>)
    .superRefine((settings: Written, context) => {
      for (const issue of schema.safeParse({ ...given, ...settings }).error?.issues ?? []) {
        if (issue.code === "custom") context.addIssue({ code: "custom", path: issue.path, message: issue.message });
      }
    });
}

/**
 * Whether every JavaScript object has something of that name, such as `constructor`: where settings are looked up by
 * name, it would be found though nobody wrote it.
 */
export function isInherited(name: string): boolean {
  return name in Object.prototype;
}

/** What is wrong with an own check's definition beyond its shape. Paths start at the definition. */
export function definitionProblems(definition: OwnCheck): { path: string[]; message: string }[] {
  return definition.plugin === undefined ? settingsProblems(definition) : pluginProblems(definition);
}

/** Settings of a definition may leave gaps for hosts and roles to fill; what is there must be right. */
function settingsProblems({ extends: base, settings = {} }: OwnCheck): { path: string[]; message: string }[] {
  if (base === undefined) return [];
  const { schema } = kindOf(base);
  return Object.entries(settings).flatMap(([field, setting]) => {
    const type = Object.hasOwn(schema.shape, field) ? (schema.shape[field] as z.ZodType) : undefined;
    if (type === undefined) return [unknownSetting(field, Object.keys(schema.shape))];
    const issue = type.safeParse(setting).error?.issues[0];
    return issue === undefined ? [] : [{ path: ["settings", field], message: wrongSetting(field, issue.message) }];
  });
}

function pluginProblems({ plugin = [], parameters = {}, settings = {} }: OwnCheck) {
  const names = Object.keys(parameters);
  const known = [...Object.keys(HOST_MACROS), ...names];
  const clashes = names.filter(
    (parameter) => Object.hasOwn(common, parameter) || Object.hasOwn(HOST_MACROS, parameter) || isInherited(parameter),
  );
  return [
    ...clashes.map((parameter) => ({
      path: ["parameters", parameter],
      message: `"${parameter}" has a meaning of its own here; choose another name`,
    })),
    ...plugin.flatMap((argument, index) => {
      const path = ["plugin", String(index)];
      if (argument.replaceAll("$$", "").split("$").length % 2 === 0) {
        return [{ path, message: "a single $; write $$ for the sign itself, or a name such as $address$" }];
      }
      return macros(argument)
        .filter((macro) => !known.includes(macro) && !/^vars\.[A-Za-z_][A-Za-z0-9_]*$/.test(macro))
        .map((macro) => ({ path, message: `unknown name $${macro}$; ${suggestion(macro, known, "names")}` }));
    }),
    ...Object.entries(settings).flatMap(([field, setting]) => {
      const type = Object.hasOwn(common, field) ? common[field as keyof typeof common] : undefined;
      if (type === undefined && !names.includes(field)) {
        return [unknownSetting(field, [...Object.keys(common), ...names])];
      }
      const issue = (type ?? parameterValue).safeParse(setting).error?.issues[0];
      return issue === undefined ? [] : [{ path: ["settings", field], message: wrongSetting(field, issue.message) }];
    }),
  ];
}

function unknownSetting(field: string, known: readonly string[]) {
  return {
    path: ["settings", field],
    message: `unknown setting ${JSON.stringify(field)}; ${suggestion(field, known, "settings")}`,
  };
}

function wrongSetting(field: string, message: string): string {
  return `${JSON.stringify(field)} ${message.replace(/^Invalid input: /, "is wrong: ")}`;
}

/** Names between dollar signs, `$$` left out. */
function macros(argument: string): string[] {
  return [...argument.replaceAll("$$", "").matchAll(MACRO)].map(([, macro = ""]) => macro);
}

/** The Icinga command of an own check with a plugin; undefined for others. */
export function ownCommand(own: string, { plugin }: OwnCheck): OwnCommand | undefined {
  if (plugin === undefined) return undefined;
  return { name: own, argv: plugin.map((argument) => translate(own, argument)) };
}

/** `$$` stays: it means the sign itself to Icinga as well. */
function translate(own: string, argument: string): string {
  return argument.replace(/\$\$|\$([^$]+)\$/g, (written, macro: string | undefined) => {
    if (macro === undefined) return written;
    if (macro.startsWith("vars.")) return `$host.${macro}$`;
    return HOST_MACROS[macro] ?? `$${variableOf(own, macro)}$`;
  });
}

/** Custom variable that carries a parameter's value. */
function variableOf(own: string, parameter: string): string {
  return `own_${own.replaceAll("-", "_")}_${parameter}`;
}

/** Name of the Icinga command of an own check with a plugin; its prefix keeps it apart from the stack's own commands. */
export function commandName(own: string): string {
  return `icinga-swarm-own-${own}`;
}

/**
 * An own check in Icinga's terms.
 *
 * @param complete the definition's settings and, before them, those of the host or role
 */
export function ownToIcinga(
  own: string,
  definition: OwnCheck,
  complete: CommonSettings,
  nrpe: NrpeConnection,
): IcingaCheck {
  if (definition.extends !== undefined) return kindOf(definition.extends as CheckName).toIcinga(complete, nrpe);
  const values = complete as Readonly<Record<string, string | number | boolean | undefined>>;
  const vars = Object.keys(definition.parameters ?? {}).map((parameter) => [
    variableOf(own, parameter),
    values[parameter],
  ]);
  return { command: commandName(own), vars: Object.fromEntries(vars) as IcingaCheck["vars"] };
}
