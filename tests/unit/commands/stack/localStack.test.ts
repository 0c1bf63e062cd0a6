import { load } from "js-yaml";
import { renderLocalStackFile } from "../../../../commands/stack/localStack";

const TEMPLATE = {
  "icinga-swarm:inventory": "inventory/dev",
  "icinga-swarm:locations": [{ name: "frankfurt", nodes: ["self"], latitude: 50.11 }],
};

it("is the template where the machine differs in nothing", () => {
  expect(load(renderLocalStackFile(TEMPLATE, { images: {} }))).toEqual({ config: TEMPLATE });
});

it("names the engine that DOCKER_HOST asked for, and the image that stands for MySQL's", () => {
  const text = renderLocalStackFile(
    { ...TEMPLATE, "icinga-swarm:images": { other: "stays" } },
    { dockerHost: "unix:///tmp/docker.sock", images: { mysql: "icinga-swarm/fixture-mysql:9.7" } },
  );
  expect(text).toMatch(/^# This machine's own stack/);
  expect(load(text)).toEqual({
    config: {
      ...TEMPLATE,
      "docker:host": "unix:///tmp/docker.sock",
      "icinga-swarm:images": { other: "stays", mysql: "icinga-swarm/fixture-mysql:9.7" },
    },
  });
});

it("is not where a team's stack is, and has secrets of its own", () => {
  const shared = {
    "docker:host": "ssh://deploy@dev.example.com",
    "icinga-swarm:mysqlRootPassword": { secure: "v1:abc" },
  };
  expect(load(renderLocalStackFile({ ...TEMPLATE, ...shared }, { images: {} }))).toEqual({ config: TEMPLATE });
});
