import { placeOf } from "./inventory";
import type { InventoryFiles, Problem } from "./inventoryFiles";
import type { Host, Inventory } from "./model";

/** The first host whose NRPE client is asked with the stack's certificates; undefined if none is. */
export function hostWithCertificates({ hosts }: Inventory): Host | undefined {
  return hosts.find(({ alive, checks }) => {
    const all = alive === undefined || alive === "none" ? checks : [...checks, alive];
    return all.some(({ icinga }) => icinga.vars["nrpe_cert"] !== undefined);
  });
}

/**
 * What is wrong with an inventory for a stack that has no certificates for NRPE clients: such checks would fail on the
 * slaves, one by one, each for a file that is not there.
 *
 * @param files what the inventory was read from
 * @returns one problem, of the first such host, or none
 */
export function certificateProblems(inventory: Inventory, files: InventoryFiles): Problem[] {
  const host = hostWithCertificates(inventory);
  if (host === undefined) return [];
  const place = placeOf(files, { section: "hosts", name: host.name }) ?? { file: "", line: 1, column: 1 };
  const message =
    `the NRPE client of ${host.name} is asked with certificates (ssl: certificates), and the stack has none; set ` +
    "icinga-swarm:nrpeCaCertificate, icinga-swarm:nrpeClientCertificate and icinga-swarm:nrpeClientKey and run pulumi up";
  return [{ ...place, message }];
}
