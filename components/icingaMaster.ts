import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { MASTER, type Uplink } from "../generator/location";
import { dockerConfig, dockerSecret } from "./files";
import type { MySql } from "./mySql";
import type { Networks } from "./networks";
import type { NodeLabels } from "./nodeLabels";
import { Readiness } from "./readiness";
import type { ServiceImage } from "./serviceImage";
import { limitsOf, type StackContext } from "./stack";
import { type ConfigFile, type SecretFile, SwarmService } from "./swarmService";

/** The smarthost that notifications leave through. */
export interface MailRelay {
  readonly host: string;
  readonly port: number;
  /** Sender's address. */
  readonly from: string;
  /** Whom to log in as; then TLS is a must. @default none: mails are sent without a login */
  readonly username?: string;
  /** PEM; what alone may vouch for the server. @default whom Debian trusts */
  readonly caCertificate?: string;
}

/** An address outside that is called at a steady pace while monitoring works: who misses the calls is alarmed. */
export interface Heartbeat {
  /** http or https; may hold a token. */
  readonly url: pulumi.Output<string>;
  readonly intervalSeconds: number;
}

/** Where slaves with a direct uplink reach the master from outside of the swarm's networks. */
export interface PublishedMaster {
  /** Host name or IPv4 address. */
  readonly address: string;
  /** Of the central node. */
  readonly port: number;
}

export interface IcingaMasterArgs {
  readonly stack: StackContext;
  readonly image: ServiceImage;
  readonly networks: Networks;
  readonly central: NodeLabels;
  readonly mySql: MySql;
  readonly memoryMegabytes: number;
  /** Days that history is kept, in the database and in the log that Livestatus tells of. */
  readonly historyDays: number;
  /** @default none: notifications are not mailed */
  readonly mailRelay?: MailRelay;
  /** @default none: nothing outside is called */
  readonly heartbeat?: Heartbeat;
  /** @default none: no location has a direct uplink, and the node has no port of the master's */
  readonly published?: PublishedMaster;
  readonly credentials: {
    /** PEM. */
    readonly caCertificate: pulumi.Output<string>;
    /** PEM. */
    readonly caKey: pulumi.Output<string>;
    /** Tickets for slaves are computed from it; it never leaves the master. */
    readonly ticketSalt: pulumi.Output<string>;
    readonly apiGeneratorPassword: pulumi.Output<string>;
    /** Used if the relay has a username. */
    readonly mailRelayPassword: pulumi.Output<string>;
  };
}

/** Name of the master in the network `livestatus`, where alone Livestatus listens. */
const LIVESTATUS = "livestatus";

/** The Icinga master: certificate authority, configuration, results, and the schema of its database. */
export class IcingaMaster extends pulumi.ComponentResource {
  /** Name that slaves and the generator reach it by; resolves once its API answers and its database is connected. */
  readonly host: pulumi.Output<string>;
  /** The same for those who ask Livestatus, in the network of that name. */
  readonly livestatusHost: pulumi.Output<string>;
  readonly caCertificate: docker.Secret;
  readonly apiGeneratorPassword: docker.Secret;
  /** What tickets are computed from; for components that enrol slaves. */
  readonly ticketSalt: pulumi.Output<string>;
  private readonly published: PublishedMaster | undefined;
  private readonly ready: Readiness;

