import * as fc from "fast-check";
import {
  block,
  buildOf,
  LONGEST_COMMENT_BYTES,
  renderComment,
  type StackReport,
} from "../../../../commands/ci/comment";

const BUILD = { number: 17, commit: "0123456789abcdef", destination: "main" };
const PLAN = {
  changes: [
    { action: "replace", name: "mysql", type: "Service", properties: ["name"] },
    { action: "update", name: "icinga-slave-frankfurt", type: "Service", properties: ["replicas: 1 -> 2"] },
  ],
  unchanged: 57,
} as const;
const INVENTORY = "inventory/prod, 15a251c -> now\n\nfrankfurt: +12 hosts with 60 services\n";

it("says per stack what monitoring gains and loses, and what a deployment does", () => {
  const reports: StackReport[] = [
    { stack: "dev", inventory: INVENTORY, plan: PLAN },
    { stack: "prod", inventory: "Monitoring stays as it is.", plan: { withheld: "no plan here." } },
  ];
  expect(renderComment(BUILD, reports)).toMatchInlineSnapshot(`
   "[//]: # (icinga-swarm report of build 17)

   ## What merging 0123456789ab into \`main\` does

   ### Stack dev

   **Monitoring**

   \`\`\`text
   inventory/prod, 15a251c -> now

   frankfurt: +12 hosts with 60 services
   \`\`\`

   **Deployment:** 1 to replace, 1 to update, 57 unchanged

   \`\`\`text
   ! replace mysql (Service)
             name
   ~ update  icinga-slave-frankfurt (Service)
             replicas: 1 -> 2
     57 resources unchanged
   \`\`\`

   ### Stack prod

   **Monitoring**

   \`\`\`text
   Monitoring stays as it is.
   \`\`\`

   **Deployment:** no plan here.

   ---

   The plan compares the program with the state of the last deployment. It cannot see what somebody changed on the swarm since then, nor whether nodes, registry and images are there: it never talks to the stack's own machines.
   "
  `);
});

it("says why a plan could not be made, and when nothing changes", () => {
  const text = renderComment(BUILD, [
    { stack: "dev", inventory: "", plan: { problem: "error: no such location" } },
    { stack: "prod", inventory: "", plan: { changes: [], unchanged: 3 } },
  ]);
  expect(text).toContain("the plan could not be made:\n\n```text\nerror: no such location\n```");
  expect(text).toContain("**Deployment:** nothing changes\n");
});

it("knows its own comments and their builds", () => {
  expect(buildOf(renderComment(BUILD, []))).toBe(17);
  for (const other of [
    "",
    "look: [//]: # (icinga-swarm report of build 17)",
    "[//]: # (icinga-swarm report of build x)",
  ]) {
    expect(buildOf(other)).toBeUndefined();
  }
});

it("stays short enough for Bitbucket, whatever there is to say", () => {
  const many = Array.from({ length: 1000 }, (_, index) => `+ host-${index} ääääääääääääääääääää`).join("\n");
  const long = renderComment(BUILD, [{ stack: "prod", inventory: many, plan: PLAN }]);
  expect(Buffer.byteLength(long)).toBeLessThanOrEqual(LONGEST_COMMENT_BYTES);
  expect(long).toMatch(/\.\.\. and \d+ lines more\n```/);
  const stacks = Array.from({ length: 100 }, (_, index) => ({ stack: `s${index}`, inventory: many, plan: PLAN }));
  const longest = renderComment(BUILD, stacks);
  expect(Buffer.byteLength(longest)).toBeLessThanOrEqual(LONGEST_COMMENT_BYTES);
  expect(longest).toContain("- s99: 1 to replace, 1 to update, 57 unchanged");
});

it("lets no text out of its block: no markup, no mention, no end before the end", () => {
  const evil = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.constantFrom(
      "```",
      "````text",
      "`",
      "@{5570:ab}",
      "![x](http://evil/a.png)",
      "\u202e",
      "\r\n```\r\n# a",
      "</code>",
    ),
  );
  fc.assert(
    fc.property(fc.array(evil), (parts) => {
      const lines = block(parts.join("\n"), 50).split("\n");
      const inside = lines.slice(1, -1);
      expect([lines[0], lines.at(-1)]).toEqual(["```text", "```"]);
      expect(inside.join("\n")).not.toMatch(/`|@(?!\u2060)|\r|\u202e/);
    }),
  );
});

it("believes no branch's or commit's name", () => {
  const text = renderComment({ number: 1, commit: "](http://evil)", destination: "`![x](http://evil)" }, []);
  expect(text).not.toContain("evil");
});
