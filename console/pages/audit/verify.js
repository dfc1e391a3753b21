/** Verify the whole log: the run goes on while its reader looks at other pages, and every finding names its place. */

import { duration } from "../../core/time.js";
import { get, quoted } from "../../kit/api.js";
import { Dialog } from "../../kit/dialog.js";
import { download } from "../../kit/download.js";
import { useNow } from "../../kit/now.js";
import { Card, Copy, Empty, Facts, Said, Time, Trouble } from "../../kit/parts.js";
import { me } from "../../kit/session.js";
import { Store, useStore } from "../../kit/store.js";
import { Table } from "../../kit/table.js";
import { html, useState } from "../../kit/view.js";

/**
 * @typedef {object} Run
 * @property {"running" | "stopped" | "done" | "failed"} state
 * @property {string} began
 * @property {string} [ended]
 * @property {Record<"streams" | "commits" | "events" | "opaque" | "heads" | "published", number>} counts
 * @property {{stream: string, version: number, what: string}[]} findings
 * @property {any} [problem]
 */

/** @type {Store<Run | null>} */
export const run = new Store(/** @type {Run | null} */ (null));
/** @type {AbortController | null} */
let going = null;
me.listeners.add(() => (going?.abort(), run.set(null))); // the next login begins with nothing of this one

/** Verify the whole log, page by page. */
export async function begin() {
  going?.abort();
  const abort = (going = new AbortController());
  let now = /** @type {Run} */ ({
    state: "running",
    began: new Date().toISOString(),
    counts: { streams: 0, commits: 0, events: 0, opaque: 0, heads: 0, published: 0 },
    findings: [],
  });
  const show = (/** @type {Partial<Run>} */ changes) => run.set((now = { ...now, ...changes }));
  show({});
  try {
    for (let cursor = /** @type {string | null} */ (null), first = true; first || cursor; first = false) {
      const page = await get("audit/verify", { query: { cursor, limit: 50 }, signal: abort.signal });
      show({ counts: added(now.counts, page), findings: joined(now.findings, page.findings) });
      cursor = page.next;
    }
    show({ state: "done", ended: new Date().toISOString() });
  } catch (problem) {
    if (going === abort)
      show({
        state: abort.signal.aborted ? "stopped" : "failed",
        problem: abort.signal.aborted ? undefined : problem,
        ended: new Date().toISOString(),
      });
  }
}

/**
 * Add up; the second part of a run reads streams of the first one again, and counts heads alone.
 * @param {Run["counts"]} counts
 * @param {any} page
 */
function added(counts, page) {
  if (page.heads) return { ...counts, heads: counts.heads + page.heads, published: page.published };
  return {
    ...counts,
    streams: counts.streams + page.streams,
    commits: counts.commits + page.commits,
    events: counts.events + page.events,
    opaque: counts.opaque + page.opaque,
    published: page.published,
  };
}

/** @param {Run["findings"]} known @param {Run["findings"]} more */
function joined(known, more) {
  const names = new Set(known.map((each) => JSON.stringify(each)));
  return [...known, ...more.filter((each) => !names.has(JSON.stringify(each)))];
}

export function Verify() {
  const now = useStore(run);
  const [chosen, choose] = useState(/** @type {any} */ (null));
  const running = now?.state === "running";
  return html`
    <${Card} title="The log and its checkpoints" note=${now && html`begun <${Time} at=${now.began} />`}>
      <p>
        Each stream is read whole: every commit has to fit its hash and the commit before it, and every head that was
        published in a checkpoint has to be in its stream.
      </p>
      <div class="actions">
        ${running
          ? html`<button type="button" onClick=${() => going?.abort()}>Stop</button>`
          : html`<button type="button" class="primary" onClick=${begin}>
              ${now ? "Verify again" : "Verify the log"}
            </button>`}
      </div>
      ${now && html`<${Progress} run=${now} /><${Trouble} problem=${now.problem} retry=${begin} />`}
    </${Card}>
    ${now && now.findings.length > 0 && html`<${Findings} run=${now} choose=${choose} />`}
    ${!now && html`<${Empty}>Nothing was verified in this window yet.</${Empty}>`}
    ${chosen && html`<${Finding} finding=${chosen} close=${() => choose(null)} />`}
    <p class="dim space-above">
      Customers' keys, executions, rows outside streams and the signatures of checkpoints are verified
      by <code>expediter audit verify --data DIR</code>, without trust in this engine.
    </p>
  `;
}