  constructor(name: string, args: IcingaMasterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("icinga-swarm:index:IcingaMaster", name, {}, opts);
    const { credentials } = args;
    this.ticketSalt = credentials.ticketSalt;
    this.published = args.published;
    this.caCertificate = dockerSecret(`${name}-ca-certificate`, credentials.caCertificate, this);
    this.apiGeneratorPassword = dockerSecret(`${name}-api-generator`, credentials.apiGeneratorPassword, this);
    const caKey = dockerSecret(`${name}-ca-key`, credentials.caKey, this);
    const salt = dockerSecret(`${name}-ticket-salt`, credentials.ticketSalt, this);
    const heartbeat = args.heartbeat
      ? [{ secret: dockerSecret(`${name}-heartbeat-url`, args.heartbeat.url, this), fileName: "heartbeat-url" }]
      : [];
    const service = new SwarmService(
      `${name}-swarm`,
      {
        serviceName: MASTER.service,
        image: args.image.reference,
        constraint: args.central.constraint,
        env: {
          MYSQL_HOST: args.mySql.host,
          MYSQL_DATABASE: "icinga",
          MYSQL_USER: "icinga",
          LIVESTATUS_SUBNET: args.networks.livestatus.subnet,
          HISTORY_DAYS: String(args.historyDays),
          ...mailEnvironment(args.mailRelay),
          ...heartbeatEnvironment(args.heartbeat),
        },
        secrets: [
          { secret: this.caCertificate, fileName: "icinga-ca.crt", isPublic: true },
          { secret: caKey, fileName: "icinga-ca.key" },
          { secret: salt, fileName: "icinga-ticket-salt" },
          { secret: args.mySql.icingaPassword, fileName: "mysql-icinga-password" },
          { secret: this.apiGeneratorPassword, fileName: "icinga-api-generator-password" },
          ...this.mailPassword(name, args),
          ...heartbeat,
        ],
        configs: this.mailCa(name, args.mailRelay),
        volumes: [
          { name: "icinga-master-data", target: "/var/lib/icinga2" },
          { name: "icinga-master-mail", target: "/var/spool/nullmailer" },
        ],
        networkIds: [
          args.networks.cluster.id,
          args.networks.database.id,
          // Who shares other networks with it, too, may be given its address in one of those for its own name.
          { id: args.networks.livestatus.id, aliases: [LIVESTATUS] },
          args.networks.metrics.id,
        ],
        // The cluster's own port alone, where certificates speak; Livestatus and NRPE stay inside.
        ports: args.published && [{ target: MASTER.port, published: args.published.port }],
        // Its queue to the database is written out when it is stopped.
        stopGraceSeconds: 60,
        limits: limitsOf(args.stack, args.memoryMegabytes),
      },
      { parent: this },
    );
    this.ready = new Readiness(`${name}-ready`, { service, dockerHost: args.stack.dockerHost }, { parent: this });
    this.host = this.ready.after(service.serviceName);
    this.livestatusHost = this.ready.after(LIVESTATUS);
    this.registerOutputs({ host: this.host });
  }

  /** Where slaves dial in; resolves once the master does its job. */
  reachedBy(uplink: Uplink): { host: pulumi.Output<string>; port: number } {
    if (uplink === "overlay") return { host: this.host, port: MASTER.port };
    if (!this.published) throw new Error("a location has a direct uplink, but the master is published nowhere");
    return { host: this.ready.after(this.published.address), port: this.published.port };
  }

  private mailPassword(name: string, { mailRelay, credentials }: IcingaMasterArgs): SecretFile[] {
    if (mailRelay?.username === undefined) return [];
    const secret = dockerSecret(`${name}-mail-relay-password`, credentials.mailRelayPassword, this);
    return [{ secret, fileName: "mail-relay-password" }];
  }

  private mailCa(name: string, relay: MailRelay | undefined): ConfigFile[] {
    if (relay?.caCertificate === undefined) return [];
    const config = dockerConfig(`${name}-mail-relay-ca`, relay.caCertificate, this);
    return [{ config, path: "/etc/icinga-swarm/mail-relay-ca.crt" }];
  }
}

function mailEnvironment(relay: MailRelay | undefined): Record<string, string> {
  if (relay === undefined) return {};
  const { host, port, from, username } = relay;
  return { MAIL_HOST: host, MAIL_PORT: String(port), MAIL_FROM: from, ...(username ? { MAIL_USER: username } : {}) };
}

function heartbeatEnvironment(heartbeat: Heartbeat | undefined): Record<string, string> {
  return heartbeat ? { HEARTBEAT_SECONDS: String(heartbeat.intervalSeconds) } : {};
}
