import * as fs from "node:fs";
import * as path from "node:path";
import { load } from "js-yaml";
import { CREDENTIALS, SETTING_KEYS } from "../../../settings/schema";

const ROOT = path.join(__dirname, "../../..");
const { config } = load(fs.readFileSync(path.join(ROOT, "Pulumi.yaml"), "utf8")) as {
  config: Record<string, Record<string, unknown>>;
};

/** Pulumi refuses the whole project for a key it does not know, such as one that a stray comma makes. */
test("every setting of Pulumi.yaml has a description, a default, and nothing else", () => {
  for (const [key, declaration] of Object.entries(config)) {
    expect([key, Object.keys(declaration).sort()]).toEqual([key, ["default", "description"]]);
  }
});

test("Pulumi.yaml declares every setting and every credential, and no others", () => {
  const keys = [...SETTING_KEYS, ...CREDENTIALS.map(({ key }) => key)].map((key) => `icinga-swarm:${key}`);
  expect(Object.keys(config).sort()).toEqual(keys.sort());
});
