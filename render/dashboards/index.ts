import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { host } from "./host";
import { location } from "./location";
import { locations } from "./locations";
import { monitoring } from "./monitoring";

export { type Chosen, type DashboardQuery, panelsOf, queriesOf } from "./queries";

/** A dashboard of the stack. Its uid is part of its address, so it stays. */
export interface StackDashboard {
  readonly uid: string;
  readonly dashboard: Dashboard;
}

/** The stack's dashboards, in the order of their menu. */
export function dashboards(): StackDashboard[] {
  return [locations(), location(), host(), monitoring()].map((dashboard) => {
    numberPanels(dashboard);
    return { uid: dashboard.uid ?? "", dashboard };
  });
}

/** Grafana wants a number for each panel, rows and what is in them included; the builders give none. */
function numberPanels({ panels = [] }: Dashboard): void {
  const all = panels.flatMap((panel) => [panel, ...("panels" in panel ? panel.panels : [])]);
  for (const [index, panel] of all.entries()) panel.id = index + 1;
}
