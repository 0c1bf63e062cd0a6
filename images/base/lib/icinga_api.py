"""Icinga's API on this very container, for health checks and programs that run beside Icinga.

The certificate is checked against the stack's CA also here: it proves that the daemon serves the identity that the
neighbours expect.
"""

import base64
import http.client
import json
import os
import secrets
import socket
import ssl
import urllib.parse

from health import RUN_DIR, Waiting

CA_CERTIFICATE = "/run/secrets/icinga-ca.crt"
PORT = 5665


class LocalApi:
    """Asks as an ApiUser, with the password in <user>-password, which the init script makes at each start.

    Keeps its connection: Icinga logs every connection, and every request, so callers ask sparingly.
    """

    def __init__(self, endpoint, timeout_seconds=5, user="status"):
        """endpoint is the name in the certificate."""
        self.connection = _Connection(endpoint, timeout_seconds)
        self.user = user

    def get(self, path, **query):
        """The `results` list of GET /v1/<path>, or None where Icinga answers 404.

        Raises Waiting when the API does not answer or answers anything else.
        """
        url = f"/v1/{path}?{urllib.parse.urlencode(query, doseq=True, quote_via=urllib.parse.quote)}"
        return self._ask("GET", url, path)

    def execute(self, script):
        """What a script in Icinga's configuration language evaluates to, in the running daemon.

        Raises Waiting when the API does not answer, and when Icinga cannot evaluate the script.
        """
        path = "console/execute-script"
        # A session keeps all scripts that it was ever given. In the body the script is in no log.
        body = json.dumps({"command": script, "session": secrets.token_hex(8)})
        [answer] = self._ask("POST", f"/v1/{path}", path, body) or [{"code": 404, "status": "no answer"}]
        if answer["code"] != 200:
            raise Waiting(f"Icinga to evaluate a script: {answer['status']}")
        return answer.get("result")

    def _ask(self, method, url, path, body=None):
        # A kept connection ends with every reload; a new one then tells whether the API is there.
        if self.connection.sock is not None:
            try:
                return self._request(method, url, path, body)
            except Waiting:
                pass
        return self._request(method, url, path, body)

    def close(self):
        """Ends the connection: Icinga complains of one that is idle for 10 s."""
        self.connection.close()

    def _request(self, method, url, path, body):
        headers = {"Accept": "application/json", "Authorization": _authorization(self.user)}
        try:
            self.connection.request(method, url, body, headers)
            response = self.connection.getresponse()
            body = response.read()
        except ssl.SSLCertVerificationError as error:
            self.connection.close()
            raise Waiting(f"Icinga's own API shows a certificate that is not right: {error.verify_message}") from error
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            raise Waiting(f"Icinga's own API does not answer ({_why(error)})") from error
        if response.status == 404:
            return None
        if response.status != 200:
            raise Waiting(f"Icinga's own API answers {response.status} to {path}")
        try:
            return json.loads(body)["results"]
        except (ValueError, KeyError) as error:
            raise Waiting(f"Icinga's own API answers something else than JSON results to {path}") from error


class _Connection(http.client.HTTPSConnection):
    """Dials 127.0.0.1, but checks the certificate for the endpoint's name."""

    def __init__(self, endpoint, timeout_seconds):
        super().__init__(endpoint, PORT, timeout=timeout_seconds, context=tls_context(CA_CERTIFICATE))

    def connect(self):
        plain = socket.create_connection(("127.0.0.1", self.port), self.timeout)
        self.sock = self._context.wrap_socket(plain, server_hostname=self.host)


def tls_context(ca_certificate):
    """Trusts the stack's CA and nothing else.

    Without VERIFY_X509_STRICT, which Python 3.13 turned on: certificates that Icinga signs carry no authority key
    identifier.
    """
    context = ssl.create_default_context(cafile=ca_certificate)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _authorization(user):
    with open(f"{RUN_DIR}/{user}-password", encoding="utf-8") as file:
        password = file.read()
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _why(error):
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def is_starting(within_seconds=600):
    """Whether the daemon is starting or reloading: then its API may be silent, and a restart would only begin again.

    A reload forks a new worker from the same `icinga2 daemon`; the old one leaves when the new one has read the whole
    configuration and its own queues are empty. So: the youngest process of the daemon is young.
    """
    ages = [age for age in map(_icinga_age_seconds, _process_ids()) if age is not None]
    return bool(ages) and min(ages) < within_seconds


def _process_ids():
    return [name for name in os.listdir("/proc") if name.isdigit()]


def _icinga_age_seconds(process_id):
    """Age of an Icinga daemon or worker; None for its check plugins and everything else."""
    try:
        with open(f"/proc/{process_id}/stat", encoding="utf-8") as file:
            name, _, fields = file.read().partition("(")[2].rpartition(")")
        with open(f"/proc/{process_id}/cmdline", "rb") as file:
            arguments = file.read().split(b"\0")
        with open("/proc/uptime", encoding="utf-8") as file:
            uptime = float(file.read().split()[0])
    except OSError:
        return None
    if name != "icinga2" or b"daemon" not in arguments:
        return None
    started_ticks = int(fields.split()[19])
    return uptime - started_ticks / os.sysconf("SC_CLK_TCK")
