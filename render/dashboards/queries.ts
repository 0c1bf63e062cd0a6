import type { Dashboard, Panel, RowPanel } from "@grafana/grafana-foundation-sdk/dashboard";
import type { GraphiteQuery } from "./graphite";

/** What is chosen for a dashboard's variables; several values where several may be chosen. */
export type Chosen = Readonly<Record<string, string | readonly string[]>>;

/** A query as Graphite is asked. */
export interface DashboardQuery {
  /** As shown, variables filled in. */
  readonly panel: string;
  readonly refId: string;
  /** For Graphite's render API. */
  readonly target: string;
}

/**
 * Every query of a dashboard, also of closed rows, with its variables filled in as Grafana does it: several values become
 * `{a,b}`, and a panel that is repeated is asked once for each value.
 *
 * @throws Error for a variable that has no value
 */
export function queriesOf(dashboard: Dashboard, chosen: Chosen = {}): DashboardQuery[] {
  return panelsOf(dashboard).flatMap((panel) =>
    repetitions(panel, chosen).flatMap((values) =>
      (panel.targets ?? []).map((query) => {
        const { refId, target } = query as GraphiteQuery;
        return { panel: expand(panel.title ?? "", values), refId, target: expand(target, values) };
      }),
    ),
  );
}

/** Every panel that draws something. */
export function panelsOf({ panels = [] }: Dashboard): Panel[] {
  return panels.flatMap((panel) => (isRow(panel) ? (panel.panels as Panel[]) : [panel]));
}

function isRow(panel: Panel | RowPanel): panel is RowPanel {
  return panel.type === "row";
}

function repetitions({ repeat }: Panel, chosen: Chosen): Chosen[] {
  if (repeat === undefined) return [chosen];
  const values = chosen[repeat] ?? [];
  return (typeof values === "string" ? [values] : values).map((value) => ({ ...chosen, [repeat]: value }));
}

function expand(text: string, chosen: Chosen): string {
  return text.replace(/\$(\w+)|\$\{(\w+)\}/g, (written, plain?: string, braced?: string) => {
    const value = chosen[plain ?? braced ?? ""];
    if (value === undefined) throw new Error(`${written} has no value in: ${text}`);
    if (typeof value === "string") return value;
    return value.length === 1 ? String(value[0]) : `{${value.join(",")}}`;
  });
}
