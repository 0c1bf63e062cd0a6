import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  type DashboardLink,
  type Threshold,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from "@grafana/grafana-foundation-sdk/dashboard";
import * as stat from "@grafana/grafana-foundation-sdk/stat";
import * as timeseries from "@grafana/grafana-foundation-sdk/timeseries";
import { GRAPHITE, queries } from "./graphite";

/** Tag of every dashboard of the stack: their common menu lists what has it. */
export const TAG = "icinga-swarm";

/** Columns of Grafana's grid. */
const FULL_WIDTH = 24;

/** What one panel shows. */
export interface PanelArgs {
  readonly title: string;
  readonly description?: string;
  /** As Graphite takes them, with `$variables`. */
  readonly targets: readonly string[];
  /** As Grafana names it, such as `s`, `percent` or `short`. @default short */
  readonly unit?: string;
  /** Of 24 columns. @default 12 */
  readonly width?: number;
  /** Address that a click on a series opens, such as `/d/location/...`. */
  readonly link?: { readonly title: string; readonly url: string };
  /** Variable for each of whose chosen values the panel is shown. */
  readonly repeat?: string;
}

/** Curves over time, their last and highest values beside them. */
export function graph(args: PanelArgs): timeseries.PanelBuilder {
  const panel = new timeseries.PanelBuilder()
    .title(args.title)
    .datasource(GRAPHITE)
    .targets(queries(args.targets))
    .unit(args.unit ?? "short")
    .axisSoftMin(0)
    .height(8)
    .span(args.width ?? FULL_WIDTH / 2)
    .lineWidth(1)
    .fillOpacity(8)
    .showPoints(VisibilityMode.Auto)
    // Checks are further apart than Graphite's finest points.
    .spanNulls(true)
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.Table)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(["lastNotNull", "max"]),
    );
  if (args.description !== undefined) panel.description(args.description);
  if (args.link !== undefined) panel.dataLinks([link(args.link)]);
  if (args.repeat !== undefined) panel.repeat(args.repeat).repeatDirection("h").maxPerRow(2);
  return panel;
}

/** Last values as large numbers; with limits green until these say otherwise. */
export function numbers(args: PanelArgs & { readonly limits?: readonly Threshold[] }): stat.PanelBuilder {
  const panel = new stat.PanelBuilder()
    .title(args.title)
    .datasource(GRAPHITE)
    .targets(queries(args.targets))
    .unit(args.unit ?? "short")
    .height(5)
    .span(args.width ?? FULL_WIDTH / 2)
    .graphMode(BigValueGraphMode.None)
    .colorMode(args.limits ? BigValueColorMode.Background : BigValueColorMode.None)
    .textMode(BigValueTextMode.ValueAndName)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(["lastNotNull"]).values(false))
    .thresholds(
      new ThresholdsConfigBuilder()
        .mode(ThresholdsMode.Absolute)
        .steps([{ value: null, color: "green" }, ...(args.limits ?? [])]),
    );
  if (args.description !== undefined) panel.description(args.description);
  if (args.link !== undefined) panel.dataLinks([link(args.link)]);
  return panel;
}

/** An empty dashboard with the stack's habits. */
export function dashboard(uid: string, title: string, description: string): DashboardBuilder {
  return new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags([TAG])
    .time({ from: "now-6h", to: "now" })
    .refresh("1m")
    .tooltip(DashboardCursorSync.Crosshair)
    .link(
      new DashboardLinkBuilder("Dashboards")
        .type(DashboardLinkType.Dashboards)
        .tags([TAG])
        .asDropdown(true)
        .includeVars(true)
        .keepTime(true),
    );
}

function link({ title, url }: { readonly title: string; readonly url: string }): Builder<DashboardLink> {
  return new DashboardLinkBuilder(title).type(DashboardLinkType.Link).url(url);
}
