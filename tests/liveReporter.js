/**
 * Shows each test when it ends, and why it failed: the files of some suites take many minutes, and jest speaks only after a
 * whole file.
 */
module.exports = class LiveReporter {
  onTestCaseResult(_test, { status, title, duration, failureMessages }) {
    const mark = { passed: "ok", failed: "FAILED", pending: "skipped" }[status] ?? status;
    process.stderr.write(`${mark}: ${title} (${((duration ?? 0) / 1000).toFixed(1)} s)\n`);
    for (const message of failureMessages ?? []) process.stderr.write(`${message.replace(/^/gm, "    ")}\n`);
  }
};
