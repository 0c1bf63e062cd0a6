import { z } from "zod";
import { schemaProblems } from "../../../generator/issues";
import {
  isAlways,
  isDated,
  mondayOf,
  type Period,
  periodSchema,
  referenceProblems,
  renderRanges,
} from "../../../generator/periods";
import { parseYaml } from "../../../generator/yaml";

const MONDAY = "2026-11-23";

/** A section of an inventory as somebody would write it. */
function section(yaml: string): Record<string, Period> {
  return z.record(z.string(), periodSchema).parse(parseYaml(yaml).value);
}

function period(timezone: string | undefined, days: Record<string, string>): Period {
  return periodSchema.parse({ ...(timezone === undefined ? {} : { timezone }), days });
}

/** The ranges of one day in UTC, of a period that is by date whatever its time zone. */
function on(date: string, timezone: string, days: Record<string, string>): string | undefined {
  return renderRanges(period(timezone, { ...days, "01-01": "none" }), {}, date, 1)[date];
}

describe("a period of weekdays where clocks are never changed", () => {
  it("is the same every week, at the hours of UTC", () => {
    const singapore = period("Asia/Singapore", { weekdays: "09:00-12:00, 13:00-17:30", saturday: "06:00-10:00" });
    const expected = {
      monday: "01:00-04:00,05:00-09:30",
      tuesday: "01:00-04:00,05:00-09:30",
      wednesday: "01:00-04:00,05:00-09:30",
      thursday: "01:00-04:00,05:00-09:30",
      friday: "01:00-04:00,05:00-09:30,22:00-24:00",
      saturday: "00:00-02:00",
    };
    expect(renderRanges(singapore, {}, MONDAY, 30)).toEqual(expected);
    expect(Object.keys(renderRanges(singapore, {}, "2027-02-03", 5))).toEqual(Object.keys(expected));
    expect(renderRanges(singapore, {}, "2027-02-03", 5)).toEqual(expected);
    expect(isDated(singapore, {}, MONDAY, 30)).toBe(false);
  });

  it("goes round the end of the week", () => {
    expect(renderRanges(period("UTC", { sunday: "22:00-06:00" }), {}, MONDAY, 30)).toEqual({
      monday: "00:00-06:00",
      sunday: "22:00-24:00",
    });
  });

  it("joins what touches, also where one time zone's midnight was", () => {
    const kathmandu = period("Asia/Kathmandu", { monday: "20:00-24:00", tuesday: "00:00-08:00, 08:00-09:00" });
    expect(renderRanges(kathmandu, {}, MONDAY, 7)).toEqual({ monday: "14:15-24:00", tuesday: "00:00-03:15" });
  });

  it("loses the times of its exceptions, in their own time zone", () => {
    const periods = section(`
      work: { timezone: UTC, days: { weekdays: "08:00-18:00" }, except: [lunch, calls] }
      lunch: { timezone: UTC, days: { every day: "12:00-13:00" } }
      calls: { timezone: Asia/Kathmandu, days: { friday: "14:00-15:00, 23:00-24:00" }, except: [lunch] }
    `);
    expect(renderRanges(periods.work as Period, periods, MONDAY, 7)).toMatchObject({
      monday: "08:00-12:00,13:00-18:00",
      friday: "08:00-08:15,09:15-12:00,13:00-17:15",
    });
  });
});

describe("a period that is always", () => {
  const always = period(undefined, { "every day": "00:00-24:00" });

  it("needs no time zone and is by weekday", () => {
    expect(isAlways(always)).toBe(true);
    expect(isDated(always, {}, MONDAY, 7)).toBe(false);
    expect(new Set(Object.values(renderRanges(always, {}, MONDAY, 7)))).toEqual(new Set(["00:00-24:00"]));
    expect(Object.keys(renderRanges(always, {}, MONDAY, 7))).toHaveLength(7);
  });

  it("stays so whatever the clocks do", () => {
    const berlin = period("Europe/Berlin", { weekdays: "00:00-24:00", weekend: "00:00-12:00, 12:00-24:00" });
    expect(isAlways(berlin)).toBe(true);
    expect(isDated(berlin, {}, MONDAY, 7)).toBe(false);
  });

  it.each<Record<string, string>>([
    { weekdays: "00:00-24:00" },
    { "every day": "00:00-24:00", sunday: "00:00-23:59" },
    { "every day": "00:00-24:00", "12-25": "none" },
    { weekdays: "00:00-24:00", saturday: "00:00-24:00", "day 4": "00:00-24:00", "day 1": "00:00-24:00" },
  ])("is not %j", (days) => {
    expect(isAlways(period("UTC", days))).toBe(false);
  });

  it("is not with an exception, and leaves nothing of what it is taken from", () => {
    expect(isAlways({ ...always, except: ["always"] })).toBe(false);
    expect(renderRanges({ ...always, except: ["always"] }, { always }, MONDAY, 7)).toEqual({});
  });
});

