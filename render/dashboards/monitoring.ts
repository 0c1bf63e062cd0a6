import { type Dashboard, RowBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { named } from "./graphite";
import { dashboard, graph } from "./panels";

/** What the check `icinga` of the master and of every slave tells of the Icinga it runs in. */
const ALL_ICINGAS = "icinga2.*.icinga-*.services.icinga.icinga.perfdata";
const MASTER = "icinga2.central.icinga-master.services";
const MASTERS_ICINGA = `${MASTER}.icinga.icinga.perfdata`;
const CARBON = "carbon.agents.*";

/** The monitoring itself: whether it keeps up, and where it waits if it does not. */
export function monitoring(): Dashboard {
  return dashboard("monitoring", "The monitoring itself", "Whether the monitoring keeps up, and where it waits if not.")
    .withRow(new RowBuilder("Checks"))
    .withPanel(
      graph({
        title: "Checks per second",
        description: "Results that each Icinga took in; the master's are those of all locations and its own.",
        targets: [named(`${ALL_ICINGAS}.active_{host,service}_checks.value`, 2, 7)],
        unit: "ops",
      }),
    )
    .withPanel(
      graph({
        title: "Latency of checks, average",
        description: "How much later than planned checks begin.",
        targets: [named(`${ALL_ICINGAS}.avg_latency.value`, 2)],
        unit: "s",
      }),
    )
    .withPanel(
      graph({
        title: "Execution time of checks, average",
        targets: [named(`${ALL_ICINGAS}.avg_execution_time.value`, 2)],
        unit: "s",
      }),
    )
    .withPanel(
      graph({
        title: "Checks that run or wait",
        targets: [named(`${ALL_ICINGAS}.{current_concurrent_checks,checkercomponent_checker_pending}.value`, 2, 7)],
      }),
    )
    .withRow(new RowBuilder("Between master and slaves"))
    .withPanel(
      graph({
        title: "Replay log",
        description: "Seconds that the master's picture of a location is behind; it grows while a location is cut off.",
        targets: [named(`${MASTER}.zone_*.cluster-zone.perfdata.slave_lag.value`, 4)],
        unit: "s",
      }),
    )
    .withPanel(
      graph({
        title: "Messages per second",
        targets: [named(`${MASTERS_ICINGA}.sum_messages_{received,sent}_per_second.value`, 7)],
        unit: "ops",
      }),
    )
    .withPanel(
      graph({
        title: "Queues of the cluster",
        targets: [named(`${MASTERS_ICINGA}.api_num_json_rpc_{relay,sync}_queue_items.value`, 7)],
      }),
    )
    .withPanel(
      graph({
        title: "Slaves",
        description: "Endpoints that are connected to the master, and that are not.",
        targets: [named(`${MASTERS_ICINGA}.api_num_{conn,not_conn}_endpoints.value`, 7)],
      }),
    )
    .withRow(new RowBuilder("Where results go"))
    .withPanel(
      graph({
        title: "Queue to the database",
        description: "What MySQL has not taken yet: about 5 kB of the master's memory each.",
        targets: [named(`${MASTERS_ICINGA}.idomysqlconnection_ido-mysql_query_queue_items.value`, 7)],
      }),
    )
    .withPanel(
      graph({
        title: "Queries to the database per second",
        targets: [
          named(`${MASTERS_ICINGA}.idomysqlconnection_ido-mysql_{queries_rate,query_queue_item_rate}.value`, 7),
        ],
        unit: "ops",
      }),
    )
    .withPanel(
      graph({
        title: "Kept for Graphite",
        targets: [named(`${MASTER}.metrics.icinga-swarm-metrics.perfdata.kept.value`, 7)],
        unit: "bytes",
      }),
    )
    .withPanel(
      graph({
        title: "Mail that waits or was refused",
        targets: [named(`${MASTER}.mail_queue.icinga-swarm-mail-queue.perfdata.{waiting,failed}.value`, 7)],
      }),
    )
    .withRow(new RowBuilder("Graphite"))
    .withPanel(
      graph({
        title: "Values per minute",
        description: "What came in, and what was written to the disk.",
        targets: [named(`${CARBON}.{metricsReceived,committedPoints}`, 3)],
      }),
    )
    .withPanel(
      graph({
        title: "Values in memory",
        description: "What waits to be written.",
        targets: [named(`${CARBON}.cache.{size,queues}`, 4)],
      }),
    )
    .withPanel(
      graph({
        title: "Writes per minute",
        targets: [named(`${CARBON}.{updateOperations,creates,errors}`, 3)],
      }),
    )
    .withPanel(
      graph({
        title: "Memory of carbon",
        targets: [named(`${CARBON}.memUsage`, 3)],
        unit: "bytes",
      }),
    )
    .build();
}
