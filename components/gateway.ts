import * as pulumi from "@pulumi/pulumi";
import { gatewayUsers } from "../render/gatewayUsers";
import type { User } from "../settings/schema";
import { dockerSecret } from "./files";
import type { Networks } from "./networks";
import type { NodeLabels } from "./nodeLabels";
import { Readiness } from "./readiness";
import type { ServiceImage } from "./serviceImage";
import { limitsOf, type StackContext } from "./stack";
import { type SecretFile, SwarmService } from "./swarmService";

export interface GatewayArgs {
  readonly stack: StackContext;
  readonly image: ServiceImage;
  readonly networks: Networks;
  /** Label of the one node whose volume holds the sessions, and at whose address everybody looks. */
  readonly central: NodeLabels;
  readonly memoryMegabytes: number;
  readonly settings: {
    /** Name or address that people type. @default the one they typed; a certificate made here is then for `localhost` */
    readonly hostname?: string;
    readonly httpsPort: number;
    readonly httpPort: number;
    /** Minutes without a request after which a login ends. */
    readonly idleMinutes: number;
  };
  readonly users: readonly User[];
  readonly credentials: {
    /** What sessions are encrypted with. */
    readonly sessionKey: pulumi.Output<string>;
    /** PEM with the chain, and its key. @default the gateway makes and keeps its own */
    readonly certificate?: pulumi.Output<string>;
    readonly key?: pulumi.Output<string>;
    /** mod_auth_openidc's settings for a company's identity provider; see docs/users.md. @default the stack's own users */
    readonly openIdConnect?: pulumi.Output<string>;
  };
}

/**
 * The one door: HTTPS, one login, and the pages behind it, which are found again whenever they are replaced. It needs
 * none of them to be ready.
 */
export class Gateway extends pulumi.ComponentResource {
  /** Name that the pages know it by; resolves once its login page answers. */
  readonly host: pulumi.Output<string>;
  /** What people type, once it answers. */
  readonly address: pulumi.Output<string>;

  constructor(name: string, args: GatewayArgs, opts?: pulumi.ComponentResourceOptions) {
    super("icinga-swarm:index:Gateway", name, {}, opts);
    const { settings } = args;
    const service = new SwarmService(
      `${name}-swarm`,
      {
        serviceName: "gateway",
        image: args.image.reference,
        constraint: args.central.constraint,
        env: {
          GATEWAY_HOSTNAME: settings.hostname ?? "",
          PUBLISHED_HTTPS_PORT: String(settings.httpsPort),
          IDLE_MINUTES: String(settings.idleMinutes),
        },
        secrets: this.secrets(name, args),
        volumes: [{ name: "icinga-swarm-gateway-data", target: "/var/lib/gateway" }],
        networkIds: [args.networks.web.id],
        ports: [
          { target: 443, published: settings.httpsPort },
          { target: 80, published: settings.httpPort },
        ],
        limits: limitsOf(args.stack, args.memoryMegabytes),
      },
      { parent: this },
    );
    const ready = new Readiness(`${name}-ready`, { service, dockerHost: args.stack.dockerHost }, { parent: this });
    this.host = ready.after(service.serviceName);
    this.address = ready.after(addressOf(settings.hostname ?? "localhost", settings.httpsPort));
    this.registerOutputs({ host: this.host, address: this.address });
  }

  private secrets(name: string, { users, credentials }: GatewayArgs): SecretFile[] {
    const values = {
      "gateway-users": pulumi.secret(gatewayUsers(users)),
      "gateway-session-key": credentials.sessionKey,
      "gateway-certificate": credentials.certificate,
      "gateway-key": credentials.key,
      "gateway-openidc.conf": credentials.openIdConnect,
    };
    return Object.entries(values).flatMap(([fileName, value]) => {
      if (value === undefined) return [];
      const part = fileName.replace(/^gateway-/, "").replace(/\.conf$/, "");
      return [{ secret: dockerSecret(`${name}-${part}`, value, this), fileName }];
    });
  }
}

/** The address of a host, without the port where browsers know it. */
export function addressOf(hostname: string, httpsPort: number): string {
  return `https://${hostname}${httpsPort === 443 ? "" : `:${httpsPort}`}/`;
}
