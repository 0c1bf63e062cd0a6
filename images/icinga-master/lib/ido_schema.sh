# shellcheck shell=bash
# The IDO schema: imported and upgraded from the files of Icinga's own package, through the MariaDB client.
#
# MySQL commits every CREATE and ALTER by itself, so an import or upgrade that was killed leaves some of its work
# behind. Both are therefore run in a way that can be repeated: errors that only say "this is already so" are passed
# over, and the version, which Icinga looks at, is written by a statement of its own after everything else succeeded.

readonly SCHEMA_DIR=${SCHEMA_DIR:-/usr/share/icinga2-ido-mysql/schema}
readonly MYSQL_OPTIONS=$RUN_DIR/mysql.cnf

# 1050 table exists, 1060 duplicate column, 1061 duplicate key name, 1091 nothing there to drop.
readonly ALREADY_SO='^ERROR (1050|1060|1061|1091) '
# 2xxx: the client could not reach or lost the server; 1040 too many connections; 1053 server shutting down; 1205 and
# 1213 lock wait and deadlock. All of these pass.
# shellcheck disable=SC2034 # for those who call ensure_schema
readonly PASSES_BY_ITSELF='^ERROR (2[0-9]{3}|1040|1053|1205|1213) '

# Whose outcome the functions below leave here: an error line of the client.
SCHEMA_ERROR=""

# The password goes into a file only root can read, never on a command line. An unescaped quote would end the value.
# The server's certificate is one that MySQL made for itself, so there is nothing to verify it against.
write_mysql_options() {
  local password
  password=$(secret mysql-icinga-password)
  password=${password//\\/\\\\}
  password=${password//\"/\\\"}
  write_file "$MYSQL_OPTIONS" root:root 600 <<END
[client]
host=$MYSQL_HOST
database=$MYSQL_DATABASE
user=$MYSQL_USER
password="$password"
connect-timeout=5
skip-ssl-verify-server-cert
END
}

# run_sql <client options>: standard input through the client. Fails with the first error that matters in SCHEMA_ERROR.
# The client's exit code says too little: with --force it is 0 whatever happened.
run_sql() {
  local errors code=0
  errors=$(mktemp "$RUN_DIR/sql.XXXXXX")
  interruptibly mariadb --defaults-file="$MYSQL_OPTIONS" --batch --skip-column-names "$@" 2>"$errors" || code=$?
  SCHEMA_ERROR=$(grep -E '^ERROR ' "$errors" | grep -vE "$ALREADY_SO" | head -n 1 | sed 's/ at line [0-9]*//')
  if ((code != 0)) && ! grep -qE '^ERROR ' "$errors"; then
    SCHEMA_ERROR="the MariaDB client ended with $code: $(head -n 1 "$errors")"
  fi
  rm -f "$errors"
  [[ -z "$SCHEMA_ERROR" ]]
}

# Puts the version of the schema in the database into INSTALLED; empty when there is none, or only half of one.
read_installed_version() {
  local output=$RUN_DIR/schema-version
  INSTALLED=""
  if run_sql >"$output" <<<"SELECT version FROM icinga_dbversion WHERE name = 'idoutils'"; then
    INSTALLED=$(<"$output")
  elif [[ "$SCHEMA_ERROR" != "ERROR 1146 "* ]]; then
    return 1
  fi
}

# version_of <file>: the schema version that a file of the package leads to.
version_of() {
  sed -nE "s/.*'idoutils', *'([0-9.]+)'.*/\1/p" "$1" | tail -n 1
}

is_older() { [[ "$1" != "$2" && "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" == "$1" ]]; }

# apply <file>: everything but the version, repeatably; then the version.
apply() {
  local file=$1
  run_sql --force < <(sed '/^INSERT INTO icinga_dbversion/,$d' "$file") &&
    run_sql < <(sed -n '/^INSERT INTO icinga_dbversion/,$p' "$file")
}

# Brings the schema to the package's version. Fails with SCHEMA_ERROR set.
ensure_schema() {
  local wanted file
  wanted=$(version_of "$SCHEMA_DIR/mysql.sql")
  read_installed_version || return 1
  if [[ -z "$INSTALLED" ]]; then
    say "IDO: importing schema $wanted"
    apply "$SCHEMA_DIR/mysql.sql"
    return
  fi
  for file in $(printf '%s\n' "$SCHEMA_DIR"/upgrade/*.sql | sort -V); do
    is_older "$INSTALLED" "$(version_of "$file")" || continue
    say "IDO: upgrading schema $INSTALLED with $(basename "$file")"
    apply "$file" || return 1
    INSTALLED=$(version_of "$file")
  done
}
