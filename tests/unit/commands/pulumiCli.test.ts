import { isNoise } from "../../../commands/pulumiCli";

it("passes over what was looked at and is as it should be, and over nothing else", () => {
  const noise = [
    " ~  pulumi:pulumi:Stack icinga-swarm-local refreshing (0s) ",
    " ~  docker:index:Network networks-cluster refresh (2s) ",
    " ~  docker:index:Secret mysql-root-password refresh (0.09s) ",
    "    icinga-swarm:index:MySql mysql  ",
  ];
  const news = [
    " ~  docker:index:Service mysql-swarm-service refreshing (0s) error: no Docker Engine",
    " ~  docker:index:Service mysql-swarm-service refresh (2s) [diff: ~taskSpec]",
    " +  command:local:Command mysql-ready-gate creating (1s) mysql: 1 of 1 starting, 1 s",
    "    pulumi:pulumi:Stack icinga-swarm-local running error: update failed",
    '    error: The stack "local" has a problem; nothing was planned:',
    "    endpoints: {",
    "    59 unchanged",
    "",
  ];
  expect(noise.filter((line) => !isNoise(line))).toEqual([]);
  expect(news.filter(isNoise)).toEqual([]);
});
