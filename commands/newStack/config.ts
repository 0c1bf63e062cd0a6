import type { z } from "zod";
import { locationSchema } from "../../generator/location";
import { crossChecks } from "../../settings/crossChecks";
import { describeIssue, wordsOf } from "../../settings/issues";
import { settingsSchema } from "../../settings/schema";
import { dockerConnection } from "../docker/connection";
import { LOCAL_STACK, PROJECT } from "../repository";

/** What `npm run new-stack` is told, and the stack's config that it becomes: pure functions. */

/** As it was given: text, checked or not. */
export interface Given {
  readonly name?: string;
  /** `frankfurt=fra-1,fra-2` */
  readonly locations: readonly string[];
  /** `frankfurt=6` */
  readonly slaves: readonly string[];
  readonly central?: string;
  /** `nexus.example.com:5000/monitoring` */
  readonly registry?: string;
  readonly registryUser?: string;
  readonly hostname?: string;
  readonly dockerHost?: string;
  /** Whether the stack's credentials are made, too. */
  readonly secrets: boolean;
}

/** Lower case: it is also a folder's name, and some file systems know no other. */
const STACK_NAME = /^[a-z][a-z0-9_-]{0,62}$/;
const LOCATION_FORM = "must look like frankfurt=fra-1,fra-2: a name and the swarm nodes of its slaves";
const SLAVES_FORM = "must look like frankfurt=6: a location and how many slaves it has";
const REGISTRY_FORM = "must look like nexus.example.com:5000/monitoring: host, port and repository";

/** What is wrong with a stack's name; undefined when nothing is. */
export function nameProblem(name: string): string | undefined {
  if (name === LOCAL_STACK) return `${LOCAL_STACK} is this machine's own stack, which npm run up makes`;
  if (STACK_NAME.test(name)) return undefined;
  return "must start with a lower-case letter and have at most 63 lower-case letters, digits, hyphens and underscores";
}

/** One node runs one slave; where there are more, two slaves take over from each other. */
export function defaultSlaves(nodes: readonly string[]): number {
  return Math.min(2, nodes.length);
}

interface GivenLocation {
  readonly name: string;
  readonly nodes: readonly string[];
}

/** Reads `frankfurt=fra-1,fra-2`. */
export function locationOf(text: string): { readonly location?: GivenLocation; readonly problem?: string } {
  const [, name, list] = /^([^=\s]+)=(\S+)$/.exec(text) ?? [];
  if (name === undefined || list === undefined) return { problem: LOCATION_FORM };
  const location = { name, nodes: list.split(",") };
  const problem = problemIn(locationSchema, location);
  return problem === undefined ? { location } : { problem };
}

/** Reads `frankfurt=6`. */
export function slavesOf(text: string): { readonly of?: string; readonly count?: number; readonly problem?: string } {
  const [, of, digits] = /^([^=\s]+)=(\d+)$/.exec(text) ?? [];
  if (of === undefined) return { problem: SLAVES_FORM };
  const count = Number(digits);
  const problem = problemIn(locationSchema.shape.slaves, count);
  return problem === undefined ? { of, count } : { problem: `slaves of ${of}: ${problem}` };
}

interface Registry {
  readonly address: string;
  readonly repository: string;
  readonly username: string;
}

/** Reads `nexus.example.com:5000/monitoring`. */
export function registryOf(
  text: string,
  username: string,
): { readonly registry?: Registry; readonly problem?: string } {
  const slash = text.indexOf("/");
  if (slash < 1 || slash === text.length - 1) return { problem: REGISTRY_FORM };
  const registry = { address: text.slice(0, slash), repository: text.slice(slash + 1), username };
  const problem = problemIn(settingsSchema.shape.registry, registry);
  return problem === undefined ? { registry } : { problem };
}

