import { settingsSchema } from "../../settings/schema";
import { stackSubnets } from "../../settings/subnets";
import type { Demands } from "./facts";
import { readStackConfig, readStackFile, validSetting } from "../stack/stackFile";

/**
 * What a stack's file demands of its swarm, and where that is.
 *
 * @throws UserError when there is no such file, or the settings that it takes are not valid
 */
export function demandsOfStack(stack: string): { readonly dockerHost: string; readonly demands: Demands } {
  const { dockerHost, locations, centralNode } = readStackFile(stack);
  const networks = validSetting(stack, readStackConfig(stack), "networks", settingsSchema.shape.networks);
  return {
    dockerHost,
    demands: {
      central: centralNode,
      locations,
      subnets: stackSubnets(networks, locations),
    },
  };
}
