import { type Dashboard, RowBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { groupBy, held, named, nodesVariable, severalNodesVariable } from "./graphite";
import { dashboard, graph, numbers } from "./panels";

const HOSTS = "icinga2.$location.*.host.*.perfdata";
const SERVICES = "icinga2.$location.*.services";
const TO_HOST = {
  title: "Open the host",
  url: "/d/host/host?var-location=${location}&var-host=${__field.displayName}",
};

/** What the slaves of the location count; both slaves of a pair count the same. */
function known(values: string): string {
  return groupBy(7, "max", held(`icinga2.$location.icinga-*.services.icinga.icinga.perfdata.${values}.value`));
}

/** One location: its hosts beside each other, and each of its services on all hosts that have it. */
export function location(): Dashboard {
  return dashboard("location", "Location", "The hosts of one location. A host's curve leads to its own page.")
    .withVariable(nodesVariable("location", "Location", "icinga2.*"))
    .withVariable(severalNodesVariable("service", "Service", "icinga2.$location.*.services.*"))
    .withPanel(
      numbers({
        title: "Hosts",
        description: "As the location's slaves know them; in central, as the master knows those of all locations.",
        targets: [known("num_hosts_{up,down,unreachable}")],
      }),
    )
    .withPanel(
      numbers({
        title: "Services",
        description: "As the location's slaves know them; in central, as the master knows those of all locations.",
        targets: [known("num_services_{ok,warning,critical,unknown}")],
      }),
    )
    .withPanel(
      graph({
        title: "Round trip",
        targets: [named(`${HOSTS}.rta.value`, 2)],
        unit: "s",
        link: TO_HOST,
      }),
    )
    .withPanel(
      graph({
        title: "Packet loss",
        description: "100 % is a host that does not answer at all.",
        targets: [named(`${HOSTS}.pl.value`, 2)],
        unit: "percent",
        link: TO_HOST,
      }),
    )
    .withPanel(
      graph({
        title: "Values by host",
        description: "How many values each host's services gave. A drop is a host whose checks no longer work.",
        targets: [groupBy(2, "count", `${SERVICES}.*.*.perfdata.*.value`)],
        width: 24,
        link: TO_HOST,
      }),
    )
    .withRow(
      // Closed until somebody asks: a location may have hundreds of services, and only an open row asks Graphite.
      new RowBuilder("Each service on all hosts that have it").collapsed(true).withPanel(
        graph({
          title: "$service",
          targets: [named(`${SERVICES}.$service.*.perfdata.*.value`, 2, 7)],
          link: TO_HOST,
          repeat: "service",
        }),
      ),
    )
    .build();
}
