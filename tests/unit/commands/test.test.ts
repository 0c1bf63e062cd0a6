import { chooseSuites, table } from "../../../commands/test";
import { countGo, countJest, sum } from "../../../commands/test/suites";

const jestResults = (counts: Record<string, number>): string => JSON.stringify(counts);

it("takes the suites in their order, all of them or those named", () => {
  expect(chooseSuites([]).map(({ name }) => name)).toEqual([
    "format",
    "lint",
    "types",
    "toolchain",
    "unit",
    "images",
    "swarm",
  ]);
  expect(chooseSuites(["images", "unit"]).map(({ name }) => name)).toEqual(["unit", "images"]);
  expect(() => chooseSuites(["unit", "units"])).toThrow(/no suite "units"; the suites are: format, lint/);
});

it("counts what jest counted", () => {
  expect(countJest(jestResults({ numPassedTests: 12, numFailedTests: 2, numRuntimeErrorTestSuites: 0 }), 1)).toEqual({
    passed: 12,
    failed: 2,
  });
});

it("counts a test file that cannot be loaded, a crash and an unexplained exit code as failures", () => {
  expect(countJest(jestResults({ numPassedTests: 3, numFailedTests: 0, numRuntimeErrorTestSuites: 1 }), 1).failed).toBe(
    1,
  );
  expect(countJest(undefined, 134)).toEqual({ passed: 0, failed: 1 });
  expect(countJest(jestResults({ numPassedTests: 3, numFailedTests: 0 }), 1)).toEqual({ passed: 3, failed: 1 });
});

it("counts Go's tests, and a package that does not compile as one failure", () => {
  const output =
    "=== RUN   TestA\n--- PASS: TestA (0.00s)\n    --- PASS: TestA/part (0.00s)\n--- FAIL: TestB (0.10s)\nFAIL\n";
  expect(countGo(output, 1)).toEqual({ passed: 1, failed: 1 });
  expect(countGo("./main.go:3: syntax error\nFAIL\n", 2)).toEqual({ passed: 0, failed: 1 });
});

it("adds up and shows times in columns", () => {
  expect(
    sum([
      { passed: 1, failed: 0 },
      { passed: 10, failed: 2 },
    ]),
  ).toEqual({ passed: 11, failed: 2 });
  expect(
    table([
      { name: "pulumi", seconds: 0.21 },
      { name: "unit", seconds: 12.345, result: { passed: 124, failed: 1 } },
    ]),
  ).toEqual(["pulumi      0.2 s  ready", "unit       12.3 s  124 passed, 1 failed"]);
});
