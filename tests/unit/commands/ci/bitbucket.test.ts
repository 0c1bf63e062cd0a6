import { publish, type PullRequest } from "../../../../commands/ci/bitbucket";
import { BitbucketServer } from "../../../bitbucketServer";

// A machine that is busy with other tests takes its time for the first connection.
jest.setTimeout(60_000);

const REPOSITORY = "acme/monitoring";
/** Reports begin with `marker` or, where the build matters, `marker <build>`. */
const buildOf = (raw: string): number | undefined =>
  raw.startsWith("marker") ? Number(/^marker (\d+)/.exec(raw)?.[1] ?? "0") : undefined;

let server: BitbucketServer;
let pauses: number[];
beforeEach(async () => {
  server = await BitbucketServer.start(REPOSITORY, "7");
  pauses = [];
});
afterEach(() => server.stop());

function send(raw: string, change: Partial<PullRequest> = {}): Promise<string> {
  const pullRequest = {
    api: server.api,
    repository: REPOSITORY,
    id: "7",
    authorization: "Bearer good-token",
    ...change,
  };
  const wait = (seconds: number) => Promise.resolve(void pauses.push(seconds));
  return publish(pullRequest, raw, buildOf, { fetch, wait });
}

const raws = (): string[] => server.comments.map(({ content }) => content.raw);

it("makes the comment the first time and updates it in place from then on", async () => {
  server.add("j.doe", "please mind the marker");
  expect(await send("marker: first")).toBe("made comment 1001 of pull request 7");
  expect(await send("marker: second")).toBe("updated comment 1001 of pull request 7");
  expect(raws()).toEqual(["please mind the marker", "marker: second"]);
});

it("has one comment, of the newest build, in whatever order builds end", async () => {
  await send("marker 11");
  expect(await send("marker 10")).toBe(
    "comment 1000 of pull request 7 is of a newer build, 11: nothing to add to it for 10",
  );
  expect(raws()).toEqual(["marker 11"]);
  await send("marker 12");
  expect(raws()).toEqual(["marker 12"]);
});

it("updates the newest where an earlier program left several", async () => {
  server.add("pipeline", "marker 3");
  server.add("pipeline", "marker 5");
  expect(await send("marker 4")).toMatch(/^comment 1001 .* newer build, 5/);
  expect(await send("marker 6")).toMatch(/^updated comment 1001 /);
  expect(raws()).toEqual(["marker 3", "marker 6"]);
});

it("is not silenced by others who write that theirs is of a newer build", async () => {
  server.add("mallory", "marker 99");
  await send("marker 11");
  expect(await send("marker 10")).toMatch(/^comment 1001 .* newer build, 11/);
  await send("marker 12");
  expect(raws()).toEqual(["marker 99", "marker 12"]);
});

it("finds its comment on a later page", async () => {
  for (let count = 0; count < 25; count++) server.add("j.doe", `remark ${count}`);
  server.add("pipeline", "marker: old");
  await send("marker: new");
  expect(raws().filter((raw) => raw.startsWith("marker"))).toEqual(["marker: new"]);
  expect(server.requests.map(({ method }) => method)).toEqual(["GET", "GET", "GET", "PUT"]);
});

it("leaves what only looks like its comment: answers, remarks on lines, deleted ones and those of others", async () => {
  server.add("pipeline", "marker: an answer", { parent: { id: 1 } });
  server.add("pipeline", "marker: on a line", { inline: { path: "index.ts" } });
  server.add("pipeline", "marker: deleted", { deleted: true });
  server.add("mallory", "marker: forged");
  const before = raws();
  await send("marker: real");
  await send("marker: real again");
  expect(raws()).toEqual([...before, "marker: real again"]);
});

it("tries again after 429 and 5xx, as long as Bitbucket asks for", async () => {
  server.failures.push({ status: 429, headers: { "retry-after": "7" } }, { status: 503 }, { status: 500 });
  expect(await send("marker: patient")).toMatch(/^made comment/);
  expect(pauses).toEqual([7, 4, 10]);
  expect(raws()).toEqual(["marker: patient"]);
});

it("gives up after four tries", async () => {
  for (let count = 0; count < 9; count++) server.failures.push({ status: 502 });
  await expect(send("marker")).rejects.toThrow(/^Bitbucket answered 502 to GET .*; gave up after 4 tries$/);
  expect(server.requests).toHaveLength(4);
});

it("makes no second comment when the answer to the first was lost", async () => {
  // The list comes, the comment is made, and only then does the gateway fail.
  server.failures.push(undefined, { status: 502, isLate: true });
  expect(await send("marker: once")).toMatch(/^updated comment/);
  expect(raws()).toEqual(["marker: once"]);
});

it("says what to do where it is refused", async () => {
  const hint = /docs\/many-hands.md tells how to make BITBUCKET_ACCESS_TOKEN/;
  await expect(send("marker", { authorization: "Bearer old" })).rejects.toThrow(/401 .*wrong, expired or revoked/);
  await expect(send("marker", { authorization: "Bearer old" })).rejects.toThrow(hint);
  server.users.set("Bearer reads", "reader");
  await expect(send("marker", { authorization: "Bearer reads" })).rejects.toThrow(/403 .*lacks the permission/);
  await expect(send("marker", { id: "8" })).rejects.toThrow(/404 .*there is no pull request 8 in acme\/monitoring/);
  await expect(send("")).rejects.toThrow("Bitbucket answered 400 to POST");
  expect(pauses).toEqual([]);
});

it("says that nobody answers", async () => {
  await server.stop();
  await expect(send("marker")).rejects.toThrow(/^Bitbucket does not answer at http.*ECONNREFUSED.*4 tries$/);
  server = await BitbucketServer.start(REPOSITORY, "7");
});

it("shows its token to nobody but Bitbucket", async () => {
  for (let count = 0; count < 11; count++) server.add("j.doe", "remark");
  server.nextPage = "http://elsewhere.example.com/2.0/repositories?page=2";
  await expect(send("marker")).rejects.toThrow("which is not below");
});
