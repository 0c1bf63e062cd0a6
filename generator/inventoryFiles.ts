import * as fs from "node:fs";
import * as path from "node:path";

/** An inventory's files: relative path with forward slashes -> text. */
export type InventoryFiles = Readonly<Record<string, string>>;

/** A problem of an inventory, where a person can go and mend it. Line and column count from 1. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** What is wrong; what would be right. */
  readonly message: string;
}

/** One line for a problem, in the form that editors and CI systems make a link of. */
export function describeProblem({ file, line, column, message }: Problem): string {
  return `${file}:${line}:${column}: ${message}`;
}

/**
 * Reads the YAML files below a folder, sorted by path. Hidden ones and other kinds of files are left alone.
 *
 * @param dir the inventory's folder
 */
export function loadInventoryFiles(dir: string): { files: InventoryFiles; problems: Problem[] } {
  const problems: Problem[] = [];
  const at = (file: string, message: string): Problem => ({ file, line: 1, column: 1, message });
  if (!fs.statSync(dir, { throwIfNoEntry: false })?.isDirectory()) {
    return {
      files: {},
      problems: [at(dir, "there is no such folder; make it and put a file such as hosts.yaml there")],
    };
  }
  const files: Record<string, string> = {};
  for (const file of yamlFilesBelow(dir, "")) {
    const bytes = contentOf(path.join(dir, file));
    if (bytes === undefined) {
      problems.push(at(path.join(dir, file), "cannot be read; it must be a file, or a link to one"));
      continue;
    }
    try {
      files[file] = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      problems.push(at(path.join(dir, file), "is not UTF-8 text; save the file as UTF-8"));
    }
  }
  return { files, problems };
}

/** Undefined for a link to nothing, a pipe, and what this user may not read. */
function contentOf(file: string): Buffer | undefined {
  try {
    return fs.statSync(file).isFile() ? fs.readFileSync(file) : undefined;
  } catch {
    return undefined;
  }
}

function yamlFilesBelow(dir: string, folder: string): string[] {
  const entries = fs.readdirSync(path.join(dir, folder), { withFileTypes: true });
  const found = entries.flatMap((entry) => {
    const relative = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.name.startsWith(".")) return [];
    if (entry.isDirectory()) return yamlFilesBelow(dir, relative);
    return /\.ya?ml$/i.test(entry.name) ? [relative] : [];
  });
  return found.sort();
}
