import * as fc from "fast-check";
import { literal, names, object, quote, value, vars } from "../../../generator/dsl";

/**
 * Reads one string from the start of a text as Icinga's lexer does (config_lexer.ll): escapes, octal codes, no raw line
 * break, ends at the first bare quotation mark. Returns the string and what follows it.
 */
function readString(text: string): { content: string; rest: string } {
  if (text[0] !== '"') throw new Error("no string");
  const escapes: Record<string, string> = { n: "\n", r: "\r", t: "\t", b: "\b", f: "\f" };
  let content = "";
  let index = 1;
  while (text[index] !== '"') {
    const character = text[index];
    if (character === undefined || character === "\n") throw new Error("the string does not end");
    if (character !== "\\") {
      content += character;
      index += 1;
      continue;
    }
    // All digits behind the sign belong to the code; more than three are an error.
    const octal = /^[0-9]+/.exec(text.slice(index + 1))?.[0];
    if (octal !== undefined && !/^[0-7]{1,3}$/.test(octal)) throw new Error(`bad escape \\${octal}`);
    const next = text[index + 1] ?? "";
    content += octal === undefined ? (escapes[next] ?? next) : String.fromCharCode(parseInt(octal, 8));
    index += 1 + (octal === undefined ? 1 : octal.length);
  }
  return { content, rest: text.slice(index + 1) };
}

const HOSTILE = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({
    unit: fc.constantFrom('"', "\\", "\n", "\r", "$", "}", "{", "0", "7", "n", "\u0000", "\u001f", "\u007f", "ü"),
  }),
  fc.constantFrom('" }\nobject Host "evil" {', "\\", '\\"', "{{{", "}}}", "$host.name$", "/*", "//", "\u2028"),
);

describe("strings of the configuration language", () => {
  it("say what they were given, and end where they should", () => {
    fc.assert(
      fc.property(HOSTILE, HOSTILE, (text, after) => {
        const { content, rest } = readString(quote(text) + after);
        expect(content).toBe(Buffer.from(text).toString());
        expect(rest).toBe(after);
      }),
      { numRuns: 2000 },
    );
  });

  it("keep digits apart from the number of the character before them", () => {
    expect(quote("\u00010x1\n2")).toBe('"\\001\\060x1\\n2"');
  });

  it("stay on one line, whatever is in them", () => {
    fc.assert(fc.property(HOSTILE, (text) => !/[\n\r]/.test(quote(text))));
  });

  it("replace half a surrogate pair, which a file cannot hold", () => {
    expect(quote("a\ud800b")).toBe('"a\ufffdb"');
  });

  it("keep dollar signs in names, and double them where Icinga looks for macros", () => {
    expect(quote("$5")).toBe('"$5"');
    expect(literal("$5 for $host.name$")).toBe('"$$5 for $$host.name$$"');
    fc.assert(
      fc.property(HOSTILE, (text) => !/\$/.test(readString(literal(text)).content.replaceAll("$$", ""))),
      { numRuns: 500 },
    );
  });
});

describe("values and objects", () => {
  it("writes numbers, truth values and lists", () => {
    expect([value(1.5), value(true), value(["a$", 2, false]), names(["a", "b"])]).toEqual([
      "1.5",
      "true",
      '[ "a$$", 2, false ]',
      '[ "a", "b" ]',
    ]);
  });

  it("writes numbers without exponents, which Icinga does not know", () => {
    expect([value(1e21), value(-2.5e-7), value(1e-200), value([1e22])]).toEqual([
      "1000000000000000000000",
      expect.stringMatching(/^-0\.00000025\d*$|^-0\.000000249\d*$/),
      "0",
      "[ 10000000000000000000000 ]",
    ]);
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        expect(value(number)).toMatch(/^-?\d+(\.\d+)?$/);
        if (Math.abs(number) > 1e-80) expect(Number(value(number))).toBeCloseTo(number);
      }),
    );
  });

  it("sorts variables, leaves out undefined ones, and puts keywords in brackets", () => {
    expect(vars({ b: 1, a: undefined, import: "x", "odd name": 2 })).toEqual([
      ["vars.a", undefined],
      ["vars.b", "1"],
      ['vars["import"]', '"x"'],
      ['vars["odd name"]', "2"],
    ]);
  });

  it("writes an object with its imports first", () => {
    const text = object({
      kind: "object Host",
      name: "a",
      imports: ["t"],
      attributes: [
        ["address", '"::1"'],
        ["notes", undefined],
      ],
    });
    expect(text).toBe('object Host "a" {\n  import "t"\n  address = "::1"\n}\n\n');
  });
});
