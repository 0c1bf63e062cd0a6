import js from "@eslint/js";
import tseslint from "typescript-eslint";

const BROWSER_GLOBALS = [
  "document",
  "location",
  "fetch",
  "setTimeout",
  "setInterval",
  "clearTimeout",
  "window",
  "URLSearchParams",
];

export default tseslint.config(
  { ignores: ["node_modules/", ".local/"] },
  js.configs.recommended,
  ...tseslint.configs.strict,
  {
    languageOptions: { globals: { process: "readonly", console: "readonly" } },
    rules: {
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-unused-vars": ["error", { varsIgnorePattern: "^_", argsIgnorePattern: "^_" }],
      // `new MySql(...)` is a statement in Pulumi programs; the linter cannot know that it has an effect.
      "no-new": "off",
    },
  },
  {
    files: ["tests/*.js"],
    languageOptions: {
      sourceType: "commonjs",
      globals: { module: "writable", require: "readonly", __dirname: "readonly" },
    },
    rules: { "@typescript-eslint/no-require-imports": "off" },
  },
  {
    // What browsers run.
    files: ["images/**/*.js", "tests/fixtures/**/*.js"],
    languageOptions: {
      sourceType: "script",
      globals: Object.fromEntries(BROWSER_GLOBALS.map((name) => [name, "readonly"])),
    },
  },
);
