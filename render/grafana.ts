import { dump } from "js-yaml";
import { dashboards } from "./dashboards";
import { GRAPHITE } from "./dashboards/graphite";

/** Where Grafana finds its dashboards: outside its data volume, so that they are always those of the stack. */
const DASHBOARDS = "/etc/icinga-swarm/dashboards";

/** The dashboard that is shown first. */
export const HOME_DASHBOARD = `${DASHBOARDS}/locations.json`;

/** A file of the container. */
export interface GrafanaFile {
  /** For a resource's name. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  readonly text: string;
}

/** Everything that Grafana is provisioned with. */
export function grafanaFiles(): GrafanaFile[] {
  const provisioning = "/etc/grafana/provisioning";
  return [
    { name: "data-sources", path: `${provisioning}/datasources/icinga-swarm.yaml`, text: renderDataSources() },
    { name: "dashboards", path: `${provisioning}/dashboards/icinga-swarm.yaml`, text: renderDashboardProvider() },
    ...dashboards().map(({ uid, dashboard }) => ({
      name: `dashboard-${uid}`,
      path: `${DASHBOARDS}/${uid}.json`,
      text: `${JSON.stringify(sorted(dashboard), undefined, 1)}\n`,
    })),
  ];
}

/** Graphite as the data source. Grafana puts in the environment's `GRAPHITE_URL` itself. */
export function renderDataSources(): string {
  return yaml({
    apiVersion: 1,
    datasources: [
      {
        name: "Graphite",
        type: GRAPHITE.type,
        uid: GRAPHITE.uid,
        access: "proxy",
        url: "$GRAPHITE_URL",
        isDefault: true,
        editable: false,
        jsonData: { graphiteType: "default", graphiteVersion: "1.1" },
      },
    ],
  });
}

/**
 * The stack's dashboards in a folder of their own. They are changed here alone: who wants another one saves a copy, which
 * is kept in the database.
 */
export function renderDashboardProvider(): string {
  return yaml({
    apiVersion: 1,
    providers: [
      {
        name: "icinga-swarm",
        orgId: 1,
        type: "file",
        folder: "icinga-swarm",
        folderUid: "icinga-swarm",
        disableDeletion: true,
        allowUiUpdates: false,
        options: { path: DASHBOARDS },
      },
    ],
  });
}

/** What decides Grafana's settings beside what is the same for every stack. */
export interface GrafanaSettings {
  /** Name that people type; without one they may use any. */
  readonly hostname?: string;
  readonly httpsPort: number;
  /** Subnet that the gateway asks from; users' names are believed from nowhere else. */
  readonly webSubnet: string;
}

/** Grafana's settings, each as the variable that its section and key make. Secrets are read from files by Grafana itself. */
export function grafanaEnvironment({ hostname, httpsPort, webSubnet }: GrafanaSettings): Record<string, string> {
  const port = httpsPort === 443 ? "" : `:${httpsPort}`;
  return {
    GF_SERVER_ROOT_URL: `https://${hostname ?? "localhost"}${port}/grafana/`,
    GF_SERVER_SERVE_FROM_SUB_PATH: "true",
    ...WHO_GETS_IN,
    GF_AUTH_PROXY_WHITELIST: webSubnet,
    GF_DATABASE_TYPE: "mysql",
    GF_DATABASE_NAME: "grafana",
    GF_DATABASE_USER: "grafana",
    // Not by the start script's `__FILE`, which would leave them in the environment for as long as Grafana runs.
    GF_DATABASE_PASSWORD: fromFile("grafana-database-password"),
    GF_SECURITY_ADMIN_PASSWORD: fromFile("grafana-admin-password"),
    GF_SECURITY_SECRET_KEY: fromFile("grafana-secret-key"),
    GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH: HOME_DASHBOARD,
    ...NOBODY_OUTSIDE,
  };
}

/** The gateway says who it is; there is no other way in. */
const WHO_GETS_IN = {
  GF_AUTH_PROXY_ENABLED: "true",
  GF_AUTH_PROXY_HEADER_NAME: "X-WEBAUTH-USER",
  GF_AUTH_PROXY_HEADER_PROPERTY: "username",
  GF_AUTH_PROXY_HEADERS: "Role:X-WEBAUTH-ROLE",
  GF_AUTH_PROXY_AUTO_SIGN_UP: "true",
  // Minutes that a user with the same role is not looked at again; a changed role acts with the next request.
  GF_AUTH_PROXY_SYNC_TTL: "1",
  GF_AUTH_PROXY_ENABLE_LOGIN_TOKEN: "false",
  GF_AUTH_BASIC_ENABLED: "false",
  GF_AUTH_ANONYMOUS_ENABLED: "false",
  // Otherwise the health page, which the gateway asks without a user, tells the version.
  GF_AUTH_ANONYMOUS_HIDE_VERSION: "true",
  GF_AUTH_DISABLE_LOGIN_FORM: "true",
  GF_AUTH_SIGNOUT_REDIRECT_URL: "/logout",
  GF_USERS_ALLOW_SIGN_UP: "false",
  GF_USERS_ALLOW_ORG_CREATE: "false",
  GF_USERS_AUTO_ASSIGN_ORG_ROLE: "Viewer",
  // No user of the stack can have this name: whoever is called as the built-in administrator would be him.
  GF_SECURITY_ADMIN_USER: "_grafana",
  GF_SECURITY_COOKIE_SECURE: "true",
  // It would answer without a login.
  GF_METRICS_ENABLED: "false",
};

/** Nothing is told to or fetched from the vendor's or others' servers. */
const NOBODY_OUTSIDE = {
  GF_ANALYTICS_REPORTING_ENABLED: "false",
  GF_ANALYTICS_CHECK_FOR_UPDATES: "false",
  GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: "false",
  GF_ANALYTICS_FEEDBACK_LINKS_ENABLED: "false",
  GF_NEWS_NEWS_FEED_ENABLED: "false",
  GF_PLUGINS_PLUGIN_ADMIN_ENABLED: "false",
  GF_PLUGINS_PREINSTALL_DISABLED: "true",
  GF_PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED: "true",
  GF_SECURITY_DISABLE_GRAVATAR: "true",
  GF_SNAPSHOTS_EXTERNAL_ENABLED: "false",
};

/** Grafana's own way to read a value from a file when it starts. */
function fromFile(secret: string): string {
  return `$__file{/run/secrets/${secret}}`;
}

function yaml(content: unknown): string {
  return dump(content, { sortKeys: true, lineWidth: 120 });
}

/** The same with every object's keys in order, without what is undefined. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined && typeof entry !== "function");
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, entry]) => [key, sorted(entry)]));
}
