import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { describeProblem, parseInventory, placeOf, readInventory } from "../../../generator/inventory";
import { SITES } from "./sites";

function problems(files: string | Record<string, string>): string[] {
  const all = typeof files === "string" ? { "a.yaml": files } : files;
  return parseInventory(all, SITES).problems.map(describeProblem);
}

/** A file with one host, whose fields are added to or replaced. */
function host(fields: string): string {
  const has = (name: string) => new RegExp(`^ *${name}:`, "m").test(fields);
  const rest = [
    ["name", "a"],
    ["address", "10.0.0.1"],
    ["location", "frankfurt"],
  ].flatMap(([name = "", value = ""]) => (has(name) ? [] : [`    ${name}: ${value}\n`]));
  return `hosts:\n  -\n${fields.replace(/^/gm, "    ")}\n${rest.join("")}`;
}

describe("a good inventory", () => {
  it("is read, sorted, its gaps filled with defaults", () => {
    const { inventory, problems: found } = parseInventory(
      {
        "b.yaml": "hosts: [{ name: b, address: b.example.com, location: chicago }]",
        "a.yaml":
          "defaults: { interval: 5m }\nhosts: [{ name: c, address: '::1', location: frankfurt, checks: [ping, http: {}] }]",
        "empty.yaml": "# nothing yet\n",
      },
      SITES,
    );
    expect(found).toEqual([]);
    expect(inventory.defaults).toEqual({ interval: 300, retryInterval: 30, attempts: 3 });
    expect(inventory.hosts).toMatchObject([
      { name: "b", address: "b.example.com", location: "chicago", vars: {}, notify: [], checks: [] },
      {
        name: "c",
        address: "::1",
        location: "frankfurt",
        checks: [
          { name: "http", icinga: { command: "http" }, timing: {} },
          { name: "ping", icinga: { command: "ping" }, timing: {} },
        ],
      },
    ]);
  });

  it("tells where a host or a role stands", () => {
    const files = { "b.yaml": "hosts:\n  - name: x\n", "a.yaml": "roles:\n  x: {}\nhosts: []" };
    expect(placeOf(files, { section: "hosts", name: "x" })).toEqual({ file: "b.yaml", line: 2, column: 11 });
    expect(placeOf(files, { section: "hosts", name: "y" })).toBeUndefined();
    expect(placeOf(files, { section: "roles", name: "x" })).toEqual({ file: "a.yaml", line: 2, column: 3 });
  });
});

