import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { hashOf } from "./hash";

/** A file that Docker puts into the container from a secret. */
export interface SecretFile {
  readonly secret: docker.Secret;
  /** Name below `/run/secrets`. */
  readonly fileName: string;
  /** Whether every user of the container may read it, as a certificate that is no secret. @default root alone */
  readonly isPublic?: boolean;
  /** Number of the user it belongs to, where the whole container runs as one. @default root */
  readonly uid?: number;
}

/** A file that Docker puts into the container from a config. */
export interface ConfigFile {
  readonly config: docker.ServiceConfig;
  /** Absolute path in the container. */
  readonly path: string;
}

/** A named volume of the node a task runs on. Swarm makes it with the first task and never removes it. */
export interface Volume {
  /** May hold `{{.Task.Slot}}`. */
  readonly name: string;
  /** Absolute path in the container. */
  readonly target: string;
}

/** A network that tasks join, and names that they have in it alone besides their service's. */
export interface NetworkAttachment {
  readonly id: pulumi.Input<string>;
  readonly aliases: readonly string[];
}

/** A port of the node that a task answers at: on its own node only, so that no ingress mesh (IPVS) is needed. */
export interface PublishedPort {
  /** In the container. */
  readonly target: number;
  /** On the node. */
  readonly published: number;
}

/** What one service is; everything that is the same for all of them is in `SwarmService`. */
export interface SwarmServiceArgs {
  /** Name in the swarm and in DNS. */
  readonly serviceName: string;
  /** Image: a local id, or a name with a digest. */
  readonly image: pulumi.Input<string>;
  /** Hostname of the containers; may hold `{{.Task.Slot}}`. @default the service's name */
  readonly hostname?: string;
  /** Number of tasks. @default 1 */
  readonly replicas?: number;
  /** Most tasks on one node; 0 is any number. @default 0 */
  readonly maxReplicasPerNode?: number;
  /** Placement constraint, such as `node.labels.icinga-swarm.central == true`. */
  readonly constraint: pulumi.Input<string>;
  /** Replaces the image's entrypoint. @default the image's own */
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, pulumi.Input<string>>>;
  readonly secrets?: readonly SecretFile[];
  readonly configs?: readonly ConfigFile[];
  readonly volumes: readonly Volume[];
  /** Ids of the networks the tasks join. */
  readonly networkIds: readonly (pulumi.Input<string> | NetworkAttachment)[];
  /** @default none: reached by other services only */
  readonly ports?: readonly PublishedPort[];
  /** Seconds a stopped container has to end by itself. @default 30 */
  readonly stopGraceSeconds?: number;
  readonly limits: ServiceLimits;
}

/** Settings that every service shares. */
export interface ServiceLimits {
  /** Megabytes of memory after which the container is killed. */
  readonly memoryMegabytes: number;
  /** Megabytes of a log file before it is rotated. */
  readonly logMegabytes: number;
  /** Rotated log files kept. */
  readonly logFiles: number;
  /** Seconds until a task must have been ready once: the health check's start period and the gate's limit. */
  readonly readySeconds: number;
}

/** Every image answers its health check under this name; see images/base for its two phases. */
const HEALTH_CHECK = ["CMD", "/usr/local/bin/healthcheck"];

/**
 * A Docker Swarm service with this project's habits: pinned to labelled nodes, replaced stop-first one task at a time,
 * rolled back when an update fails, its log rotated, its memory limited, and its spec's hash known to its containers,
 * so that a gate can tell tasks of this spec from older ones.
 */
export class SwarmService extends pulumi.ComponentResource {
  readonly serviceName: string;
  /** Resolves once the service exists; changes whenever a task of it would be replaced. */
  readonly specHash: pulumi.Output<string>;
  /** Changes when the service is made anew. */
  readonly serviceId: pulumi.Output<string>;
  readonly limits: ServiceLimits;

