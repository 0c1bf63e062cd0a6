import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { load } from "js-yaml";
import { type Chosen, dashboards, panelsOf, queriesOf } from "../../../render/dashboards";
import { grafanaEnvironment, grafanaFiles, renderDashboardProvider, renderDataSources } from "../../../render/grafana";

const CHOSEN: Chosen = { location: "frankfurt", host: "web1", service: ["load", "disk_usage"] };
const SETTINGS = { httpsPort: 443, webSubnet: "10.118.7.0/24" };

function dashboardOf(uid: string): Dashboard {
  const found = dashboards().find((one) => one.uid === uid);
  if (found === undefined) throw new Error(`no dashboard ${uid}`);
  return found.dashboard;
}

test("the data source is Graphite, whose address comes with the environment", () => {
  expect(renderDataSources()).toBe(`apiVersion: 1
datasources:
  - access: proxy
    editable: false
    isDefault: true
    jsonData:
      graphiteType: default
      graphiteVersion: '1.1'
    name: Graphite
    type: graphite
    uid: graphite
    url: $GRAPHITE_URL
`);
});

test("the stack's dashboards have a folder of their own and are not changed in place", () => {
  expect(renderDashboardProvider()).toBe(`apiVersion: 1
providers:
  - allowUiUpdates: false
    disableDeletion: true
    folder: icinga-swarm
    folderUid: icinga-swarm
    name: icinga-swarm
    options:
      path: /etc/icinga-swarm/dashboards
    orgId: 1
    type: file
`);
});

test("every dashboard is a file that its provider finds, small enough for a Docker config", () => {
  const { providers } = load(renderDashboardProvider()) as { providers: { options: { path: string } }[] };
  const files = grafanaFiles().filter(({ path }) => path.endsWith(".json"));
  expect(files.map(({ path }) => path)).toEqual(
    ["locations", "location", "host", "monitoring"].map((uid) => `${providers[0]?.options.path}/${uid}.json`),
  );
  for (const { path, text } of files) {
    expect(text.length).toBeLessThan(100_000);
    expect(path).toContain((JSON.parse(text) as Dashboard).uid);
  }
});

test("the same files each time, so that no deployment changes them for nothing", () => {
  expect(grafanaFiles()).toEqual(grafanaFiles());
});

test.each(dashboards().map(({ uid, dashboard }) => [uid, dashboard] as const))("%s is whole", (_uid, dashboard) => {
  const all = (dashboard.panels ?? []).flatMap((panel) => [panel, ...("panels" in panel ? panel.panels : [])]);
  expect(all.map(({ id }) => id)).toEqual(all.map((_, index) => index + 1));
  for (const panel of panelsOf(dashboard)) {
    expect(panel.title).not.toBe("");
    expect(panel.targets?.length).toBeGreaterThan(0);
    expect(panel.datasource).toEqual({ type: "graphite", uid: "graphite" });
    expect((panel.gridPos?.x ?? 0) + (panel.gridPos?.w ?? 99)).toBeLessThanOrEqual(24);
  }
  expect(overlapping(dashboard)).toEqual([]);
  for (const { target } of queriesOf(dashboard, CHOSEN)) {
    expect(target).not.toContain("$");
    expect(target.split("(")).toHaveLength(target.split(")").length);
    expect(target).toMatch(/icinga2\.|carbon\.agents\./);
    // Any other function on the outside would be part of the series' names, and of the links made of them.
    expect(target).toMatch(/^(aliasByNode|groupByNode)\(/);
  }
});

/** Titles of panels that lie on others. A closed row's panels are placed when it is opened. */
function overlapping({ panels = [] }: Dashboard): string[] {
  const places = panels.map(({ gridPos, title }) => ({
    ...{ x: 0, y: 0, w: 0, h: 0, ...gridPos },
    title: title ?? "",
  }));
  return places
    .filter((one, index) =>
      places.some(
        (other, place) =>
          place > index &&
          one.x < other.x + other.w &&
          other.x < one.x + one.w &&
          one.y < other.y + other.h &&
          other.y < one.y + one.h,
      ),
    )
    .map(({ title }) => title);
}

test("a host's page asks for whatever its checks give, service by service", () => {
  const targets = queriesOf(dashboardOf("host"), CHOSEN).map(({ panel, target }) => [panel, target]);
  expect(targets).toEqual([
    ["load", "aliasByNode(icinga2.frankfurt.web1.services.load.*.perfdata.*.value, 7)"],
    ["disk_usage", "aliasByNode(icinga2.frankfurt.web1.services.disk_usage.*.perfdata.*.value, 7)"],
    ["Round trip", "aliasByNode(icinga2.frankfurt.web1.host.*.perfdata.rta.value, 6)"],
    ["Packet loss", "aliasByNode(icinga2.frankfurt.web1.host.*.perfdata.pl.value, 6)"],
  ]);
});

test("variables are looked up in Graphite whenever a dashboard is opened", () => {
  const variables = (dashboardOf("host").templating.list ?? []).map(({ name, query, refresh, multi }) => [
    name,
    query,
    refresh,
    multi ?? false,
  ]);
  expect(variables).toEqual([
    ["location", "icinga2.*", 2, false],
    ["host", "icinga2.$location.*", 2, false],
    ["service", "icinga2.$location.$host.services.*", 2, true],
  ]);
});

test("queries: several values at once become a choice, a missing one is an error", () => {
  const board = {
    panels: [{ type: "stat", title: "Of $location", targets: [{ refId: "A", target: "x.${location}.$host" }] }],
  } as unknown as Dashboard;
  expect(queriesOf(board, { location: ["a", "b"], host: ["h"] })).toEqual([
    { panel: "Of {a,b}", refId: "A", target: "x.{a,b}.h" },
  ]);
  expect(() => queriesOf(board, { location: "a" })).toThrow("$host has no value in: x.${location}.$host");
});

test("the settings leave one way in: the gateway's word, from its own network", () => {
  expect(grafanaEnvironment(SETTINGS)).toMatchObject({
    GF_AUTH_PROXY_ENABLED: "true",
    GF_AUTH_PROXY_WHITELIST: "10.118.7.0/24",
    GF_AUTH_PROXY_HEADERS: "Role:X-WEBAUTH-ROLE",
    GF_AUTH_BASIC_ENABLED: "false",
    GF_AUTH_ANONYMOUS_ENABLED: "false",
    GF_AUTH_DISABLE_LOGIN_FORM: "true",
    GF_USERS_ALLOW_SIGN_UP: "false",
    GF_METRICS_ENABLED: "false",
    GF_SERVER_SERVE_FROM_SUB_PATH: "true",
  });
});

test("no secret is in the settings, only where it is read from", () => {
  const secrets = Object.entries(grafanaEnvironment(SETTINGS)).filter(([name]) => /PASSWORD|SECRET/.test(name));
  expect(secrets.map(([, value]) => value)).toEqual([
    "$__file{/run/secrets/grafana-database-password}",
    "$__file{/run/secrets/grafana-admin-password}",
    "$__file{/run/secrets/grafana-secret-key}",
  ]);
});

test.each([
  [{ hostname: "monitoring.example.com" }, "https://monitoring.example.com/grafana/"],
  [{ hostname: "monitoring.example.com", httpsPort: 8443 }, "https://monitoring.example.com:8443/grafana/"],
  [{}, "https://localhost/grafana/"],
])("its address is the gateway's: %j", (gateway, url) => {
  expect(grafanaEnvironment({ ...SETTINGS, ...gateway }).GF_SERVER_ROOT_URL).toBe(url);
});
