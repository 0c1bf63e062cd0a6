import { z } from "zod";
import { line } from "../units";
import { dayKeyProblem, decidingKeys, isWeekly, WEEKDAYS } from "./days";
import { MINUTES_A_DAY, union } from "./spans";
import { timesOf, timesProblem } from "./times";
import { zoneProblem } from "./zones";

/** Text that a function has nothing against. */
function textWithout(problem: (text: string) => string | undefined) {
  return z.string().superRefine((text, context) => {
    const message = problem(text);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });
}

/** One time period of an inventory: when something is done, in the clocks of a place. */
export const periodSchema = z
  .strictObject({
    displayName: line.describe("what people read instead of the name").optional(),
    timezone: textWithout(zoneProblem)
      .describe("the time zone that the times are meant in, such as Europe/Berlin")
      .optional(),
    days: z
      .record(
        textWithout(dayKeyProblem),
        textWithout(timesProblem).describe('the times of such a day, such as "08:00-12:00, 13:00-17:30", or none'),
      )
      .refine(
        (days) => Object.keys(days).length > 0,
        'must not be empty; write { every day: "00:00-24:00" } for always',
      )
      .describe('days and their times, such as { weekdays: "09:00-17:00" }; other days have none'),
    except: z.array(z.string()).describe("names of periods whose times are taken away, such as [holidays]").optional(),
  })
  .superRefine((period, context) => {
    if (period.timezone !== undefined || isAlways(period)) return;
    const message = "is missing; it is the time zone that the times are meant in, such as Europe/Berlin";
    context.addIssue({ code: "custom", path: ["timezone"], message });
  });

/** One time period, as written. */
export type Period = z.output<typeof periodSchema>;

/** Whether a period is every day from 00:00 to 24:00, without exceptions, so that its time zone does not matter. */
export function isAlways({ days, except = [] }: Pick<Period, "days" | "except">): boolean {
  const isWholeDay = (times: string) => {
    const [first] = union(timesOf(times));
    return first !== undefined && first.start === 0 && first.end >= MINUTES_A_DAY;
  };
  const inWeek = decidingKeys(Object.keys(days).filter(isWeekly));
  const isEveryDay = WEEKDAYS.every((_, day) => inWeek(day).length > 0);
  return except.length === 0 && isEveryDay && Object.values(days).every(isWholeDay);
}
