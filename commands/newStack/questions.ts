import { settingsSchema } from "../../settings/schema";
import {
  configOf,
  defaultSlaves,
  dockerHostProblem,
  type Given,
  isRemote,
  locationOf,
  nameProblem,
  problemIn,
  registryOf,
  slavesOf,
} from "./config";

/** Puts a question to whoever sits at the terminal. */
export type Ask = (question: string) => Promise<string>;

/** What is wrong with an answer; undefined when nothing is. */
type Judge = (answer: string) => string | undefined;

const { shape } = settingsSchema;

/**
 * Asks for what is not given: nothing, if nothing is missing that a stack needs.
 *
 * @param given with nothing in it that is wrong by itself
 * @param say for what is wrong with an answer, before its question is put again
 */
export async function askForRest(given: Given, ask: Ask, say: (line: string) => void): Promise<Given> {
  if (configOf(given).problems.length === 0) return given;
  const questions = new Questions(ask, say);
  const name = given.name ?? (await questions.put("Name of the stack, such as prod", nameProblem));
  const dockerHost = given.dockerHost ?? (await askForDockerHost(questions));
  const { locations, slaves } = given.locations.length > 0 ? given : await askForLocations(questions);
  const nodes = locations.flatMap((text) => locationOf(text).location?.nodes ?? []);
  const central = given.central ?? (await askForCentral(questions, nodes));
  const isSpread = new Set([...nodes, ...(central === undefined ? [] : [central])]).size > 1;
  const registry = given.registry ?? (await askForRegistry(questions, isSpread));
  const registryUser = given.registryUser ?? (registry && (await askForRegistryUser(questions, registry)));
  const hostname = given.hostname ?? (await askForHostname(questions, isRemote(dockerHost)));
  return { ...given, name, dockerHost, locations, slaves, central, registry, registryUser, hostname };
}

function askForDockerHost(questions: Questions): Promise<string | undefined> {
  return questions.offer(
    "Docker of a swarm manager, such as ssh://deploy@hq-1.example.com",
    dockerHostProblem,
    "this machine's",
  );
}

/** Where there are several nodes, everything but the slaves needs one of its own choice. */
function askForCentral(questions: Questions, nodes: readonly string[]): Promise<string | undefined> {
  const question = "Node that holds everything but the slaves";
  const judge: Judge = (answer) => problemIn(shape.central, { node: answer });
  const [first = "", second] = new Set(nodes);
  return second === undefined ? questions.offer(question, judge, first) : questions.put(question, judge);
}

function askForRegistry(questions: Questions, isNeeded: boolean): Promise<string | undefined> {
  const question = "Registry and repository of the images, such as nexus.example.com:5000/monitoring";
  const judge: Judge = (answer) => registryOf(answer, "anybody").problem;
  return isNeeded ? questions.put(question, judge) : questions.offer(question, judge, "none");
}

function askForRegistryUser(questions: Questions, registry: string): Promise<string> {
  return questions.put("Who pushes and pulls there", (user) => registryOf(registry, user).problem, "ci");
}

function askForHostname(questions: Questions, isNeeded: boolean): Promise<string | undefined> {
  const question = "Name that people type to get to the pages";
  const judge: Judge = (answer) => problemIn(shape.gateway, { hostname: answer });
  return isNeeded ? questions.put(question, judge) : questions.offer(question, judge, "localhost");
}

async function askForLocations(questions: Questions): Promise<Pick<Given, "locations" | "slaves">> {
  const locations = new Map<string, string>();
  const slaves: string[] = [];
  const judge: Judge = (answer) => {
    const { location, problem } = locationOf(answer);
    return location && locations.has(location.name) ? `there is a location ${location.name} already` : problem;
  };
  for (;;) {
    const text =
      locations.size === 0
        ? await questions.put("A location and its nodes, such as frankfurt=fra-1,fra-2", judge)
        : await questions.offer("Another location", judge, "no more");
    const { location } = locationOf(text ?? "");
    if (text === undefined || !location) return { locations: [...locations.values()], slaves };
    locations.set(location.name, text);
    const count = await questions.put(
      `Slaves in ${location.name}`,
      (answer) => slavesOf(`${location.name}=${answer}`).problem,
      String(defaultSlaves(location.nodes)),
    );
    slaves.push(`${location.name}=${count}`);
  }
}

/** Puts each question until its answer is good. */
class Questions {
  constructor(
    private readonly ask: Ask,
    private readonly say: (line: string) => void,
  ) {}

  /**
   * A question that needs an answer.
   *
   * @param byDefault what an empty one stands for. @default none
   */
  async put(question: string, judge: Judge, byDefault = ""): Promise<string> {
    for (;;) {
      const answer = (await this.#ask(question, byDefault)) || byDefault;
      if (this.#isGood(answer, judge)) return answer;
    }
  }

  /**
   * A question that need not be answered.
   *
   * @param meaning what it means that there is no answer
   */
  async offer(question: string, judge: Judge, meaning: string): Promise<string | undefined> {
    for (;;) {
      const answer = await this.#ask(question, meaning);
      if (answer === "") return undefined;
      if (this.#isGood(answer, judge)) return answer;
    }
  }

  async #ask(question: string, hint: string): Promise<string> {
    return (await this.ask(`${question}${hint === "" ? "" : ` [${hint}]`}: `)).trim();
  }

  #isGood(answer: string, judge: Judge): boolean {
    const problem = judge(answer);
    if (problem !== undefined) this.say(`    ${problem}`);
    return problem === undefined;
  }
}
