# shellcheck shell=bash
# The gateway's certificate, for its init script and for the process that renews it; on top of init.sh.

readonly DATA=/var/lib/gateway
readonly TLS=$DATA/tls
# What Apache reads; given by the operator or made here.
readonly CERTIFICATE=$RUN_DIR/tls/certificate.pem
readonly KEY=$RUN_DIR/tls/key.pem
readonly GIVEN_CERTIFICATE=$SECRETS_DIR/gateway-certificate
readonly GIVEN_KEY=$SECRETS_DIR/gateway-key
# Browsers refuse certificates that are valid for longer than this.
readonly VALID_DAYS=397
readonly RENEW_BEFORE_SECONDS=$((30 * 24 * 3600))

is_given() { [[ -s "$GIVEN_CERTIFICATE" || -s "$GIVEN_KEY" ]]; }

# What does not fit, Apache would refuse with a message that names neither setting.
check_given() {
  local of_certificate of_key
  [[ -s "$GIVEN_CERTIFICATE" && -s "$GIVEN_KEY" ]] ||
    failed "gatewayCertificate and gatewayKey only work together; set the one that is missing, or remove the other"
  of_certificate=$(public_key_of_certificate "$GIVEN_CERTIFICATE") ||
    failed "the secret gateway-certificate is not a PEM certificate; set gatewayCertificate to the file with the chain"
  of_key=$(public_key_of_key "$GIVEN_KEY") ||
    failed "the secret gateway-key is not a PEM private key without a passphrase; set gatewayKey to such a file"
  [[ "$of_certificate" == "$of_key" ]] || failed "gatewayKey is not the key of gatewayCertificate; set both of one pair"
  openssl x509 -in "$GIVEN_CERTIFICATE" -noout -checkend 0 >/dev/null ||
    say "the certificate has expired: browsers will refuse it until gatewayCertificate and gatewayKey are renewed"
}

# subject_name <host name or address>: as the certificate names it.
subject_name() {
  if [[ "$1" =~ ^[0-9.]+$ ]]; then printf 'IP:%s' "$1"; else printf 'DNS:%s' "$1"; fi
}

# Of this very name, with its own key, and not about to end.
own_is_good() {
  local certificate=$TLS/certificate.pem names
  openssl x509 -in "$certificate" -noout -checkend "$RENEW_BEFORE_SECONDS" &>/dev/null || return 1
  names=$(openssl x509 -in "$certificate" -noout -ext subjectAltName | tr -d ' ' | sed 's/IPAddress:/IP:/')
  [[ ",${names##*$'\n'}," == *",$(subject_name "$1"),"* ]] &&
    [[ "$(public_key_of_certificate "$certificate")" == "$(public_key_of_key "$TLS/key.pem")" ]]
}

# Key and certificate are moved in one after the other: killed in between, they do not fit, and the next start makes new ones.
make_own() {
  local name=$1 new=$TLS/.new
  rm -rf "$new"
  install -d -m 700 "$new"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days "$VALID_DAYS" -subj "/CN=${name:0:64}" \
    -addext "subjectAltName=$(subject_name "$name")" -addext "extendedKeyUsage=serverAuth" \
    -addext "basicConstraints=critical,CA:FALSE" -keyout "$new/key.pem" -out "$new/certificate.pem" 2>"$RUN_DIR/error" ||
    failed "cannot make a certificate for $name: $(tail -n 1 "$RUN_DIR/error")"
  mv -f "$new/key.pem" "$TLS/key.pem"
  mv -f "$new/certificate.pem" "$TLS/certificate.pem"
  rm -rf "$new"
  say "made a certificate for $name"
}

fingerprint() { openssl x509 -in "$1" -noout -fingerprint -sha256 | sed 's/.*=//'; }

# ensure_certificate <name>: puts a certificate and its key where Apache reads them. Returns 1 if both were there already.
ensure_certificate() {
  local certificate=$GIVEN_CERTIFICATE key=$GIVEN_KEY
  install -d -m 700 "$TLS" "$RUN_DIR/tls"
  if ! is_given; then
    own_is_good "$1" || make_own "$1"
    certificate=$TLS/certificate.pem key=$TLS/key.pem
  fi
  cmp -s "$certificate" "$CERTIFICATE" && cmp -s "$key" "$KEY" && return 1
  write_file "$KEY" root:root 600 <"$key"
  write_file "$CERTIFICATE" root:root 644 <"$certificate"
  is_given || say "browsers do not know the certificate of $1; its fingerprint is $(fingerprint "$certificate")"
}
