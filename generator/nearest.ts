/**
 * The known name that a mistyped one most likely means.
 *
 * @param name what was written
 * @param known what could have been
 * @returns undefined if none is close
 */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  // A third of the letters may be wrong, at least one, so that "ad" is no typo of everything short.
  let limit = Math.max(1, Math.floor(name.length / 3)) + 1;
  let best: string | undefined;
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) >= limit) continue;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < limit) {
      limit = distance;
      best = candidate;
    }
  }
  return best;
}

/**
 * What to write instead of an unknown name: the nearest known one, or all of them if they are few.
 *
 * @param name what was written
 * @param known what could have been
 * @param plural what the known ones are called, such as `locations`
 */
export function suggestion(name: string, known: readonly string[], plural: string): string {
  const near = nearest(name, known);
  if (near !== undefined) return `did you mean ${JSON.stringify(near)}?`;
  if (known.length === 0) return `there are no ${plural}`;
  const shown = [...known].sort().slice(0, 20);
  return `known ${plural}: ${shown.join(", ")}${known.length > shown.length ? ", ..." : ""}`;
}

/** Insertions, deletions, substitutions, and swaps of neighbours, each counted once. */
function editDistance(left: string, right: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const substitution = (previous[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      let distance = Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, substitution);
      if (i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1]) {
        distance = Math.min(distance, (beforePrevious[j - 2] ?? 0) + 1);
      }
      current.push(distance);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[right.length] ?? 0;
}
