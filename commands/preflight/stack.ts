import { nodesOf } from "../../settings/crossChecks";
import { settingsSchema } from "../../settings/schema";
import { stackSubnets } from "../../settings/subnets";
import type { Demands } from "./facts";
import { PROJECT } from "../repository";
import { readStackConfig, readStackFile } from "../stack/stackFile";
import { UserError } from "../userError";

const demandsSchema = settingsSchema.pick({ central: true, networks: true });

/**
 * What a stack's file demands of its swarm, and where that is.
 *
 * @throws UserError when there is no such file, or the settings that it takes are not valid
 */
export function demandsOfStack(stack: string): { readonly dockerHost: string; readonly demands: Demands } {
  const { dockerHost, locations } = readStackFile(stack);
  const config = readStackConfig(stack);
  const given = { central: config[`${PROJECT}:central`], networks: config[`${PROJECT}:networks`] };
  const { success, data } = demandsSchema.safeParse(given);
  if (!success) {
    throw new UserError(
      `Pulumi.${stack}.yaml: ${PROJECT}:central or ${PROJECT}:networks is not valid; pulumi preview says what is wrong`,
    );
  }
  const { central, networks } = data;
  return {
    dockerHost,
    demands: {
      central: central?.node ?? nodesOf(locations)[0] ?? "self",
      locations,
      subnets: stackSubnets(networks, locations),
    },
  };
}
