import { z } from "zod";
import type { IcingaCheck } from "../model";
import { line, port, responseTime } from "../units";
import { common, inOrder, kind, notAbove, optionalSeconds, responseTimes, timeLimit } from "./kind";

const hostName = z.string().regex(/^[A-Za-z0-9._:-]+$/, "must be a host name, such as www.example.com");

const ping = z
  .strictObject({
    ...common,
    ...responseTimes,
    warningLoss: loss("WARNING"),
    criticalLoss: loss("CRITICAL"),
  })
  .superRefine(inOrder)
  .superRefine(({ warningLoss, criticalLoss }, context) => {
    if (warningLoss !== undefined && criticalLoss !== undefined && warningLoss > criticalLoss) {
      notAbove(context, "warningLoss", "criticalLoss", criticalLoss);
    }
  });

function loss(state: string) {
  return z
    .int("must be a whole number of percent, such as 20")
    .min(1, "must be 1 or more percent")
    .max(100, "must be 100 or less percent")
    .describe(`percentage of lost packets from which the state is ${state}, such as 20`)
    .optional();
}

const tcp = z
  .strictObject({
    port: port.describe("the port to connect to, such as 22"),
    ...responseTimes,
    timeout: timeLimit,
    ...common,
  })
  .superRefine(inOrder);

const udp = z.strictObject({
  port: port.describe("the port to send to, such as 161"),
  send: line.describe("what to send"),
  expect: line.describe("what the answer must hold"),
  ...common,
});

const http = z
  .strictObject({
    port: port.describe("the port; 80, or 443 with tls").optional(),
    tls: z.boolean().describe("true for https").optional(),
    path: z
      .string()
      .regex(/^\/[\x21-\x7e]*$/, "must start with / and hold no spaces, such as /health")
      .describe("what to ask for, such as /health")
      .optional(),
    virtualHost: hostName
      .describe("the name to ask for where one address serves several, such as www.example.com")
      .optional(),
    status: z
      .array(z.int("must be a whole number").min(100, "must be 100 to 599").max(599, "must be 100 to 599"))
      .min(1, "must not be empty")
      .describe("status codes that are good, such as [200, 301]; by default all below 400")
      .optional(),
    contains: line.describe("text that must be in the answer").optional(),
    ...responseTimes,
    timeout: timeLimit,
    ...common,
  })
  .superRefine(inOrder);

const days = z
  .int("must be a whole number of days")
  .min(1, "must be 1 or more days")
  .max(3650, "must be 3650 or less days");

const certificate = z
  .strictObject({
    port: port.describe("the port; 443 by default").optional(),
    virtualHost: hostName.describe("the name whose certificate is asked for, such as www.example.com").optional(),
    warningDays: days.describe("days before its end from which the state is WARNING; 30 by default").optional(),
    criticalDays: days.describe("days before its end from which the state is CRITICAL; 14 by default").optional(),
    timeout: timeLimit,
    ...common,
  })
  .superRefine(({ warningDays, criticalDays }, context) => {
    if (warningDays !== undefined && criticalDays !== undefined && criticalDays > warningDays) {
      notAbove(context, "criticalDays", "warningDays", warningDays);
    }
  });

const dns = z
  .strictObject({
    lookup: line.describe("the name to ask this DNS server for, such as www.example.com"),
    expect: z.array(line).min(1, "must not be empty").describe("addresses that are all right as an answer").optional(),
    ...responseTimes,
    timeout: timeLimit,
    ...common,
  })
  .superRefine(inOrder);

const ssh = z.strictObject({
  port: port.describe("the port; 22 by default").optional(),
  timeout: timeLimit,
  ...common,
});

/** Mail protocols: a port, perhaps TLS from the first byte, and limits of the response time. */
const mail = z
  .strictObject({
    port: port.describe("the port; the protocol's own by default").optional(),
    tls: z.boolean().describe("true for TLS from the first byte").optional(),
    ...responseTimes,
    timeout: timeLimit,
    ...common,
  })
  .superRefine(inOrder);

const smtp = z
  .strictObject({
    port: port.describe("the port; 25 by default").optional(),
    starttls: z.boolean().describe("true to change to TLS with STARTTLS").optional(),
    ...responseTimes,
    timeout: timeLimit,
    ...common,
  })
  .superRefine(inOrder);

const ftp = z
  .strictObject({
    port: port.describe("the port; 21 by default").optional(),
    ...responseTimes,
    timeout: timeLimit,
    ...common,
  })
  .superRefine(inOrder);

