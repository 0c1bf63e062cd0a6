import type Docker from "dockerode";

/** What one run of a command in a container printed and how it ended. */
export interface ExecResult {
  readonly code: number;
  readonly output: string;
}

/** Attributes of an Icinga object, as the API gives them. */
export type Attributes = Record<string, unknown>;

/** An engine whose containers may be the stack's. */
export interface StackNode {
  readonly name: string;
  readonly docker: Docker;
}

/** A running task of a service. */
export interface RunningTask {
  /** `service.slot`. */
  readonly task: string;
  /** Id of its container. */
  readonly id: string;
  readonly node: StackNode;
}

/** A running stack as its operator and its neighbours see it. */
export class Stack {
  /**
   * @param docker the swarm's manager
   * @param nodes the machines there are now. @default the manager alone
   */
  constructor(
    readonly docker: Docker,
    private readonly nodes: () => readonly StackNode[] = () => [{ name: "self", docker }],
  ) {}

  /** Running tasks of all services, in the order of their names; a machine without power has none. */
  async running(): Promise<RunningTask[]> {
    const found = await Promise.all(this.nodes().map(runningOn));
    return found.flat().sort((one, other) => (one.task < other.task ? -1 : 1));
  }

  /** Ids of all running containers of the stack, by `service.slot`. @throws Error when a slot has two */
  async containers(): Promise<Record<string, string>> {
    return bySlot(await this.running(), ({ id }) => id);
  }

  /** Names of the nodes that run the stack's containers, by `service.slot`. @throws Error when a slot has two */
  async placement(): Promise<Record<string, string>> {
    return bySlot(await this.running(), ({ node }) => node.name);
  }

  /** Running containers of all services but these and the generator, which restarts whenever its input changes. */
  async containersOutside(...services: string[]): Promise<Record<string, string>> {
    const all = Object.entries(await this.containers());
    return Object.fromEntries(
      all.filter(([name]) => ![...services, "config-generator"].includes(name.split(".")[0] ?? "")),
    );
  }

  /** Id of the running container of a service's slot. */
  async container(service: string, slot = 1): Promise<string> {
    const task = `${service}.${slot}`;
    const own = (await this.running()).filter((running) => running.task === task);
    const id = bySlot(own, (running) => running.id)[task];
    if (id === undefined) {
      throw new Error(`${task} is not running`);
    }
    return id;
  }

  /** Runs a command in a service's container, as root. */
  async exec(service: string, argv: readonly string[], slot = 1): Promise<ExecResult> {
    return this.execIn(await this.container(service, slot), argv);
  }

  /** Runs a command in any container of these machines. */
  async execIn(container: string, argv: readonly string[]): Promise<ExecResult> {
    const docker = await this.dockerOf(container);
    const exec = await docker
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

  /** The engine that has a container. */
  private async dockerOf(container: string): Promise<Docker> {
    const nodes = this.nodes();
    if (nodes.length === 1) return this.docker;
    const owns = async ({ docker }: StackNode) =>
      docker
        .getContainer(container)
        .inspect()
        .then(() => docker);
    return await Promise.any(nodes.map(owns)).catch(() => {
      throw new Error(`none of ${nodes.map(({ name }) => name).join(", ")} has a container ${container}`);
    });
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

  /** Which endpoints delivered the last results of a host's services. */
  async checkSources(host: string): Promise<Set<string>> {
    const services = await this.objects("services", ["last_check_result"], `host.name=="${host}"`);
    const results = Object.values(services).map(
      ({ last_check_result: result }) => result as { check_source: string } | null,
    );
    return new Set(results.flatMap((result) => (result ? [result.check_source] : [])));
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

  async isConnected(endpoint: string): Promise<boolean> {
    return (await this.connected()).includes(endpoint);
  }

  /** Rows that a query of Icinga's database gives, as text. */
  async sql(query: string): Promise<string[]> {
    const client =
      'MYSQL_PWD=$(cat /run/secrets/mysql-icinga-password) mysql -h 127.0.0.1 -u icinga icinga -N -B -e "$1"';
    return this.mysql(client, query);
  }

  /** A service's current state as the database has it: `0` to `3`. */
  async stateInDatabase(host: string, service: string): Promise<string | undefined> {
    const rows = await this.sql(
      "SELECT s.current_state FROM icinga_servicestatus s JOIN icinga_objects o ON o.object_id = s.service_object_id " +
        `WHERE o.name1 = '${host}' AND o.name2 = '${service}'`,
    );
    return rows[0];
  }

  /** How often a service came into a state, as the database's history has it. */
  async historyOf(host: string, service: string, state: number): Promise<number> {
    const rows = await this.sql(
      "SELECT COUNT(*) FROM icinga_statehistory h JOIN icinga_objects o ON o.object_id = h.object_id " +
        `WHERE o.name1 = '${host}' AND o.name2 = '${service}' AND h.state = ${state}`,
    );
    return Number(rows[0]);
  }

  async idoConnected(): Promise<boolean> {
    const connections = await this.objects("idomysqlconnections", ["name"]);
    const programs = await this.sql(
      "SELECT TIMESTAMPDIFF(SECOND, status_update_time, NOW()) < 30 FROM icinga_programstatus",
    );
    return Object.keys(connections).length === 1 && programs[0] === "1";
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

function bySlot(tasks: readonly RunningTask[], valueOf: (task: RunningTask) => string): Record<string, string> {
  const twice = tasks.find(({ task }, index) => tasks.findIndex((other) => other.task === task) !== index);
  if (twice !== undefined) throw new Error(`there are two containers of ${twice.task}`);
  return Object.fromEntries(tasks.map((task) => [task.task, valueOf(task)]));
}

async function runningOn(node: StackNode): Promise<RunningTask[]> {
  const running = await node.docker.listContainers({ filters: { status: ["running"] } }).catch((error: unknown) => {
    if (["ECONNREFUSED", "ENOENT"].includes((error as NodeJS.ErrnoException).code ?? "")) return [];
    throw error;
  });
  return running.flatMap(({ Id, Labels }) => {
    const task = /^([a-z0-9-]+)\.(\d+)\./.exec(Labels["com.docker.swarm.task.name"] ?? "");
    return task ? [{ task: `${task[1]}.${task[2]}`, id: Id, node }] : [];
  });
}

/** Asks the API with the image's own client; prints the results as JSON. */
const ASK_API = `
import json, sys
sys.path.insert(0, "/usr/local/lib/icinga-swarm")
from icinga_api import LocalApi
print(json.dumps(LocalApi("icinga-master").get(sys.argv[1], **json.loads(sys.argv[2]))))
`;
