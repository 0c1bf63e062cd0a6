import { removeLeftovers, startEngine, type TestEngine } from "../swarm/engine";
import { ownImages, seedDataRoot } from "../swarm/seed";

/** The engine of this run; jest runs the teardown in the same process. */
const holder = globalThis as { imagesEngine?: TestEngine };

/** Starts an engine for the images' tests, which holds all images, and tells the tests where and what they are. */
export default async function setUp(): Promise<void> {
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  await removeLeftovers(say);
  const seed = await seedDataRoot(say);
  const engine = await startEngine({ seed: seed.dataRoot, swarm: false });
  holder.imagesEngine = engine;
  process.env.DOCKER_HOST = engine.dockerHost;
  process.env.ICINGA_SWARM_ENGINE_ADDRESS = engine.address;
  process.env.ICINGA_SWARM_HOST_ADDRESS = engine.hostAddress;
  process.env.ICINGA_SWARM_IMAGE_MYSQL = seed.mySqlImage;
  process.env.ICINGA_SWARM_IMAGE_GRAFANA = seed.grafanaImage;
  for (const name of ownImages()) {
    process.env[`ICINGA_SWARM_IMAGE_${name.toUpperCase().replaceAll("-", "_")}`] = `icinga-swarm/${name}:seed`;
  }
}

/** Removes the engine with all that the tests left in it. */
export async function tearDown(): Promise<void> {
  await holder.imagesEngine?.stop();
}
