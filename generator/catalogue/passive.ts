import { z } from "zod";
import { interval } from "../units";
import { common, kind, optionalSeconds } from "./kind";

/** Checks that nobody makes here: somebody else sends the results. */
export const PASSIVE_CHECKS = {
  passive: kind({
    description: "results that somebody sends in, such as a backup's",
    schema: z.strictObject({
      freshness: interval
        .describe("how old the last result may be before its absence is a problem, such as 26h; by default any age")
        .optional(),
      ...common,
      name: common.name.unwrap().describe("the service's name on its host"),
    }),
    defaultName: ({ name }) => name,
    toIcinga: ({ freshness }) => ({
      command: "passive",
      freshness: optionalSeconds(freshness) ?? Number.POSITIVE_INFINITY,
      vars: {
        dummy_state: 2,
        dummy_text: `no result for ${freshness ?? "ever"}`,
      },
    }),
  }),
} as const;
