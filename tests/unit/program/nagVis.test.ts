import * as pulumi from "@pulumi/pulumi";
import type { IcingaMaster } from "../../../components/icingaMaster";
import { NagVis } from "../../../components/nagVis";
import { Networks } from "../../../components/networks";
import { NodeLabels } from "../../../components/nodeLabels";
import { ServiceImage } from "../../../components/serviceImage";
import { type MappedLocation, nagvisMaps } from "../../../render/nagvisMaps";
import { record, type Recorded } from "./recorder";

jest.setTimeout(60_000);

const FRANKFURT = { name: "frankfurt", displayName: "Frankfurt am Main", latitude: 50.11, longitude: 8.68 };
const SYDNEY = { name: "sydney", latitude: -33.87, longitude: 151.21 };
const LAB = { name: "lab", displayName: `O'Brien's\n<Lab> & "Söhne"` };

const SUBNETS = {
  cluster: "10.1.0.0/24",
  database: "10.1.1.0/24",
  livestatus: "10.1.2.0/24",
  metrics: "10.1.3.0/24",
  web: "10.1.4.0/24",
  direct: "10.1.8.0/22",
};

function recordNagVis(locations: readonly MappedLocation[], tiles?: string): Promise<Recorded[]> {
  return record({}, async () => {
    const dockerHost = "unix:///var/run/docker.sock";
    const nagVis = new NagVis("nagvis", {
      stack: {
        dockerHost,
        retention: { logMegabytes: 7, logFiles: 2 },
        readiness: { timeoutSeconds: 90 },
      },
      image: new ServiceImage("image-nagvis", { image: "nagvis", base: "debian:trixie-slim" }),
      networks: new Networks("networks", SUBNETS),
      central: new NodeLabels("central", { label: "icinga-swarm.central", nodes: ["self"], dockerHost }),
      master: { livestatusHost: pulumi.output("livestatus") } as IcingaMaster,
      memoryMegabytes: 300,
      locations,
      tiles,
    });
    await new Promise((resolve) => nagVis.host.apply(resolve));
  });
}

interface TaskSpec {
  readonly containerSpec: {
    readonly env: Readonly<Record<string, string>>;
    readonly mounts: readonly { source: string; target: string }[];
    readonly configs: readonly { fileName: string }[];
    readonly secrets: readonly unknown[];
  };
  readonly networksAdvanceds: readonly { id: string }[];
  readonly resources: { readonly limits: { readonly memoryBytes: number } };
}

function taskSpec(resources: readonly Recorded[]): TaskSpec {
  const service = resources.find(({ type, inputs }) => type.endsWith(":Service") && inputs.name === "nagvis");
  return service?.inputs.taskSpec as TaskSpec;
}

describe("the component", () => {
  let resources: Recorded[];
  beforeAll(async () => {
    resources = await recordNagVis([FRANKFURT, LAB]);
  });

  test("is in the networks of the pages and of Livestatus, with its maps on a volume and no secret", () => {
    const { containerSpec, networksAdvanceds, resources: limits } = taskSpec(resources);
    expect(networksAdvanceds).toEqual([{ id: "networks-web-id" }, { id: "networks-livestatus-id" }]);
    expect(containerSpec.env).toEqual({
      LIVESTATUS_HOST: "livestatus",
      WEB_SUBNET: SUBNETS.web,
      NRPE_ALLOWED_HOSTS: SUBNETS.livestatus,
      SPEC_HASH: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
    });
    expect(containerSpec.mounts).toEqual([
      { type: "volume", source: "icinga-swarm-nagvis-data", target: "/var/lib/nagvis/data" },
    ]);
    expect(containerSpec.configs).toMatchObject([{ fileName: "/etc/icinga-swarm/maps.json" }]);
    expect(containerSpec.secrets).toEqual([]);
    expect(limits.limits.memoryBytes).toBe(300 * 1024 * 1024);
  });

  test("is given the maps of the locations", () => {
    const config = resources.find(({ name }) => name === "nagvis-maps");
    expect(JSON.parse(Buffer.from(String(config?.inputs.data), "base64").toString())).toEqual(
      nagvisMaps([FRANKFURT, LAB]),
    );
    expect(config?.parent).toBe("nagvis");
  });

  test("asks a tile server only where one is set", async () => {
    const tiles = "https://tiles.example.com/{z}/{x}/{y}.png";
    expect(taskSpec(await recordNagVis([FRANKFURT], tiles)).containerSpec.env).toMatchObject({ MAP_TILES: tiles });
  });
});