const ntp = z
  .strictObject({
    port: port.describe("the port; 123 by default").optional(),
    warning: responseTime
      .describe("difference of the clocks from which the state is WARNING, such as 500ms")
      .optional(),
    critical: responseTime.describe("difference of the clocks from which the state is CRITICAL, such as 2s").optional(),
    timeout: timeLimit,
    ...common,
  })
  .superRefine(inOrder);

const range = z
  .string()
  .regex(/^@?(~|-?\d+(\.\d+)?)?:?(-?\d+(\.\d+)?)?$/, "must be a range as plugins write it, such as 80 or 10:20")
  .min(1, "must not be empty");

const snmp = z.strictObject({
  oid: z
    .string()
    .regex(/^[A-Za-z0-9.:_-]+$/, "must be an OID such as .1.3.6.1.2.1.1.3.0")
    .describe("what to ask for"),
  community: line.describe("the community; public by default (it stands here for everybody to read)").optional(),
  version: z.enum(["1", "2c"], 'must be "1" or "2c"').describe('version of SNMP, "1" or "2c"').optional(),
  warning: range.describe("range outside of which the state is WARNING, such as 80 or 10:20").optional(),
  critical: range.describe("range outside of which the state is CRITICAL, such as 90 or 5:30").optional(),
  label: line.describe("what the value is called").optional(),
  units: line.describe("unit of the value").optional(),
  port: port.describe("the port; 161 by default").optional(),
  timeout: timeLimit,
  ...common,
});

function ordered(
  warning: string | undefined,
  critical: string | undefined,
  [warningDefault, criticalDefault]: readonly [number, number],
): [number, number] {
  const [low, high] = [optionalSeconds(warning), optionalSeconds(critical)];
  return [low ?? Math.min(warningDefault, high ?? warningDefault), high ?? Math.max(criticalDefault, low ?? 0)];
}

function timed(
  command: string,
  settings: { warning?: string | undefined; critical?: string | undefined; timeout?: string | undefined },
  vars: IcingaCheck["vars"],
  [warning, critical]: readonly [string, string] = [`${command}_wtime`, `${command}_ctime`],
): IcingaCheck {
  return {
    command,
    timeout: optionalSeconds(settings.timeout),
    vars: {
      ...vars,
      [warning]: optionalSeconds(settings.warning),
      [critical]: optionalSeconds(settings.critical),
      [`${command}_timeout`]: optionalSeconds(settings.timeout),
    },
  };
}

/** imap and simap, pop and spop: Icinga has a command of its own for each with TLS. */
function mailCheck(protocol: "imap" | "pop") {
  return (settings: z.output<typeof mail>): IcingaCheck => {
    const command = settings.tls ? `s${protocol}` : protocol;
    return timed(command, settings, { [`${command}_port`]: settings.port }, [
      `${command}_warning`,
      `${command}_critical`,
    ]);
  };
}

