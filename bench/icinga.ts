import { execFileSync } from "node:child_process";

/** What one `icinga2 daemon -C` took. */
export interface IcingaRun {
  /** Wall time. */
  readonly seconds: number;
  /** Most memory it ever had, in bytes. */
  readonly memory: number;
}

/** A real Icinga that reads configuration packages. */
export interface Icinga {
  /**
   * @param folder the package's files
   * @throws Error with Icinga's own words if it refuses the package
   */
  readonly validate: (folder: string) => IcingaRun;
}

/**
 * The master's own configuration without what needs a database, certificates or an address, and the package beside it.
 * A little Python measures, because the image has no other program that tells a child's memory.
 */
const VALIDATE = `
set -eu
mkdir /tmp/package
tar -x -C /tmp/package
cp -r /usr/local/share/icinga-swarm/icinga2/. /etc/icinga2/
rm -f /etc/icinga2/features-enabled/{api,ido-mysql,livestatus}.conf
cat >/etc/icinga2/secrets.conf <<'END'
const MysqlHost = "mysql"
const HasHeartbeat = false
END
cat >/etc/icinga2/bench.conf <<'END'
include "icinga2.conf"
include_recursive "/tmp/package/conf.d"
include_zones "icinga-swarm", "/tmp/package/zones.d"
END
install -d -o nagios -g nagios /run/icinga2 /var/lib/icinga2/api
exec python3 - <<'END'
import json, resource, subprocess, sys, time
start = time.monotonic()
run = subprocess.run(["icinga2", "daemon", "-C", "-x", "critical", "-c", "/etc/icinga2/bench.conf"], stdout=sys.stderr)
memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
print(json.dumps({"seconds": time.monotonic() - start, "memory": memory}))
sys.exit(run.returncode)
END
`;

/** The Icinga in the master's image, if a Docker Engine answers and has it. */
export function findIcinga(): Icinga | undefined {
  const image = process.env["ICINGA_SWARM_IMAGE_ICINGA_MASTER"] ?? findImage();
  if (image === undefined) return undefined;
  return {
    validate: (folder) => {
      const files = execFileSync("tar", ["-c", "-C", folder, "."], { maxBuffer: 4e9 });
      const argv = ["run", "--rm", "--interactive", "--network=none", "--entrypoint=bash", image, "-c", VALIDATE];
      const output = execFileSync("docker", argv, { input: files, encoding: "utf8" });
      return JSON.parse(output) as IcingaRun;
    },
  };
}

/** The newest image whose last name is the master's, whatever registry and tag it has. */
function findImage(): string | undefined {
  try {
    const images = execFileSync("docker", ["images", "--format", "{{.Repository}}:{{.Tag}}"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return images.split("\n").find((name) => /(^|\/)icinga-master:(?!<none>)/.test(name));
  } catch {
    return undefined;
  }
}