describe("the maps", () => {
  const { maps, world } = nagvisMaps([FRANKFURT, SYDNEY, LAB]);

  test("are an overview, the world, and one for each location", () => {
    expect(Object.keys(maps).sort()).toEqual([
      "location-frankfurt",
      "location-lab",
      "location-sydney",
      "overview",
      "world",
    ]);
  });

  test("a location's map asks for its host group, and names no host", () => {
    expect(maps["location-frankfurt"]).toBe(`define global {
    alias=Frankfurt am Main
    parent_map=overview
    iconset=std_medium
    sources=dynmap
    dynmap_object_types=host
    dynmap_object_filter=Filter: groups >= location-frankfurt\\n
    dynmap_init_x=32
    dynmap_init_y=104
    dynmap_offset_x=200
    dynmap_offset_y=44
    dynmap_per_row=6
    label_show=1
    label_text=[name]
    label_x=+30
    label_y=+2
    label_background=transparent
    label_border=transparent
    label_style=font-size:13px;white-space:nowrap;
    label_maxlen=22
}

define textbox {
    object_id=heading6c6f636174696f6e2d6672616e6b66757274
    x=24
    y=44
    w=1100
    h=34
    background_color=transparent
    border_color=transparent
    text=<div style="text-align:left;font:22px sans-serif;color:#1f2933">Frankfurt am Main<span style="font-size:14px;padding-left:18px"><a style="color:#0b5cad" href="/nagvis/frontend/nagvis-js/index.php?mod=Map&amp;act=view&amp;show=overview">All locations</a> &middot; <a style="color:#0b5cad" href="/nagvis/frontend/nagvis-js/index.php?mod=Map&amp;act=view&amp;show=world">World map</a> &middot; <a style="color:#0b5cad" href="/thruk/cgi-bin/status.cgi?style=overview&amp;hostgroup=location-frankfurt">In Thruk</a></span></div>
}
`);
  });

  test("the overview has every location's host group and the stack's own", () => {
    const groups = [...(maps.overview ?? "").matchAll(/hostgroup_name=(.*)/g)].map(([, group]) => group);
    expect(groups).toEqual(["location-frankfurt", "location-sydney", "location-lab", "icinga-swarm"]);
  });

  test("a name of any characters neither breaks a map nor becomes HTML", () => {
    expect(maps["location-lab"]).toMatch(/^ {4}alias=O Brien s Lab Söhne$/m);
    expect(maps["location-lab"]).toContain(">O&#39;Brien&#39;s &lt;Lab&gt; &amp; &quot;Söhne&quot;<");
  });

  test("the world map has those with a place, and says who has none", () => {
    expect(world.map(({ type, hostgroup_name, x, y }) => [type, hostgroup_name, x, y])).toEqual([
      ["hostgroup", "location-frankfurt", "50.11", "8.68"],
      ["hostgroup", "location-sydney", "-33.87", "151.21"],
      ["textbox", undefined, expect.any(String), expect.any(String)],
    ]);
    expect(nagvisMaps([FRANKFURT]).world).toHaveLength(1);
    for (const { object_id } of world) expect(object_id).toMatch(/^[a-z0-9]+$/i);
  });

  test.each([
    ["half of the world", [FRANKFURT, SYDNEY], 3],
    ["a continent", [FRANKFURT, { name: "madrid", latitude: 40.42, longitude: -3.7 }], 5],
    ["one place", [FRANKFURT], 6],
    ["none", [LAB], 2],
    ["the edge", [{ name: "pole", latitude: -90, longitude: -180 }], 6],
  ])("the world map is opened where they are: %s", (_what, locations, zoom) => {
    const text = nagvisMaps(locations).maps.world ?? "";
    expect(text).toContain(`worldmap_zoom=${zoom}\n`);
    // NagVis refuses a map without decimals here.
    expect(text).toMatch(/worldmap_center=-?\d+\.\d+,-?\d+\.\d+\n/);
  });

  test("a new location changes nothing of the others' maps", () => {
    const more = nagvisMaps([FRANKFURT, SYDNEY, LAB, { name: "paris" }]).maps;
    for (const name of ["location-frankfurt", "location-sydney", "location-lab"]) expect(more[name]).toBe(maps[name]);
  });
});
