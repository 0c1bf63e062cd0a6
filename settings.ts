import * as fs from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import type { GatewayArgs } from "./components/gateway";
import type { NrpeCertificates } from "./components/icingaLocation";
import type { Heartbeat, PublishedMaster } from "./components/icingaMaster";
import { type Inventory, packShipment, readInventory } from "./generator/inventory";
import { hostWithCertificates } from "./generator/nrpeCertificates";
import { isSshUrl } from "./generator/serviceSettings";
import { centralNodeOf, crossChecks } from "./settings/crossChecks";
import { describeIssue } from "./settings/issues";
import {
  type CredentialKey,
  CREDENTIALS,
  GATEWAY_KEYS,
  NRPE_KEYS,
  type PlainSettings,
  PROJECT,
  settingsSchema,
} from "./settings/schema";
import { SSH_KEEP_ALIVE, sshFlags } from "./settings/ssh";
import { isDirect } from "./settings/uplinks";

/** Everything a stack is told, validated and with its defaults. Sizes in `memory` are megabytes. */
export interface Settings extends Omit<PlainSettings, "central" | "inventory" | "heartbeat" | "master"> {
  /** Where Docker answers: a socket or `ssh://user@host`. @default the local socket */
  readonly dockerHost: string;
  /** What the Docker provider's ssh is told; nothing where Docker answers at a socket. */
  readonly sshOpts?: string[];
  /** The node of the centre, by host name, or `self`. */
  readonly centralNode: string;
  /** Inventory and locations as the generator takes them: base64 chunks that each fit a Docker config. */
  readonly shipment: readonly string[];
  /** What the Docker provider logs in to the registry with; none without a registry. */
  readonly registryAuth?: { address: string; username: string; password: pulumi.Output<string> }[];
  /** What the master calls while monitoring works. @default nothing */
  readonly heartbeat?: Heartbeat;
  /** Where slaves with a direct uplink reach the master. @default nowhere: no location has one */
  readonly publishedMaster?: PublishedMaster;
  /** What slaves show NRPE clients that ask for a certificate. @default nothing */
  readonly nrpeCertificates?: NrpeCertificates;
  /** What the gateway's sessions, its certificate and the company's identity provider, if it has one, take. */
  readonly gatewayCredentials: GatewayArgs["credentials"];
  /** The stack's credentials; those that this stack has no use for are empty. */
  readonly credentials: Readonly<Record<CredentialKey, pulumi.Output<string>>>;
}

/**
 * Reads and checks the settings of the selected stack and the inventory it names.
 * Relative paths start from the current folder, which Pulumi makes the project's.
 *
 * @throws pulumi.RunError listing every problem: of settings by key path, of the inventory by file, line and column
 */
export function readSettings(): Settings {
  const problems: string[] = [];
  const plain = readPlainSettings(problems);
  const credentials = readCredentials(plain, problems);
  const shipment = readShipment(plain, problems);
  const dockerHost = new pulumi.Config("docker").get("host") ?? "unix:///var/run/docker.sock";
  const overSsh = dockerHost.startsWith("ssh://");
  if (overSsh && plain.gateway && plain.gateway.hostname === undefined) {
    problems.push(
      `${PROJECT}:gateway.hostname: missing; the stack is on another machine (docker:host), so say the name that people type`,
    );
  }
  if (problems.length > 0) {
    throw new pulumi.RunError(describe(problems));
  }
  const { central, inventory: _inventory, heartbeat, master, ...rest } = plain as PlainSettings;
  return {
    ...rest,
    dockerHost,
    sshOpts: overSsh ? sshFlags(SSH_KEEP_ALIVE) : undefined,
    centralNode: centralNodeOf({ ...rest, central }),
    shipment,
    registryAuth: rest.registry && [
      {
        address: `https://${rest.registry.address}`,
        username: rest.registry.username,
        password: credentials.registryPassword,
      },
    ],
    publishedMaster:
      master && rest.locations.some(isDirect)
        ? { address: master.publishedAddress, port: master.publishedPort }
        : undefined,
    heartbeat: heartbeat && { ...heartbeat, url: pulumi.secret(heartbeat.url) },
    nrpeCertificates: usesAnyOf(NRPE_KEYS)
      ? {
          caCertificate: credentials.nrpeCaCertificate,
          clientCertificate: credentials.nrpeClientCertificate,
          clientKey: credentials.nrpeClientKey,
        }
      : undefined,
    gatewayCredentials: {
      sessionKey: credentials.gatewaySessionKey,
      ...(usesAnyOf(GATEWAY_KEYS) ? { certificate: credentials.gatewayCertificate, key: credentials.gatewayKey } : {}),
      ...(usesAnyOf(["gatewayOpenIdConnect"]) ? { openIdConnect: credentials.gatewayOpenIdConnect } : {}),
    },
    credentials,
  };
}

/** Whether the stack has any of credentials that only work together; then it needs all. */
function usesAnyOf(keys: readonly CredentialKey[]): boolean {
  const present = ownConfig();
  return keys.some((key) => present.has(key));
}

function describe(problems: readonly string[]): string {
  const count = problems.length === 1 ? "a problem" : `${problems.length} problems`;
  return [`The stack "${pulumi.getStack()}" has ${count}; nothing was planned:`, ...problems].join("\n  ");
}

