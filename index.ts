import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { ConfigGenerator } from "./components/configGenerator";
import { Gateway } from "./components/gateway";
import { Grafana } from "./components/grafana";
import { Graphite } from "./components/graphite";
import { IcingaLocation } from "./components/icingaLocation";
import { IcingaMaster } from "./components/icingaMaster";
import { MySql } from "./components/mySql";
import { NagVis } from "./components/nagVis";
import { Networks } from "./components/networks";
import { NodeLabels } from "./components/nodeLabels";
import { Preflight } from "./components/preflight";
import { RegistryRenewal } from "./components/registryRenewal";
import { Thruk } from "./components/thruk";
import { buildImages } from "./images";
import { readSettings } from "./settings";
import { CENTRAL_LABEL } from "./settings/nodeLabels";

const settings = readSettings();
const { credentials, memory } = settings;

const { dockerHost } = new Preflight("preflight", settings);
/** What every service is given. */
const stack = { ...settings, dockerHost };

const provider = new docker.Provider("docker", {
  host: dockerHost,
  registryAuth: settings.registryAuth,
  sshOpts: settings.sshOpts,
});
const opts: pulumi.ComponentResourceOptions = { providers: [provider] };

const images = buildImages(
  {
    given: settings.images,
    registry: settings.registry,
    registryPassword: credentials.registryPassword,
    dockerHost,
  },
  opts,
);
const networks = new Networks("networks", settings.networks, opts);
const central = new NodeLabels("central", { label: CENTRAL_LABEL, nodes: [settings.centralNode], dockerHost }, opts);

const gateway = new Gateway(
  "gateway",
  {
    stack,
    image: images.gateway,
    networks,
    central,
    memoryMegabytes: memory.gateway,
    settings: settings.gateway,
    users: settings.users,
    credentials: settings.gatewayCredentials,
  },
  opts,
);

const graphite = new Graphite(
  "graphite",
  {
    stack,
    image: images.graphite,
    networks,
    central,
    memoryMegabytes: memory.graphite,
    retentions: settings.retention.metrics,
    secretKey: credentials.graphiteSecretKey,
  },
  opts,
);

const mySql = new MySql(
  "mysql",
  {
    stack,
    image: settings.images.mysql,
    networks,
    central,
    memoryMegabytes: memory.mysql,
    passwords: {
      root: credentials.mysqlRootPassword,
      icinga: credentials.mysqlIcingaPassword,
      thruk: credentials.mysqlThrukPassword,
      grafana: credentials.mysqlGrafanaPassword,
    },
  },
  opts,
);

const master = new IcingaMaster(
  "icinga-master",
  {
    stack,
    image: images.master,
    networks,
    central,
    mySql,
    memoryMegabytes: memory.master,
    historyDays: settings.retention.historyDays,
    mailRelay: settings.mailRelay,
    heartbeat: settings.heartbeat,
    published: settings.publishedMaster,
    credentials: {
      caCertificate: credentials.icingaCaCertificate,
      caKey: credentials.icingaCaKey,
      ticketSalt: credentials.icingaTicketSalt,
      apiGeneratorPassword: credentials.icingaApiGeneratorPassword,
      mailRelayPassword: credentials.mailRelayPassword,
    },
  },
  opts,
);

const grafana = new Grafana(
  "grafana",
  {
    stack,
    image: settings.images.grafana,
    networks,
    central,
    mySql,
    graphite,
    gateway: settings.gateway,
    memoryMegabytes: memory.grafana,
    credentials: { adminPassword: credentials.grafanaAdminPassword, secretKey: credentials.grafanaSecretKey },
  },
  opts,
);

const thruk = new Thruk(
  "thruk",
  {
    stack,
    image: images.thruk,
    networks,
    central,
    master,
    mySql,
    memoryMegabytes: memory.thruk,
    historyDays: settings.retention.historyDays,
  },
  opts,
);

const nagVis = new NagVis(
  "nagvis",
  {
    stack,
    image: images.nagvis,
    networks,
    central,
    master,
    memoryMegabytes: memory.nagvis,
    locations: settings.locations,
    tiles: settings.maps.tiles,
  },
  opts,
);

const generator = new ConfigGenerator(
  "config-generator",
  {
    stack,
    image: images.generator,
    networks,
    central,
    master,
    memoryMegabytes: memory.generator,
    settings: settings.generator,
    nrpeCertificates: settings.nrpeCertificates,
    deployKey: credentials.generatorDeployKey,
    replayHours: settings.retention.replayHours,
    shipment: settings.shipment,
  },
  opts,
);

const locations = settings.locations.map((location) => ({
  location,
  slaves: new IcingaLocation(
    `location-${location.name}`,
    {
      stack,
      image: images.slave,
      location,
      networks,
      master,
      generator,
      nrpeCertificates: settings.nrpeCertificates,
      memoryMegabytes: memory.slave,
      replayHours: settings.retention.replayHours,
    },
    opts,
  ),
}));

new RegistryRenewal(
  "registry-renewal",
  {
    registry: images.registry,
    after: [
      ...[gateway, graphite, mySql, master, grafana, thruk, nagVis, generator],
      ...locations.map(({ slaves }) => slaves),
    ],
  },
  opts,
);

/** Where people find all pages. */
export const address = gateway.address;

/** Endpoint names by location, once they are connected and hold their configuration. */
export const endpoints = pulumi
  .all(locations.map(({ location, slaves }) => slaves.endpoints.apply((names) => [location.name, names] as const)))
  .apply((entries) => Object.fromEntries(entries));
