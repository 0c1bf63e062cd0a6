/** What stands in place of a secret; Pulumi writes the same for what it knows to be one. */
const SECRET = "[secret]";

/** Shorter ones are replaced only where they stand alone: they would tear ordinary words apart. */
const SHORTEST_ANYWHERE = 5;

/** Names of environment variables that hold secrets: those of Pulumi, of clouds, of Bitbucket and of this project. */
const SECRET_NAMES = /PASS|SECRET|TOKEN|KEY|CREDENTIAL/i;

/** Names like those, of files, of programs that ask, and of the project in Bitbucket, whose key is a word such as ICINGA. */
const HARMLESS_NAMES = /_FILE$|_ASKPASS$|^BITBUCKET_PROJECT_KEY$/;

/** Takes secrets out of text. */
export type Redact = (text: string) => string;

/**
 * Makes what takes secrets out of text, in whatever form they get into one: as they are, line by line, and as JSON,
 * base64 and URLs write them.
 *
 * @param secrets their values; empty ones count as none
 */
export function redactor(secrets: readonly string[]): Redact {
  const forms = new Set(secrets.flatMap(formsOf).filter((form) => form !== ""));
  // The longest first: one may be a part of another.
  const patterns = [...forms].sort((a, b) => b.length - a.length).map(patternOf);
  if (patterns.length === 0) return (text) => text;
  const all = new RegExp(patterns.join("|"), "gu");
  return (text) => text.replace(all, SECRET);
}

/** Values of the environment variables whose names say that they are secret. */
export function secretsOfEnvironment(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(env).flatMap(([name, value = ""]) =>
    // A word such as "true" is no secret.
    SECRET_NAMES.test(name) && !HARMLESS_NAMES.test(name) && value.length > SHORTEST_ANYWHERE ? [value] : [],
  );
}

/** All texts in a value of a stack's config, which may be structured. */
export function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value, ...textsInJson(value)];
  if (typeof value === "object" && value !== null) return Object.values(value).flatMap(textsIn);
  return typeof value === "number" ? [String(value)] : [];
}

/** Pulumi hands structured values on as JSON. */
function textsInJson(text: string): string[] {
  if (!/^\s*[[{]/.test(text)) return [];
  try {
    return textsIn(JSON.parse(text) as unknown);
  } catch {
    return [];
  }
}

function formsOf(secret: string): string[] {
  const whole = secret.trim();
  // Of a certificate's key, each line is as secret as all of it; its first and last are the same in every key.
  const lines = whole.split(/\r?\n/).filter((line) => line.length >= SHORTEST_ANYWHERE && !line.startsWith("-----"));
  const texts = [secret, whole, ...(lines.length > 1 ? lines : [])];
  const encoded = [secret, whole].flatMap((text) => {
    const bytes = Buffer.from(text, "utf8");
    return [bytes.toString("base64"), bytes.toString("base64url"), encodeURIComponent(text)];
  });
  return [...texts, ...texts.map((text) => JSON.stringify(text).slice(1, -1)), ...encoded];
}

function patternOf(form: string): string {
  const literal = form.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
  return form.length >= SHORTEST_ANYWHERE ? literal : `(?<![\\p{L}\\p{N}])${literal}(?![\\p{L}\\p{N}])`;
}
