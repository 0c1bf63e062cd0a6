/** What the operator can mend: `commands/run.mjs` prints its message alone, without a stack trace. */
export class UserError extends Error {
  override readonly name = "UserError";
}