describe("a problem is said with its place and what would be right", () => {
  it.each([
    ["an unknown key at the top", "hots: []\n", 'a.yaml:1:1: unknown key "hots"; did you mean "hosts"?'],
    ["a list at the top", "- a\n", "a.yaml:1:1: the file must be a mapping (key: value), not a list"],
    [
      "a missing field",
      "hosts: [{ name: a, location: frankfurt }]",
      'a.yaml:1:9: "address" is missing; it is the IP address',
    ],
    ["an unknown key", host("adress: x"), 'a.yaml:3:5: unknown key "adress"; did you mean "address"?'],
    [
      "a number for text",
      host("name: 7"),
      'a.yaml:3:11: "name" must be text, not the number 7; put it in quotes if it is meant: "7"',
    ],
    ["an empty field", host("checks:"), 'a.yaml:3:5: "checks" is empty; it takes a list (- ...): what to check'],
    ["a bad name", host("name: web 1!"), 'a.yaml:3:11: "name" "web 1!" must be 1 to 128 letters, digits and . _ -'],
    [
      "a name of the stack",
      host("name: icinga-master"),
      `a.yaml:3:11: the name "icinga-master" belongs to the stack's own containers`,
    ],
    ["a name the stack may get", host("name: icinga-slave-x-1"), "belongs to the stack's own containers"],
    [
      "an unknown location",
      host("location: chicgo"),
      'a.yaml:3:15: unknown location "chicgo"; did you mean "chicago"?',
    ],
    [
      "a location far from any",
      host("location: x"),
      'unknown location "x"; known locations: chicago, frankfurt, singapore',
    ],
    ["no IPv4 address", host("address: 10.0.0.256"), 'a.yaml:3:14: "address" "10.0.0.256" is no IPv4 address'],
    ["a network", host("address: 10.0.0.0/8"), "has a / in it; write one address"],
    ["a bad IPv6 address", host("address: fe80::1%eth0"), "is no IPv6 address"],
    ["no address at all", host("address: a b"), "is neither an IP address nor a DNS name"],
    ["a hyphen at a label's end", host("address: a-.example.com"), "is neither an IP address nor a DNS name"],
    ["an unknown check", host("checks: [pnig]"), 'a.yaml:3:14: unknown name "pnig"; did you mean "ping"?'],
    [
      "an unknown check with settings",
      host("checks: [htpp: {}]"),
      'a.yaml:3:14: unknown key "htpp"; did you mean "http"?',
    ],
    ["a check that needs settings", host("checks: [nrpe]"), '"nrpe" needs settings; write them as - nrpe: { ... }'],
    [
      "a check of two kinds",
      host("checks: [{ ping: {}, http: {} }]"),
      'item 1 of "checks" must name exactly one check',
    ],
    [
      "a check that is a number",
      host("checks: [7]"),
      'item 1 of "checks" must not be the number 7; it is the name of a check',
    ],
    ["an empty check", host("checks: [ping: ]"), 'a.yaml:3:14: "ping" is empty; it takes a mapping'],
    [
      "a missing setting",
      host("checks: [tcp: {}]"),
      'a.yaml:3:19: "port" is missing; it is the port to connect to, such as 22',
    ],
    [
      "an unknown setting",
      host("checks: [nrpe: { command: c, arguemnts: [] }]"),
      'unknown key "arguemnts"; did you mean "arguments"?',
    ],
    ["a setting out of range", host("checks: [tcp: { port: 0 }]"), '"port" 0 must be 1 or more'],
    ["a broken number", host("checks: [tcp: { port: 2.5 }]"), '"port" must be a whole number, not the number 2.5'],
    [
      "an interval without unit",
      host("checks: [ping: { interval: '60' }]"),
      '"interval" "60" is not a length of time; write it as 30s, 5m, 1h or 1d',
    ],
    [
      "a word for a truth value",
      host("checks: [http: { tls: yes }]"),
      '"tls" must be true or false, not the text "yes"',
    ],
    [
      "limits the wrong way round",
      host("checks: [ping: { warning: 2s, critical: 500ms }]"),
      'a.yaml:3:31: "warning" "2s" must not be above "critical" (500ms); swap them',
    ],
    [
      "losses the wrong way round",
      host("checks: [ping: { warningLoss: 9, criticalLoss: 8 }]"),
      '"warningLoss" 9 must not be above "criticalLoss" (8); swap them',
    ],
    [
      "a mark in an NRPE argument",
      host("checks: [nrpe: { command: c, arguments: [a!b] }]"),
      'item 1 of "arguments" "a!b" must not contain !',
    ],
    [
      "an NRPE command line",
      host("checks: [nrpe: { command: check_load -w 1 }]"),
      "must be the name in command[...] of the client's nrpe.cfg",
    ],
    ["an NRPE version", host("checks: [nrpe: { command: c, protocol: 5 }]"), '"protocol" is 5; it takes 2 or 3'],
    ["an NRPE mode", host("checks: [nrpe: { command: c, ssl: of }]"), '"ssl" is "of"; did you mean "off"?'],
    ["a path without its slash", host("checks: [http: { path: health }]"), "must start with / and hold no spaces"],
    [
      "text of two lines",
      host('displayName: "a\\nb"'),
      '"displayName" "a\\nb" must be one line without control characters',
    ],
    [
      "the same check twice",
      host("checks: [ping, ping: { warning: 1s }]"),
      'a.yaml:3:20: the host has a check named "ping" already; give this one a "name" of its own',
    ],
    ["a name of a variable", host("vars: { a-b: 1 }"), 'a.yaml:3:13: "a-b" must be a variable name'],
    ["a variable that is taken", host("vars: { location: x }"), '"location" is set by the generator'],
    [
      "a mapping in a variable",
      host("vars: { a: { b: 1 } }"),
      '"a" must not be a mapping; it is text, a number, true, false, or a list of these',
    ],
    ["a bad default", "defaults: { attempts: 0 }", 'a.yaml:1:23: "attempts" 0 must be 1 or more'],
  ])("%s", (_name, text, expected) => {
    expect(problems(text)).toEqual([expect.stringContaining(expected)]);
  });
});