/** Checks that a slave makes over the network, without anything on the host. */
export const NETWORK_CHECKS = {
  ping: kind({
    description: "ICMP echo: round trip time and lost packets",
    schema: ping,
    defaultName: () => "ping",
    toIcinga: (settings) => {
      // check_ping wants all four, in order: where one of two is given, the other's default makes room for it.
      const [warning, critical] = ordered(settings.warning, settings.critical, [0.1, 0.5]);
      const { warningLoss, criticalLoss } = settings;
      return {
        command: "ping",
        vars: {
          ping_wrta: Math.round(warning * 1000),
          ping_crta: Math.round(critical * 1000),
          ping_wpl: warningLoss ?? Math.min(20, criticalLoss ?? 20),
          ping_cpl: criticalLoss ?? Math.max(60, warningLoss ?? 60),
        },
      };
    },
  }),
  http: kind({
    description: "a web server's answer",
    schema: http,
    defaultName: ({ tls = false }) => (tls ? "https" : "http"),
    toIcinga: (settings) => ({
      command: "http",
      timeout: optionalSeconds(settings.timeout),
      vars: {
        http_port: settings.port ?? (settings.tls ? 443 : undefined),
        http_ssl: settings.tls ? true : undefined,
        http_sni: settings.tls && settings.virtualHost !== undefined ? true : undefined,
        http_uri: settings.path,
        http_vhost: settings.virtualHost,
        http_expect: settings.status?.map((code) => ` ${code}`).join(","),
        http_string: settings.contains,
        http_warn_time: optionalSeconds(settings.warning),
        http_critical_time: optionalSeconds(settings.critical),
        http_timeout: optionalSeconds(settings.timeout),
      },
    }),
  }),
  certificate: kind({
    description: "how long a web server's certificate is still good",
    schema: certificate,
    defaultName: ({ port: at }) => (at === undefined ? "certificate" : `certificate-${at}`),
    toIcinga: ({ warningDays, criticalDays, ...settings }) => {
      const warning = warningDays ?? Math.max(30, criticalDays ?? 30);
      const critical = criticalDays ?? Math.min(14, warning);
      return {
        command: "http",
        timeout: optionalSeconds(settings.timeout),
        vars: {
          http_certificate: `${warning},${critical}`,
          http_port: settings.port ?? 443,
          http_ssl: true,
          http_sni: settings.virtualHost === undefined ? undefined : true,
          http_vhost: settings.virtualHost,
          http_timeout: optionalSeconds(settings.timeout),
        },
      };
    },
  }),
  tcp: kind({
    description: "a TCP port that accepts connections",
    schema: tcp,
    defaultName: (settings) => `tcp-${settings.port}`,
    toIcinga: (settings) => timed("tcp", settings, { tcp_port: settings.port }),
  }),
  udp: kind({
    description: "a UDP service that answers what it should",
    schema: udp,
    defaultName: (settings) => `udp-${settings.port}`,
    toIcinga: (settings) => ({
      command: "udp",
      vars: { udp_port: settings.port, udp_send: settings.send, udp_expect: settings.expect },
    }),
  }),
  dns: kind({
    description: "a DNS server that knows a name",
    schema: dns,
    defaultName: () => "dns",
    toIcinga: (settings) => ({
      command: "dns",
      timeout: optionalSeconds(settings.timeout),
      vars: {
        dns_lookup: settings.lookup,
        dns_server: { macro: "$check_address$" },
        dns_expected_answers: settings.expect,
        dns_wtime: optionalSeconds(settings.warning),
        dns_ctime: optionalSeconds(settings.critical),
        dns_timeout: optionalSeconds(settings.timeout),
      },
    }),
  }),
  ssh: kind({
    description: "an SSH server that answers",
    schema: ssh,
    defaultName: () => "ssh",
    toIcinga: (settings) => ({
      command: "ssh",
      timeout: optionalSeconds(settings.timeout),
      vars: { ssh_port: settings.port, ssh_timeout: optionalSeconds(settings.timeout) },
    }),
  }),
  smtp: kind({
    description: "a mail server that answers",
    schema: smtp,
    defaultName: () => "smtp",
    toIcinga: (settings) =>
      timed("smtp", settings, { smtp_port: settings.port, smtp_starttls: settings.starttls ? true : undefined }, [
        "smtp_warning",
        "smtp_critical",
      ]),
  }),
  imap: kind({
    description: "an IMAP server that answers",
    schema: mail,
    defaultName: ({ tls = false }) => (tls ? "imaps" : "imap"),
    toIcinga: mailCheck("imap"),
  }),
  pop: kind({
    description: "a POP3 server that answers",
    schema: mail,
    defaultName: ({ tls = false }) => (tls ? "pops" : "pop"),
    toIcinga: mailCheck("pop"),
  }),
  ftp: kind({
    description: "an FTP server that answers",
    schema: ftp,
    defaultName: () => "ftp",
    toIcinga: (settings) => timed("ftp", settings, { ftp_port: settings.port }),
  }),
  ntp: kind({
    description: "a time server: the difference between its clock and the slave's",
    schema: ntp,
    defaultName: () => "ntp",
    toIcinga: (settings) => {
      const [warning, critical] = ordered(settings.warning, settings.critical, [60, 120]);
      return {
        command: "ntp_time",
        timeout: optionalSeconds(settings.timeout),
        vars: {
          ntp_port: settings.port,
          ntp_warning: warning,
          ntp_critical: critical,
          ntp_timeout: optionalSeconds(settings.timeout),
        },
      };
    },
  }),
  snmp: kind({
    description: "a value that an SNMP agent tells",
    schema: snmp,
    defaultName: ({ label, oid }) =>
      label?.replace(/[^A-Za-z0-9._:-]+/g, "-").replace(/^-|-$/g, "") || `snmp ${oid.replace(/^\./, "")}`,
    toIcinga: (settings) => ({
      command: "snmp",
      timeout: optionalSeconds(settings.timeout),
      vars: {
        snmp_oid: settings.oid,
        snmp_community: settings.community,
        snmp_version: settings.version,
        snmp_warn: settings.warning,
        snmp_crit: settings.critical,
        snmp_label: settings.label,
        snmp_units: settings.units,
        snmp_port: settings.port,
        snmp_timeout: optionalSeconds(settings.timeout),
      },
    }),
  }),
} as const;
