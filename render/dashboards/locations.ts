import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { groupBy, held, named } from "./graphite";
import { dashboard, graph, numbers } from "./panels";

/** Each slave's own check tells what it knows of its location. Both slaves of a pair know the same. */
const OF_SLAVES = "icinga2.*.icinga-slave-*.services.icinga.icinga.perfdata";
const HOSTS = "icinga2.*.*.host.*.perfdata";
const TO_LOCATION = { title: "Open the location", url: "/d/location/location?var-location=${__field.displayName}" };

/** All locations beside each other: what is broken where, and whether the way there is. */
export function locations(): Dashboard {
  const perLocation = (value: string) => groupBy(1, "max", held(`${OF_SLAVES}.${value}.value`));
  return dashboard("locations", "All locations", "What is broken where. A location's number leads to its own page.")
    .withPanel(
      numbers({
        title: "Hosts down",
        targets: [perLocation("num_hosts_down")],
        limits: [{ value: 1, color: "red" }],
        link: TO_LOCATION,
      }),
    )
    .withPanel(
      numbers({
        title: "Services critical",
        targets: [perLocation("num_services_critical")],
        limits: [{ value: 1, color: "red" }],
        link: TO_LOCATION,
      }),
    )
    .withPanel(
      numbers({
        title: "Hosts up",
        targets: [perLocation("num_hosts_up")],
        link: TO_LOCATION,
      }),
    )
    .withPanel(
      numbers({
        title: "Services with a warning",
        targets: [perLocation("num_services_warning")],
        limits: [{ value: 1, color: "orange" }],
        link: TO_LOCATION,
      }),
    )
    .withPanel(
      graph({
        title: "Round trip to hosts, average",
        description: "From the location's slaves to its hosts.",
        targets: [groupBy(1, "average", `${HOSTS}.rta.value`)],
        unit: "s",
        link: TO_LOCATION,
      }),
    )
    .withPanel(
      graph({
        title: "Packet loss, worst host",
        description: "100 % is a host that does not answer at all.",
        targets: [groupBy(1, "max", `${HOSTS}.pl.value`)],
        unit: "percent",
        link: TO_LOCATION,
      }),
    )
    .withPanel(
      graph({
        title: "Checks per second",
        targets: [groupBy(1, "sum", `${OF_SLAVES}.active_*_checks.value`)],
        unit: "ops",
        link: TO_LOCATION,
      }),
    )
    .withPanel(
      graph({
        title: "Results on their way to the master",
        description: "Seconds that the master's picture of a location is behind; it grows while a location is cut off.",
        targets: [named("icinga2.central.icinga-master.services.zone_*.cluster-zone.perfdata.slave_lag.value", 4)],
        unit: "s",
      }),
    )
    .build();
}