const PEOPLE = "contacts: { al: { email: al@example.com } }\nnotifications: { ops: { contacts: [al] } }\n";

describe("what is named must be there", () => {
  it.each([
    [
      "a role",
      host("roles: [linx]") + "roles: { linux: {} }",
      'a.yaml:3:13: unknown role "linx"; did you mean "linux"?',
    ],
    ["no role at all", host("roles: [linux]"), 'unknown role "linux"; there are no roles'],
    [
      "a parent",
      host("parents: [bc]") + "  - { name: bb, address: b, location: chicago }",
      'unknown host "bc"; did you mean "bb"?',
    ],
    ["itself as a parent", host("parents: [a]"), "a host cannot be reached through itself"],
    ["a rule", PEOPLE + host("notify: [opps]"), 'unknown notification rule "opps"; did you mean "ops"?'],
    ["a rule of a check", PEOPLE + host("checks: [ping: { notify: [x] }]"), 'unknown notification rule "x"'],
    ["a rule of the defaults", "defaults: { notify: [x] }", 'a.yaml:1:22: unknown notification rule "x"'],
    [
      "a contact",
      "notifications: { ops: { contacts: [al] } }",
      'unknown contact "al"; there are no contacts and contact groups',
    ],
    ["a member", PEOPLE + "contactGroups: { g: { members: [all] } }", 'unknown contact "all"; did you mean "al"?'],
    ["a period of a contact", "contacts: { al: { email: a@b.de, period: p } }", 'unknown period "p"'],
    ["a period of a rule", PEOPLE.replace("[al]", "[al], period: p"), 'unknown period "p"'],
    ["a period of a check", host("checks: [ping: { period: p }]"), 'unknown period "p"'],
    ["a period of a downtime", host("downtimes: [{ period: p, comment: c }]"), 'unknown period "p"'],
    [
      "a location of settings",
      "locations: { chigaco: {} }",
      'a.yaml:1:14: unknown location "chigaco"; did you mean "chicago"?',
    ],
    [
      "a service it does not have",
      "roles: { r: { checks: [ssh] } }\n" + host("roles: [r]\nwithout: [shs]"),
      'no role of this host brings a service "shs"; did you mean "ssh"?',
    ],
    ["a group of the generator", host("groups: [location-chicago]"), "is made by the generator"],
    [
      "a name that means two",
      PEOPLE + "contactGroups: { al: { members: [al] } }",
      '"al" is the name of a contact, too',
    ],
    ["a variable of Icinga's commands", host("vars: { http_port: 80 }"), "is read by Icinga's checks"],
    [
      "a mail address",
      "contacts: { al: { email: al } }",
      '"email" "al" must be a mail address such as alice@example.com',
    ],
    [
      "a rule without end",
      PEOPLE.replace("[al]", "[al], after: 2h, until: 1h"),
      '"after" "2h" must be below "until" (1h); swap them',
    ],
    ["a rule that tells nobody", PEOPLE.replace("[al]", "[al], on: [acknowledgement]"), '"on" tells nobody'],
    ["a state that nobody asks for", host("alive: { passive: { name: x } }"), '"alive" must be a check that asks'],
    ["an event", PEOPLE.replace("[al]", "[al], on: [donw]"), '"donw"; did you mean "down"?'],
  ])("%s", (_name, text, expected) => {
    expect(problems(text)).toEqual([expect.stringContaining(expected)]);
  });

  it("also across files", () => {
    expect(
      problems({ "a.yaml": host("roles: [r]\nnotify: [ops]"), "b.yaml": PEOPLE, "c.yaml": "roles: { r: {} }" }),
    ).toEqual([]);
  });

  it("and only once", () => {
    expect(problems({ "a.yaml": "roles: { Linux: {} }", "b.yaml": "\nroles: { linux: {} }" })).toEqual([
      'b.yaml:2:10: the role "linux" stands in a.yaml:1 already as "Linux"; keep one of the two',
    ]);
  });

  it("parents make no circle; each is said once", () => {
    const chain = (name: string, parent: string) =>
      `  - { name: ${name}, address: 10.0.0.1, location: chicago, parents: [${parent}] }\n`;
    const text = `hosts:\n${chain("a", "b")}${chain("b", "c")}${chain("c", "b")}${chain("d", "a")}`;
    expect(problems(text)).toEqual(["a.yaml:3:63: a circle of parents: b -> c -> b; take one of them away"]);
  });

  it("parents may be many and far", () => {
    const hosts = Array.from({ length: 3000 }, (_, index) => {
      const parents = index === 0 ? "" : `, parents: [h${index - 1}]`;
      return `  - { name: h${index}, address: 10.0.0.1, location: chicago${parents} }\n`;
    });
    expect(problems(`hosts:\n${hosts.join("")}`)).toEqual([]);
  });
});

