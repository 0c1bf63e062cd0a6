import { type NagiosObject, numberOf, textOf } from "./objects";
import { setting, type Sources } from "./read";
import type { Resolved } from "./resolve";
import type { Service } from "./services";

/** Whose command it is. */
export interface Subject {
  readonly host: NagiosObject;
  /** Undefined for the host's own check. */
  readonly service?: Service | undefined;
}

/** What only running Nagios knows, or only the inventory: a macro that has no text of its own. */
export class Unknowable extends Error {}

/** What stands for a value that the inventory fills in itself; a sign that no configuration has. */
export interface Marks {
  readonly mark: (name: string) => string;
}

/** Puts the values of macros into texts. */
export class Macros {
  constructor(
    private readonly sources: Sources,
    private readonly resolved: Resolved,
  ) {}

  /**
   * A text with the values of its macros.
   *
   * @param known values that are known already, or stand for something, by macro
   * @returns unknown macros stay as they are, as in Nagios
   * @throws Unknowable for those that have a value only while Nagios runs
   */
  expand(text: string, subject: Subject, known: ReadonlyMap<string, string> = new Map()): string {
    return text.replace(/\$([^$]*)\$/g, (written, name: string) => {
      if (name === "") return "$";
      return known.get(name) ?? this.value(name, subject) ?? written;
    });
  }

  private value(name: string, subject: Subject): string | undefined {
    const custom = /^_(HOST|SERVICE)(.+)$/.exec(name);
    if (custom !== null) {
      const owner = custom[1] === "HOST" ? subject.host : subject.service?.object;
      return owner?.custom.get(custom[2]?.toUpperCase() ?? "")?.text ?? "";
    }
    if (/^USER\d+$/.test(name)) return this.sources.userMacros.get(name)?.value ?? "";
    if (/^ARG\d+$/.test(name)) return "";
    const admin = { ADMINEMAIL: "admin_email", ADMINPAGER: "admin_pager" }[name];
    if (admin !== undefined) return setting(this.sources, admin)?.value ?? "";
    const found = this.ofHost(name, subject.host) ?? this.ofService(name, subject.service);
    if (found !== undefined) return found;
    if (RUNNING.test(name) || name.includes(":")) throw new Unknowable(`$${name}$ has a value only while Nagios runs`);
    return undefined;
  }

  private ofHost(name: string, host: NagiosObject): string | undefined {
    const hostName = textOf(host, "host_name") ?? "";
    const groups = () => this.resolved.groupsOfHost.get(hostName) ?? [];
    switch (name) {
      case "HOSTNAME":
        return hostName;
      case "HOSTDISPLAYNAME":
        return textOf(host, "display_name") ?? hostName;
      case "HOSTALIAS":
        return textOf(host, "alias") ?? hostName;
      case "HOSTADDRESS":
        return textOf(host, "address") ?? hostName;
      case "HOSTGROUPNAME":
        return groups()[0] ?? "";
      case "HOSTGROUPNAMES":
        return groups().join(",");
      case "HOSTNOTES":
        return textOf(host, "notes") ?? "";
      case "HOSTCHECKCOMMAND":
        return textOf(host, "check_command") ?? "";
      case "MAXHOSTATTEMPTS":
        return String(numberOf(host, "max_check_attempts"));
      default:
        return undefined;
    }
  }

  private ofService(name: string, service: Service | undefined): string | undefined {
    if (service === undefined) return undefined;
    switch (name) {
      case "SERVICEDESC":
        return service.description;
      case "SERVICEDISPLAYNAME":
        return textOf(service.object, "display_name") ?? service.description;
      case "SERVICENOTES":
        return textOf(service.object, "notes") ?? "";
      case "SERVICECHECKCOMMAND":
        return textOf(service.object, "check_command") ?? "";
      case "MAXSERVICEATTEMPTS":
        return String(numberOf(service.object, "max_check_attempts"));
      default:
        return undefined;
    }
  }
}

/** Macros that Nagios has, whose values change while it runs, or that are of files it alone has. */
const RUNNING =
  /^(HOST|SERVICE|LAST|LONG|SHORT|MAX|TOTAL|CONTACT|NOTIFICATION|TIMET$|DATE$|TIME$|PROCESS|EVENT|COMMENT|DATETIME|(MAIN|OBJECT|STATUS|RETENTION|RESOURCE|COMMAND|TEMP|LOG|DOWNTIME)\w*(FILE|PATH)$|ISVALIDTIME|NEXTVALIDTIME)/;

/** A `check_command` taken apart: the command's name, and its arguments, in which `\!` stands for `!`. */
export function splitCall(call: string): { name: string; args: string[] } {
  const [name = "", ...args] = call.split(/(?<!\\)!/).map((part) => part.replaceAll("\\!", "!"));
  return { name, args };
}
