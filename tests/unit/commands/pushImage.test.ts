import { explainRefusal } from "../../../commands/pushImage";

const LOGIN = { address: "nexus:5000", repository: "monitoring", username: "ci", password: "secret" };

test.each([
  [
    "Get https://nexus:5000/v2/: x509: certificate signed by unknown authority",
    "/etc/docker/certs.d/nexus:5000/ca.crt",
  ],
  ["dial tcp: lookup nexus on 127.0.0.53:53: no such host", "does not know the name"],
  ["error parsing HTTP 413 response body: invalid character '<'", "client_max_body_size 0"],
  ["denied: requested access to the resource is denied", "see the role of ci"],
  ["name unknown", "see the role of ci"],
  ["EOF", "what arrived is kept"],
])("the engine's words for a failed push, %s, are told with what to do", (words, remedy) => {
  const text = explainRefusal(words, LOGIN, "graphite", "unix:///socket");
  expect(text).toContain(`graphite could not be pushed (${words})`);
  expect(text).toContain(remedy);
  expect(text).not.toContain("secret");
});