describe("a period by date", () => {
  it("keeps its hours on the clocks of the place when they are changed", () => {
    const berlin = period("Europe/Berlin", { weekdays: "09:00-17:00" });
    expect(isDated(berlin, {}, "2026-10-22", 7)).toBe(true);
    expect(renderRanges(berlin, {}, "2026-10-22", 7)).toEqual({
      "2026-10-22": "07:00-15:00",
      "2026-10-23": "07:00-15:00",
      "2026-10-26": "08:00-16:00",
      "2026-10-27": "08:00-16:00",
      "2026-10-28": "08:00-16:00",
    });
  });

  it("is one as soon as an exception is, or the clocks change within a year", () => {
    const periods = section(`
      work: { timezone: Asia/Singapore, days: { weekdays: "09:00-17:00" }, except: [holidays] }
      holidays: { timezone: Asia/Singapore, days: { "12-25": "00:00-24:00" } }
    `);
    expect(isDated(periods.work as Period, periods, MONDAY, 7)).toBe(true);
    // The last change of Singapore's clocks was at the end of 1981.
    const clocks = period("Asia/Singapore", { weekdays: "09:00-17:00" });
    expect(
      ["1980-11-01", "1981-11-01", "1982-11-01", "1983-11-01"].map((from) => isDated(clocks, {}, from, 7)),
    ).toEqual([false, true, true, false]);
  });

  it("leaves a holiday out, in the clocks of the place", () => {
    const periods = section(`
      work: { timezone: America/Chicago, days: { every day: "00:00-24:00" }, except: [holidays] }
      holidays: { timezone: America/Chicago, days: { 12-25: "00:00-24:00" } }
    `);
    expect(renderRanges(periods.work as Period, periods, "2026-12-24", 4)).toEqual({
      "2026-12-24": "00:00-24:00",
      "2026-12-25": "00:00-06:00",
      "2026-12-26": "06:00-24:00",
      "2026-12-27": "00:00-24:00",
    });
  });

  it("has what began on the day before the first one", () => {
    expect(on("2026-12-25", "Europe/Berlin", { "2026-12-24": "22:00-06:00" })).toBe("00:00-05:00");
  });
});

// Shown twice or not at all are 02:00-03:00 in Berlin, 01:00-02:00 or 02:00-03:00 in Chicago, and half an hour before or
// behind 02:00 on Lord Howe.
describe("when clocks are changed", () => {
  it.each<[string, string, string, Record<string, string>]>([
    ["2027-03-28", "Europe/Berlin", "01:00-04:00", { "2027-03-28": "00:00-02:00" }],
    ["2027-03-28", "Europe/Berlin", "02:30-04:00", { "2027-03-28": "01:00-02:00" }],
    ["2027-03-28", "Europe/Berlin", "01:00-02:30", { "2027-03-28": "00:00-01:00" }],
    ["2027-03-28", "Europe/Berlin", "02:00-03:00", {}],
    ["2027-03-27", "Europe/Berlin", "22:00-06:00", { "2027-03-27": "21:00-24:00", "2027-03-28": "00:00-04:00" }],
    ["2026-10-25", "Europe/Berlin", "01:00-04:00", { "2026-10-24": "23:00-24:00", "2026-10-25": "00:00-03:00" }],
    ["2026-10-25", "Europe/Berlin", "02:00-03:00", { "2026-10-25": "00:00-02:00" }],
    ["2026-10-25", "Europe/Berlin", "02:15-02:45", { "2026-10-25": "00:15-00:45,01:15-01:45" }],
    ["2026-10-25", "Europe/Berlin", "02:30-04:00", { "2026-10-25": "00:30-01:00,01:30-03:00" }],
    [
      "2026-10-25",
      "Europe/Berlin",
      "01:30-02:30",
      { "2026-10-24": "23:30-24:00", "2026-10-25": "00:00-00:30,01:00-01:30" },
    ],
    ["2026-11-01", "America/Chicago", "00:00-24:00", { "2026-11-01": "05:00-24:00", "2026-11-02": "00:00-06:00" }],
    ["2026-11-01", "America/Chicago", "01:30-02:00", { "2026-11-01": "06:30-07:00,07:30-08:00" }],
    ["2027-03-14", "America/Chicago", "01:30-03:30", { "2027-03-14": "07:30-08:30" }],
    ["2027-04-04", "Australia/Lord_Howe", "01:00-03:00", { "2027-04-03": "14:00-16:30" }],
    ["2027-04-04", "Australia/Lord_Howe", "01:45-03:00", { "2027-04-03": "14:45-15:00,15:15-16:30" }],
    ["2026-10-04", "Australia/Lord_Howe", "02:15-04:00", { "2026-10-03": "15:30-17:00" }],
    ["2026-11-24", "Asia/Kathmandu", "00:00-06:00", { "2026-11-23": "18:15-24:00", "2026-11-24": "00:00-00:15" }],
    ["2026-11-24", "Pacific/Kiritimati", "09:00-17:00", { "2026-11-23": "19:00-24:00", "2026-11-24": "00:00-03:00" }],
  ])("%s in %s, %s is %j", (date, timezone, times, expected) => {
    const dayBefore = new Date(Date.parse(date) - 86_400_000).toISOString().slice(0, 10);
    expect(renderRanges(period(timezone, { [date]: times }), {}, dayBefore, 3)).toEqual(expected);
  });
});

