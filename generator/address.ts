import { isIP } from "node:net";

/**
 * What is wrong with a host's address; undefined if it is an IPv4 or IPv6 address or a DNS name.
 *
 * @param address as written in the inventory
 */
export function addressProblem(address: string): string | undefined {
  if (isIP(address) !== 0 && !address.includes("%")) return undefined;
  if (/^[\d.]+$/.test(address)) return "is no IPv4 address; it needs four numbers from 0 to 255, such as 10.1.2.3";
  if (address.includes("/")) return "has a / in it; write one address without a network mask or URL, such as 10.1.2.3";
  if (address.includes(":")) {
    return "is no IPv6 address; write one without brackets, port and zone, such as 2001:db8::1";
  }
  const isName =
    address.length <= 253 &&
    address.split(".").every((label) => /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?$/.test(label));
  return isName
    ? undefined
    : "is neither an IP address nor a DNS name; write one such as 10.1.2.3 or web-1.example.com";
}

/** Whether an address that is right is an IPv6 one. */
export function isIPv6(address: string): boolean {
  return isIP(address) === 6;
}
