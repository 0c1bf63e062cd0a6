"""graphite-web behind WhiteNoise, which answers for static files.

graphite.wsgi would do that by itself, but takes every release of WhiteNoise that tells no version in its module for one of
years ago, and does not start with it.
"""

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "graphite.settings"
os.environ["GRAPHITE_SETTINGS_MODULE"] = "local_settings"

from django.conf import settings  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from whitenoise import WhiteNoise  # noqa: E402

application = WhiteNoise(get_wsgi_application(), root=settings.STATIC_ROOT, prefix=settings.STATIC_URL)
