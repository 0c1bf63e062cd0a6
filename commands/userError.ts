/** What the operator can mend: `commands/run.mjs` prints its message alone, without a stack trace. */
export class UserError extends Error {
  override readonly name = "UserError";
}

/**
 * Waits for a step of `toolchain/`, whose errors are messages for the operator.
 *
 * @throws UserError for such an error; any other (a TypeError, say) is a bug and stays what it is
 */
export async function explained<T>(step: Promise<T>): Promise<T> {
  try {
    return await step;
  } catch (error) {
    if (error instanceof Error && error.constructor === Error) throw new UserError(error.message, { cause: error });
    throw error;
  }
}
