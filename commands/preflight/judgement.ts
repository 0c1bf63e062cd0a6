import { judgeManagerClock, judgeNodeClocks } from "./clocks";
import type { Demands, EngineFacts, Facts, SwarmFacts } from "./facts";
import type { Finding } from "./finding";
import type { HostFacts } from "./host";
import { judgeNetworks } from "./networks";
import { judgeEngines, judgeManagers, judgeNodes, judgeVersions, usedNodes } from "./nodes";
import { HEARTBEAT_SECONDS, MISSED_PERIODS } from "../docker/heartbeat";

/** An ordinary outage of a link (a restarted router, a change of provider) ends within two minutes. */
const OUTAGE_SECONDS = 120;
const LONGEST_HEARTBEAT_SECONDS = 600;
/** Below it no image can be built, and soon no database written. */
const TOO_LITTLE_DISK_MEGABYTES = 2_000;
/** The images take about 4 GB, and what is being built as much again. */
const LITTLE_DISK_MEGABYTES = 10_000;

/** Everything there is to say about a swarm for a stack. */
export function judge(demands: Demands, facts: Facts): Finding[] {
  const { engine, swarm, host } = facts;
  return [
    ...judgeSwarm(engine),
    ...(swarm === undefined
      ? judgeVersions([{ name: engine.name, version: engine.version }])
      : [
          ...judgeEngines(demands, engine, swarm),
          ...judgeNodes(demands, engine, swarm),
          ...judgeManagers(demands, engine, swarm),
          ...judgeHeartbeat(demands, engine, swarm),
          ...judgeNetworks(demands, engine, swarm),
          ...judgeNodeClocks(engine, swarm),
        ]),
    ...judgeManagerClock(facts),
    ...judgeDockerCommand(engine, host),
    ...judgeDisk(engine, host),
    ...judgeIpvs(engine, host),
  ];
}

/** Whether the engine manages a swarm. */
export function judgeSwarm(engine: EngineFacts): Finding[] {
  const { name, swarmState, swarmError, isManager, managers } = engine;
  if (isManager) return [];
  const [message, remedy] = ((): [string, string] => {
    switch (swarmState) {
      case "active": {
        const known = managers.join(", ") || "none that it knows";
        return [`${name} is only a worker of its swarm`, `set docker:host to a manager (${known})`];
      }
      case "inactive":
        return [
          `${name} is in no swarm`,
          `make it one, there: docker swarm init --advertise-addr <its address> --dispatcher-heartbeat ${HEARTBEAT_SECONDS}s`,
        ];
      case "locked":
        return [`the swarm on ${name} is locked`, "open it, there: docker swarm unlock"];
      default:
        return [
          `the swarm on ${name} is in state ${swarmState}: ${swarmError || "no reason given"}`,
          'wait until it is active, or run "docker swarm leave" there',
        ];
    }
  })();
  return [{ severity: "error", subject: "swarm", message, remedy }];
}

/**
 * Whether a node is missed for long enough before Swarm replaces its tasks. Docker's default is made for one data centre:
 * a site whose link fails for 15 seconds would have its slaves restarted, and lose what they had not delivered yet. So
 * this stops a deployment, and the one command that mends it interrupts nothing. On one node there is no link to fail.
 */
export function judgeHeartbeat(demands: Demands, engine: EngineFacts, swarm: SwarmFacts): Finding[] {
  const isAlone = usedNodes(demands, engine, swarm).every(({ id }) => id === engine.nodeId);
  if (isAlone) return [];
  const { heartbeatSeconds } = swarm;
  const missed = heartbeatSeconds * MISSED_PERIODS;
  const remedy = `on a manager: docker swarm update --dispatcher-heartbeat ${HEARTBEAT_SECONDS}s`;
  if (missed < OUTAGE_SECONDS) {
    return [
      {
        severity: "error",
        subject: "heartbeat",
        message:
          `a node that gives no sign for ${missed} s (${MISSED_PERIODS} heartbeats of ${heartbeatSeconds} s) counts as ` +
          "down, and Swarm restarts its tasks: an ordinary outage of a site's link must not do that, " +
          `so it takes at least ${OUTAGE_SECONDS / MISSED_PERIODS} s`,
        remedy,
      },
    ];
  }
  if (heartbeatSeconds <= LONGEST_HEARTBEAT_SECONDS) return [];
  return [
    {
      severity: "warning",
      subject: "heartbeat",
      message:
        `a node counts as down only after ${Math.round(missed / 60)} minutes without a sign ` +
        `(${MISSED_PERIODS} heartbeats of ${heartbeatSeconds} s): until then nobody takes over from a dead one`,
      remedy,
    },
  ];
}

/** What is left for images and volumes on the manager; on other nodes the stack's own checks tell. */
export function judgeDisk({ name, rootDirectory }: EngineFacts, { freeMegabytes }: HostFacts): Finding[] {
  const subject = "disk";
  const remedy = 'free some: "docker system df" shows what Docker holds';
  if (freeMegabytes === undefined) {
    const message = `how much is free at ${rootDirectory} on ${name} cannot be seen from here; the stack takes about 10 GB`;
    return [{ severity: "note", subject, message }];
  }
  const left = `${name} has ${(freeMegabytes / 1000).toFixed(1)} GB left at ${rootDirectory}`;
  if (freeMegabytes < TOO_LITTLE_DISK_MEGABYTES) {
    const message = `${left}: images cannot be built, and a database on a full disk stops`;
    return [{ severity: "error", subject, message, remedy }];
  }
  if (freeMegabytes < LITTLE_DISK_MEGABYTES) {
    const message = `${left}: images and their builds may take 8 GB, and history grows`;
    return [{ severity: "warning", subject, message, remedy }];
  }
  return [{ severity: "note", subject, message: left }];
}

/** Over ssh the provider reaches the engine by a command of its machine, unlike the gates, which forward its socket. */
export function judgeDockerCommand({ name }: EngineFacts, { hasDockerCommand }: HostFacts): Finding[] {
  if (hasDockerCommand !== false) return [];
  return [
    {
      severity: "error",
      subject: "ssh",
      message: `who logs in to ${name} over ssh finds no docker command there, by which Pulumi reaches the engine`,
      remedy: "install Docker's command line there, or put it on the PATH that a command over ssh has",
    },
  ];
}

/** This stack does without IPVS; whoever runs other things on the same swarm wants to know. */
export function judgeIpvs({ name }: EngineFacts, { hasIpvs }: HostFacts): Finding[] {
  const subject = "IPVS";
  const served = "the stack does not need it: its names resolve to tasks, its ports are those of their node";
  if (hasIpvs === undefined) {
    const message = `whether ${name}'s kernel has it cannot be seen from here; ${served}`;
    return [{ severity: "note", subject, message }];
  }
  if (hasIpvs) return [{ severity: "note", subject, message: `${name}'s kernel has it; ${served}` }];
  const message =
    `${name}'s kernel has none; ${served}. Other services on this swarm ` +
    "are reached neither by virtual addresses nor by ports of the ingress network";
  return [{ severity: "note", subject, message }];
}
