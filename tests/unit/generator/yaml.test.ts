import * as fc from "fast-check";
import { dump } from "js-yaml";
import { parseYaml, type Path, positionFinder } from "../../../generator/yaml";

function complaints(text: string): string[] {
  const position = positionFinder(text);
  return parseYaml(text).complaints.map(({ offset, message }) => {
    const { line, column } = position(offset);
    return `${line}:${column} ${message}`;
  });
}

describe("strict YAML", () => {
  it.each([
    ["a tab", "a:\n\tb: 1\n", "2:1 a tab in the indentation; YAML is indented with spaces"],
    ["a repeated key", "a: 1\nb:\n  c: 1\n  c: 2\n", '4:3 the key "c" stands in line 3 already; keep one of the two'],
    ["an anchor", "a: &x 1\n", "1:4 an anchor (&) serves only aliases, which are not taken here; leave it out"],
    ["a tag", "a: !!str 1\n", "1:4 a tag (!) is not taken here; write the plain value"],
    ["a merge key", "<<: { a: 1 }\n", "1:1 a merge key (<<) is not taken here; write the values themselves"],
    [
      "a key that would be lost",
      "a: { __proto__: x }\n",
      "1:6 the key __proto__ is not taken here; choose another name",
    ],
    ["the same in quotes", 'a:\n  "__proto__": {}\n', "2:3 the key __proto__ is not taken here; choose another name"],
    [
      "a second document",
      "a: 1\n---\nb: 1\n",
      "2:1 a second document (---) in one file; put it into a file of its own",
    ],
    [
      "a second document after a marked one",
      "---\na: 1\n---\nb: 1\n",
      "3:1 a second document (---) in one file; put it into a file of its own",
    ],
    ["a list as a key", "? [a]\n: 1\n", "1:1 a key that is a list or a mapping; write a plain word before the colon"],
    ["an open bracket", "a: [1", "1:6 not valid YAML: unexpected end of the stream within a flow collection"],
  ])("refuses %s", (_name, text, expected) => {
    expect(complaints(text)).toEqual([expected]);
  });

  it("says all of them at once", () => {
    expect(complaints("a: &x 1\nb: *x\nb: 2\n")).toEqual([
      expect.stringContaining("1:4 an anchor"),
      expect.stringContaining("2:4 an alias"),
      expect.stringContaining('3:1 the key "b"'),
    ]);
  });

  it("takes words that YAML 1.1 took for truth values as words", () => {
    expect(parseYaml("a: no\nb: off\nc: true\n").value).toEqual({ a: "no", b: "off", c: true });
  });

  it("has no value for an empty text", () => {
    expect(parseYaml("# nothing\n")).toMatchObject({ value: undefined, complaints: [] });
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."a: -[]{}&*!|>'\"%@`#,?\n\t \r\u0000".split("")) }), (text) => {
        parseYaml(text);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("places", () => {
  const text = 'hosts:\n  - name: "a"\n    checks: [ping, { tcp: { port: 1 } }]\n  - name: b\n    vars:\n';
  const place = (path: Path, what: "key" | "value" = "value") => {
    const [offset = -1] = parseYaml(text).locate([{ path, what }]);
    const { line, column } = positionFinder(text)(offset);
    return `${line}:${column}`;
  };

  it.each<[string, Path, "key" | "value", string]>([
    ["a quoted value, with its quotation mark", ["hosts", 0, "name"], "value", "2:11"],
    ["a key", ["hosts", 0, "checks"], "key", "3:5"],
    ["an item of a flow list", ["hosts", 0, "checks", 1], "value", "3:20"],
    ["a value in a flow mapping", ["hosts", 0, "checks", 1, "tcp", "port"], "value", "3:35"],
    ["a mapping", ["hosts", 1], "value", "4:5"],
    ["an empty value, by its key", ["hosts", 1, "vars"], "value", "5:5"],
    ["what is missing, by what lacks it", ["hosts", 1, "address"], "value", "4:5"],
    ["what is far from there", ["nothing", "like", "it"], "value", "1:1"],
  ])("finds %s", (_name, path, what, expected) => {
    expect(place(path, what)).toBe(expected);
  });

  it("finds every value of any document", () => {
    // The key __proto__ is refused, see above.
    const leaf = fc.string({ unit: "grapheme-ascii", minLength: 1 }).filter((text) => text !== "__proto__");
    fc.assert(
      fc.property(fc.array(fc.dictionary(leaf, fc.array(leaf))), (documents) => {
        const source = dump(documents, { forceQuotes: true, quoteStyle: "double", lineWidth: -1 });
        const document = parseYaml(source);
        const paths = documents.flatMap((entry, index) =>
          Object.entries(entry).flatMap(([key, items]) => items.map((_, item): Path => [index, key, item])),
        );
        const offsets = document.locate(paths.map((path) => ({ path, what: "value" })));
        const found = offsets.map((offset) => parseYaml(source.slice(offset).split("\n")[0] ?? "").value);
        const expected = documents.flatMap((entry) => Object.values(entry).flat());
        expect(document.value).toEqual(documents.map((entry) => ({ ...entry })));
        expect(found.map(String)).toEqual(expected.map(String));
      }),
    );
  });
});

it("counts lines however they end", () => {
  const position = positionFinder("a\r\nb\rc\nd");
  expect([0, 3, 5, 7].map((offset) => position(offset).line)).toEqual([1, 2, 3, 4]);
  expect(position(3)).toEqual({ line: 2, column: 1 });
});
