/**
 * Compares the names and types that the docker provider built here offers (`pulumi-resource-docker -names`) with those
 * of the official npm package, and lists every difference. Run it after a change of either version:
 *
 *     node --require @swc-node/register toolchain/docker-provider/compareWithNpm.ts
 */
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import * as ts from "typescript";
import { build } from "../goBuild";
import { plugins } from "../parts";
import { run } from "../run";

interface Shape {
  readonly type: string;
  readonly items?: Shape;
  readonly fields?: Fields;
}

type Fields = Readonly<Partial<Record<string, Shape>>>;

interface Resource {
  readonly inputs: Fields;
  readonly outputs: Fields;
}

interface Description {
  readonly config: Fields;
  readonly resources: Readonly<Partial<Record<string, Resource>>>;
}

const npmFolder = dirname(createRequire(__filename).resolve("@pulumi/docker/package.json"));

// Not a bridged resource, and not used by this project's program.
const leftOut = ["docker:index/image:Image"];

// The same thing said in two ways: `id` is a property of Terraform's resource and the identity of Pulumi's, and the
// npm package lists a value that only the engine sets among the inputs.
const sameThing = [
  "docker:index/remoteImage:RemoteImage output.id: only in what is built here",
  "docker:index/volume:Volume input.cluster.id: only in the npm package",
];

type Property = ts.PropertySignature | ts.PropertyDeclaration;

/** The interfaces and classes of one declaration file by name. */
function declarations(file: string): Map<string, readonly Property[]> {
  const path = join(npmFolder, file);
  const source = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.ES2022, true);
  const result = new Map<string, readonly Property[]>();
  source.forEachChild((node) => {
    if (ts.isInterfaceDeclaration(node)) {
      result.set(node.name.text, node.members.filter(ts.isPropertySignature));
    } else if (ts.isClassDeclaration(node) && node.name !== undefined) {
      const own = node.members
        .filter(ts.isPropertyDeclaration)
        .filter((member) => !member.modifiers?.some((modifier) => modifier.kind === ts.SyntaxKind.StaticKeyword));
      result.set(node.name.text, own);
    }
  });
  return result;
}

const named = { inputs: declarations("types/input.d.ts"), outputs: declarations("types/output.d.ts") };

function fieldsOf(members: readonly Property[] | undefined): Fields {
  const fields: Record<string, Shape> = {};
  for (const member of members ?? []) {
    if (member.type !== undefined) {
      fields[member.name.getText()] = shapeOf(member.type);
    }
  }
  return fields;
}

function shapeOf(node: ts.TypeNode): Shape {
  if (ts.isParenthesizedTypeNode(node)) {
    return shapeOf(node.type);
  }
  if (ts.isUnionTypeNode(node)) {
    const [only, ...more] = node.types.filter((member) => member.kind !== ts.SyntaxKind.UndefinedKeyword);
    return only === undefined || more.length > 0 ? { type: node.getText() } : shapeOf(only);
  }
  if (ts.isArrayTypeNode(node)) {
    return { type: "list", items: shapeOf(node.elementType) };
  }
  if (ts.isTypeLiteralNode(node)) {
    const [index] = node.members.filter(ts.isIndexSignatureDeclaration);
    return index === undefined ? { type: node.getText() } : { type: "map", items: shapeOf(index.type) };
  }
  if (ts.isTypeReferenceNode(node)) {
    const name = node.typeName.getText();
    const [argument] = node.typeArguments ?? [];
    if (/^pulumi\.(Input|Output)$/.test(name) && argument !== undefined) {
      return shapeOf(argument);
    }
    const [space, type] = name.split(".");
    if ((space === "inputs" || space === "outputs") && type !== undefined) {
      return { type: "object", fields: fieldsOf(named[space].get(type)) };
    }
  }
  return { type: node.getText() };
}

function describeNpm(): Description {
  const resources: Record<string, Resource> = {};
  for (const file of readdirSync(npmFolder).filter((name) => name.endsWith(".js"))) {
    const token = /static __pulumiType = '(docker:[^']+)'/.exec(readFileSync(join(npmFolder, file), "utf8"))?.[1];
    const name = token?.split(":")[2];
    if (token === undefined || name === undefined || leftOut.includes(token)) {
      continue;
    }
    const found = declarations(file.replace(/\.js$/, ".d.ts"));
    resources[token] = { inputs: fieldsOf(found.get(`${name}Args`)), outputs: fieldsOf(found.get(name)) };
  }
  return { config: fieldsOf(declarations("provider.d.ts").get("ProviderArgs")), resources };
}

function differences(where: string, ours: Fields, theirs: Fields): string[] {
  const names = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])].sort();
  return names.flatMap((name) => {
    const [own, official] = [ours[name], theirs[name]];
    const path = `${where}.${name}`;
    if (own === undefined || official === undefined) {
      return [`${path}: only in ${own === undefined ? "the npm package" : "what is built here"}`];
    }
    return shapeDifferences(path, own, official);
  });
}

function shapeDifferences(path: string, own: Shape, official: Shape): string[] {
  if (own.type !== official.type) {
    return [`${path}: ${own.type} here, ${official.type} in the npm package`];
  }
  return [
    ...(own.items !== undefined && official.items !== undefined
      ? shapeDifferences(`${path}[]`, own.items, official.items)
      : []),
    ...differences(path, own.fields ?? {}, official.fields ?? {}),
  ];
}

async function main(): Promise<void> {
  const [provider] = plugins().filter((entry) => entry.plugin === "docker");
  if (provider === undefined) {
    throw new Error("toolchain/parts.ts has no docker provider");
  }
  const executable = await build(provider, (line) => {
    console.log(line);
  });
  const ours = JSON.parse(await run(executable, ["-names"])) as Description;
  const theirs = describeNpm();
  const found = differences("provider", ours.config, theirs.config);
  for (const [token, resource] of Object.entries(theirs.resources)) {
    const own = ours.resources[token];
    if (resource === undefined) {
      continue;
    }
    if (own === undefined) {
      found.push(`${token}: only in the npm package`);
      continue;
    }
    found.push(...differences(`${token} input`, own.inputs, resource.inputs));
    found.push(...differences(`${token} output`, own.outputs, resource.outputs));
  }
  const different = found.filter((line) => !sameThing.includes(line));
  different.forEach((line) => {
    console.log(line);
  });
  console.log(`${String(different.length)} differences in ${String(Object.keys(theirs.resources).length)} resources`);
  process.exitCode = different.length > 0 ? 1 : 0;
}

void main();
