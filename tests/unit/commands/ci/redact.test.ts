import * as fc from "fast-check";
import { redactor, secretsOfEnvironment, textsIn } from "../../../../commands/ci/redact";

const KEY = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n";

it("takes a secret out in every form it may have", () => {
  const redact = redactor(['pass"word\\1', "käse/40%"]);
  const forms = ['pass"word\\1', JSON.stringify('pass"word\\1'), "käse/40%", encodeURIComponent("käse/40%")];
  const encoded = ['pass"word\\1', "käse/40%"].flatMap((text) =>
    (["base64", "base64url"] as const).map((form) => Buffer.from(text).toString(form)),
  );
  for (const form of [...forms, ...encoded]) {
    expect(redact(`a ${form} b`)).toMatch(/^a "?\[secret\]"? b$/);
  }
});

it("takes out each line of a key, and leaves what all keys have", () => {
  const redact = redactor([KEY]);
  expect(redact("  MIIEvQIBADANBgkq")).toBe("  [secret]");
  expect(redact(JSON.stringify({ key: KEY }))).toBe('{"key":"[secret]"}');
  expect(redact("-----BEGIN PRIVATE KEY-----")).toBe("-----BEGIN PRIVATE KEY-----");
});

it("takes the longest first, and short ones only where they stand alone", () => {
  expect(redactor(["abcde", "abcdefgh"])("abcdefgh abcdexyz")).toBe("[secret] [secret]xyz");
  expect(redactor(["up"])("the update is up, supper")).toBe("the update is [secret], supper");
  expect(redactor(["", " "])("a b")).toBe("a b");
});

it("leaves nothing of any password behind", () => {
  const password = fc.string({ minLength: 5, maxLength: 40, unit: "grapheme" }).filter((text) => text.trim() === text);
  fc.assert(
    fc.property(password, fc.string(), fc.string(), (secret, before, after) => {
      // Parts of the mark itself cannot be told from what was there.
      fc.pre(!"[secret]".includes(secret));
      expect(
        redactor([secret])(before + secret + after)
          .split("[secret]")
          .join("\0"),
      ).not.toContain(secret);
    }),
  );
});

it("knows secrets of the environment by their names", () => {
  const env = {
    PULUMI_CONFIG_PASSPHRASE: "opensesame",
    PULUMI_CONFIG_PASSPHRASE_FILE: "/a/file",
    CI: "true",
    X_TOKEN: "abc",
  };
  expect(
    secretsOfEnvironment({ ...env, PATH: "/usr/bin", BITBUCKET_ACCESS_TOKEN: "ATCTT3x", EMPTY_KEY: undefined }),
  ).toEqual(["opensesame", "ATCTT3x"]);
});

it("takes no name, path or program for a secret because of what its variable is called", () => {
  const named = {
    BITBUCKET_PROJECT_KEY: "GATEWAY",
    BITBUCKET_SSH_KEY_FILE: "/opt/atlassian/pipelines/agent/ssh/id_rsa",
    GIT_ASKPASS: "/usr/bin/askpass",
    SSH_ASKPASS: "/usr/bin/ssh-askpass",
  };
  const secret = {
    BITBUCKET_STEP_OIDC_TOKEN: "eyJhbGciOi",
    PIPELINES_JWT_TOKEN: "eyJ0eXAiOi",
    DEPLOY_SSH_KEY: "LS0tLS1C",
  };
  expect(secretsOfEnvironment({ ...named, ...secret })).toEqual(Object.values(secret));
});

it("finds the texts of structured values", () => {
  expect(textsIn({ value: '{"url":"https://x","more":["y"]}', secret: true })).toEqual([
    '{"url":"https://x","more":["y"]}',
    "https://x",
    "y",
  ]);
});