/** What is wrong with the address of a Docker Engine; undefined when nothing is. */
export function dockerHostProblem(host: string): string | undefined {
  try {
    dockerConnection(host).close();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The first thing that a schema finds wrong with a value; undefined when nothing is. */
export function problemIn(schema: z.ZodType, value: unknown): string | undefined {
  const [issue] = schema.safeParse(value).error?.issues ?? [];
  if (issue === undefined) return undefined;
  const place = issue.path.map(String).join(".");
  return `${place === "" ? "" : `${place}: `}${wordsOf(issue)}`;
}

/** Whether a Docker Engine is on another machine; without an address it is this one's. */
export function isRemote(dockerHost: string | undefined): boolean {
  return dockerHost !== undefined && !dockerHost.startsWith("unix:");
}

/** What is wrong with what was given, each by itself: a line for each problem, its option first. */
export function givenProblems(given: Given): string[] {
  const { name, registry, registryUser = "anybody", dockerHost } = given;
  const found: [string, string | undefined][] = [
    [`the name ${name}`, name === undefined ? undefined : nameProblem(name)],
    ...given.locations.map((text): [string, string | undefined] => [`--location ${text}`, locationOf(text).problem]),
    ...given.slaves.map((text): [string, string | undefined] => [`--slaves ${text}`, slavesOf(text).problem]),
    [`--registry ${registry}`, registry === undefined ? undefined : registryOf(registry, registryUser).problem],
    [`--docker-host ${dockerHost}`, dockerHost === undefined ? undefined : dockerHostProblem(dockerHost)],
  ];
  return found.flatMap(([what, problem]) => (problem === undefined ? [] : [`${what}: ${problem}`]));
}

/** A stack's config as its file has it, without credentials. */
export interface NewConfig {
  readonly config: Readonly<Record<string, unknown>>;
  /** A line for each; the config is of no use unless there are none. */
  readonly problems: readonly string[];
}

/** Turns what was given into a stack's config, and judges it as a deployment would. */
export function configOf(given: Given): NewConfig {
  const { name, central, hostname, dockerHost } = given;
  const own = {
    registry: given.registry && registryOf(given.registry, given.registryUser ?? "anybody").registry,
    central: central && { node: central },
    inventory: `inventory/${name}`,
    locations: locationsOf(given),
    gateway: hostname && { hostname },
  };
  const bad = givenProblems(given);
  const problems = bad.length > 0 ? bad : [...missing(given), ...settingsProblems(own)];
  const entries = Object.entries(own).filter(([, value]) => value !== undefined);
  const config = Object.fromEntries(entries.map(([key, value]) => [`${PROJECT}:${key}`, value]));
  return { config: { ...(dockerHost === undefined ? {} : { "docker:host": dockerHost }), ...config }, problems };
}

function locationsOf(given: Given): object[] {
  const counts = new Map(given.slaves.map((text) => [slavesOf(text).of, slavesOf(text).count]));
  return given.locations.flatMap((text) => {
    const { location } = locationOf(text);
    return location ? [{ ...location, slaves: counts.get(location.name) ?? defaultSlaves(location.nodes) }] : [];
  });
}

/** What has to stand beside something else. */
function missing(given: Given): string[] {
  const names = given.locations.map((text) => locationOf(text).location?.name);
  const strangers = given.slaves.map((text) => slavesOf(text).of).filter((of) => !names.includes(of));
  return [
    ...(given.name === undefined ? ["say what the stack is called"] : []),
    ...(given.locations.length === 0 ? ["--location is missing: where its slaves are"] : []),
    ...strangers.map((of) => `--slaves ${of}=...: there is no --location ${of}=...`),
    ...(given.registry !== undefined && given.registryUser === undefined
      ? ["--registry-user is missing: who pushes and pulls there"]
      : []),
    ...(given.registryUser !== undefined && given.registry === undefined
      ? ["--registry is missing, which --registry-user belongs to"]
      : []),
    ...(isRemote(given.dockerHost) && given.hostname === undefined
      ? ["--hostname is missing: Docker is on another machine, so say the name that people type"]
      : []),
  ];
}

/** Without a location, which is missing already, there is no more to say. */
function settingsProblems(own: { readonly locations: readonly object[] }): string[] {
  if (own.locations.length === 0) return [];
  const { data, error } = settingsSchema.safeParse(own);
  return error ? error.issues.flatMap(describeIssue) : crossChecks(data);
}
