import type { Builder, Dataquery } from "@grafana/grafana-foundation-sdk/cog";
import type { DataSourceRef } from "@grafana/grafana-foundation-sdk/common";
import { QueryVariableBuilder, VariableRefresh, VariableSort } from "@grafana/grafana-foundation-sdk/dashboard";

/** The data source that render/grafana.ts provisions. */
export const GRAPHITE: DataSourceRef = { type: "graphite", uid: "graphite" };

/** What the Graphite data source takes as a query. The typed library has no module for it. */
export class GraphiteQuery implements Dataquery {
  readonly datasource = GRAPHITE;
  /** The query is shown as text: what the query editor would make of nested functions is harder to read. */
  readonly textEditor = true;

  constructor(
    readonly refId: string,
    /** As Graphite's render API takes it, with `$variables`. */
    readonly target: string,
  ) {}

  _implementsDataqueryVariant(): void {}
}

/** Queries for a panel, called A, B, ... */
export function queries(targets: readonly string[]): Builder<GraphiteQuery>[] {
  return targets.map((target, index) => ({
    build: () => new GraphiteQuery(String.fromCharCode("A".charCodeAt(0) + index), target),
  }));
}

/**
 * A variable whose values are the names below a path in Graphite. They are asked for whenever a dashboard is opened and
 * within its time only, so that new hosts are there by themselves and removed ones are not.
 */
export function nodesVariable(name: string, label: string, path: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(GRAPHITE)
    .query(path)
    .definition(path)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc);
}

/** A variable of which several values, or all of them, may be chosen. */
export function severalNodesVariable(name: string, label: string, path: string): QueryVariableBuilder {
  return nodesVariable(name, label, path)
    .multi(true)
    .includeAll(true)
    .current({ selected: true, text: ["All"], value: ["$__all"] });
}

/**
 * The result of one query for each value of one node of its paths, such as the location.
 *
 * @param node counted from 0 (`icinga2`)
 * @param how how several values become one: `average`, `max`, `sum`, `count`, ...
 */
export function groupBy(node: number, how: string, path: string): string {
  return `groupByNode(${path}, ${node}, '${how}')`;
}

/** Series named after nodes of their paths. */
export function named(path: string, ...nodes: readonly number[]): string {
  return `aliasByNode(${path}, ${nodes.join(", ")})`;
}

/**
 * Values of checks may be minutes apart: between them the last one holds, for ten points at most. It goes inside what names
 * series, because it would be part of the names otherwise.
 */
export function held(path: string): string {
  return `keepLastValue(${path}, 10)`;
}