describe("checks of one's own", () => {
  const licences = `checks:
  licences:
    plugin: [check_licences, --server, $address$, --product, $product$, --left, "$left$", "100$$"]
    parameters: { product: which product, left: how many must be left }
    settings: { left: 5, interval: 1h }
`;
  const orders = "checks: { orders: { extends: nrpe, settings: { command: check_orders, interval: 5m } } }\n";

  it("are told what the definition leaves open, and may be told the rest", () => {
    const text = licences + host("checks: [licences: { product: cad, name: cad }, licences: { product: x, left: 1 }]");
    const { inventory, problems: found } = parseInventory({ "a.yaml": text }, SITES);
    expect(found).toEqual([]);
    expect(inventory.commands).toEqual([
      {
        name: "licences",
        argv: [
          "check_licences",
          "--server",
          "$check_address$",
          "--product",
          "$own_licences_product$",
          "--left",
          "$own_licences_left$",
          "100$$",
        ],
      },
    ]);
    expect(inventory.hosts[0]?.checks).toMatchObject([
      {
        name: "cad",
        timing: { interval: 3600 },
        icinga: { command: "icinga-swarm-own-licences", vars: { own_licences_product: "cad", own_licences_left: 5 } },
      },
      { name: "licences", icinga: { vars: { own_licences_product: "x", own_licences_left: 1 } } },
    ]);
  });

  it("extend those of the catalogue", () => {
    const { inventory } = parseInventory({ "a.yaml": orders + host("checks: [orders]") }, SITES);
    expect(inventory.hosts[0]?.checks).toMatchObject([
      {
        name: "orders",
        timing: { interval: 300 },
        icinga: { command: "nrpe", vars: { nrpe_command: "check_orders" } },
      },
    ]);
  });

  it.each([
    ["a missing parameter", licences + host("checks: [licences: {}]"), '"product" is missing; it is which product'],
    ["a bare name with a gap", licences + host("checks: [licences]"), '"licences" needs settings; write them as'],
    [
      "a name like one of the catalogue's",
      "checks: { http: { extends: http } }",
      "is the name of a check that is there already",
    ],
    ["neither nor", "checks: { x: {} }", 'needs either "extends" or "plugin"'],
    ["both", "checks: { x: { extends: http, plugin: [a] } }", 'needs either "extends" or "plugin"'],
    ["an unknown base", "checks: { x: { extends: htpp } }", '"extends" is "htpp"; did you mean "http"?'],
    [
      "a wrong setting",
      "checks: { x: { extends: http, settings: { port: 0 } } }",
      'a.yaml:1:49: "port" must be 1 or more',
    ],
    [
      "an unknown setting",
      "checks: { x: { extends: http, settings: { prot: 1 } } }",
      'unknown setting "prot"; did you mean "port"?',
    ],
    ["an unknown macro", "checks: { x: { plugin: [a, $adress$] } }", 'unknown name $adress$; did you mean "address"?'],
    ["half a macro", "checks: { x: { plugin: [a, 5$] } }", "a single $; write $$ for the sign itself"],
    [
      "a parameter that means something else",
      "checks: { x: { plugin: [a], parameters: { interval: i } } }",
      '"interval" has a meaning of its own here',
    ],
    [
      "limits the wrong way round, one here, one there",
      "checks: { x: { extends: tcp, settings: { port: 1, critical: 1s } } }\n" + host("checks: [x: { warning: 2s }]"),
      '"warning" "2s" must not be above "critical" (1s)',
    ],
  ])("%s is said where it stands", (_name, text, expected) => {
    expect(problems(text)).toEqual([expect.stringContaining(expected)]);
  });
});

