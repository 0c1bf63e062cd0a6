import { generateKeyPair, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { md, pki } from "node-forge";

/** A certificate authority as PEM texts. */
export interface CertificateAuthority {
  readonly certificate: string;
  readonly key: string;
}

const KEY_BITS = 4096;
/** Everything that Icinga's own authority signs is renewed by itself; the authority is not. */
const YEARS = 20;

/**
 * Makes a certificate authority as `icinga2 pki new-ca` does: "Icinga CA", which may sign certificates and nothing else.
 *
 * @param now begin of its validity
 */
export async function makeCertificateAuthority(now = new Date()): Promise<CertificateAuthority> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)("rsa", {
    modulusLength: KEY_BITS,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const certificate = pki.createCertificate();
  certificate.publicKey = pki.publicKeyFromPem(publicKey);
  // Positive, and unlike any other: the first byte stays below 0x80.
  certificate.serialNumber = `01${randomBytes(15).toString("hex")}`;
  certificate.validity.notBefore = now;
  certificate.validity.notAfter = new Date(now);
  certificate.validity.notAfter.setUTCFullYear(now.getUTCFullYear() + YEARS);
  const name = [{ name: "commonName", value: "Icinga CA" }];
  certificate.setSubject(name);
  certificate.setIssuer(name);
  certificate.setExtensions([
    { name: "basicConstraints", critical: true, cA: true },
    { name: "keyUsage", critical: true, keyCertSign: true, cRLSign: true },
    { name: "subjectKeyIdentifier" },
  ]);
  certificate.sign(pki.privateKeyFromPem(privateKey), md.sha256.create());
  return { certificate: pki.certificateToPem(certificate).replaceAll("\r\n", "\n"), key: privateKey };
}
