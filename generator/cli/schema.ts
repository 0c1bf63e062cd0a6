import { jsonSchemaText } from "../jsonSchema";
import type { Command } from "./command";

export const schema: Command = {
  summary: "prints the JSON schema of inventory files, for editors",
  details:
    "inventory/schema.json is what this prints. An editor takes it for a file that begins with\n" +
    "  # yaml-language-server: $schema=../schema.json",
  operands: [],
  options: {},
  examples: ["schema > inventory/schema.json"],
  run: (_call, { out }) => {
    out(jsonSchemaText());
    return 0;
  },
};
