#!/usr/bin/env bash
# Run once by the official image, as the user mysql, against its temporary server: databases and users, then the mark that
# the first start is complete. Root is left alone: the image still needs the password it gave it, to stop that server.
set -euo pipefail

# shellcheck source=images/mysql/start.sh
source /usr/local/bin/start-mysql

main() {
  mysql --defaults-extra-file=<(option_file root "$MYSQL_ROOT_PASSWORD") --protocol=socket <"$APPLICATIONS_SQL"
  # Last, and only when all of it is on the disk.
  sync -f "$DATA_DIR"
  rm -f "$INITIALISING"
}

if [[ "${BASH_SOURCE[0]}" == "$0" ]]; then main "$@"; fi
