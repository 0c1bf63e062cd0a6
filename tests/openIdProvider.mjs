/**
 * An OpenID provider as a company has one: the package oidc-provider, with a login that asks for a name and nothing more.
 * `identityProvider.ts` starts it as a program of its own, because jest loads no package of ES modules.
 *
 * From its parent come `{ address, key, certificate }`, answered by `{ issuer }` once it listens there, and then whom it
 * knows, `{ client, accounts }`, answered by `{ isReady: true }`. It ends with its parent.
 */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:https";
import { URL } from "node:url";
import { Provider } from "oidc-provider";

const SCOPE = "openid profile groups";

/** @param accounts name at the login -> claims */
function makeProvider(issuer, client, accounts) {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const provider = new Provider(issuer, {
    clients: [client],
    claims: { openid: ["sub"], profile: ["preferred_username"], groups: ["groups"] },
    findAccount: (_context, accountId) =>
      accounts[accountId] && { accountId, claims: () => ({ sub: `id-of-${accountId}`, ...accounts[accountId] }) },
    interactions: { url: (_context, { uid }) => `/login/${uid}` },
    // The company has said yes for its people: nobody is asked what the gateway may know of them.
    async loadExistingGrant({ oidc }) {
      const grant = new provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
      grant.addOIDCScope(SCOPE);
      await grant.save();
      return grant;
    },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: {
        logoutSource(context, form) {
          context.type = "html";
          context.body = `${form}<button form="op.logoutForm" name="logout" value="yes">Log out everywhere</button>`;
        },
      },
    },
    cookies: { keys: [randomBytes(32).toString("hex")] },
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), use: "sig" }] },
  });
  provider.on("server_error", (_context, error) => console.error(error));
  return provider;
}

/** Shows the login, and takes the name that was typed. */
async function login(provider, request, response) {
  const { uid } = await provider.interactionDetails(request, response);
  const accountId = new URL(request.url, provider.issuer).searchParams.get("name");
  if (accountId !== null) return provider.interactionFinished(request, response, { login: { accountId } });
  response.setHeader("Content-Type", "text/html");
  response.end(`<form action="/login/${uid}"><input name="name" autofocus><button>Log in</button></form>`);
}

process.on("disconnect", () => process.exit());

const [{ address, key, certificate }] = await once(process, "message");
const server = createServer({ key, cert: certificate }).listen(0, address);
await once(server, "listening");
const issuer = `https://${address}:${server.address().port}`;
process.send({ issuer });

const [{ client, accounts }] = await once(process, "message");
const provider = makeProvider(issuer, client, accounts);
const answer = provider.callback();
server.on("request", (request, response) => {
  if (!request.url.startsWith("/login/")) return answer(request, response);
  login(provider, request, response).catch((error) => response.writeHead(400).end(String(error)));
});
process.send({ isReady: true });
