import * as pulumi from "@pulumi/pulumi";
import { type Location, MASTER, type Pair, topology } from "../generator/location";
import { enrolmentTickets } from "../render/tickets";
import { locationLabel } from "../settings/nodeLabels";
import type { ConfigGenerator } from "./configGenerator";
import { ExistingNetwork } from "./existingNetwork";
import { dockerSecret } from "./files";
import type { IcingaMaster } from "./icingaMaster";
import { KeptSlots } from "./keptSlots";
import type { Networks } from "./networks";
import { NodeLabels } from "./nodeLabels";
import { Readiness } from "./readiness";
import type { ServiceImage } from "./serviceImage";
import { limitsOf, type StackContext } from "./stack";
import { type SecretFile, SwarmService } from "./swarmService";

/** What slaves show NRPE clients that ask for a certificate, and what they know these by. */
export interface NrpeCertificates {
  /** PEM: of the authority that signed the clients' certificates. */
  readonly caCertificate: pulumi.Output<string>;
  /** PEM. */
  readonly clientCertificate: pulumi.Output<string>;
  /** PEM. */
  readonly clientKey: pulumi.Output<string>;
}

export interface IcingaLocationArgs {
  readonly stack: StackContext;
  readonly image: ServiceImage;
  readonly location: Location;
  readonly networks: Networks;
  readonly master: IcingaMaster;
  readonly generator: ConfigGenerator;
  /** @default none: checks that want certificates fail */
  readonly nrpeCertificates?: NrpeCertificates;
  /** Megabytes of memory for each slave. */
  readonly memoryMegabytes: number;
  /** Hours that results are kept for a master or a peer that is out of reach. */
  readonly replayHours: number;
}

/** The slaves of one location: a replicated service, a ticket secret and a gate for each pair. */
export class IcingaLocation extends pulumi.ComponentResource {
  /** Endpoint names of the location's slaves; resolves once they are connected and hold their configuration. */
  readonly endpoints: pulumi.Output<string[]>;

  constructor(name: string, args: IcingaLocationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("icinga-swarm:index:IcingaLocation", name, {}, opts);
    const { location, stack } = args;
    const labels = new NodeLabels(
      `${name}-nodes`,
      { label: locationLabel(location.name), nodes: location.nodes, dockerHost: stack.dockerHost },
      { parent: this },
    );
    const shared = args.networks.ofSlaves(`${name}-network`, location, this);
    const joined = location.networks.map(
      (network) =>
        new ExistingNetwork(
          `${name}-${network}`,
          { network, besides: shared.id, dockerHost: stack.dockerHost },
          { parent: this },
        ),
    );
    const networkIds = [shared.id, ...joined.map((network) => network.id)];
    const nrpe = this.nrpeSecrets(name, args.nrpeCertificates);
    const pairs = topology(location).map((pair) => this.pair(name, pair, args, labels, networkIds, nrpe));
    this.endpoints = pulumi.all(pairs).apply((endpoints) => endpoints.flat());
    this.registerOutputs({ endpoints: this.endpoints });
  }

  private nrpeSecrets(name: string, certificates: NrpeCertificates | undefined): SecretFile[] {
    if (!certificates) return [];
    const secret = (part: string, value: pulumi.Output<string>) => dockerSecret(`${name}-nrpe-${part}`, value, this);
    return [
      { secret: secret("ca", certificates.caCertificate), fileName: "nrpe-ca.crt" },
      { secret: secret("client", certificates.clientCertificate), fileName: "nrpe-client.crt" },
      { secret: secret("client-key", certificates.clientKey), fileName: "nrpe-client.key" },
    ];
  }

  private pair(
    name: string,
    pair: Pair,
    args: IcingaLocationArgs,
    labels: NodeLabels,
    networkIds: readonly pulumi.Input<string>[],
    nrpe: readonly SecretFile[],
  ): pulumi.Output<string[]> {
    const { location, master, stack } = args;
    const reached = master.reachedBy(location.uplink);
    const part = `${name}${pair.zone.slice(location.name.length)}`;
    const tickets = dockerSecret(`${part}-tickets`, enrolmentTickets(pair.endpoints, master.ticketSalt), this);
    const slots = new KeptSlots(
      `${part}-slots`,
      {
        serviceName: pair.service,
        slots: pair.endpoints.length,
        // As late as the service itself: what keeps that from changing should keep its slaves as well.
        dockerHost: master.host.apply(() => pulumi.output(stack.dockerHost)),
        timeoutSeconds: stack.readiness.timeoutSeconds,
      },
      { parent: this },
    );
    const service = new SwarmService(
      `${part}-swarm`,
      {
        serviceName: pair.service,
        image: args.image.reference,
        hostname: `${pair.service}-{{.Task.Slot}}`,
        replicas: pair.endpoints.length,
        maxReplicasPerNode: location.nodes.length > 1 ? 1 : 0,
        constraint: slots.after(labels.constraint),
        env: {
          ICINGA_ZONE: pair.zone,
          ICINGA_ENDPOINTS: pair.endpoints.join(" "),
          ICINGA_MASTER_ENDPOINT: MASTER.endpoint,
          ICINGA_MASTER_HOST: reached.host,
          ICINGA_MASTER_PORT: String(reached.port),
          REPLAY_HOURS: String(args.replayHours),
        },
        secrets: [
          { secret: master.caCertificate, fileName: "icinga-ca.crt", isPublic: true },
          { secret: tickets, fileName: "icinga-tickets" },
          ...nrpe,
        ],
        volumes: [
          { name: `${slotVolume(pair)}-config`, target: "/etc/icinga2" },
          { name: `${slotVolume(pair)}-data`, target: "/var/lib/icinga2" },
        ],
        networkIds,
        limits: limitsOf(stack, args.memoryMegabytes),
      },
      { parent: this },
    );
    const ready = new Readiness(
      `${part}-ready`,
      // A slave is ready when it holds its zone's configuration, which the generator brings.
      { service, dockerHost: args.generator.after<string>(stack.dockerHost) },
      { parent: this },
    );
    return ready.after([...pair.endpoints]);
  }
}

/** Each slot has volumes of its own, so that it keeps its identity and its configuration. */
function slotVolume(pair: Pair): string {
  return `${pair.service.replace(/^icinga-/, "icinga2-")}-{{.Task.Slot}}`;
}
