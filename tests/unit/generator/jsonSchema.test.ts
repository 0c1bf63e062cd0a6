import * as fs from "node:fs";
import * as path from "node:path";
import Ajv, { type ValidateFunction } from "ajv";
import { parseInventory } from "../../../generator/inventory";
import { loadInventoryFiles } from "../../../generator/inventoryFiles";
import { inventoryJsonSchema, jsonSchemaText } from "../../../generator/jsonSchema";
import { parseYaml } from "../../../generator/yaml";
import { SITES } from "./sites";

const ROOT = path.join(__dirname, "..", "..", "..");
const EXAMPLES = ["inventory/dev", "inventory/prod", "tests/unit/generator/golden/inventory"];

// Strict: a keyword that means nothing to a validator would be a mistake that nobody sees. Of mail addresses there is a
// pattern beside the format, which validators need not know.
const ajv = new Ajv({ strict: true, strictTypes: false, allErrors: true, formats: { email: true } });
const validate: ValidateFunction = ajv.compile(inventoryJsonSchema());

function accepts(text: string): boolean {
  return validate(parseYaml(text).value);
}

function exampleFiles(folder: string): [string, string][] {
  const { files } = loadInventoryFiles(path.join(ROOT, folder));
  return Object.entries(files).map(([file, text]) => [`${folder}/${file}`, text]);
}

describe("the JSON schema for editors", () => {
  it("is committed as the code makes it", () => {
    const committed = fs.readFileSync(path.join(ROOT, "inventory/schema.json"), "utf8");
    const renewal = "npm run --silent inventory -- schema > inventory/schema.json";
    expect(committed === jsonSchemaText() ? "" : `inventory/schema.json is old; renew it: ${renewal}`).toBe("");
  });

  it.each(EXAMPLES.flatMap(exampleFiles))("accepts %s", (_file, text) => {
    expect([accepts(text), validate.errors]).toEqual([true, null]);
  });

  it.each(["dev", "prod"])("is named in the first line of each file of inventory/%s", (stack) => {
    for (const [file, text] of exampleFiles(`inventory/${stack}`)) {
      expect([file, text.split("\n")[0]]).toEqual([file, "# yaml-language-server: $schema=../schema.json"]);
    }
  });

  it("describes every key, for whoever hovers over it", () => {
    const missing: string[] = [];
    const look = (node: unknown, where: string): void => {
      if (typeof node !== "object" || node === null) return;
      for (const [keyword, content] of Object.entries(node)) {
        if (keyword === "properties") {
          for (const [key, property] of Object.entries(content as Record<string, object>)) {
            if (!("description" in property) && !("$ref" in property)) missing.push(`${where}/${key}`);
          }
        }
        look(content, `${where}/${keyword}`);
      }
    };
    look(inventoryJsonSchema(), "");
    expect(missing).toEqual([]);
  });
});

/** The fields of a host that has nothing wrong but perhaps one of them. */
function host(fields: string): string {
  return `hosts: [{ name: a, address: 10.0.0.1, location: frankfurt, ${fields} }]`;
}

describe("what the validator accepts, the schema accepts", () => {
  it.each([
    ["nothing at all", "{}"],
    ["a check's bare name", host("checks: [ping]")],
    ["settings of a check", host("checks: [tcp: { port: 22, warning: 500ms, notify: [] }]")],
    ["an NRPE argument that is a number", host("checks: [nrpe: { command: check_x, arguments: [20%, 5] }]")],
    ["variables of all kinds", host("vars: { a: x, b: 1.5, c: true, d: [x, 1] }")],
    ["no check of its being up", host("alive: none")],
    ["another check of its being up", host("alive: { tcp: { port: 22 } }")],
    ["own checks", `checks: { orders: { extends: tcp, settings: { port: 1 } } }\n${host("checks: [orders]")}`],
    [
      "own checks with settings",
      `checks: { queue: { plugin: [check_q, $max$], parameters: { max: most } } }\n${host("checks: [queue: { max: 5 }]")}`,
    ],
    [
      "a contact and a rule",
      "contacts: { a: { email: a@b.cd } }\nnotifications: { r: { contacts: [a], after: at once } }",
    ],
    [
      "days of all kinds",
      'periods: { p: { timezone: UTC, days: { "12-25": none, last monday in may: "00:00-24:00" } } }',
    ],
    ["a location's settings", "locations: { frankfurt: { nrpe: { ssl: off, protocol: 2 }, interval: 5m } }"],
    ["letters of any language", `roles: { r: { description: Überwachung 監視 } }\n${host("displayName: Köln 東京")}`],
  ])("%s", (_what, text) => {
    const { problems } = parseInventory({ "a.yaml": text }, SITES);
    expect([problems, accepts(text), validate.errors]).toEqual([[], true, null]);
  });
});

describe("what an editor marks, the validator refuses", () => {
  it.each([
    ["a list at the top", "- a"],
    ["an unknown key at the top", "hots: []"],
    ["a missing address", "hosts: [{ name: a, location: frankfurt }]"],
    ["an unknown key of a host", host("adress: x")],
    ["a number for a name", "hosts: [{ name: 7, address: x, location: frankfurt }]"],
    ["a name with spaces", "hosts: [{ name: a b, address: x, location: frankfurt }]"],
    ["a missing setting", host("checks: [tcp: {}]")],
    ["an unknown setting", host("checks: [ping: { warnign: 5s }]")],
    ["a setting out of range", host("checks: [tcp: { port: 0 }]")],
    ["two checks in one", host("checks: [{ ping: {}, http: {} }]")],
    ["no check in one", host("checks: [{}]")],
    ["an interval without a unit", host('interval: "60"')],
    ["a check that needs settings", host("checks: [7]")],
    ["a bad mail address", "contacts: { a: { email: nobody } }"],
    ["an event that there is not", "contacts: { a: { email: a@b.cd, on: [fire] } }"],
    ["a rule for nobody", "notifications: { r: { contacts: [] } }"],
    ["an own check's name with a space", "checks: { a b: { extends: ping } }"],
  ])("%s", (_what, text) => {
    expect(parseInventory({ "a.yaml": text }, SITES).problems).not.toEqual([]);
    expect(accepts(text)).toBe(false);
  });
});
