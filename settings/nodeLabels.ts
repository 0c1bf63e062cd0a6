import type { Location } from "../generator/location";

/** The label of the node that holds the centre. */
export const CENTRAL_LABEL = "icinga-swarm.central";

/** The label of the nodes that a location's slaves may run on. */
export function locationLabel(location: string): string {
  return `icinga-swarm.${location}`;
}

/** A label that a stack wants a node to have. */
export interface WantedLabel {
  /** Host name, or `self` for the manager that Docker answers from. */
  readonly node: string;
  readonly label: string;
}

/** All of a stack's labels: the centre's, and those of its locations in their order. */
export function wantedLabels(stack: {
  readonly centralNode: string;
  readonly locations: readonly Pick<Location, "name" | "nodes">[];
}): WantedLabel[] {
  return [
    { node: stack.centralNode, label: CENTRAL_LABEL },
    ...stack.locations.flatMap(({ name, nodes }) => nodes.map((node) => ({ node, label: locationLabel(name) }))),
  ];
}
