import type { User } from "../settings/schema";

/**
 * Who may log in, as the gateway reads it: a line each with name, role and bcrypt hash, tabs between them, sorted, so
 * that the order in the settings is no change.
 */
export function gatewayUsers(users: readonly User[]): string {
  const lines = users.map(({ name, role, passwordHash }) => `${name}\t${role}\t${passwordHash}\n`);
  // Docker takes no empty secret.
  return lines.length === 0 ? "\n" : lines.sort().join("");
}
