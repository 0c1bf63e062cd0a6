import type { Location } from "../generator/location";
import { type Cidr, overlaps, parseCidr } from "../render/cidr";
import { DIRECT_PREFIX, directSlots, directSubnet, freeDirectSubnet } from "../render/directSubnets";
import { type PlainSettings, PROJECT } from "./schema";

export function isDirect({ uplink }: Pick<Location, "uplink">): boolean {
  return uplink === "direct";
}

type Given = Partial<Pick<PlainSettings, "master" | "gateway" | "networks">>;

/** Problems of locations whose slaves reach the master without the stack's overlay network. */
export function uplinkProblems({ locations, ...given }: Given & { readonly locations: readonly Location[] }): string[] {
  const malformed = locations.flatMap((location, index) => wrongSubnet(location, index));
  if (!locations.some(isDirect)) return malformed;
  return [
    ...unpublished(locations, given.master),
    ...portInUse(given),
    ...malformed,
    ...(given.networks && malformed.length === 0 ? sharedSubnets(locations, given.networks) : []),
  ];
}

function unpublished(locations: readonly Location[], master: PlainSettings["master"] | undefined): string[] {
  if (master !== undefined) return [];
  const places = locations.flatMap((one, index) => (isDirect(one) ? [`locations[${index}] (${one.name})`] : []));
  const have = places.length === 1 ? "has" : "have";
  return [
    `${PROJECT}:master.publishedAddress: missing; ${places.join(", ")} ${have} uplink: direct, so say where slaves reach ` +
      "the master from there: { publishedAddress: icinga.example.com, publishedPort: 5665 }",
  ];
}

/** Both are ports of the central node. */
function portInUse({ master, gateway }: Given): string[] {
  const key = (["httpsPort", "httpPort"] as const).find((name) => gateway?.[name] === master?.publishedPort);
  if (key === undefined || master === undefined) return [];
  return [
    `${PROJECT}:master.publishedPort: ${master.publishedPort} is also gateway.${key}; give each a port of its own`,
  ];
}

function wrongSubnet({ subnet }: Location, index: number): string[] {
  if (subnet === undefined || directSlots(subnet) > 0) return [];
  return [
    `${PROJECT}:locations[${index}].subnet: must be a subnet of /${DIRECT_PREFIX} or larger, such as 10.118.64.0/26`,
  ];
}

/** Docker refuses networks that overlap. */
function sharedSubnets(locations: readonly Location[], networks: PlainSettings["networks"]): string[] {
  const { direct, ...others } = networks;
  const taken: { place: string; text: string; range: Cidr }[] = Object.entries(others).map(([name, text]) => ({
    place: `networks.${name}`,
    text,
    range: parseCidr(text) as Cidr,
  }));
  return locations.flatMap((location, index) => {
    if (!isDirect(location)) return [];
    const text = directSubnet(location, direct);
    const range = parseCidr(text) as Cidr;
    const clash = taken.find((other) => overlaps(range, other.range));
    taken.push({ place: `locations[${index}] (${location.name})`, text, range });
    if (clash === undefined) return [];
    const free = freeDirectSubnet(direct, [...taken.map((other) => other.range), ...given(locations)]);
    return [
      `${PROJECT}:locations[${index}].subnet: the network of ${location.name}'s slaves would be ${text}, which overlaps ` +
        `${clash.text} of ${clash.place}; give it another one` +
        (free === undefined ? ", and networks.direct more room" : `: subnet: ${free}`),
    ];
  });
}

function given(locations: readonly Location[]): Cidr[] {
  return locations.flatMap(({ subnet }) => (subnet === undefined ? [] : [parseCidr(subnet) as Cidr]));
}
