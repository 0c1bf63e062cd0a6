import { ApiUnavailable, type CheckResult, type ConfigApi, type PackageInfo } from "../../../generator/icingaApi";
import { PACKAGE_NAME } from "../../../generator/package";

interface Stage {
  readonly files: Map<string, string>;
  /** Turns of `readFile("status")` until the validation has ended. */
  turnsLeft: number;
}

/**
 * A master's config packages as Icinga 2.14 behaves: every stage is accepted, validated later, and becomes active or
 * not; the daemon runs with a stage only after a reload.
 */
export class FakeMaster implements ConfigApi {
  readonly stages = new Map<string, Stage>();
  activeStage: string | undefined;
  loadedStage: string | undefined;
  hasPackage = false;
  uploads = 0;
  /** What a validation says: undefined accepts. */
  refusal: ((files: ReadonlyMap<string, string>) => string | undefined) | undefined;
  /** Whether an activated stage gets loaded. */
  reloads = true;
  /** Thrown by every call. */
  outage: Error | undefined;
  turnsOfValidation = 2;
  /** Results of the check that is named, newest last. */
  readonly results: (CheckResult & { readonly of: string })[] = [];
  /** Whether there is such a check. */
  hasCheck = true;
  private nextStage = 1;

  async packages(): Promise<PackageInfo[]> {
    this.answer();
    const others = [{ name: "_api", stages: ["1"], activeStage: "1" }];
    if (!this.hasPackage) return others;
    return [...others, { name: PACKAGE_NAME, stages: [...this.stages.keys()], activeStage: this.activeStage }];
  }

  async createPackage(name: string): Promise<void> {
    this.answer();
    if (name !== PACKAGE_NAME || this.hasPackage) throw new Error(`cannot create ${name}`);
    this.hasPackage = true;
  }

  async listFiles(_package: string, stage: string): Promise<string[]> {
    this.answer();
    return [...(this.stages.get(stage)?.files.keys() ?? []), "include.conf", "startup.log", "status"];
  }

  async readFile(_package: string, name: string, path: string): Promise<string | undefined> {
    this.answer();
    const stage = this.stages.get(name);
    if (stage === undefined) return undefined;
    if (path === "startup.log") return `[2026-11-23 03:12:14 +0000] information\n${this.refusal?.(stage.files) ?? ""}`;
    if (path !== "status") return stage.files.get(path);
    stage.turnsLeft -= 1;
    if (stage.turnsLeft > 0) return undefined;
    if (this.refusal?.(stage.files) !== undefined) return "1";
    this.activeStage = name;
    if (this.reloads) this.loadedStage = name;
    return "0";
  }

  async upload(_package: string, files: ReadonlyMap<string, string>): Promise<string> {
    this.answer();
    if (!this.hasPackage) throw new ApiUnavailable("no such package");
    const name = `stage-${this.nextStage++}`;
    this.uploads += 1;
    this.stages.set(name, { files: new Map(files), turnsLeft: this.turnsOfValidation });
    return name;
  }

  async deleteStage(_package: string, stage: string): Promise<void> {
    this.answer();
    if (stage === this.activeStage) throw new Error("an active stage cannot be deleted");
    this.stages.delete(stage);
  }

  async loadedStages(): Promise<Set<string>> {
    this.answer();
    return new Set(this.loadedStage === undefined ? [] : [this.loadedStage]);
  }

  async submit(host: string, service: string, result: CheckResult): Promise<boolean> {
    this.answer();
    if (this.hasCheck) this.results.push({ of: `${host}!${service}`, ...result });
    return this.hasCheck;
  }

  private answer(): void {
    if (this.outage !== undefined) throw this.outage;
  }
}
