/** An IPv4 subnet as its first address and the address after its last, both as numbers. */
export interface Cidr {
  readonly first: number;
  readonly end: number;
}

/**
 * Parses an IPv4 subnet such as `10.118.0.0/22`.
 *
 * @returns undefined unless it is one, with a prefix of 8 to 28 bits and no bits set behind the prefix
 */
export function parseCidr(text: string): Cidr | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
  if (!match) {
    return undefined;
  }
  const [a = 0, b = 0, c = 0, d = 0, bits = 0] = match.slice(1).map(Number);
  if ([a, b, c, d].some((octet) => octet > 255) || bits < 8 || bits > 28) {
    return undefined;
  }
  const first = ((a * 256 + b) * 256 + c) * 256 + d;
  const size = 2 ** (32 - bits);
  return first % size === 0 ? { first, end: first + size } : undefined;
}

/**
 * The range of any IPv4 subnet, or of one address, as others write them: of any size, and with bits behind the prefix.
 *
 * @returns undefined for anything else, such as an IPv6 subnet
 */
export function rangeOf(text: string): Cidr | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\/(\d{1,2}))?$/.exec(text);
  if (!match) return undefined;
  const octets = match.slice(1, 5).map(Number);
  const bits = match[5] === undefined ? 32 : Number(match[5]);
  if (octets.some((octet) => octet > 255) || bits > 32) return undefined;
  const address = octets.reduce((number, octet) => number * 256 + octet, 0);
  const size = 2 ** (32 - bits);
  const first = address - (address % size);
  return { first, end: first + size };
}

/** Whether two subnets share an address. */
export function overlaps(one: Cidr, other: Cidr): boolean {
  return one.first < other.end && other.first < one.end;
}

/** The first usable address of a subnet, which Docker takes as its gateway. */
export function gatewayOf(subnet: string): string {
  const { first } = parseCidr(subnet) ?? { first: 0 };
  return formatAddress(first + 1);
}

/** A subnet as text, of its first address as a number and the bits of its prefix. */
export function formatCidr(first: number, bits: number): string {
  return `${formatAddress(first)}/${bits}`;
}

function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}
