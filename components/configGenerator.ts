import * as pulumi from "@pulumi/pulumi";
import { MASTER } from "../generator/location";
import { type GeneratorSettings, isSshUrl, type ServiceSettings } from "../generator/serviceSettings";
import { dockerConfig, dockerSecret } from "./files";
import type { NrpeCertificates } from "./icingaLocation";
import type { IcingaMaster } from "./icingaMaster";
import type { Networks } from "./networks";
import type { NodeLabels } from "./nodeLabels";
import { Readiness } from "./readiness";
import type { ServiceImage } from "./serviceImage";
import { limitsOf, type StackContext } from "./stack";
import { type SecretFile, SwarmService } from "./swarmService";

export interface ConfigGeneratorArgs {
  readonly stack: StackContext;
  readonly image: ServiceImage;
  readonly networks: Networks;
  readonly central: NodeLabels;
  readonly master: IcingaMaster;
  readonly memoryMegabytes: number;
  /** Where the inventory comes from, and what must not happen by mistake. */
  readonly settings: GeneratorSettings;
  /** What slaves show NRPE clients; the generator is told only whether there is any. @default nothing */
  readonly nrpeCertificates?: NrpeCertificates;
  /** Private key for a Git repository that is reached over ssh; not looked at without one. */
  readonly deployKey: pulumi.Output<string>;
  /** Hours that the master keeps for a slave that is out of reach what it would tell it. */
  readonly replayHours: number;
  /** Inventory, unless it comes from Git, and locations: base64 chunks that each fit a Docker config. */
  readonly shipment: readonly string[];
}

/** Turns the inventory and the locations into Icinga's configuration and keeps it active on the master. */
export class ConfigGenerator extends pulumi.ComponentResource {
  private readonly ready: Readiness;

  constructor(name: string, args: ConfigGeneratorArgs, opts?: pulumi.ComponentResourceOptions) {
    super("icinga-swarm:index:ConfigGenerator", name, {}, opts);
    const service = new SwarmService(
      `${name}-swarm`,
      {
        serviceName: "config-generator",
        image: args.image.reference,
        constraint: args.central.constraint,
        env: { ICINGA_API_URL: pulumi.interpolate`https://${args.master.host}:${MASTER.port}` },
        secrets: [
          { secret: args.master.caCertificate, fileName: "icinga-ca.crt", isPublic: true },
          { secret: args.master.apiGeneratorPassword, fileName: "icinga-api-generator-password" },
          ...this.deployKey(name, args),
        ],
        configs: [
          {
            config: dockerConfig(`${name}-settings`, JSON.stringify(serviceSettings(args)), this),
            path: "/etc/icinga-swarm/generator.json",
          },
          ...args.shipment.map((chunk, index) => {
            const number = String(index).padStart(3, "0");
            const config = dockerConfig(`${name}-shipment-${number}`, chunk, this);
            return { config, path: `/etc/icinga-swarm/shipment/${number}` };
          }),
        ],
        volumes: [{ name: "icinga-swarm-generator-data", target: "/var/lib/config-generator" }],
        networkIds: [args.networks.cluster.id],
        limits: limitsOf(args.stack, args.memoryMegabytes),
      },
      { parent: this },
    );
    this.ready = new Readiness(`${name}-ready`, { service, dockerHost: args.stack.dockerHost }, { parent: this });
    this.registerOutputs({});
  }

  private deployKey(name: string, { settings, deployKey }: ConfigGeneratorArgs): SecretFile[] {
    if (settings.git === undefined || !isSshUrl(settings.git.url)) return [];
    return [{ secret: dockerSecret(`${name}-deploy-key`, deployKey, this), fileName: "generator-deploy-key" }];
  }

  /** A value that may be used only once the package with this content is active on the master. */
  after<T>(value: pulumi.Input<T>): pulumi.Output<T> {
    return this.ready.after(value);
  }
}

function serviceSettings({ settings, nrpeCertificates, replayHours }: ConfigGeneratorArgs): ServiceSettings {
  return { ...settings, nrpeCertificates: nrpeCertificates !== undefined, replayHours };
}
