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
  const written = name.toLowerCase();
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) >= limit) continue;
    const distance = editDistance(written, candidate.toLowerCase(), limit);
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

/**
 * Insertions, deletions, substitutions, and swaps of neighbours, each counted once; Infinity as soon as it is clear that
 * they are not below the limit: an inventory may know a hundred thousand names.
 */
function editDistance(left: string, right: string, limit: number): number {
  let beforePrevious: number[] = [];
  let previous: number[] = [];
  for (let j = 0; j <= right.length; j += 1) previous.push(j);
  let leastBefore = 0;
  for (let i = 1; i <= left.length; i += 1) {
    const current = [i];
    let least = i;
    for (let j = 1; j <= right.length; j += 1) {
      const substitution = (previous[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      let distance = Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1, substitution);
      if (i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1]) {
        distance = Math.min(distance, (beforePrevious[j - 2] ?? 0) + 1);
      }
      current.push(distance);
      if (distance < least) least = distance;
    }
    // A swap goes back by two rows, so both have to be beyond the limit.
    if (least >= limit && leastBefore >= limit) return Number.POSITIVE_INFINITY;
    leastBefore = least;
    beforePrevious = previous;
    previous = current;
  }
  return previous[right.length] ?? 0;
}
