import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { randomBytes } from "node:crypto";
import { packShipment, unpackShipment } from "../../../generator/shipment";
import { SITES } from "./sites";

const DOCKER_CONFIG_LIMIT = 500 * 1024;

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "shipment-"));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

function write(file: string, text: string | Buffer): void {
  fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
  fs.writeFileSync(path.join(folder, file), text);
}

describe("a shipment", () => {
  it("brings the YAML files and the locations, and nothing else", () => {
    write("b.yaml", "hosts: [] # ü\n");
    write("deep/a.yml", "# nothing\n");
    write("README.md", "not this");
    write(".hidden.yaml", "nor this");
    expect(unpackShipment(packShipment(folder, SITES))).toEqual({
      files: { "b.yaml": "hosts: [] # ü\n", "deep/a.yml": "# nothing\n" },
      locations: [
        { name: "frankfurt", slaves: 2, displayName: 'Frankfurt "am Main"' },
        { name: "singapore", slaves: 1 },
        { name: "chicago", slaves: 5 },
      ],
    });
  });

  it("does not depend on the folder's place, nor on a location's nodes", () => {
    write("a.yaml", "hosts: []\n");
    const first = packShipment(folder, SITES);
    const other = fs.mkdtempSync(path.join(os.tmpdir(), "other-"));
    fs.cpSync(folder, other, { recursive: true });
    const moved = SITES.map((site) => ({ ...site, nodes: ["elsewhere"], latitude: 1 }));
    expect(packShipment(other, moved)).toEqual(first);
    fs.rmSync(other, { recursive: true });
  });

  it("is cut into pieces that fit Docker configs", () => {
    const big = `# ${randomBytes(1_000_000).toString("base64")}\n`;
    write("big.yaml", big);
    const chunks = packShipment(folder, SITES);
    expect(chunks.length).toBeGreaterThan(2);
    for (const chunk of chunks) expect(chunk.length).toBeLessThanOrEqual(DOCKER_CONFIG_LIMIT);
    // Not `toBe`: nobody wants to read the difference.
    expect(unpackShipment(chunks).files["big.yaml"] === big).toBe(true);
  });

  it("cannot be made of a folder that is not there, or of what is not text", () => {
    expect(() => packShipment(path.join(folder, "nowhere"), SITES)).toThrow("there is no such folder");
    write("latin1.yaml", Buffer.from([0x61, 0xfc, 0x0a]));
    expect(() => packShipment(folder, SITES)).toThrow("is not UTF-8 text");
  });
});
