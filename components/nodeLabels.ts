import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";

export interface NodeLabelsArgs {
  /** Label to set to `true`, such as `icinga-swarm.frankfurt`. */
  readonly label: string;
  /** Host names of swarm nodes, or `self` for the manager that Docker answers from. */
  readonly nodes: readonly string[];
  /** Where Docker answers: a socket or `ssh://user@host`. */
  readonly dockerHost: pulumi.Input<string>;
}

/** A boolean label on swarm nodes, removed again with this component or when a node leaves the list. */
export class NodeLabels extends pulumi.ComponentResource {
  /** Placement constraint that holds on exactly these nodes; resolves once they are labelled. */
  readonly constraint: pulumi.Output<string>;

  constructor(name: string, args: NodeLabelsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("icinga-swarm:index:NodeLabels", name, {}, opts);
    const labels = args.nodes.map(
      (node) =>
        new command.local.Command(
          `${name}-${node}`,
          {
            create: "node commands/run.mjs label-node add",
            delete: "node commands/run.mjs label-node remove",
            environment: { LABEL_DOCKER_HOST: args.dockerHost, LABEL_NODE: node, LABEL_NAME: args.label },
            triggers: [args.label, node],
          },
          { parent: this },
        ),
    );
    const constraint = `node.labels.${args.label} == true`;
    this.constraint = pulumi.all(labels.map((label) => label.urn)).apply(() => constraint);
    this.registerOutputs({ constraint: this.constraint });
  }
}
