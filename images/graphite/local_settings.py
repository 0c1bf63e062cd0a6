# Settings of graphite-web; the rest are its defaults. The init script writes the key, and reads no other secret.
import pathlib

SECRET_KEY = pathlib.Path("/run/graphite/secret-key").read_text(encoding="utf-8")

GRAPHITE_ROOT = "/usr/share/graphite-web"
CONF_DIR = "/etc/graphite"
STATIC_ROOT = "/usr/share/graphite-web/static"
STORAGE_DIR = "/var/lib/graphite"
WHISPER_DIR = "/var/lib/graphite/whisper"
STANDARD_DIRS = [WHISPER_DIR]
# No other servers: everything is in this container.
STORAGE_FINDERS = ("whole_files.WholeFileFinder",)
CARBONLINK_HOSTS = ["127.0.0.1:7002"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "/var/lib/graphite/graphite.db"}}
TIME_ZONE = "UTC"
# Values on their way from fine to coarse are shown as long as there is one, as they are kept.
DEFAULT_XFILES_FACTOR = 0

# Into the container's log, and only what went wrong.
LOG_FILE_INFO = "-"
LOG_FILE_EXCEPTION = "-"
LOG_INFO_PERFORMANCE = False
