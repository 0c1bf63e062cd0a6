import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { describeRemark, Refusal } from "../../../../generator/nagios/refusal";
import { readSources } from "../../../../generator/nagios/read";
import { resolve } from "../../../../generator/nagios/resolve";
import { judge } from "./nagios";

/** What Nagios needs to start at all. */
const BASE = `
define command {
  command_name check
  command_line /bin/check
}
define timeperiod {
  timeperiod_name always
  alias always
}
define contact {
  contact_name p
  host_notification_commands check
  service_notification_commands check
}
define host {
  host_name h
  max_check_attempts 1
}
define host {
  host_name other
  max_check_attempts 1
}
define service {
  host_name h
  service_description s
  check_command check
  max_check_attempts 1
}
`;

const service = "service_description t\n check_command check\n max_check_attempts 1";

/** Which settings of the main file make a mistake of. */
const GROUPED = `
define hostgroup {
  hostgroup_name g
  members *
}
define service {
  hostgroup_name ,
  service_description u
  check_command check
  max_check_attempts 1
}
`;

/** Title, what is added to the base, and what is said of it; lines count from the start of what is added. */
const REFUSED: readonly (readonly [title: string, objects: string, said: string])[] = [
  ["an unknown type", "define hots {\n}", "1: unknown type hots"],
  ["no type", "define {\n}", "1: no type of object"],
  ["a definition that is not closed", "define host {\n host_name a\n", "1: this definition is not closed with a }"],
  [
    "a definition in a definition",
    "define host {\n host_name a\ndefine host {\n}",
    "3: the definition of line 29 is not closed with a }",
  ],
  ["text outside of definitions", "hello", "1: not part of a definition: hello"],
  ["an unknown directive", "define host {\n host_name a\n adress b\n}", "3: a host has no directive adress"],
  ["a host without a name", "define host {\n address b\n}", "1: this host has no host_name"],
  ["two hosts of one name", "define host {\n host_name h\n}", '2: the host "h" is defined at objects.cfg:15 already'],
  [
    "two templates of one name",
    "define host {\n name t\n register 0\n}\ndefine host {\n name t\n register 0\n}",
    '6: the host template "t" is defined at objects.cfg:29 already',
  ],
  ["an unknown template", "define host {\n host_name a\n use b\n}", '3: there is no host template "b"'],
  [
    "a blank before a template",
    "define host {\n name b\n register 0\n}\ndefine host {\n host_name a\n max_check_attempts 1\n use b, b\n}",
    '8: there is no host template " b"; there must be no blank beside the comma',
  ],
  [
    "a host without attempts",
    "define host {\n host_name a\n}",
    '1: max_check_attempts of the host "a": must be 1 or more',
  ],
  [
    "a negative interval",
    "define host {\n host_name a\n max_check_attempts 1\n check_interval -1\n}",
    '4: check_interval of the host "a": must not be below 0',
  ],
  [
    "an unknown check command",
    "define host {\n host_name a\n max_check_attempts 1\n check_command b!c\n}",
    '4: there is no command "b" (the host "a")',
  ],
  [
    "an unknown parent",
    "define host {\n host_name a\n max_check_attempts 1\n parents b\n}",
    '4: parents of the host "a": there is no host "b"',
  ],
  [
    "a host that is its own parent",
    "define host {\n host_name a\n max_check_attempts 1\n parents a\n}",
    '4: parents of the host "a": a host cannot be its own parent',
  ],
  [
    "parents in a circle",
    "define host {\n host_name a\n max_check_attempts 1\n parents b\n}\ndefine host {\n host_name b\n max_check_attempts 1\n parents a\n}",
    "9: hosts are parents of each other: a -> b -> a",
  ],
  [
    "an unknown period",
    "define host {\n host_name a\n max_check_attempts 1\n check_period b\n}",
    '4: check_period of the host "a": there is no timeperiod "b"',
  ],
  [
    "an unknown contact",
    "define host {\n host_name a\n max_check_attempts 1\n contacts b\n}",
    '4: contacts of the host "a": there is no contact "b"',
  ],
  [
    "an excluded contact, which only groups can have",
    "define host {\n host_name a\n max_check_attempts 1\n contacts !p\n}",
    '4: contacts of the host "a": there is no contact "!p"',
  ],
  [
    "an empty list of contacts",
    "define host {\n host_name a\n max_check_attempts 1\n contacts\n}",
    "4: contacts is empty",
  ],
  [
    "an unknown hostgroup",
    "define host {\n host_name a\n max_check_attempts 1\n hostgroups b\n}",
    '4: hostgroups of the host "a": there is no hostgroup "b"',
  ],
  [
    "hostgroups that leave none",
    "define hostgroup {\n hostgroup_name g\n}\ndefine host {\n host_name a\n max_check_attempts 1\n hostgroups !g\n}",
    '7: hostgroups of the host "a": no hostgroup is left of "!g"',
  ],
  [
    "an unknown state",
    "define host {\n host_name a\n max_check_attempts 1\n notification_options x\n}",
    '4: notification_options has no state "x"; it takes r (recovery), d (down), u (unreachable), f (flapping), s (downtime)',
  ],
  [
    "an unknown member",
    "define hostgroup {\n hostgroup_name g\n members a\n}",
    '3: members of the hostgroup "g": there is no host "a"',
  ],
  [
    "a template as a member",
    "define host {\n host_name a\n register 0\n}\ndefine hostgroup {\n hostgroup_name g\n members a\n}",
    '7: members of the hostgroup "g": there is no host "a"',
  ],
  [
    "a group that contains itself",
    "define hostgroup {\n hostgroup_name g\n hostgroup_members f\n}\ndefine hostgroup {\n hostgroup_name f\n hostgroup_members g\n}",
    '7: hostgroup_members of the hostgroup "f": f is a member of itself',
  ],
  [
    "an unknown subgroup",
    "define contactgroup {\n contactgroup_name g\n contactgroup_members f\n}",
    '3: contactgroup_members of the contactgroup "g": there is no contactgroup "f"',
  ],
  [
    "a service without a host",
    `define service {\n ${service}\n}`,
    "1: this service has no service_description, or neither host_name nor hostgroup_name",
  ],
  [
    "a service on an unknown host",
    `define service {\n host_name a\n ${service}\n}`,
    '2: host_name of the service "t on a": there is no host "a"',
  ],
  [
    "a service on an unknown hostgroup",
    `define service {\n hostgroup_name a\n ${service}\n}`,
    '2: hostgroup_name of the service "t on ?": there is no hostgroup "a"',
  ],
  [
    "a service without a command",
    "define service {\n host_name h\n service_description t\n max_check_attempts 1\n}",
    '1: check_command of the service "t on h": is missing',
  ],
  [
    "a service that is not retried",
    `define service {\n host_name h\n ${service}\n retry_interval 0\n}`,
    '6: retry_interval of the service "t on h": must be more than 0',
  ],
  [
    "an unknown parent of a service",
    `define service {\n host_name h\n ${service}\n parents x\n}`,
    '6: parents of the service "t on h": there is no service "x" on h',
  ],
  [
    "an unknown service in a group",
    "define servicegroup {\n servicegroup_name g\n members h,x\n}",
    '3: members of the servicegroup "g": there is no service "x" on "h"',
  ],
  [
    "half a pair in a group",
    "define servicegroup {\n servicegroup_name g\n members h\n}",
    '3: members of the servicegroup "g": a host without a service: "h"',
  ],
  [
    "a contact without commands",
    "define contact {\n contact_name c\n}",
    '1: host_notification_commands of the contact "c": is missing',
  ],
  [
    "a period without a title",
    "define timeperiod {\n timeperiod_name t\n}",
    '1: alias of the timeperiod "t": is missing',
  ],
  [
    "a day that there is not",
    "define timeperiod {\n timeperiod_name t\n alias t\n mondey 00:00-24:00\n}",
    "4: a timeperiod cannot read: mondey 00:00-24:00",
  ],
  [
    "hours with a blank",
    "define timeperiod {\n timeperiod_name t\n alias t\n monday 00:00-09:00, 17:00-24:00\n}",
    "4: not hours such as 00:00-09:00,17:00-24:00 (without blanks): 00:00-09:00, 17:00-24:00",
  ],
  [
    "hours behind midnight",
    "define timeperiod {\n timeperiod_name t\n alias t\n monday 00:00-25:00\n}",
    "4: not hours such as 00:00-09:00,17:00-24:00 (without blanks): 00:00-25:00",
  ],
  [
    "periods that exclude each other",
    "define timeperiod {\n timeperiod_name t\n alias t\n exclude u\n}\ndefine timeperiod {\n timeperiod_name u\n alias u\n exclude t\n}",
    "9: timeperiods exclude each other: t -> u -> t",
  ],
  [
    "a command without a line",
    "define command {\n command_name c\n}",
    '1: command_line of the command "c": is missing',
  ],
  [
    "an escalation of nothing",
    "define hostescalation {\n first_notification 1\n}",
    "1: this hostescalation names no host",
  ],
  [
    "an escalation that says a host, but no service",
    "define serviceescalation {\n host_name h\n servicegroup_name g\n}",
    "1: service_description of a serviceescalation: a host, but no service",
  ],

  [
    "dependencies in a circle",
    "define hostdependency {\n host_name h\n dependent_host_name other\n notification_failure_options d\n}\ndefine hostdependency {\n host_name other\n dependent_host_name h\n notification_failure_options d\n}",
    "1: notification_failure_options of dependencies go round in a circle: h -> other -> h",
  ],
  [
    "a service that depends on itself",
    "define servicedependency {\n host_name h\n service_description s\n dependent_service_description s\n execution_failure_options c\n}",
    "1: execution_failure_options of dependencies go round in a circle: h;s -> h;s",
  ],
];

