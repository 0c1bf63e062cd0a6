import type Docker from "dockerode";
import { type Mail, mailsIn } from "../mails";
import { GIT_SERVER_IMAGE, NRPE_CLIENT_IMAGE, SMTP_SINK_IMAGE } from "./seed";
import { eventually } from "./workspace";

const MAIL_PORT = 2525;
const GIT_PORT = 2222;

/** What a customer has beside the stack: a mail server, a Git server, machines. Containers that no swarm knows. */
export class Neighbours {
  private constructor(
    private readonly docker: Docker,
    private readonly address: string,
    private readonly network: string,
    private readonly mailServer: string,
    private readonly gitServer: string,
  ) {}

  /**
   * @param address where containers reach what others publish
   * @param network that the customer's machines are on
   */
  static async start(docker: Docker, address: string, network: string): Promise<Neighbours> {
    const mailServer = await run(docker, "mail-server", SMTP_SINK_IMAGE, publish(MAIL_PORT, MAIL_PORT));
    const gitServer = await run(docker, "git-server", GIT_SERVER_IMAGE, publish(22, GIT_PORT));
    return new Neighbours(docker, address, network, mailServer, gitServer);
  }

  /** The stack's setting `mailRelay`. */
  get mailRelay() {
    return { host: this.address, port: MAIL_PORT, from: "icinga@example.com" };
  }

  /** The mails to a recipient whose subject matches, in the order of their arrival. */
  async mails(to: string, subject: RegExp): Promise<Mail[]> {
    const log = (await this.docker.getContainer(this.mailServer).logs({ stdout: true, stderr: false })) as unknown;
    return mailsIn(String(log)).filter((mail) => mail.to.includes(to) && subject.test(mail.headers["subject"] ?? ""));
  }

  /** One of the customer's machines: a name on their network that answers a ping. */
  startMachine(name: string): Promise<string> {
    return run(this.docker, name, NRPE_CLIENT_IMAGE, { NetworkMode: this.network });
  }

  async removeMachine(id: string): Promise<void> {
    await this.docker.getContainer(id).remove({ force: true });
  }

  /** The stack's setting `generator.git`, and the key that may read: what a company's administrator hands out. */
  async gitAccess(): Promise<{ git: Record<string, string>; deployKey: string }> {
    await this.onGitServer("mkdir -p /etc/git-server && ssh-keygen -q -t ed25519 -N '' -f /tmp/key <<<y >/dev/null");
    await this.onGitServer("cp /tmp/key.pub /etc/git-server/authorized_keys");
    const hostKey = await this.onGitServer("cat /etc/ssh/ssh_host_ed25519_key.pub");
    return {
      git: {
        url: `ssh://git@${this.address}:${GIT_PORT}/srv/git/monitoring.git`,
        path: "inventory",
        schedule: "* * * * *",
        knownHosts: `[${this.address}]:${GIT_PORT} ${hostKey.split(" ").slice(0, 2).join(" ")}\n`,
      },
      deployKey: await this.onGitServer("cat /tmp/key"),
    };
  }

  /** Puts files of an inventory into the repository in place of those that are there. @returns the commit */
  async commit(files: Readonly<Record<string, string>>): Promise<string> {
    await this.onGitServer("rm -rf /srv/work/inventory && mkdir /srv/work/inventory");
    for (const [file, text] of Object.entries(files)) {
      await this.onGitServer(`base64 -d >/srv/work/inventory/${file} <<<${Buffer.from(text).toString("base64")}`);
    }
    return (await this.onGitServer("commit-work")).trim();
  }

  private async onGitServer(command: string): Promise<string> {
    const container = this.docker.getContainer(this.gitServer);
    const exec = await container.exec({
      Cmd: ["bash", "-ec", command],
      AttachStdout: true,
      AttachStderr: true,
      Tty: true,
    });
    let output = "";
    for await (const chunk of await exec.start({ Tty: true })) output += String(chunk);
    const { ExitCode } = await exec.inspect();
    if (ExitCode !== 0) throw new Error(`on the Git server: ${command}: ${output}`);
    return output.replaceAll("\r\n", "\n");
  }
}

function publish(port: number, hostPort: number) {
  return { PortBindings: { [`${port}/tcp`]: [{ HostPort: String(hostPort) }] } };
}

async function run(docker: Docker, name: string, image: string, hostConfig: Docker.HostConfig): Promise<string> {
  const container = await docker.createContainer({ name, Image: image, HostConfig: hostConfig });
  await container.start();
  await eventually(`${name} to run`, async () => (await container.inspect()).State.Running, 20);
  return container.id;
}
