import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { compare, hash } from "bcryptjs";
import { ROLES, settingsSchema, type User } from "../settings/schema";
import { pulumiFor, type PulumiCli } from "./stack/pulumiCli";
import { PROJECT, ROOT } from "./repository";
import { askHidden } from "./secrets";
import { readStackConfig, stackFilePath } from "./stack/stackFile";
import { UserError } from "./userError";

type Say = (line: string) => void;
type Role = User["role"];

const KEY = `${PROJECT}:users`;
/** 2^12 rounds: a quarter of a second for a login, and for every guess. */
const BCRYPT_ROUNDS = 12;
/** Or Pulumi takes a user `true` for something else. */
const TEXT = ["--type", "string"] as const;
const SHORTEST_PASSWORD = 10;
/** bcrypt looks at no more. */
const LONGEST_PASSWORD_BYTES = 72;
const FIRST_USER = "admin";
const PASSWORD_FILE = join(ROOT, ".local", "admin-password");
const USAGE = [
  "npm run user -- <stack>                               lists who may log in",
  "npm run user -- <stack> <name> <role> [--generate]    adds a user, or gives one another role and password",
  "npm run user -- <stack> <name> --remove",
  `Roles are ${ROLES.join(", ")}. The password is asked for, or is the first line of standard input; --generate makes one.`,
].join("\n");

/** What was asked for on the command line. */
export type Request =
  | { readonly what: "list"; readonly stack: string }
  | { readonly what: "remove"; readonly stack: string; readonly name: string }
  | {
      readonly what: "set";
      readonly stack: string;
      readonly name: string;
      readonly role: Role;
      readonly generate: boolean;
    };

/** `npm run user`: who may log in to the pages of a stack, as its settings have it. It takes effect with `pulumi up`. */
export async function main(args: readonly string[]): Promise<number> {
  const say: Say = (line) => console.log(line);
  const request = parseArguments(args);
  if (!existsSync(stackFilePath(request.stack)))
    throw new UserError(`there is no stack file Pulumi.${request.stack}.yaml`);
  if (request.what === "list") {
    listUsers(request.stack).forEach(say);
    return 0;
  }
  if (request.what === "remove") {
    await removeUser(await pulumiFor(request.stack, say), request.name);
    say(`${request.name} may not log in any more, from the next pulumi up on`);
    return 0;
  }
  const { name, role } = request;
  const password = request.generate ? randomPassword() : await askPassword();
  const isNew = await setUser(await pulumiFor(request.stack, say), { name, role, password });
  say(`${name} ${isNew ? "may log in" : "has a new password and logs in"} as ${role}, from the next pulumi up on`);
  if (request.generate) say(`The password, shown this once: ${password}`);
  return 0;
}

/** @throws UserError with the usage for anything else than the command takes */
export function parseArguments(args: readonly string[]): Request {
  const known = ["--remove", "--generate"];
  const flags = args.filter((arg) => arg.startsWith("-"));
  const [stack, name, role, ...others] = args.filter((arg) => !arg.startsWith("-"));
  const unknown = flags.find((flag) => !known.includes(flag));
  if (unknown !== undefined || others.length > 0 || stack === undefined) throw new UserError(USAGE);
  if (name === undefined && flags.length === 0) return { what: "list", stack };
  if (name === undefined) throw new UserError(USAGE);
  if (flags.includes("--remove")) {
    if (role !== undefined || flags.length > 1) throw new UserError(USAGE);
    return { what: "remove", stack, name };
  }
  if (!isRole(role)) throw new UserError(`say which role ${name} has: ${ROLES.join(", ")}\n${USAGE}`);
  // Any valid hash: what is tried here is the name, in the words of the settings.
  const problem = settingsSchema.shape.users.safeParse([
    { name, role, passwordHash: `$2b$12$${"a".repeat(53)}` },
  ]).error;
  if (problem) throw new UserError(`the name "${name}" ${problem.issues[0]?.message ?? "is not valid"}`);
  return { what: "set", stack, name, role, generate: flags.includes("--generate") };
}

function isRole(text: string | undefined): text is Role {
  return ROLES.some((role) => role === text);
}

/** @throws UserError naming what is wrong with a password, never the password */
export function checkPassword(password: string): void {
  if (password.length < SHORTEST_PASSWORD) {
    throw new UserError(`the password must have at least ${SHORTEST_PASSWORD} characters`);
  }
  if (Buffer.byteLength(password) > LONGEST_PASSWORD_BYTES) {
    throw new UserError(
      `the password must not be longer than ${LONGEST_PASSWORD_BYTES} bytes: bcrypt looks at no more`,
    );
  }
  // eslint-disable-next-line no-control-regex -- these are what nobody can type into a login form
  if (/[\u0000-\u001f\u007f]/.test(password)) throw new UserError("the password must not hold control characters");
}