function readPlainSettings(problems: string[]): Partial<PlainSettings> {
  const raw: Record<string, unknown> = {};
  for (const [key, text] of ownConfig()) {
    if (!isCredential(key)) {
      raw[key] = parseStructured(text);
    }
  }
  const result = settingsSchema.safeParse(raw);
  problems.push(...(result.error?.issues ?? []).flatMap((issue) => describeIssue(issue)));
  const valid = result.success ? result.data : validPart(raw);
  // What is there but wrong has its problem already.
  const isThere = (line: string) => Object.keys(raw).some((key) => line.startsWith(`${PROJECT}:${key}`));
  problems.push(...crossChecks(valid).filter((line) => !(line.includes(": missing; ") && isThere(line))));
  return valid;
}

/** What the stack's config has of this project: keys without their prefix, and values as Pulumi hands them on. */
function ownConfig(): Map<string, string> {
  const prefix = `${PROJECT}:`;
  const own = Object.entries(pulumi.runtime.allConfig()).filter(
    ([key, value]) => key.startsWith(prefix) && value !== "",
  );
  return new Map(own.map(([key, value]) => [key.slice(prefix.length), value]));
}

function isCredential(key: string): key is CredentialKey {
  return CREDENTIALS.some((credential) => credential.key === key);
}

/** Pulumi hands structured values on as JSON and plain ones as text. */
function parseStructured(text: string): unknown {
  try {
    return /^\s*[[{]/.test(text) ? (JSON.parse(text) as unknown) : text;
  } catch {
    return text;
  }
}

/** The settings without those that have a problem, so that the rest can be checked in the same run. */
function validPart(raw: Readonly<Record<string, unknown>>): Partial<PlainSettings> {
  const shape: Record<string, z.ZodType> = settingsSchema.shape;
  const entries = Object.entries(shape).flatMap(([key, schema]) => {
    const { success, data } = schema.safeParse(raw[key]);
    return success ? [[key, data]] : [];
  });
  return Object.fromEntries(entries) as Partial<PlainSettings>;
}

/** Whether a stack needs a credential, and what makes it. */
function needOf(key: CredentialKey, plain: Partial<PlainSettings>): { isNeeded: boolean; remedy: string } {
  const remedy = `make them with: npm run secrets -- ${pulumi.getStack()}`;
  if (key === "registryPassword") return { isNeeded: plain.registry !== undefined, remedy };
  const together = [NRPE_KEYS, GATEWAY_KEYS].find((keys) => keys.includes(key));
  if (together !== undefined) {
    const pem = `${together.join(", ")} only work together; set it with: pulumi config set --secret ${key} < its PEM file`;
    return { isNeeded: usesAnyOf(together), remedy: pem };
  }
  if (key === "gatewayOpenIdConnect") return { isNeeded: usesAnyOf([key]), remedy };
  if (key === "mailRelayPassword") {
    const ask = `set it with: pulumi config set --secret ${key}`;
    return { isNeeded: plain.mailRelay?.username !== undefined, remedy: ask };
  }
  if (key !== "generatorDeployKey") return { isNeeded: true, remedy };
  const { git } = plain.generator ?? {};
  return {
    isNeeded: git !== undefined && isSshUrl(git.url),
    remedy: `set it with: pulumi config set --secret ${key} < the file of the private key`,
  };
}

function readCredentials(plain: Partial<PlainSettings>, problems: string[]): Settings["credentials"] {
  const config = new pulumi.Config(PROJECT);
  const needed = CREDENTIALS.filter(({ key }) => needOf(key, plain).isNeeded);
  const present = ownConfig();
  const missing = needed.filter(({ key }) => !present.get(key)).map(({ key }) => key);
  for (const remedy of new Set(missing.map((key) => needOf(key, plain).remedy))) {
    const keys = missing.filter((key) => needOf(key, plain).remedy === remedy);
    problems.push(`${keys.map((key) => `${PROJECT}:${key}`).join(", ")}: missing; ${remedy}`);
  }
  for (const { key } of needed.filter((credential) => !missing.includes(credential.key))) {
    if (!isEncrypted(`${PROJECT}:${key}`)) {
      problems.push(
        `${PROJECT}:${key}: stands there in plain text; encrypt it with: pulumi config set --secret ${key}`,
      );
    }
  }
  const entries = CREDENTIALS.map(({ key }) => [key, config.getSecret(key) ?? pulumi.secret("")]);
  return Object.fromEntries(entries) as Settings["credentials"];
}

/** Whether a key is encrypted in the stack's file. Pulumi exports this function but leaves it out of its types. */
function isEncrypted(fullKey: string): boolean {
  return (pulumi.runtime as unknown as { isConfigSecret(key: string): boolean }).isConfigSecret(fullKey);
}

function readShipment({ inventory, locations, generator }: Partial<PlainSettings>, problems: string[]): string[] {
  if (locations === undefined) {
    return [];
  }
  if (inventory === undefined) {
    return generator?.git === undefined ? [] : packShipment(undefined, locations);
  }
  if (!fs.statSync(inventory, { throwIfNoEntry: false })?.isDirectory()) {
    problems.push(`${PROJECT}:inventory: there is no folder ${inventory}; it holds the hosts to monitor, as YAML`);
    return [];
  }
  const { inventory: read, problems: found } = readInventory(inventory, locations);
  problems.push(...found.map(({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`));
  problems.push(...missingCertificates(read));
  return found.length > 0 ? [] : packShipment(inventory, locations);
}

/** Checks with `ssl: certificates` show what only the stack can give them. */
function missingCertificates(inventory: Inventory): string[] {
  if (usesAnyOf(NRPE_KEYS)) return [];
  const host = hostWithCertificates(inventory);
  const keys = NRPE_KEYS.map((key) => `${PROJECT}:${key}`).join(", ");
  return host === undefined
    ? []
    : [`${keys}: missing; the inventory asks the NRPE client of ${host.name} with certificates; set all three`];
}