  constructor(name: string, args: SwarmServiceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("icinga-swarm:index:SwarmService", name, {}, opts);
    this.serviceName = args.serviceName;
    this.limits = args.limits;
    const taskSpec = renderTaskSpec(args);
    // Other ports replace the tasks as well; without any, the hash is that of the tasks alone.
    const hash = pulumi.output({ ...taskSpec, ports: args.ports }).apply((spec) => hashOf(JSON.stringify(spec)));
    const service = new docker.Service(
      `${name}-service`,
      {
        name: args.serviceName,
        taskSpec: {
          ...taskSpec,
          containerSpec: { ...taskSpec.containerSpec, env: { ...args.env, SPEC_HASH: hash } },
        },
        mode: { replicated: { replicas: args.replicas ?? 1 } },
        // No virtual addresses: they need IPVS, and they cut connections that idle for 15 minutes.
        endpointSpec: {
          mode: "dnsrr",
          ports: args.ports?.map(({ target, published }) => ({
            targetPort: target,
            publishedPort: published,
            publishMode: "host",
            protocol: "tcp",
          })),
        },
        updateConfig: { order: "stop-first", parallelism: 1, failureAction: "rollback", monitor: "5s" },
        rollbackConfig: { order: "stop-first", parallelism: 1, failureAction: "pause", monitor: "5s" },
      },
      // Docker notes the image's platforms when it makes a service with a login for its registry, and only then; a refresh sees
      // that, and to take it away would replace every task.
      { parent: this, ignoreChanges: ["taskSpec.placement.platforms"] },
    );
    this.serviceId = service.id;
    // The URN is known in a preview and resolves after the service was made: order without unknown values.
    this.specHash = pulumi.all([hash, service.urn]).apply(([known]) => known);
    this.registerOutputs({ specHash: this.specHash });
  }
}

function renderTaskSpec(args: SwarmServiceArgs) {
  const { limits } = args;
  return {
    containerSpec: {
      image: args.image,
      hostname: args.hostname ?? args.serviceName,
      commands: args.command ? [...args.command] : undefined,
      env: { ...args.env },
      secrets: (args.secrets ?? []).map(({ secret, fileName, isPublic, uid }) => ({
        secretId: secret.id,
        secretName: secret.name,
        fileName,
        fileUid: uid?.toString(),
        fileMode: isPublic ? 0o444 : 0o400,
      })),
      configs: (args.configs ?? []).map(({ config, path }) => ({
        configId: config.id,
        configName: config.name,
        fileName: path,
        fileMode: 0o555,
      })),
      mounts: args.volumes.map((volume) => ({ type: "volume", source: volume.name, target: volume.target })),
      healthcheck: {
        tests: HEALTH_CHECK,
        // The check paces itself: Docker has one interval for a start that is watched closely and for years of routine.
        interval: "2s",
        timeout: "1m",
        retries: 3,
        startPeriod: duration(limits.readySeconds),
      },
      stopGracePeriod: duration(args.stopGraceSeconds ?? 30),
    },
    networksAdvanceds: args.networkIds.map((network) =>
      isAttachment(network) ? { id: network.id, aliases: [...network.aliases] } : { id: network },
    ),
    placement: {
      constraints: [args.constraint],
      maxReplicas: args.maxReplicasPerNode ?? 0,
    },
    resources: { limits: { memoryBytes: limits.memoryMegabytes * 1024 * 1024 } },
    logDriver: {
      name: "json-file",
      options: { "max-size": `${limits.logMegabytes}m`, "max-file": String(limits.logFiles) },
    },
  };
}

function isAttachment(network: pulumi.Input<string> | NetworkAttachment): network is NetworkAttachment {
  return typeof network === "object" && "aliases" in network;
}

/**
 * Seconds as the provider reads them back (`1h`, `2m`, `1m30s`): any other form would be a difference at every preview.
 */
export function duration(seconds: number): string {
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const full = [hours > 0 ? `${hours}h` : "", hours > 0 || minutes > 0 ? `${minutes}m` : "", `${seconds % 60}s`].join(
    "",
  );
  return full.replace(/m0s$/, "m").replace(/h0m$/, "h");
}
