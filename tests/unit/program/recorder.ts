import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";

/** What the program asked the engine for: one resource. */
export interface Recorded {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  readonly custom: boolean;
  /** Name of the parent; undefined at the top. */
  readonly parent: string | undefined;
  /** Reference of the explicit provider; empty for a default one. */
  readonly provider: string;
  /** Inputs with secrets unwrapped. */
  readonly inputs: Record<string, unknown>;
  /** Inputs as text with every secret replaced by `[secret]`: what would be readable in the state. */
  readonly readable: string;
  /** Names of all resources that it waits for. */
  readonly dependencies: readonly string[];
  /** Inputs whose changes are none. */
  readonly ignoreChanges: readonly string[];
}

/** The parts of the engine's request that the mocks do not hand on. */
interface Request {
  getType(): string;
  getName(): string;
  getParent(): string;
  getProvider(): string;
  getDependenciesList(): string[];
  getIgnorechangesList(): string[];
}

interface Monitor {
  registerResource(request: Request, callback: (error: unknown, response: { getUrn(): string }) => void): Promise<void>;
}

const SECRET_SIGNATURE = "4dabf18193072939515e22adb298388d";

/** Every credential of a stack, as a text that a test can find again. */
export const SECRETS: Readonly<Record<string, string>> = Object.fromEntries(
  [
    "mysqlRootPassword",
    "mysqlIcingaPassword",
    "mysqlThrukPassword",
    "mysqlGrafanaPassword",
    "grafanaAdminPassword",
    "grafanaSecretKey",
    "graphiteSecretKey",
    "gatewaySessionKey",
    "icingaTicketSalt",
    "icingaApiGeneratorPassword",
    "icingaCaCertificate",
    "icingaCaKey",
    "registryPassword",
    "mailRelayPassword",
    "gatewayCertificate",
    "gatewayKey",
    "gatewayOpenIdConnect",
    "generatorDeployKey",
    "nrpeCaCertificate",
    "nrpeClientCertificate",
    "nrpeClientKey",
  ].map((key) => [key, `plaintext-of-${key}`]),
);

/** A stack of one machine with two locations, as a newcomer has it. */
export const DEV_SETTINGS = {
  "icinga-swarm:inventory": "inventory/dev",
  "icinga-swarm:locations": JSON.stringify([
    { name: "frankfurt", nodes: ["self"] },
    { name: "chicago", nodes: ["self"] },
  ]),
};

/** Settings and secrets as Pulumi hands them to a program. */
export function setConfig(
  settings: Readonly<Record<string, string>>,
  secrets: Readonly<Record<string, string>> = SECRETS,
): void {
  const encrypted = Object.fromEntries(Object.entries(secrets).map(([key, value]) => [`icinga-swarm:${key}`, value]));
  pulumi.runtime.setAllConfig({ ...settings, ...encrypted }, Object.keys(encrypted));
}

/**
 * Runs a part of the program against a recording engine.
 *
 * @param settings plain config, by full key
 * @returns every resource in the order in which it was registered
 */
export async function record(
  settings: Readonly<Record<string, string>>,
  run: () => Promise<unknown>,
): Promise<Recorded[]> {
  const recorded: Recorded[] = [];
  const raw = new Map<string, unknown>();
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        raw.set(`${type} ${name}`, inputs);
        return { id: `${name}-id`, state: stateOf(type, name, inputs as Record<string, unknown>) };
      },
      call: ({ inputs }) => inputs as Record<string, unknown>,
    },
    "icinga-swarm",
    "test",
    false,
  );
  setConfig(settings);
  const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) =>
    register(request, (error, response) => {
      if (!error) {
        recorded.push(toRecorded(request, response.getUrn(), raw.get(`${request.getType()} ${request.getName()}`)));
      }
      callback(error, response);
    });
  await run();
  await settle(() => recorded.length);
  return recorded;
}

const stacks = new Map<unknown, Promise<Recorded[]>>();

/** Everything that index.ts makes with these settings; recorded once for all tests of a file. */
export function recordStack(settings: Readonly<Record<string, string>>): Promise<Recorded[]> {
  const known = stacks.get(settings) ?? recordProgram(settings);
  stacks.set(settings, known);
  return known;
}

function recordProgram(settings: Readonly<Record<string, string>>): Promise<Recorded[]> {
  return record(settings, () =>
    // The program runs when it is imported, so each run imports it afresh, on the one runtime that is being recorded.
    jest.isolateModulesAsync(async () => {
      jest.doMock("@pulumi/pulumi", () => pulumi);
      jest.doMock("@pulumi/docker", () => docker);
      jest.doMock("@pulumi/command", () => command);
      const program = await import("../../../index");
      await new Promise((resolve) => program.endpoints.apply(resolve));
    }),
  );
}

/** Waits until the program has asked for nothing new for a while. */
async function settle(count: () => number): Promise<void> {
  for (let before = -1, quiet = 0; quiet < 10;) {
    quiet = count() === before ? quiet + 1 : 0;
    before = count();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function stateOf(type: string, name: string, inputs: Record<string, unknown>): Record<string, unknown> {
  const made: Record<string, Record<string, unknown>> = {
    "docker:index/remoteImage:RemoteImage": { imageId: `sha256:${name}` },
    "docker:index/secret:Secret": { name: `${name}-1234567` },
    "docker:index/serviceConfig:ServiceConfig": { name: `${name}-1234567` },
    "command:local:Command": { stdout: `${name}-stdout` },
  };
  return { ...inputs, ...made[type] };
}

function toRecorded(request: Request, urn: string, inputs: unknown): Recorded {
  return {
    urn,
    type: request.getType(),
    name: request.getName(),
    custom: !request.getType().startsWith("icinga-swarm:"),
    parent: nameOf(request.getParent()),
    provider: request.getProvider(),
    inputs: unwrap(inputs) as Record<string, unknown>,
    readable: JSON.stringify(inputs, (_key, value: unknown) => (isSecret(value) ? "[secret]" : value)),
    dependencies: request.getDependenciesList().map((dependency) => nameOf(dependency) ?? ""),
    ignoreChanges: request.getIgnorechangesList(),
  };
}

function nameOf(urn: string): string | undefined {
  return urn === "" ? undefined : urn.split("::").at(-1);
}

function isSecret(value: unknown): value is { value: unknown } {
  return typeof value === "object" && value !== null && SECRET_SIGNATURE in value;
}

function unwrap(value: unknown): unknown {
  if (isSecret(value)) {
    return unwrap(value.value);
  }
  if (Array.isArray(value)) {
    return value.map(unwrap);
  }
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, unwrap(part)]));
  }
  return value;
}
