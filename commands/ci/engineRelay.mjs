// Stands for `ssh` in a preview: joins standard input and output with one Docker Engine.
//   node engineRelay.mjs <unix:///path | tcp://host:port> <arguments of ssh>
// Plain JavaScript, because it is started for every connection.
import { connect } from "node:net";
import { URL } from "node:url";

const [engine = "", ...ssh] = process.argv.slice(2);
if (!ssh.join(" ").endsWith("system dial-stdio")) {
  console.error(`a preview reaches no other machine, and this was asked of ssh: ${ssh.join(" ")}`);
  process.exit(255);
}
const { protocol, pathname, hostname, port } = new URL(engine);
const socket = protocol === "unix:" ? connect(decodeURIComponent(pathname)) : connect(Number(port || "2375"), hostname);
process.stdin.pipe(socket);
socket.pipe(process.stdout);
socket.on("error", (error) => {
  console.error(`no Docker Engine answers at ${engine}: ${error.message}`);
  process.exitCode = 255;
});
socket.on("close", () => process.exit());
