import { parseLog } from "../../../commands/serviceLogs";

function frame(stream: 1 | 2, text: string): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

it("takes the streams apart and puts the lines into the order of their times", () => {
  const log = Buffer.concat([
    frame(2, "2026-11-01T12:00:00.000000002Z second, naïve\n"),
    frame(1, "2026-11-01T12:00:00.000000001Z first\r\n"),
    frame(1, "2026-11-01T12:00:00.000000003Z \n"),
  ]);
  expect(parseLog(log)).toEqual([
    { time: "2026-11-01T12:00:00.000000001Z", text: "first" },
    { time: "2026-11-01T12:00:00.000000002Z", text: "second, naïve" },
    { time: "2026-11-01T12:00:00.000000003Z", text: "" },
  ]);
  expect(parseLog(Buffer.alloc(0))).toEqual([]);
});
