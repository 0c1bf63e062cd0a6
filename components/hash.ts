import * as crypto from "node:crypto";

/** Sixteen hexadecimal digits that tell texts apart, for names and for inputs that change with what they stand for. */
export function hashOf(text: string): string {
  return crypto.createHash("sha256").update(text).digest("hex").slice(0, 16);
}
