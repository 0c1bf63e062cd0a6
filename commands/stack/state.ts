import type { WantedLabel } from "../../settings/nodeLabels";
import type { PulumiCli } from "./pulumiCli";

/** What Pulumi keeps of a stack, as far as commands look at it. */
export interface State {
  readonly resources?: readonly { readonly inputs?: { readonly environment?: unknown } }[] | null;
  /** Operations that were under way when a Pulumi was killed or cancelled. */
  readonly pending_operations?:
    readonly { readonly type: string; readonly resource: { readonly urn: string } }[] | null;
}

/** Reads it from whatever backend it is in; takes no lock and no passphrase. */
export async function exportState(pulumi: PulumiCli): Promise<State> {
  const { deployment } = JSON.parse(await pulumi.output(["stack", "export"])) as { deployment?: State | null };
  return deployment ?? {};
}

/**
 * The node labels that Pulumi takes for given: they are made by commands, so that no refresh misses one that is gone. One that
 * the stack's file alone asks for is none of them: set without Pulumi, it would stay when the file is taken back.
 */
export function labelsOf({ resources }: State): WantedLabel[] {
  return (resources ?? []).flatMap(({ inputs }) => {
    const { LABEL_NODE: node, LABEL_NAME: label } = (inputs?.environment ?? {}) as Record<string, unknown>;
    return typeof node === "string" && typeof label === "string" ? [{ node, label }] : [];
  });
}