describe("the key that decides a day", () => {
  // The more a key says, the shorter are its times: two keys together would show.
  const DAYS = {
    "every day": "00:00-10:00",
    weekend: "00:00-09:00",
    saturday: "00:00-08:00",
    monday: "00:00-08:00",
    "last monday": "00:00-07:00",
    "last monday in may": "00:00-06:00",
    "day -1": "00:00-05:00",
    "12-25": "00:00-04:00",
    "12-31": "00:00-04:00",
    "2026-12-20 - 2027-01-06": "00:00-03:00",
    "2026-12-24 - 2026-12-27": "00:00-02:00",
    "2026-12-26": "00:00-01:00",
  };

  it.each([
    ["2026-11-24", "every day", "10"],
    ["2026-11-29", "weekend", "09"],
    ["2026-11-28", "saturday", "08"],
    ["2026-11-23", "monday", "08"],
    ["2026-11-30", "day -1", "05"],
    ["2027-02-22", "last monday", "07"],
    ["2027-05-31", "day -1", "05"],
    ["2026-05-25", "last monday in may", "06"],
    ["2025-12-25", "12-25", "04"],
    ["2025-12-31", "12-31", "04"],
    ["2026-12-20", "the longer stretch, from its first day", "03"],
    ["2027-01-06", "the longer stretch, to its last day", "03"],
    ["2026-12-25", "the shorter stretch", "02"],
    ["2026-12-26", "the date", "01"],
    ["2027-01-07", "every day again", "10"],
  ])("on %s is %s", (date, _key, hour) => {
    expect(on(date, "UTC", DAYS)).toBe(`00:00-${hour}:00`);
  });

  it.each([
    ["2026-11-03", "1st tuesday", true],
    ["2026-11-10", "2nd tuesday", true],
    ["2026-11-10", "1st tuesday", false],
    ["2026-11-29", "5th sunday", true],
    ["2026-11-29", "last sunday", true],
    ["2026-11-22", "last sunday", false],
    ["2028-02-29", "02-29", true],
    ["2028-02-29", "day -1", true],
    ["2027-02-28", "day -1", true],
    ["2027-02-27", "day -2", true],
    ["2026-11-30", "day 30", true],
    ["2026-11-30", "day 31", false],
  ])("on %s, %s: %s", (date, key, expected) => {
    expect(on(date, "UTC", { [key]: "08:00-09:00" })).toBe(expected ? "08:00-09:00" : undefined);
  });

  it("is several of the same kind together", () => {
    expect(on("2026-11-30", "UTC", { "day 30": "08:00-09:00", "day -1": "08:30-10:00" })).toBe("08:00-10:00");
  });

  it("may say none", () => {
    expect(on("2026-12-25", "UTC", { "every day": "08:00-09:00", "12-25": "none" })).toBeUndefined();
  });
});

