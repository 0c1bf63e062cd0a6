const path = require("node:path");

const typescript = {
  transform: { "^.+\\.ts$": ["@swc/jest", { jsc: { target: "es2022", parser: { syntax: "typescript" } } }] },
  testEnvironment: "node",
  setupFiles: ["<rootDir>/tests/fastCheckSeed.ts"],
  rootDir: path.resolve(__dirname, ".."),
};

/** One project for each kind of test; `npm test` runs them in this order. */
module.exports = {
  projects: [
    { ...typescript, displayName: "unit", testMatch: ["<rootDir>/tests/unit/**/*.test.ts"] },
    {
      ...typescript,
      displayName: "images",
      testMatch: ["<rootDir>/tests/images/**/*.test.ts"],
      globalSetup: "<rootDir>/tests/images/globalSetup.ts",
      globalTeardown: "<rootDir>/tests/images/globalTeardown.ts",
    },
    { ...typescript, displayName: "swarm", testMatch: ["<rootDir>/tests/swarm/**/*.test.ts"] },
  ],
};