describe("a Nagios configuration that Nagios refuses", () => {
  let folder: string;
  beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), "refused-"))));
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  function write(objects: string, settings = ""): string {
    const main = path.join(folder, "nagios.cfg");
    fs.writeFileSync(main, `cfg_file=objects.cfg\n${settings}`);
    fs.writeFileSync(path.join(folder, "objects.cfg"), objects);
    return main;
  }

  /** What is said, with lines that count from the end of the base. */
  function said(main: string): string[] {
    try {
      resolve(readSources(main));
      return [];
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const offset = BASE.split("\n").length - 1;
      return error.remarks.map((remark) =>
        describeRemark({
          ...remark,
          line: remark.line - offset,
          message: remark.message.replaceAll(`${folder}/`, ""),
        }).replace(`${folder}/objects.cfg:`, ""),
      );
    }
  }

  it("is none that starts", () => {
    const main = write(BASE);
    expect(judge(main).precached).toBeDefined();
    expect(said(main)).toEqual([]);
  });

  it.each(REFUSED)("is refused for %s, at its place", (_title, objects, expected) => {
    const main = write(`${BASE}${objects}\n`);
    expect(judge(main).precached).toBeUndefined();
    expect(said(main)).toContainEqual(expected);
  });

  it.each([
    ["a file that is not there", "cfg_file=nothing.cfg\n", "nothing.cfg: it is not there"],
    ["a folder that is not there", "cfg_dir=nothing\n", "nothing: it is not there"],
    ["a blank before the =", "cfg_file =objects.cfg\n", "there must be no blank before the = of cfg_file"],
    [
      "a name with a character that is not allowed",
      "illegal_object_name_chars=h\n",
      "has a character of illegal_object_name_chars",
    ],
    ["an unknown event handler", "global_host_event_handler=nothing\n", 'there is no command "nothing"'],
    [
      "a service on no host groups",
      "allow_empty_hostgroup_assignment=0\n",
      'hostgroup_name of the service "u on ?": no host group is left',
    ],
    ["a pattern that is none", "use_regexp_matching=1\n", 'not a regular expression: "*"'],
  ])("is refused for %s in the main file", (_title, settings, expected) => {
    const main = write(`${BASE}${GROUPED}`, settings);
    expect(judge(main).precached).toBeUndefined();
    expect(said(main).join("\n")).toContain(expected);
  });

  it("is refused for everything that is wrong with it at once", () => {
    const main = write(`${BASE}define host {\n host_name a\n parents b\n contacts c\n}\n`);
    expect(said(main)).toHaveLength(3);
  });
});
