"""graphite-web behind WhiteNoise, which answers for static files.

graphite.wsgi would do that by itself, but takes every release of WhiteNoise that tells no version in its module for one of
years ago, and does not start with it.
"""

import os
import re

os.environ["DJANGO_SETTINGS_MODULE"] = "graphite.settings"
os.environ["GRAPHITE_SETTINGS_MODULE"] = "local_settings"

from django.conf import settings  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from whitenoise import WhiteNoise  # noqa: E402

READ = re.compile(r"/(render|metrics|functions|tags|version|events/get_data)(/|$)")
READ_BY_POST = re.compile(r"/(render|metrics/find|metrics/expand)/?$")


def questions_only(answer):
    """Graphite asks nobody who they are, and Grafana passes on what its viewers send: events, saved graphs and tags are
    nobody's to write here."""

    def application(environ, start_response):
        path, method = environ.get("PATH_INFO", ""), environ["REQUEST_METHOD"]
        if (method in ("GET", "HEAD") and READ.match(path)) or (method == "POST" and READ_BY_POST.match(path)):
            return answer(environ, start_response)
        start_response("403 Forbidden", [("Content-Type", "text/plain")])
        return [b"Only questions are answered here.\n"]

    return application


application = WhiteNoise(
    questions_only(get_wsgi_application()), root=settings.STATIC_ROOT, prefix=settings.STATIC_URL
)
