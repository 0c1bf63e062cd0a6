import type { Location } from "../generator/location";
import { directSubnet } from "../render/directSubnets";
import type { PlainSettings } from "./schema";

/**
 * The subnets of the networks that a stack makes, by the path of the setting that decides each. Of the range for direct
 * uplinks only the parts that are in use are its own.
 */
export function stackSubnets(
  { direct, ...networks }: PlainSettings["networks"],
  locations: readonly Pick<Location, "name" | "uplink" | "subnet">[],
): Record<string, string> {
  const shared = Object.entries(networks).map(([name, subnet]) => [`networks.${name}`, subnet]);
  const own = locations.flatMap((location, index) =>
    location.uplink === "direct" ? [[`locations[${index}].subnet`, directSubnet(location, direct)]] : [],
  );
  return Object.fromEntries([...shared, ...own]) as Record<string, string>;
}
