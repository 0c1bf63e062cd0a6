import { locationSchema } from "../../../generator/location";
import { settingsSchema } from "../../../settings/schema";
import { stackSubnets } from "../../../settings/subnets";

const networks = settingsSchema.shape.networks.parse(undefined);

test("a stack's subnets are those of its networks, and of the range for direct uplinks what is in use", () => {
  const overlay = locationSchema.parse({ name: "frankfurt", nodes: ["fra-1"] });
  expect(stackSubnets(networks, [overlay])).toEqual({
    "networks.cluster": "10.118.0.0/22",
    "networks.database": "10.118.4.0/24",
    "networks.livestatus": "10.118.5.0/24",
    "networks.metrics": "10.118.6.0/24",
    "networks.web": "10.118.7.0/24",
  });
  const direct = locationSchema.parse({ name: "singapore", nodes: ["sin-1"], uplink: "direct" });
  const given = locationSchema.parse({ name: "sydney", nodes: ["syd-1"], uplink: "direct", subnet: "10.119.0.0/26" });
  expect(stackSubnets(networks, [overlay, direct, given])).toMatchObject({
    "locations[1].subnet": expect.stringMatching(/^10\.118\.(6[4-9]|[789]\d|1[01]\d|12[0-7])\.\d+\/26$/),
    "locations[2].subnet": "10.119.0.0/26",
  });
});
