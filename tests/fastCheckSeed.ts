import * as fc from "fast-check";

/**
 * Properties look at the same random values in every run, so that a failure is of the change that it comes with.
 * ICINGA_SWARM_TEST_SEED=random takes others, and ICINGA_SWARM_TEST_SEED=<the seed that a failure names> those again.
 */
const wanted = process.env["ICINGA_SWARM_TEST_SEED"] ?? "20261123";
if (wanted !== "random") fc.configureGlobal({ seed: Number(wanted) });
