import type Docker from "dockerode";
import { renew, servicesOf } from "../../../commands/renewRegistryLogin";

const LOGIN = { address: "nexus:5000", repository: "monitoring", username: "ci", password: "new" };
const SPEC = { Name: "graphite", TaskTemplate: { ContainerSpec: { Image: "nexus:5000/m/graphite:1@sha256:1" } } };

/** A service in these states, one for each look at it, and what it was updated with. */
function service(states: (string | undefined)[], { conflicts = 0 } = {}) {
  const updates: { login: unknown; spec: unknown }[] = [];
  let version = 7;
  const docker = {
    getService: () => ({
      inspect: () => {
        const state = states.length > 1 ? states.shift() : states[0];
        return Promise.resolve({
          Version: { Index: version },
          Spec: SPEC,
          UpdateStatus: state === undefined ? undefined : { State: state, Message: "told so" },
        });
      },
      update: (login: unknown, { version: known, ...spec }: { version: number }) => {
        if (conflicts-- > 0) version++;
        if (known !== version) return Promise.reject(new Error("rpc error: update out of sequence"));
        updates.push({ login, spec });
        return Promise.resolve();
      },
    }),
  } as unknown as Docker;
  return { docker, updates };
}

const RENEWED = [{ login: { username: "ci", password: "new", serveraddress: "nexus:5000" }, spec: SPEC }];

test.each([undefined, "completed", "rollback_completed"])(
  "a service at rest (%s) is given the login with its own spec",
  async (state) => {
    const { docker, updates } = service([state], { conflicts: 2 });
    await renew(docker, "graphite", LOGIN);
    expect(updates).toEqual(RENEWED);
  },
);

test("an update that is under way is waited for, because its rollback would be lost", async () => {
  const { docker, updates } = service(["updating", "rollback_started", "rollback_completed"]);
  await renew(docker, "graphite", LOGIN, 10);
  expect(updates).toEqual(RENEWED);
});

test.each([
  ["updating", /graphite: it is still updating after 0 s/],
  ["paused", /graphite: its last update is paused \(told so\)/],
  ["rollback_paused", /graphite: its last update is rollback_paused/],
])("a service that stays %s is left alone, and named", async (state, message) => {
  const { docker, updates } = service([state]);
  await expect(renew(docker, "graphite", LOGIN, 0)).rejects.toThrow(message);
  expect(updates).toEqual([]);
});

test("only this project's services with an image from that registry are renewed", () => {
  const made = (name: string, image: string, env = ["SPEC_HASH=1"]) => ({
    ID: name,
    UpdatedAt: "",
    Version: { Index: 1 },
    Spec: { Name: name, TaskTemplate: { ContainerSpec: { Image: image, Env: env } } },
  });
  const services = [
    made("thruk", "nexus:5000/monitoring/thruk:1@sha256:2"),
    made("graphite", "nexus:5000/monitoring/graphite:1@sha256:1"),
    made("mysql", "mysql:9.7"),
    made("other-port", "nexus:50001/monitoring/x"),
    made("of-somebody-else", "nexus:5000/shop/web:1", []),
  ];
  expect(servicesOf(services, "nexus:5000")).toEqual(["graphite", "thruk"]);
});