/** @param {{run: Run}} props */
export function Progress({ run: { state, began, counts, findings, ended } }) {
  const whole = 2 * counts.published; // at most as many streams as published heads, and then the heads
  const part = whole ? (Math.min(counts.streams, counts.published) + counts.heads) / whole : 0;
  const number = (/** @type {number} */ n) => n.toLocaleString();
  return html`
    ${state === "running" &&
      (whole
        ? html`<div
            class="progress space-above"
            role="progressbar"
            aria-label="Verified"
            aria-valuemin="0"
            aria-valuemax="100"
            aria-valuenow=${Math.floor(100 * part)}
          >
            <span style=${{ width: `${100 * part}%` }}></span>
          </div>`
        : html`<p class="dim space-above">
            How much is left is not known: no checkpoint has counted the streams yet.
          </p>`)}
    <p class="sentence space-above" role="status">
      ${sentence(state, findings.length, counts.published)}
      ${ended && html` <span class="dim"><${Time} at=${ended} /></span>`}
    </p>
    <${Facts} rows=${[
      ["Streams", number(counts.streams)],
      ["Commits", number(counts.commits)],
      ["Events", number(counts.events)],
      ["Published heads compared", `${number(counts.heads)} of ${number(counts.published)}`],
      ["Events that this release does not know", counts.opaque ? number(counts.opaque) : ""],
      ["Time", html`<${Took} from=${began} to=${ended} part=${part} />`],
    ]} />
  `;
}

/**
 * How long it took, or has taken and will take at this pace.
 * @param {{from: string, to?: string, part: number}} props
 */
function Took({ from, to, part }) {
  const now = useNow();
  const ms = Math.max(0, (to ? Date.parse(to) : now) - Date.parse(from));
  return html`${duration(ms)}${!to && part > 0 && part < 1 && `, about ${duration((ms * (1 - part)) / part)} left`}`;
}

/** @param {Run["state"]} state @param {number} count @param {number} published */
function sentence(state, count, published) {
  const found = `${count.toLocaleString()} ${count === 1 ? "finding" : "findings"}`;
  if (state === "done")
    return count
      ? html`<span class="attention">${found}: the log is not what was written</span>`
      : html`<span class="verified">
          ✓ Intact: every commit
          fits${published ? ", and every published head is in its stream" : "; no head was published yet"}
        </span>`;
  if (state === "running")
    return count ? html`<span class="attention">Verifying, ${found} so far</span>` : "Verifying, nothing found so far";
  return `${state === "stopped" ? "Stopped" : "Failed"} before the end, ${found} until then`;
}

/** Every finding, and the streams that they are in. @param {{run: Run, choose: (finding: any) => void}} props */
function Findings({ run: { findings, counts, began }, choose }) {
  const streams = new Set(findings.map(({ stream }) => stream)).size;
  const save = () =>
    download(`findings-${began.slice(0, 19).replaceAll(":", "-")}.json`, [
      JSON.stringify({ began, counts, findings }, null, 1),
    ]);
  return html`<div class="space-above">
    <p class="sub">
      In ${streams.toLocaleString()} ${streams === 1 ? "stream" : "streams"}.${" "}
      <button type="button" class="link" onClick=${save}>Download the findings</button>
    </p>
    <${Table}
      label="Findings"
      columns=${columns(choose)}
      rows=${findings}
      id=${(/** @type {any} */ f) => `${f.stream} ${f.version} ${f.what}`}
      hot=${() => true}
    />
  </div>`;
}

/** @param {(finding: any) => void} choose */
const columns = (choose) => [
  {
    label: "Stream",
    cell: (/** @type {any} */ f) => html`<button type="button" class="link" data-row onClick=${() => choose(f)}>
      <code><bdi>${f.stream}</bdi></code>
    </button>`,
  },
  { label: "Version", align: /** @type {"end"} */ ("end"), cell: (/** @type {any} */ f) => f.version },
  {
    label: "What is wrong",
    wide: true,
    cell: (/** @type {any} */ f) => html`<span title=${f.what}><bdi>${f.what}</bdi></span>`,
  },
];

/** One finding in full, and what to do with it. @param {{finding: any, close: () => void}} props */
function Finding({ finding, close }) {
  const order = finding.stream.match(/^order#(.+)$/)?.[1];
  return html`<${Dialog} title="What is wrong" close=${close} wide>
    <div class="dialog-body">
      <p class="sentence"><${Said}>${finding.what}</${Said}></p>
      <${Facts} rows=${[
        ["Stream", html`<${Copy} text=${finding.stream} />`],
        ["Version", finding.version],
        ["Order", order && html`<a href=${`orders/${quoted(order)}`}>open the order</a>`],
      ]} />
      <div><h3>What to do</h3><${WhatToDo} /></div>
    </div>
  </${Dialog}>`;
}

/** What to do where the log is not what was written. */
export const WhatToDo = () => html`<ol class="steps">
  <li>
    Treat it as a security incident: follow “Tampering” in the
    runbook. <code>expediter drill tampered-log</code> practises it.
  </li>
  <li>Keep a copy of the database as it is now, before anything is mended.</li>
  <li>
    Verify with the checkpoints that were kept
    elsewhere: <code>expediter audit verify --data DIR --checkpoints COPY</code>. They show up to which time the log is
    what was written.
  </li>
  <li>
    Find who could write to the database, and compare the stream with a backup of
    before. <code>expediter restore BACKUP NEW-DIR --erased DIR</code> makes a folder of the backup, and an engine can
    be started on it.
  </li>
</ol>`;