describe("names that every JavaScript object knows", () => {
  it.each([["constructor"], ["toString"]])("%s means what the inventory says", (word) => {
    const text = `
roles: { ${word}: { checks: [ssh: { groups: [${word}] }] } }
contacts: { ${word}: { email: al@example.com, period: ${word} } }
contactGroups: { all: { members: [${word}] } }
periods: { ${word}: { timezone: UTC, days: { every day: "00:00-12:00" } } }
groups: { ${word}: { displayName: G } }
serviceGroups: { ${word}: { displayName: S } }
notifications: { ${word}: { contacts: [${word}], period: ${word} } }
${host(`roles: [${word}]\nnotify: [${word}]\nperiod: ${word}\ngroups: [${word}]\nvars: { ${word}: x }`)}`;
    const { inventory, problems: found } = parseInventory({ "a.yaml": text }, SITES);
    expect(found).toEqual([]);
    expect(inventory).toMatchObject({
      hosts: [{ period: word, notify: [word], groups: [word], checks: [{ name: "ssh", groups: [word] }] }],
      hostGroups: [{ name: word, displayName: "G" }],
      serviceGroups: [{ name: word, displayName: "S" }],
      contacts: [{ name: word, period: word }],
      contactGroups: [{ members: [word] }],
      notifications: [{ name: word, contacts: [word], period: word }],
    });
    expect(Object.entries(inventory.hosts[0]?.vars ?? {})).toEqual([[word, "x"]]);
    expect(Object.keys(inventory.periods)).toEqual([word]);
  });

  it.each([
    [
      "a check of one's own",
      "checks: { toString: { plugin: [a] } }\n",
      'a.yaml:1:11: "toString" has a meaning of its own',
    ],
    [
      "a parameter",
      "checks: { x: { plugin: [a, $toString$], parameters: { toString: what } } }\n",
      'a.yaml:1:65: "toString" has a meaning of its own here',
    ],
    [
      "a setting of a check of one's own",
      "checks: { x: { extends: ssh, settings: { toString: 1 } } }\n",
      'a.yaml:1:52: unknown setting "toString"',
    ],
    ["a key that would be lost", "groups: { __proto__: {} }\n", "a.yaml:1:11: the key __proto__ is not taken here"],
  ])("%s is refused, once", (_name, text, expected) => {
    expect(problems(text + host("checks: [tcp: { port: 1 }]"))).toEqual([expect.stringContaining(expected)]);
  });

  it("a check that is missing is not found on every object", () => {
    expect(problems(host("checks: [constructor: {}]"))).toEqual([expect.stringContaining('unknown key "constructor"')]);
  });
});

it("a mistyped parameter is both unknown and missing", () => {
  const text = "checks: { x: { plugin: [a, $b$], parameters: { b: what } } }\n" + host("checks: [x: { bb: 1 }]");
  expect(problems(text)).toEqual([
    expect.stringContaining('"b" is missing; it is what'),
    expect.stringContaining('unknown key "bb"; did you mean "b"?'),
  ]);
});