/** Somebody with a password that is still to be hashed. */
export interface NewUser {
  readonly name: string;
  readonly role: Role;
  readonly password: string;
}

/**
 * Adds a user to a stack's settings, or changes one. Pulumi writes the file, so it keeps of it what Pulumi keeps.
 *
 * @returns whether the user is new
 */
export async function setUser(pulumi: PulumiCli, user: NewUser): Promise<boolean> {
  checkPassword(user.password);
  const users = usersOf(pulumi.stack);
  const found = users.findIndex(({ name }) => name === user.name);
  const place = `${KEY}[${found === -1 ? users.length : found}]`;
  const passwordHash = await hash(user.password, BCRYPT_ROUNDS);
  // Pulumi must be told that a hash is meant to be plain text: it opens nothing, and a review should show who may log in.
  const fields = {
    name: [user.name, TEXT],
    role: [user.role, TEXT],
    passwordHash: [passwordHash, ["--plaintext"]],
  } as const;
  for (const [field, [value, kind]] of Object.entries(fields)) {
    // Through standard input: arguments are visible to every user of the machine.
    await pulumi.output(["config", "set", "--path", `${place}.${field}`, ...kind], value);
  }
  return found === -1;
}

/** @throws UserError when there is no such user */
export async function removeUser(pulumi: PulumiCli, name: string): Promise<void> {
  const users = usersOf(pulumi.stack);
  const index = users.findIndex((user) => user.name === name);
  if (index === -1) throw new UserError(`the stack ${pulumi.stack} has no user ${name}`);
  await pulumi.output(["config", "rm", "--path", users.length === 1 ? KEY : `${KEY}[${index}]`]);
}

/** A line for each user. */
export function listUsers(stack: string): string[] {
  const users = usersOf(stack);
  if (users.length === 0) return [`nobody may log in to the stack ${stack} yet\n${USAGE}`];
  const width = Math.max(...users.map(({ name }) => name.length));
  return users.map(({ name, role }) => `${name.padEnd(width)}  ${role}`);
}

/** A user as the file has it: its hash may be missing. */
type ListedUser = Pick<User, "name" | "role"> & Partial<User>;

/** The users as the stack's file has them, valid or not: a half-made one can be mended by making it again. */
function usersOf(stack: string): ListedUser[] {
  const users = readStackConfig(stack)[KEY];
  if (users === undefined || users === "") return [];
  if (Array.isArray(users)) return users as ListedUser[];
  throw new UserError(`Pulumi.${stack}.yaml: ${KEY} is no list; mend it by hand`);
}

/** The first admin of the local stack. */
export interface FirstUser {
  readonly name: string;
  readonly password: string;
  /** Where the password is kept. */
  readonly file: string;
}

/**
 * Gives a stack without users an admin with a password of its own making, kept in a file that its owner alone may read.
 *
 * @returns who that is, also later, as long as the password is what the file says; undefined where people made their own
 */
export async function ensureFirstUser(
  pulumi: PulumiCli,
  say: Say,
  file: string = PASSWORD_FILE,
): Promise<FirstUser | undefined> {
  const users = usersOf(pulumi.stack);
  const kept = existsSync(file) ? readFileSync(file, "utf8").trim() : undefined;
  // A first user whose making was interrupted is made again.
  if (users.some(({ passwordHash }) => passwordHash !== undefined)) {
    const { passwordHash } = users.find(({ name }) => name === FIRST_USER) ?? {};
    const isKept = kept !== undefined && passwordHash !== undefined && (await compare(kept, passwordHash));
    return isKept ? { name: FIRST_USER, password: kept, file } : undefined;
  }
  const password = kept ?? randomPassword();
  if (kept === undefined) {
    // First the file: a password that is set and nowhere written would open nothing.
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, `${password}\n`, { mode: 0o600, flag: "wx" });
  }
  await setUser(pulumi, { name: FIRST_USER, role: "admin", password });
  say(`made the user ${FIRST_USER}; the password is in ${file}`);
  return { name: FIRST_USER, password, file };
}

/** Easy to read out and to copy: 100 bits in groups of letters and digits that look like no others. */
export function randomPassword(): string {
  const letters = "abcdefghijkmnpqrstuvwxyz23456789";
  const picked = [...randomBytes(20)].map((byte) => letters[byte % letters.length]).join("");
  return picked.replace(/(.{5})(?=.)/g, "$1-");
}

async function askPassword(): Promise<string> {
  if (!process.stdin.isTTY) {
    const [first = ""] = (await text(process.stdin)).split(/\r?\n/, 1);
    checkPassword(first);
    return first;
  }
  const first = await askHidden("Password: ");
  checkPassword(first);
  if ((await askHidden("Again: ")) !== first) throw new UserError("the two are not the same; nothing was changed");
  return first;
}
