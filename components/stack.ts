import type * as pulumi from "@pulumi/pulumi";
import type { ServiceLimits } from "./swarmService";

/** What every service of a stack is given. */
export interface StackContext {
  /** Where Docker answers: a socket or `ssh://user@host`. */
  readonly dockerHost: pulumi.Input<string>;
  readonly retention: { readonly logMegabytes: number; readonly logFiles: number };
  readonly readiness: { readonly timeoutSeconds: number };
}

/** The limits of one service: those of the stack and its own memory, in megabytes. */
export function limitsOf(stack: StackContext, memoryMegabytes: number): ServiceLimits {
  return {
    memoryMegabytes,
    logMegabytes: stack.retention.logMegabytes,
    logFiles: stack.retention.logFiles,
    readySeconds: stack.readiness.timeoutSeconds,
  };
}
