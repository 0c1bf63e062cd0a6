import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Runs a command as npm scripts and Pulumi do, from a folder that is not the project's. */
function run(...args: string[]): { code: number | null; output: string } {
  const program = join(__dirname, "../../../commands/run.mjs");
  const env = { PATH: process.env.PATH, HOME: process.env.HOME };
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { cwd: tmpdir(), env });
  return { code: status, output: `${stdout}${stderr}`.trim() };
}

it("names the commands there are when one is not", () => {
  const { code, output } = run("upp");
  expect(code).toBe(1);
  expect(output).toMatch(
    /^There is no command "upp"; the commands are: bench, .*down, .*label-node.*up, user, wait-ready\.$/,
  );
});

it("says what the user can mend in one line, without a stack trace", () => {
  expect(run("label-node", "add")).toEqual({
    code: 1,
    output: "label-node needs the environment variables LABEL_NODE and LABEL_NAME",
  });
});
