import { createTestBed } from "/work/p3/tests/swarm/testBed";
import { writeFileSync, existsSync } from "node:fs";
jest.setTimeout(3 * 3600_000);
test("a bed to try things in", async () => {
  const bed = await createTestBed();
  writeFileSync("/tmp/bed.json", JSON.stringify({ folder: bed.workspace.folder, docker: bed.engine.dockerHost, address: bed.engine.address }));
  const began = Date.now();
  const { code, output } = await bed.workspace.run("npm", "run", "up");
  writeFileSync("/tmp/bed.log", `${code} ${(Date.now() - began) / 1000} s\n${output}`);
  while (!existsSync("/tmp/bed.end")) await new Promise((r) => setTimeout(r, 1000));
  await bed.remove();
});
