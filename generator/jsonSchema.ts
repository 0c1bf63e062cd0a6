import { z } from "zod";
import { common } from "./catalogue/kind";
import { inventorySchemas } from "./schema";

/** A JSON schema, as far as it is touched here. */
interface Node {
  anyOf?: Node[];
  additionalProperties?: unknown;
  [keyword: string]: unknown;
}

/**
 * The JSON schema (draft-07) of an inventory's files, for completion and marks in editors. It is made from the schemas
 * that inventories are checked with, and accepts whatever they accept. It knows nothing of names across files, so checks
 * that an inventory defines for itself pass with any settings.
 */
export function inventoryJsonSchema(): object {
  const schemas = inventorySchemas(new Map());
  const names = new Names();
  names.add(schemas.host, { id: "host" });
  names.add(schemas.check, { id: "check" });
  // What stands in many places would be most of the file if it were written out at each of them.
  for (const [name, schema] of Object.entries(common)) names.add(schema, { id: `check-${name}` });
  const { shape } = schemas.host as unknown as z.ZodObject;
  for (const name of SETTINGS)
    if (!names.has(shape[name] as z.ZodType)) names.add(shape[name] as z.ZodType, { id: name });
  const { definitions, $schema, ...root } = z.toJSONSchema(schemas.file, {
    target: "draft-7",
    io: "input",
    unrepresentable: "any",
    metadata: names,
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema === (schemas.check as z.core.$ZodType)) admitOwnChecks(jsonSchema as Node);
    },
  });
  return {
    $schema,
    title: "Inventory of icinga-swarm",
    description: "What to monitor, and whom to tell. docs/inventory.md explains it.",
    ...root,
    definitions,
  };
}

/** What hosts, roles, locations and the defaults have in common. */
const SETTINGS = ["period", "notify", "nrpe", "alive", "vars", "downtimes"];

/** The same as text, as it is committed. */
export function jsonSchemaText(): string {
  return `${JSON.stringify(inventoryJsonSchema(), null, 2)}\n`;
}

/** Names of schemas that stand once, among the definitions, beside the descriptions that all schemas have. */
class Names extends z.core.$ZodRegistry<{ id?: string }> {
  override get<S extends z.core.$ZodType>(schema: S) {
    const own = super.get(schema);
    const described = z.globalRegistry.get(schema);
    return own === undefined && described === undefined ? undefined : { ...described, ...own };
  }
}

const OWN_CHECK = "^[A-Za-z][A-Za-z0-9_-]{0,59}$";

function admitOwnChecks(check: Node): void {
  const [bare, withSettings] = check.anyOf ?? [];
  if (bare === undefined || withSettings === undefined) throw new Error("a check is no longer a name or a mapping");
  Object.assign(withSettings, { additionalProperties: { type: "object" }, minProperties: 1, maxProperties: 1 });
  const own: Node = {
    type: "string",
    pattern: OWN_CHECK,
    description: "a check that the inventory defines for itself",
  };
  check.anyOf = [bare, own, withSettings];
}
