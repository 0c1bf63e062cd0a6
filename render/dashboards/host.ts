import { type Dashboard, RowBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { named, nodesVariable, severalNodesVariable } from "./graphite";
import { dashboard, graph } from "./panels";

const HOST = "icinga2.$location.$host";

/**
 * One host: whether it answers, and a panel for each of its services with whatever values that service gives. So it is
 * the same page for every check there is or will be; `var-service` in its address narrows it to one.
 */
export function host(): Dashboard {
  return dashboard("host", "Host", "Everything that the checks of one host measure.")
    .withVariable(nodesVariable("location", "Location", "icinga2.*"))
    .withVariable(nodesVariable("host", "Host", "icinga2.$location.*"))
    .withVariable(severalNodesVariable("service", "Service", `${HOST}.services.*`))
    .withRow(new RowBuilder("Services"))
    .withPanel(
      graph({
        title: "$service",
        targets: [named(`${HOST}.services.$service.*.perfdata.*.value`, 7)],
        repeat: "service",
      }),
    )
    .withRow(new RowBuilder("The host itself"))
    .withPanel(
      graph({
        title: "Round trip",
        targets: [named(`${HOST}.host.*.perfdata.rta.value`, 6)],
        unit: "s",
      }),
    )
    .withPanel(
      graph({
        title: "Packet loss",
        description: "100 % is a host that does not answer at all.",
        targets: [named(`${HOST}.host.*.perfdata.pl.value`, 6)],
        unit: "percent",
      }),
    )
    .build();
}
