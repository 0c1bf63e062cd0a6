import { duration } from "../../../components/swarmService";
import { topology } from "../../../generator/location";
import { gatewayOf, overlaps, parseCidr } from "../../../render/cidr";
import { enrolmentTicket } from "../../../render/tickets";

test("a ticket is what icinga2 2.14.6 computes: icinga2 pki ticket --cn icinga-slave-frankfurt-1 --salt 'a salt'", async () => {
  expect(await enrolmentTicket("icinga-slave-frankfurt-1", "a salt")).toBe("25018a21c318ca9e17d6cd00c7f6b20a13289303");
});

test.each([
  [5, "5s"],
  [60, "1m"],
  [90, "1m30s"],
  [600, "10m"],
  [3600, "1h"],
  [3660, "1h1m"],
  [3601, "1h0m1s"],
])("%d seconds are %s, as the provider reads durations back", (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

test.each(["10.0.0.0", "10.0.0.1/24", "10.0.0.256/24", "10.0.0.0/29", "10.0.0.0/7", "a.b.c.d/24", ""])(
  "%p is no subnet",
  (text) => {
    expect(parseCidr(text)).toBeUndefined();
  },
);

test.each([
  ["10.0.0.0/24", "10.0.1.0/24", false],
  ["10.0.0.0/23", "10.0.1.0/24", true],
  ["10.0.1.0/24", "10.0.0.0/16", true],
  ["10.0.0.0/24", "10.0.0.0/24", true],
])("whether %s and %s share an address: %p", (one, other, expected) => {
  const ranges = [parseCidr(one), parseCidr(other)].map((range) => range ?? { first: 0, end: 0 });
  expect(overlaps(ranges[0] as never, ranges[1] as never)).toBe(expected);
});

test("a subnet's gateway is its first usable address", () => {
  expect(gatewayOf("10.118.0.0/22")).toBe("10.118.0.1");
  expect(gatewayOf("192.168.255.240/28")).toBe("192.168.255.241");
});

test("six slaves are three pairs; an odd one is alone in the last", () => {
  expect(topology({ name: "chicago", slaves: 5 })).toEqual([
    {
      service: "icinga-slave-chicago",
      zone: "chicago",
      endpoints: ["icinga-slave-chicago-1", "icinga-slave-chicago-2"],
    },
    {
      service: "icinga-slave-chicago-p2",
      zone: "chicago-p2",
      endpoints: ["icinga-slave-chicago-p2-1", "icinga-slave-chicago-p2-2"],
    },
    { service: "icinga-slave-chicago-p3", zone: "chicago-p3", endpoints: ["icinga-slave-chicago-p3-1"] },
  ]);
  expect(topology({ name: "chicago", slaves: 6 })).toHaveLength(3);
});
