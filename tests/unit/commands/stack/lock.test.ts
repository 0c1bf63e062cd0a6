import { explainLock, locksIn } from "../../../../commands/stack/lock";

/** As Pulumi 3.259 writes it. */
const REFUSAL = `error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file with \`pulumi cancel\`.
  s3://state/.pulumi/locks/organization/icinga-swarm/prod/c208aaf3.json?region=eu-central-1: created by j.doe@desk-7 (pid 6127) at 2026-11-30T14:46:55Z
`;
const NOW = new Date("2026-11-30T15:01:00Z");

it("reads whose lock it is", () => {
  expect(locksIn(REFUSAL)).toEqual([
    { user: "j.doe", host: "desk-7", pid: 6127, since: new Date("2026-11-30T14:46:55Z") },
  ]);
  expect(locksIn("error: no stack named 'prod' found\n  x: created by a@b (pid 1) at 2026-11-30T14:46:55Z")).toEqual(
    [],
  );
});

it("says who works on the stack, since when, and what to do", () => {
  expect(explainLock("prod", REFUSAL, { now: NOW, host: "desk-8", runs: () => false }))
    .toBe(`Somebody else works on the stack prod:
  j.doe on desk-7, since 2026-11-30T14:46:55.000Z (14 min ago), process 6127
Two at once would undo each other's work: wait until they are done, then run this again. If that Pulumi is gone (killed, its machine or its pipeline stopped), its lock stays behind; ask them, then remove it with: pulumi cancel --stack prod --yes
More in docs/many-hands.md.`);
});

it("knows a lock of this machine whose process is gone", () => {
  const here = { now: NOW, host: "desk-7" };
  const stale = explainLock("prod", REFUSAL, { ...here, runs: () => false });
  expect(stale).toMatch(
    /which does not run any more\nNobody works on it any more: .* pulumi cancel --stack prod --yes/,
  );
  expect(explainLock("prod", REFUSAL, { ...here, runs: (pid) => pid === 6127 })).toContain("wait until they are done");
});

it("has nothing to say of other failures", () => {
  expect(explainLock("prod", "error: incorrect passphrase", { now: NOW })).toBeUndefined();
});
