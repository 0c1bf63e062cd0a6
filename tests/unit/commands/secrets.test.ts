import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { makeCertificateAuthority } from "../../../commands/stack/certificateAuthority";
import type { PulumiCli } from "../../../commands/stack/pulumiCli";
import { createMissingSecrets, missingCredentials } from "../../../commands/secrets";
import { CREDENTIALS } from "../../../settings/schema";

// Keys of 4096 bits take their time.
jest.setTimeout(60_000);

const PASSWORDS = CREDENTIALS.filter(({ kind }) => kind === "password").map(({ key }) => key);

describe("what is missing", () => {
  it("is everything but the registry's password of a new stack without a registry", () => {
    expect(missingCredentials(CREDENTIALS, new Set())).toEqual({
      passwords: PASSWORDS,
      certificateAuthority: true,
      given: [],
    });
    expect(missingCredentials(CREDENTIALS, new Set(["registry"])).given).toEqual(["registryPassword"]);
  });

  it("is nothing of a complete stack", () => {
    const all = new Set(["registry", ...CREDENTIALS.map(({ key }) => key)]);
    expect(missingCredentials(CREDENTIALS, all)).toEqual({ passwords: [], certificateAuthority: false, given: [] });
  });

  it("is not one half of the authority: the halves only work as a pair", () => {
    expect(() => missingCredentials(CREDENTIALS, new Set(["icingaCaKey"]))).toThrow(
      /icingaCaKey is set but icinga-swarm:icingaCaCertificate is not/,
    );
    expect(() => missingCredentials(CREDENTIALS, new Set(["icingaCaCertificate"]))).toThrow(
      /icingaCaCertificate is set but icinga-swarm:icingaCaKey is not/,
    );
  });
});

describe("npm run secrets", () => {
  /** Stands for Pulumi: keeps what is set, and how it was given. */
  function fakePulumi(config: Record<string, { secret: boolean; value?: string }>): {
    pulumi: PulumiCli;
    calls: { args: readonly string[]; stdin: string }[];
  } {
    const calls: { args: readonly string[]; stdin: string }[] = [];
    const output = (args: readonly string[], stdin = ""): Promise<string> => {
      if (args[1] === "--json") return Promise.resolve(JSON.stringify(config));
      calls.push({ args, stdin });
      return Promise.resolve("");
    };
    return { pulumi: { stack: "prod", output } as unknown as PulumiCli, calls };
  }

  it("gives values through standard input, never as arguments, and says none of them", async () => {
    const { pulumi, calls } = fakePulumi({
      "icinga-swarm:registry": { secret: false, value: "{}" },
      // What Pulumi.yaml declares is there with an empty value.
      "icinga-swarm:mysqlRootPassword": { secret: false, value: "" },
      "icinga-swarm:mysqlIcingaPassword": { secret: true },
    });
    const said: string[] = [];
    const created = await createMissingSecrets(
      pulumi,
      (line) => said.push(line),
      () => Promise.resolve("what the operator knows"),
    );
    const missing = CREDENTIALS.filter(({ key, kind }) => key === "registryPassword" || kind !== "given")
      .filter(({ key }) => key !== "mysqlIcingaPassword")
      .map(({ key }) => `icinga-swarm:${key}`);
    expect(created).toBe(missing.length);
    expect(calls.map(({ args }) => args[3]).sort()).toEqual(missing.sort());
    for (const { args, stdin } of calls) {
      expect(args.slice(0, 3)).toEqual(["config", "set", "--secret"]);
      expect(stdin.length).toBeGreaterThan(16);
      expect([...args, ...said].filter((text) => text.includes(stdin))).toEqual([]);
    }
    const passwords = calls.filter(({ stdin }) => stdin.length === 32).map(({ stdin }) => stdin);
    expect(new Set(passwords).size).toBe(PASSWORDS.length - 1);
  });

  it("names a credential that stands in plain text, and leaves it", async () => {
    const complete = Object.fromEntries(CREDENTIALS.map(({ key }) => [`icinga-swarm:${key}`, { secret: true }]));
    const { pulumi, calls } = fakePulumi({
      ...complete,
      "icinga-swarm:icingaTicketSalt": { secret: false, value: "plain" },
    });
    const said: string[] = [];
    expect(await createMissingSecrets(pulumi, (line) => said.push(line))).toBe(0);
    expect(calls).toEqual([]);
    expect(said[0]).toMatch(/icingaTicketSalt stands in Pulumi.prod.yaml in plain text/);
  });
});

it("makes an authority that may sign certificates, for long", async () => {
  const { certificate, key } = await makeCertificateAuthority(new Date("2026-01-01T00:00:00Z"));
  const parsed = new X509Certificate(certificate);
  expect(parsed.subject).toBe("CN=Icinga CA");
  expect(parsed.issuer).toBe("CN=Icinga CA");
  expect(parsed.ca).toBe(true);
  expect(parsed.verify(createPublicKey(createPrivateKey(key)))).toBe(true);
  expect(createPublicKey(createPrivateKey(key)).asymmetricKeyDetails?.modulusLength).toBe(4096);
  expect(new Date(parsed.validTo).getUTCFullYear()).toBe(2046);
  expect(certificate + key).not.toContain("\r");
});
