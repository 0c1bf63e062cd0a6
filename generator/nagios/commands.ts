import { isCheckName } from "../catalogue";
import type { OwnCheck } from "../schema";
import { Macros, splitCall, type Subject, Unknowable } from "./macros";
import { freeName, type NameRules } from "./names";
import { nrpeSettings } from "./nrpe";
import { type NagiosObject, textOf } from "./objects";
import type { Sources } from "./read";
import type { Place } from "./refusal";
import type { Report } from "./report";
import type { Resolved } from "./resolve";
import { shellWords } from "./shell";

/** A check in the inventory's terms: which, and what it is told. */
export interface MadeCheck {
  readonly check: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** What may differ from host to host, and the inventory fills in itself. */
export interface HostValues {
  /** Whether the host has its own name in the inventory. */
  readonly keepsName: boolean;
  /** Custom variable -> its name in the inventory. */
  readonly variables: ReadonlyMap<string, string>;
}

const CHECK_NAMES: NameRules = {
  isAllowed: (name) => /^[A-Za-z][A-Za-z0-9_-]{0,59}$/.test(name) && !isCheckName(name),
  keep: /[A-Za-z0-9_-]/,
  longest: 60,
  fallback: "check",
};

/** Signs for a value that is filled in later, from the part of Unicode that has no characters. */
const OPEN = "\uE000";
const CLOSE = "\uE001";
const MARK = /\uE000([^\uE001]*)\uE001/g;

/** Makes checks of the inventory from check commands, and collects the checks that they need. */
export class Commands {
  /** Checks of the inventory's own. */
  readonly own = new Map<string, OwnCheck>();
  private readonly names = new Map<string, string>();
  private readonly macros: Macros;

  constructor(
    private readonly sources: Sources,
    private readonly resolved: Resolved,
    private readonly report: Report,
    private readonly hostValues: (host: NagiosObject) => HostValues,
  ) {
    this.macros = new Macros(sources, resolved);
  }

  /** A text with its macros' values; undefined, and reported, if it has some that only running Nagios knows. */
  text(text: string, subject: Subject, place: Place): string | undefined {
    try {
      return this.macros.expand(text, subject);
    } catch (error) {
      if (!(error instanceof Unknowable)) throw error;
      this.report.add("lost", place, error.message);
      return undefined;
    }
  }

  /**
   * A check that runs what a check command runs.
   *
   * @param call such as `check_nrpe!check_load!5`
   * @param place of the call
   * @returns undefined, and reported, if no check of the inventory can
   */
  make(call: string, subject: Subject, place: Place): MadeCheck | undefined {
    const { name, args } = splitCall(call);
    const command = this.resolved.commands.get(name);
    const line = command && textOf(command, "command_line");
    if (command === undefined || line === undefined) return undefined;
    try {
      return this.makeFrom(command, line, args, subject, place);
    } catch (error) {
      if (!(error instanceof Unknowable)) throw error;
      const at = `${command.place.file}:${command.place.line}`;
      this.report.add("lost", place, `no check for the command ${name} (${at}): ${error.message}`);
      return undefined;
    }
  }

  private makeFrom(
    command: NagiosObject,
    line: string,
    args: readonly string[],
    subject: Subject,
    place: Place,
  ): MadeCheck {
    const given = new Map(args.map((arg, index) => [`ARG${index + 1}`, this.macros.expand(arg, subject)]));
    const actual = words(this.macros.expand(line, subject, given));
    const marks = this.marks(subject);
    const givenMarked = new Map(args.map((arg, index) => [`ARG${index + 1}`, this.macros.expand(arg, subject, marks)]));
    const marked = wordsOrNone(this.macros.expand(line, subject, new Map([...marks, ...givenMarked])));
    const isGeneral =
      marked !== undefined &&
      same(
        marked.map((word) => this.filled(word, subject, marks)),
        actual,
      );
    const general = isGeneral ? marked : actual;
    const nrpe = nrpeSettings(actual, this.macros.expand("$HOSTADDRESS$", subject));
    if (nrpe !== undefined) {
      for (const what of nrpe.changed) this.report.add("changed", place, what);
      return { check: "nrpe", settings: nrpe.settings };
    }
    this.reportUserMacros(line, command.place);
    for (const arg of args) this.reportUserMacros(arg, place);
    const parameters = this.parameters(line, args, subject, marks, actual);
    if (parameters !== undefined)
      return { check: this.named(command, parameters.plugin, parameters.names), settings: parameters.values };
    return { check: this.named(command, general.map(pluginWord), []), settings: {} };
  }

  /** The command with its arguments as parameters, if they come out the same. */
  private parameters(
    line: string,
    args: readonly string[],
    subject: Subject,
    marks: ReadonlyMap<string, string>,
    actual: readonly string[],
  ) {
    const valueOf = (number: number) => args[number - 1] ?? "";
    const all = [...new Set([...line.matchAll(/\$ARG(\d+)\$/g)].map(([, number]) => Number(number)))];
    // Arguments that are left out make another check: a parameter always has a value, and none that a macro changes.
    const used = all.filter((number) => valueOf(number) !== "");
    const values = used.map(valueOf);
    if (used.length === 0 || values.some((value) => !/^[^$\p{Cc}]{1,1000}$/u.test(value))) return undefined;
    const names = used.map((number) => `arg${number}`);
    const open = new Map([...marks, ...used.map((number) => [`ARG${number}`, mark(`arg${number}`)] as const)]);
    const template = wordsOrNone(this.macros.expand(line, subject, open));
    if (template === undefined) return undefined;
    const fill = new Map([...open.values()].map((sign) => [sign, ""]));
    used.forEach((number, index) => fill.set(mark(`arg${number}`), values[index] ?? ""));
    const filled = template.map((word) =>
      this.filled(
        word.replace(MARK, (sign) => fill.get(sign) || sign),
        subject,
        marks,
      ),
    );
    if (!same(filled, actual)) return undefined;
    const entries = names.map((name, index) => [name, values[index] ?? ""] as const);
    return { plugin: template.map(pluginWord), names, values: Object.fromEntries(entries) };
  }

