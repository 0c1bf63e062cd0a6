import type Docker from "dockerode";

/** What one run of a command in a container printed and how it ended. */
export interface ExecResult {
  readonly code: number;
  readonly output: string;
}

/** Attributes of an Icinga object, as the API gives them. */
export type Attributes = Record<string, unknown>;

/** A running stack as its operator and its neighbours see it. */
export class Stack {
  constructor(readonly docker: Docker) {}

  /** Ids of all running containers of the stack, by `service.slot`. */
  async containers(): Promise<Record<string, string>> {
    const running = await this.docker.listContainers({ filters: { status: ["running"] } });
    const tasks = running.flatMap(({ Id, Labels }) => {
      const task = /^([a-z0-9-]+)\.(\d+)\./.exec(Labels["com.docker.swarm.task.name"] ?? "");
      return task ? [[`${task[1]}.${task[2]}`, Id] as const] : [];
    });
    return Object.fromEntries(tasks.sort());
  }

  /** Id of the running container of a service's slot. */
  async container(service: string, slot = 1): Promise<string> {
    const id = (await this.containers())[`${service}.${slot}`];
    if (id === undefined) {
      throw new Error(`${service}.${slot} is not running`);
    }
    return id;
  }

  /** Runs a command in a service's container, as root. */
  async exec(service: string, argv: readonly string[], slot = 1): Promise<ExecResult> {
    return this.execIn(await this.container(service, slot), argv);
  }

  /** Runs a command in any container. */
  async execIn(container: string, argv: readonly string[]): Promise<ExecResult> {
    const exec = await this.docker
      .getContainer(container)
      .exec({ Cmd: [...argv], AttachStdout: true, AttachStderr: true, Tty: true });
    const stream = await exec.start({ Tty: true });
    let output = "";
    for await (const chunk of stream) {
      output += String(chunk);
    }
    const { ExitCode } = await exec.inspect();
    return { code: ExitCode ?? -1, output: output.replaceAll("\r\n", "\n") };
  }

  /** Objects that the master's API answers with, by name. */
  async objects(kind: string, attributes: readonly string[], filter?: string): Promise<Record<string, Attributes>> {
    const query = { attrs: attributes, ...(filter === undefined ? {} : { filter }) };
    const { code, output } = await this.exec("icinga-master", [
      "python3",
      "-c",
      ASK_API,
      `objects/${kind}`,
      JSON.stringify(query),
    ]);
    if (code !== 0) {
      throw new Error(`the master's API: ${output}`);
    }
    const results = (JSON.parse(output) ?? []) as { name: string; attrs: Attributes }[];
    return Object.fromEntries(results.map(({ name, attrs }) => [name, attrs]));
  }

  /** A service check's last result as the master knows it; undefined before the first. */
  async lastResult(
    service: string,
  ): Promise<{ state: number; source: string; end: number; output: string } | undefined> {
    const found = await this.objects("services", ["state", "last_check_result"], `service.__name=="${service}"`);
    const result = found[service]?.last_check_result as
      { state: number; check_source: string; execution_end: number; output: string } | null | undefined;
    return result
      ? { state: result.state, source: result.check_source, end: result.execution_end, output: result.output }
      : undefined;
  }

  /** The stage of the generator's package that the master says is active. */
  async activeStage(): Promise<string | undefined> {
    const { output } = await this.exec("icinga-master", [
      "sh",
      "-c",
      "cat /var/lib/icinga2/api/packages/icinga-swarm/active-stage",
    ]);
    return output.trim();
  }

  /** Names of the endpoints that the master is connected to. */
  async connected(): Promise<string[]> {
    const endpoints = await this.objects("endpoints", ["connected"]);
    return Object.keys(endpoints)
      .filter((name) => endpoints[name]?.connected === true)
      .sort();
  }

  /** Rows that a query of Icinga's database gives, as text. */
  async sql(query: string): Promise<string[]> {
    const client =
      'MYSQL_PWD=$(cat /run/secrets/mysql-icinga-password) mysql -h 127.0.0.1 -u icinga icinga -N -B -e "$1"';
    return this.mysql(client, query);
  }

  /** The same as MySQL's root. */
  async rootSql(query: string): Promise<string[]> {
    return this.mysql('MYSQL_PWD=$(cat /run/secrets/mysql-root-password) mysql -u root -N -B -e "$1"', query);
  }

  private async mysql(client: string, query: string): Promise<string[]> {
    const { code, output } = await this.exec("mysql", ["bash", "-c", client, "-", query]);
    if (code !== 0) {
      throw new Error(`MySQL: ${output}`);
    }
    return output.split("\n").filter((row) => row !== "");
  }

  /** SHA-256 of a slave's certificate. */
  async fingerprint(service: string, slot = 1): Promise<string> {
    const file = `/var/lib/icinga2/certs/${service}-${slot}.crt`;
    const { output } = await this.exec(
      service,
      ["openssl", "x509", "-in", file, "-noout", "-fingerprint", "-sha256"],
      slot,
    );
    return output.trim();
  }

  /** Everything that the swarm and its nodes still hold of a stack. */
  async remains(): Promise<string[]> {
    const [services, networks, secrets, configs, nodes] = await Promise.all([
      this.docker.listServices(),
      this.docker.listNetworks(),
      this.docker.listSecrets(),
      this.docker.listConfigs(),
      this.docker.listNodes(),
    ]);
    return [
      ...services.map((service) => `service ${service.Spec?.Name}`),
      ...networks.filter(({ Labels }) => Labels?.["icinga-swarm"]).map(({ Name }) => `network ${Name}`),
      ...secrets.map(({ Spec }) => `secret ${Spec?.Name}`),
      ...configs.map(({ Spec }) => `config ${Spec?.Name}`),
      ...nodes.flatMap(({ Spec }) => Object.keys(Spec?.Labels ?? {}).map((label) => `label ${label}`)),
    ];
  }
}

/** Asks the API with the image's own client; prints the results as JSON. */
const ASK_API = `
import json, sys
sys.path.insert(0, "/usr/local/lib/icinga-swarm")
from icinga_api import LocalApi
print(json.dumps(LocalApi("icinga-master").get(sys.argv[1], **json.loads(sys.argv[2]))))
`;
