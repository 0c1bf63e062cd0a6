import { nodesOf } from "../../settings/crossChecks";
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
  const { dockerHost, locations } = readStackFile(stack);
  const config = readStackConfig(stack);
  const central = validSetting(stack, config, "central", settingsSchema.shape.central);
  const networks = validSetting(stack, config, "networks", settingsSchema.shape.networks);
  return {
    dockerHost,
    demands: {
      central: central?.node ?? nodesOf(locations)[0] ?? "self",
      locations,
      subnets: stackSubnets(networks, locations),
    },
  };
}