describe("a mistake", () => {
  const schema = z.record(z.string(), periodSchema);

  function messages(content: unknown): string[] {
    const result = schema.safeParse({ p: content });
    return schemaProblems(schema, { p: content }, result.error?.issues ?? []).map(
      ({ path, what, message }) => `${path.slice(1).join(".")} (${what}): ${message}`,
    );
  }

  it.each([
    ["mondy", '"mondy" is no kind of day; did you mean "monday"?'],
    ["sometimes", /"sometimes" is no kind of day; write one as monday, .*last monday in may$/],
    ["6th monday", /no kind of day; write/],
    ["last monday in mai", /no kind of day; write/],
    ["constructor", /no kind of day; write/],
    ["2026-02-30", '"2026-02-30" is not in the calendar: there is no 2026-02-30'],
    ["2026-02-01 - 2026-02-29", /is not in the calendar: there is no 2026-02-29$/],
    ["2026-02-02 - 2026-02-01", /ends before it begins; swap the two dates$/],
    ["02-30", /is not in the calendar: there is no 02-30$/],
    ["day 0", /is no day of a month; they are day 1 to day 31, and day -1 for the last$/],
    ["day 32", /is no day of a month/],
  ])("in the key %s is told", (key, expected) => {
    const [message, ...others] = messages({ timezone: "UTC", days: { [key]: "none" } });
    expect(others).toEqual([]);
    expect(message).toMatch(expected);
    expect(message).toContain(`days.${key} (key): `);
  });

  it.each([
    ["09:00", /is no list of times; write it as "09:00-17:00"/],
    ["9:00-17:00", /is no list of times/],
    ["09:00-24:01", /is no list of times/],
    ["24:00-09:00", /is no list of times/],
    ["09:00-10:00,", /is no list of times/],
    ["none, 09:00-10:00", /is no list of times/],
    ["09:00-09:00", /"09:00-09:00" has a range that ends as it begins, 09:00-09:00; a whole day is "00:00-24:00"$/],
    ["13:00-15:00, 09:00-13:01", /has ranges that overlap, 09:00-13:01 and 13:00-15:00; make one of the two$/],
    ["22:00-06:00, 23:00-24:00", /overlap, 22:00-06:00 and 23:00-24:00/],
  ])("in the times %s is told", (times, expected) => {
    const [message, ...others] = messages({ timezone: "UTC", days: { monday: times } });
    expect(others).toEqual([]);
    expect(message).toMatch(expected);
  });

  it.each(["00:00-24:00", "22:00-00:00", "22:00-06:00, 00:00-06:00", "08:00-12:00,12:00-13:00", "none"])(
    "is not in %s",
    (times) => {
      expect(messages({ timezone: "UTC", days: { monday: times } })).toEqual([]);
    },
  );

  it.each([
    ["Europe/Berln", 'timezone (value): "timezone" "Europe/Berln" is no time zone; did you mean "Europe/Berlin"?'],
    ["Mars/Base", /is no time zone; write its IANA name, such as Europe\/Berlin or UTC$/],
    ["+01:00", /is no time zone/],
    [undefined, /^timezone \(value\): "timezone" is missing; it is the time zone .* such as Europe\/Berlin$/],
  ])("in the time zone %s is told", (timezone, expected) => {
    const [message, ...others] = messages({ timezone, days: { monday: "09:00-17:00" } });
    expect(others).toEqual([]);
    expect(message).toMatch(expected);
  });

  it("in the days as a whole is told", () => {
    expect(messages({ timezone: "UTC", days: {} })).toEqual([
      'days (value): "days" must not be empty; write { every day: "00:00-24:00" } for always',
    ]);
  });
});

describe("exceptions", () => {
  it("must be known", () => {
    expect(referenceProblems({ work: { except: ["holidays", "holydays"] }, holidays: {} })).toEqual([
      { path: ["work", "except", 1], message: 'unknown period "holydays"; did you mean "holidays"?' },
    ]);
  });

  it("may not lead back, which is told once for each circle", () => {
    const periods = { a: { except: ["d", "b"] }, b: { except: ["c"] }, c: { except: ["a"] }, d: { except: ["d"] } };
    expect(referenceProblems(periods)).toEqual([
      { path: ["d", "except", 0], message: expect.stringMatching(/^"d" is this period itself/) },
      {
        path: ["c", "except", 0],
        message: '"a" leads back here: a -> b -> c -> a; remove one of these exceptions',
      },
    ]);
  });

  it("may be shared", () => {
    expect(referenceProblems({ a: { except: ["b", "c"] }, b: { except: ["c"] }, c: {} })).toEqual([]);
  });

  it("are looked for where other things are wrong", () => {
    const broken = { a: null, b: "always", c: { except: "a" }, d: { except: [1, "a", "e"], days: 7 } };
    expect(referenceProblems(broken)).toEqual([
      { path: ["d", "except", 2], message: 'unknown period "e"; did you mean "a"?' },
    ]);
  });

  it("are found missing by those who did not look before", () => {
    const always = { ...period("UTC", { monday: "08:00-09:00" }), except: ["toString"] };
    expect(() => renderRanges(always, {}, MONDAY, 7)).toThrow("there is no period toString");
  });
});

it.each([
  ["2026-11-23", "2026-11-23"],
  ["2026-11-29", "2026-11-23"],
  [new Date("2027-01-01T23:59:59Z"), "2026-12-28"],
  ["1969-12-31", "1969-12-29"],
])("the Monday of %s is %s", (moment, monday) => {
  expect(mondayOf(moment)).toBe(monday);
});

it("refuses a day that is none", () => {
  expect(() => renderRanges(period("UTC", { "12-25": "none" }), {}, "2026-02-30", 7)).toThrow("2026-02-30 is no date");
});