describe("problems across files", () => {
  const one = (name: string) => `hosts:\n  - { name: ${name}, address: 10.0.0.1, location: frankfurt }\n`;

  it("a host in two files", () => {
    expect(problems({ "a.yaml": one("x"), "b.yaml": one("x") })).toEqual([
      'b.yaml:2:13: a host "x" stands in a.yaml:2 already; rename or remove one of the two',
    ]);
  });

  it("a host whose name differs in case only", () => {
    expect(problems({ "a.yaml": one("Web"), "b.yaml": one("web") })).toEqual([
      'b.yaml:2:13: a host "web" stands in a.yaml:2 already as "Web"; rename or remove one of the two',
    ]);
  });

  it("defaults in two files", () => {
    expect(problems({ "a.yaml": "defaults: {}", "b.yaml": "defaults: {}" })).toEqual([
      'b.yaml:1:1: "defaults" stands in a.yaml already; keep one of the two',
    ]);
  });

  it("are found beside all others, in the order of files and lines", () => {
    const found = problems({
      "b.yaml": `${one("x")}  - { name: y, adress: 1, location: nowhere, checks: [ping, ping] }\n`,
      "a.yaml": "hosts: [",
      "c.yaml": one("x"),
    });
    expect(found.map((line) => line.replace(/;.*/, ""))).toEqual([
      "a.yaml:1:9: not valid YAML: unexpected end of the stream within a flow collection",
      'b.yaml:3:5: "address" is missing',
      'b.yaml:3:16: unknown key "adress"',
      'b.yaml:3:37: unknown location "nowhere"',
      'b.yaml:3:61: the host has a check named "ping" already',
      'c.yaml:2:13: a host "x" stands in b.yaml:2 already',
    ]);
  });
});

describe("a folder", () => {
  it("is read with all below it, and named in every problem", () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "inventory-"));
    fs.mkdirSync(path.join(folder, "deep"));
    fs.writeFileSync(path.join(folder, "deep", "a.yml"), "hots: []\n");
    fs.writeFileSync(path.join(folder, "b.yaml"), Buffer.from([0xff]));
    expect(readInventory(folder, SITES).problems.map(describeProblem)).toEqual([
      `${folder}/b.yaml:1:1: is not UTF-8 text; save the file as UTF-8`,
      `${folder}/deep/a.yml:1:1: unknown key "hots"; did you mean "hosts"?`,
    ]);
    fs.rmSync(folder, { recursive: true });
  });

  it("that is not there is a problem", () => {
    expect(readInventory("/nowhere/at/all", SITES).problems).toEqual([
      expect.objectContaining({ file: "/nowhere/at/all", message: expect.stringContaining("there is no such folder") }),
    ]);
  });
});

it("finds every problem of a large file in one pass", () => {
  const hosts = Array.from(
    { length: 3000 },
    (_, index) => `  - { name: h${index}, adress: 10.0.0.1, location: frankfurt }\n`,
  );
  const found = problems(`hosts:\n${hosts.join("")}`);
  expect(found).toHaveLength(6000);
  expect(found.at(-1)).toMatch(/^a\.yaml:3001:\d+: unknown key "adress"/);
  // Looking for each of them in the whole text would take minutes.
}, 30_000);

it("names the unknown parents of a large inventory without looking for each among all hosts", () => {
  const hosts = Array.from(
    { length: 10_000 },
    (_, index) => `  - { name: host-${index}, address: 10.0.0.1, location: frankfurt, parents: [host_${index}] }\n`,
  );
  const found = problems(`hosts:\n${hosts.join("")}`);
  expect(found).toHaveLength(10_000);
  expect(found[0]).toContain('unknown host "host_0"; did you mean "host-0"?');
  expect(found.at(-1)).toContain('unknown host "host_9999"; define it, or leave it out');
}, 30_000);
