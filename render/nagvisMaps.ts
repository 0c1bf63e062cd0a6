import type { Location } from "../generator/location";

/** What maps are made from; hosts are not among it, they come by Livestatus. */
export type MappedLocation = Pick<Location, "name" | "displayName" | "latitude" | "longitude">;

/** An object on the world map. NagVis wants texts, and latitude and longitude as x and y. */
export interface WorldObject {
  /** Letters and digits; unique. */
  readonly object_id: string;
  readonly x: string;
  readonly y: string;
  readonly [option: string]: string;
}

/** What `place-maps` of the image puts beside the maps that users drew. */
export interface NagVisMaps {
  /** NagVis's map files by the map's name. */
  readonly maps: Readonly<Record<string, string>>;
  readonly world: readonly WorldObject[];
}

type Options = Readonly<Record<string, string | number>>;

/** Links below are the gateway's paths. */
const MAP_URL = "/nagvis/frontend/nagvis-js/index.php?mod=Map&act=view&show=";
const THRUK_GROUP_URL = "/thruk/cgi-bin/status.cgi?style=overview&hostgroup=";

/** The group of the stack's own hosts. */
const STACK_GROUP = "icinga-swarm";

/** Pixels. */
const CARD = { width: 270, height: 76, gap: 18, perRow: 4, left: 24, top: 92 } as const;
const HOSTS = { left: 32, top: 104, width: 200, height: 44, perRow: 6 } as const;
/** Of the window that the world map is fitted into, and of a tile. */
const WORLD = { width: 1000, height: 560, tile: 256 } as const;
const NOTE = { width: 320, height: 60 } as const;

const COLOURS = { ink: "#1f2933", quiet: "#52606d", card: "#ffffff", line: "#cbd2d9" } as const;
const NO_BOX: Options = { background_color: "transparent", border_color: "transparent" };

/**
 * An overview of all locations, a map for each, and a map of the world with those that have a place on it.
 *
 * @param locations in the order they are shown
 */
export function nagvisMaps(locations: readonly MappedLocation[]): NagVisMaps {
  const files = locations.map((location) => [`location-${location.name}`, locationMap(location)] as const);
  return {
    maps: Object.fromEntries([["overview", overview(locations)], ["world", worldMap(locations)], ...files]),
    world: [...locations.filter(hasPlace).map(worldObject), ...noteOfPlaceless(locations)],
  };
}

function overview(locations: readonly MappedLocation[]): string {
  const cards = [
    ...locations.map((location) => ({
      title: titleOf(location),
      group: `location-${location.name}`,
      url: `${MAP_URL}location-${location.name}`,
      note: hasPlace(location) ? "" : "not on the world map: no latitude and longitude",
    })),
    { title: "The monitoring itself", group: STACK_GROUP, url: `${THRUK_GROUP_URL}${STACK_GROUP}`, note: "" },
  ];
  return [
    define("global", { alias: "Overview", iconset: "std_big" }),
    ...heading("overview", "All locations", [link(`${MAP_URL}world`, "World map")]),
    ...cards.flatMap((card, index) => {
      const x = CARD.left + (index % CARD.perRow) * (CARD.width + CARD.gap);
      const y = CARD.top + Math.floor(index / CARD.perRow) * (CARD.height + CARD.gap);
      const note = card.note === "" ? "" : `<br>${styled("span", `color:${COLOURS.quiet};font-size:11px`, card.note)}`;
      return [
        define("textbox", {
          object_id: `card${index}`,
          x,
          y,
          w: CARD.width,
          h: CARD.height,
          background_color: COLOURS.card,
          border_color: COLOURS.line,
          text: styled(
            "div",
            "text-align:left;padding:14px 8px 0 52px;font:16px/1.4 sans-serif",
            `${link(card.url, escapeHtml(card.title))}${note}`,
          ),
        }),
        define("hostgroup", {
          object_id: `state${index}`,
          hostgroup_name: card.group,
          x: x + 16,
          y: y + 14,
          z: 10,
          url: card.url,
        }),
      ];
    }),
  ].join("\n");
}

function locationMap(location: MappedLocation): string {
  const group = `location-${location.name}`;
  return [
    define("global", {
      alias: aliasOf(location),
      parent_map: "overview",
      iconset: "std_medium",
      sources: "dynmap",
      dynmap_object_types: "host",
      dynmap_object_filter: `Filter: groups >= ${group}\\n`,
      dynmap_init_x: HOSTS.left,
      dynmap_init_y: HOSTS.top,
      dynmap_offset_x: HOSTS.width,
      dynmap_offset_y: HOSTS.height,
      dynmap_per_row: HOSTS.perRow,
      label_show: 1,
      label_text: "[name]",
      label_x: "+30",
      label_y: "+2",
      label_background: "transparent",
      label_border: "transparent",
      label_style: "font-size:13px;white-space:nowrap;",
      label_maxlen: 22,
    }),
    ...heading(group, escapeHtml(titleOf(location)), [
      link(`${MAP_URL}overview`, "All locations"),
      link(`${MAP_URL}world`, "World map"),
      link(`${THRUK_GROUP_URL}${group}`, "In Thruk"),
    ]),
  ].join("\n");
}

