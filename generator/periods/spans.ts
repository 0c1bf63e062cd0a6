/** Minutes from `start` up to, not including, `end`. What the minutes are counted from is the caller's matter. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export const MINUTES_A_DAY = 1440;

/** All the time in any of the spans: sorted, and joined where they touch. */
export function union(spans: readonly Span[]): Span[] {
  const joined: Span[] = [];
  for (const span of [...spans].sort((left, right) => left.start - right.start)) {
    const last = joined.at(-1);
    if (last !== undefined && span.start <= last.end) {
      joined[joined.length - 1] = { start: last.start, end: Math.max(last.end, span.end) };
    } else if (span.start < span.end) {
      joined.push(span);
    }
  }
  return joined;
}

/** What of the spans lies in a window. */
export function within(spans: readonly Span[], window: Span): Span[] {
  return spans
    .map(({ start, end }) => ({ start: Math.max(start, window.start), end: Math.min(end, window.end) }))
    .filter(({ start, end }) => start < end);
}

/**
 * What of the spans is left without others.
 *
 * @param spans in any order
 * @param others as `union` makes them
 */
export function without(spans: readonly Span[], others: readonly Span[]): Span[] {
  const edges = [
    Number.NEGATIVE_INFINITY,
    ...others.flatMap(({ start, end }) => [start, end]),
    Number.POSITIVE_INFINITY,
  ];
  const gaps = Array.from({ length: edges.length / 2 }, (_, gap) => ({
    start: edges[2 * gap] ?? Number.NaN,
    end: edges[2 * gap + 1] ?? Number.NaN,
  }));
  return gaps.flatMap((gap) => within(spans, gap));
}

/** Spans by so many minutes later. */
export function shifted(spans: readonly Span[], minutes: number): Span[] {
  return spans.map(({ start, end }) => ({ start: start + minutes, end: end + minutes }));
}
