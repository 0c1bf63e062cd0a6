import type { ExecResult, TestEngine } from "./engine";

/** A customer's machine with an NRPE client: the fixture, in a container that no swarm knows. */
export class NrpeClient {
  constructor(
    private readonly engine: TestEngine,
    /** Id or name. */
    readonly container: string,
    /** Where those who reach it ask. */
    readonly address: string,
  ) {}

  /** What `check_switch` answers from now on: 0 OK to 3 UNKNOWN. */
  async answers(state: number): Promise<void> {
    await this.run(`echo ${state} >/var/lib/nrpe-client/state`);
  }

  /** How often `check_switch` has run. */
  async executions(): Promise<number> {
    return Number(
      (await this.run("touch /var/lib/nrpe-client/executions; wc -l </var/lib/nrpe-client/executions")).stdout,
    );
  }

  /** How often it ran within some seconds from now. */
  async executionsDuring(seconds: number): Promise<number> {
    const before = await this.executions();
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    return (await this.executions()) - before;
  }

  private async run(script: string): Promise<ExecResult> {
    const result = await this.engine.exec(this.container, ["sh", "-c", script]);
    if (result.code !== 0) throw new Error(`${script} in ${this.container}: ${result.stderr}`);
    return result;
  }
}
