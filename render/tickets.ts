import * as crypto from "node:crypto";
import { promisify } from "node:util";
import type * as pulumi from "@pulumi/pulumi";

const pbkdf2 = promisify(crypto.pbkdf2);

/** Icinga's own figures (lib/base/tlsutility.cpp, PBKDF2_SHA1): what `icinga2 pki ticket` computes. */
const ITERATIONS = 50_000;
const BYTES = 20;

/** The ticket that lets a slave get a certificate for one name: 40 hexadecimal digits. */
export async function enrolmentTicket(endpoint: string, salt: string): Promise<string> {
  return (await pbkdf2(endpoint, salt, ITERATIONS, BYTES, "sha1")).toString("hex");
}

/** The tickets of a pair, one line `<endpoint> <ticket>` each, as the slaves' image reads them. */
export function enrolmentTickets(endpoints: readonly string[], salt: pulumi.Output<string>): pulumi.Output<string> {
  return salt.apply(async (known) => {
    const lines = endpoints.map(async (endpoint) => `${endpoint} ${await enrolmentTicket(endpoint, known)}\n`);
    return (await Promise.all(lines)).join("");
  });
}