  /** Signs for what a host's check fills in itself. */
  private marks({ host }: Subject): Map<string, string> {
    const { keepsName, variables } = this.hostValues(host);
    const marks = new Map([["HOSTADDRESS", mark("address")]]);
    if (keepsName) marks.set("HOSTNAME", mark("name"));
    for (const [variable, name] of variables) marks.set(`_HOST${variable}`, mark(`vars.${name}`));
    return marks;
  }

  /** A word with the host's values in place of their signs. */
  private filled(word: string, subject: Subject, marks: ReadonlyMap<string, string>): string {
    const macros = new Map([...marks].map(([macro, sign]) => [sign, macro]));
    return word.replace(MARK, (sign) => {
      const macro = macros.get(sign);
      return macro === undefined ? sign : this.macros.expand(`$${macro}$`, subject);
    });
  }

  /** The name of the inventory's check that runs a plugin: the command's, if no other line has it already. */
  private named(command: NagiosObject, plugin: readonly string[], parameters: readonly string[]): string {
    const [program = "", ...rest] = plugin;
    const argv = [...this.programWords(program, command.place), ...rest];
    const key = JSON.stringify([argv, parameters]);
    const known = this.names.get(key);
    if (known !== undefined) return known;
    const taken = new Set([...this.own.keys()].map((name) => name.toLowerCase()));
    const name = freeName(textOf(command, "command_name") ?? "", CHECK_NAMES, taken);
    const meanings = parameters.map((parameter) => [parameter, `$${parameter.toUpperCase()}$ of the Nagios command`]);
    this.own.set(name, {
      plugin: argv,
      ...(parameters.length === 0 ? {} : { parameters: Object.fromEntries(meanings) as Record<string, string> }),
    });
    this.names.set(key, name);
    return name;
  }

  /**
   * How a program is called. Plugins are by their names: the slaves have theirs in a folder of their own. Other names
   * are looked up where Nagios does, in PATH.
   */
  private programWords(program: string, place: Place): string[] {
    const folders = [...this.sources.userMacros.values()]
      .map(({ value }) => value)
      .filter((value) => value.startsWith("/"));
    const folder = folders.find((one) => program.startsWith(`${one.replace(/\/$/, "")}/`));
    const name = program.slice(program.lastIndexOf("/") + 1);
    const isPlugin = /\/plugins?\/|\/libexec\//.test(program) || (folder !== undefined && name !== "");
    const shown = isPlugin ? name : program;
    if (STANDARD_PLUGINS.has(name)) return [shown];
    const what = `the slaves' image must have ${isPlugin ? "the plugin" : "the program"} ${shown}`;
    this.report.add("changed", place, what);
    return shown.includes("/") || isPlugin ? [shown] : ["/usr/bin/env", shown];
  }

  private reportUserMacros(text: string, place: Place): void {
    for (const [, name = ""] of text.matchAll(/\$(USER\d+)\$/g)) {
      const macro = this.sources.userMacros.get(name);
      if (macro === undefined) this.report.add("changed", place, `$${name}$ has no value: no resource file says one`);
      if (macro === undefined || macro.value.startsWith("/")) continue;
      const at = `${macro.file}:${macro.line}`;
      this.report.add("changed", place, `the value of $${name}$ (${at}) stands in the inventory: is it a secret?`);
    }
  }
}

/** Plugins that the slaves' image has from Debian's packages. */
const STANDARD_PLUGINS = new Set(
  (
    "apt breeze by_ssh clamd cluster curl dbi dhcp dig disk disk_smb dns dummy file_age flexlm fping ftp game hpjd http " +
    "icmp ide_smart ifoperstatus ifstatus imap ircd jabber ldap ldaps load log mailq mrtg mrtgtraf mysql mysql_query " +
    "nagios nntp nntps nrpe nt ntp ntp_peer ntp_time nwstat oracle overcr pgsql ping pop procs radius real rpc rta_multi " +
    "sensors simap smtp snmp spop ssh ssl_validity ssmtp swap tcp time udp ups uptime users wave"
  )
    .split(" ")
    .map((name) => `check_${name}`),
);

function mark(name: string): string {
  return `${OPEN}${name}${CLOSE}`;
}

/** A word of a plugin's command line as the inventory writes it: signs as names, and `$$` for the sign itself. */
function pluginWord(word: string): string {
  return word.replaceAll("$", "$$$$").replace(MARK, (_sign, name: string) => `$${name}$`);
}

/** @throws Unknowable with what of it only a shell can do */
function words(line: string): readonly string[] {
  const taken = shellWords(line);
  if ("construct" in taken) throw new Unknowable(`${taken.construct} needs a shell: ${line}`);
  return taken.words;
}

function wordsOrNone(line: string): readonly string[] | undefined {
  const taken = shellWords(line);
  return "construct" in taken ? undefined : taken.words;
}

function same(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((word, index) => word === right[index]);
}