function worldMap(locations: readonly MappedLocation[]): string {
  const { latitude, longitude, zoom } = viewOf(locations.filter(hasPlace));
  return define("global", {
    alias: "World",
    parent_map: "overview",
    sources: "worldmap",
    iconset: "std_geo",
    worldmap_center: `${latitude.toFixed(4)},${longitude.toFixed(4)}`,
    worldmap_zoom: zoom,
  });
}

type PlacedLocation = MappedLocation & { readonly latitude: number; readonly longitude: number };

function hasPlace(location: MappedLocation): location is PlacedLocation {
  return location.latitude !== undefined && location.longitude !== undefined;
}

function worldObject(location: PlacedLocation): WorldObject {
  return {
    // NagVis takes letters and digits only; a location's name also has hyphens.
    object_id: `location${Buffer.from(location.name).toString("hex")}`,
    type: "hostgroup",
    hostgroup_name: `location-${location.name}`,
    x: String(location.latitude),
    y: String(location.longitude),
    url: `${MAP_URL}location-${location.name}`,
    label_show: "1",
    label_text: escapeHtml(titleOf(location)),
    label_x: "center",
    label_y: "bottom",
    label_background: COLOURS.card,
    label_border: COLOURS.line,
    label_style: "font-size:12px;white-space:nowrap;padding:0 4px;",
  };
}

/** Which locations the world map lacks, said at the lower left of what is seen at first. */
function noteOfPlaceless(locations: readonly MappedLocation[]): WorldObject[] {
  const placeless = locations.filter((location) => !hasPlace(location));
  if (placeless.length === 0) return [];
  const names = placeless.map((location) => link(`${MAP_URL}location-${location.name}`, escapeHtml(titleOf(location))));
  const { latitude, longitude, zoom } = viewOf(locations.filter(hasPlace));
  const pixelsAround = WORLD.tile * 2 ** zoom;
  const south = mercator(latitude) - (WORLD.height / 2 - NOTE.height) / pixelsAround;
  const west = longitude - ((WORLD.width / 2 - NOTE.width / 2) / pixelsAround) * 360;
  return [
    {
      object_id: "placeless",
      type: "textbox",
      x: latitudeOf(south).toFixed(4),
      y: Math.max(-180, west).toFixed(4),
      w: String(NOTE.width),
      background_color: COLOURS.card,
      border_color: COLOURS.line,
      text: styled(
        "div",
        "text-align:left;padding:6px;font:13px sans-serif",
        `Not on this map, without latitude and longitude: ${names.join(", ")}`,
      ),
    },
  ];
}

/** Middle and zoom at which all are seen. Without any, the whole world. */
function viewOf(places: readonly PlacedLocation[]): { latitude: number; longitude: number; zoom: number } {
  if (places.length === 0) return { latitude: 20, longitude: 0, zoom: 2 };
  const north = Math.max(...places.map(({ latitude }) => mercator(latitude)));
  const south = Math.min(...places.map(({ latitude }) => mercator(latitude)));
  const east = Math.max(...places.map(({ longitude }) => longitude));
  const west = Math.min(...places.map(({ longitude }) => longitude));
  const fits = (zoom: number) =>
    ((east - west) / 360) * WORLD.tile * 2 ** zoom <= WORLD.width &&
    (north - south) * WORLD.tile * 2 ** zoom <= WORLD.height;
  const zoom = [6, 5, 4, 3].find(fits) ?? 2;
  return { latitude: latitudeOf((north + south) / 2), longitude: (east + west) / 2, zoom };
}

/** Web Mercator: how far north, where the world is a square of side 1 and the equator is 0. */
function mercator(latitude: number): number {
  const clamped = Math.max(-85, Math.min(85, latitude));
  return Math.asinh(Math.tan((clamped * Math.PI) / 180)) / (2 * Math.PI);
}

function latitudeOf(north: number): number {
  return (Math.atan(Math.sinh(north * 2 * Math.PI)) * 180) / Math.PI;
}

function heading(id: string, title: string, links: readonly string[]): string[] {
  const style = `text-align:left;font:22px sans-serif;color:${COLOURS.ink}`;
  const small = styled("span", "font-size:14px;padding-left:18px", links.join(" &middot; "));
  return [
    define("textbox", {
      object_id: `heading${Buffer.from(id).toString("hex")}`,
      x: CARD.left,
      y: 44,
      w: 1100,
      h: 34,
      ...NO_BOX,
      text: styled("div", style, `${title}${small}`),
    }),
  ];
}

function titleOf(location: MappedLocation): string {
  return oneLine(location.displayName ?? location.name);
}

/** NagVis refuses a map whose alias is empty or has other characters. */
function aliasOf(location: MappedLocation): string {
  const text = titleOf(location).replace(/[^0-9\p{L}:+[\]()_.,*?!#@=/-]+/gu, " ");
  return text.trim() || location.name;
}

function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ").trim();
}

function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? "");
}

/** NagVis shows no text at all where `<a href=` is followed by anything but http or https: so href is not the first. */
function link(url: string, html: string): string {
  return `<a style="color:#0b5cad" href="${escapeHtml(url)}">${html}</a>`;
}

function styled(tag: "div" | "span", style: string, html: string): string {
  return `<${tag} style="${style}">${html}</${tag}>`;
}

/** An object of a map's file. */
function define(type: string, options: Options): string {
  const lines = Object.entries(options).map(([key, value]) => `    ${key}=${value}\n`);
  return `define ${type} {\n${lines.join("")}}\n`;
}
