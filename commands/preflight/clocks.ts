import type { EngineFacts, Facts, SwarmFacts } from "./facts";
import type { Finding } from "./finding";

/** Icinga dates results where they are made, and TLS certificates begin at a moment: seconds do no harm, minutes do. */
const ALLOWED_MS = 15_000;
/** A report may take its time, so a node that seems behind is believed later than one that is ahead. */
const ALLOWED_BEHIND_MS = 60_000;
/** What a clock was like before that says nothing of now. */
const RECENT_MS = 24 * 3600_000;

const REMEDY = "let both follow a time server: chrony or systemd-timesyncd";

/** Whether the manager's clock and this machine's agree: credentials made here begin by this one. */
export function judgeManagerClock({ engine, clock }: Facts): Finding[] {
  const ahead = engine.systemTime - clock.here;
  if (Math.abs(ahead) - clock.uncertainty <= ALLOWED_MS) return [];
  return [
    {
      severity: "warning",
      subject: "clocks",
      message:
        `${engine.name}'s clock is ${Math.round(Math.abs(ahead) / 1000)} s ${ahead > 0 ? "ahead of" : "behind"} ` +
        "this machine's: certificates that are not valid yet are refused, and results are dated wrongly",
      remedy: REMEDY,
    },
  ];
}

/**
 * Whether the nodes' clocks agree with the managers'. No API tells a node's clock, but every task has the moment at which
 * it began to run by the clock of its node, and the later moment at which a manager wrote that down. A node without a task
 * of today is not judged, nor one that the managers miss.
 */
export function judgeNodeClocks(engine: EngineFacts, { nodes, taskTimes }: SwarmFacts): Finding[] {
  const present = nodes.filter(({ state }) => state === "ready");
  return present.flatMap(({ id, name }) => {
    const recent = taskTimes.filter(
      ({ nodeId, onManager }) => nodeId === id && engine.systemTime - onManager < RECENT_MS,
    );
    if (recent.length === 0) return [];
    // The quickest report is the one that says most of the clock.
    const { onNode, onManager } = recent.reduce((one, other) => (delayOf(other) < delayOf(one) ? other : one));
    const behind = onManager - onNode;
    if (behind >= -ALLOWED_MS && behind <= ALLOWED_BEHIND_MS) return [];
    const seconds = Math.round(Math.abs(behind) / 1000);
    const how = behind < 0 ? `was ${seconds} s ahead of` : `seems to have been up to ${seconds} s behind`;
    return [
      {
        severity: "warning",
        subject: "clocks",
        message:
          `${name}'s clock ${how} the manager's at ${new Date(onManager).toISOString()}, by its tasks: ` +
          "Icinga refuses certificates that are not valid yet and dates results wrongly",
        remedy: REMEDY,
      },
    ];
  });
}

function delayOf({ onNode, onManager }: SwarmFacts["taskTimes"][number]): number {
  return onManager - onNode;
}
