/**
 * Erasures that ended. The API lists those that go on; a receipt is read by its customer. Which customers have one is
 * in
 * the checkpoints: a customer has a stream only if the erasure was once proposed, and every stream has a head there.
 */

import { get, quoted } from "../../kit/api.js";
import { Card, Empty, Said, Time, Trouble, actorWords } from "../../kit/parts.js";
import { me } from "../../kit/session.js";
import { Store, useStore } from "../../kit/store.js";
import { Table } from "../../kit/table.js";
import { html } from "../../kit/view.js";

/**
 * @typedef {object} Search
 * @property {"running" | "stopped" | "done" | "failed"} state
 * @property {number} read heads of the checkpoints
 * @property {number} size heads in the newest checkpoint
 * @property {string | null} made when the newest checkpoint was made
 * @property {number} customers whose erasure was proposed
 * @property {any[]} receipts
 * @property {any} [problem]
 */

/** @type {Store<Search | null>} */
const search = new Store(/** @type {Search | null} */ (null));
/** @type {AbortController | null} */
let going = null;
me.listeners.add(() => (going?.abort(), search.set(null))); // the next login begins with nothing of this one

/** Read the heads of every checkpoint, the newest first, and the receipts of each customer among them. */
async function begin() {
  going?.abort();
  const abort = (going = new AbortController());
  const { signal } = abort;
  let now = /** @type {Search} */ ({ state: "running", read: 0, size: 0, made: null, customers: 0, receipts: [] });
  const show = (/** @type {Partial<Search>} */ changes) =>
    going === abort && search.set((now = { ...now, ...changes }));
  show({});
  const known = new Set();
  try {
    for await (const { checkpoint, heads } of pages(signal)) {
      if (!now.size) show({ size: checkpoint.size, made: checkpoint.made_at });
      for (const { stream } of heads) {
        if (!stream.startsWith("customer#") || known.has(stream)) continue;
        known.add(stream);
        const customer = stream.slice("customer#".length);
        const { receipts } = await get(`customers/${quoted(customer)}/erasure`, { signal });
        show({
          customers: known.size,
          receipts: [...now.receipts, ...receipts.map((/** @type {any} */ receipt) => ({ ...receipt, customer }))].sort(
            (a, b) => (a.erased_at < b.erased_at ? 1 : -1),
          ),
        });
      }
      show({ read: now.read + heads.length });
    }
    show({ state: "done" });
  } catch (problem) {
    show({ state: signal.aborted ? "stopped" : "failed", problem: signal.aborted ? undefined : problem });
  }
}

/** @param {AbortSignal} signal */
async function* pages(signal) {
  for (let before = /** @type {number | null} */ (null), first = true; first || before; first = false) {
    const listed = await get("audit/checkpoints", { query: { limit: 100, before }, signal });
    for (const { number } of listed.checkpoints)
      for (let after = /** @type {number | null} */ (null), begun = false; !begun || after !== null; begun = true) {
        const page = await get("audit/heads", { query: { checkpoint: number, limit: 100, after }, signal });
        yield page;
        after = page.next;
      }
    before = listed.next;
  }
}

export function PastErasures() {
  const now = useStore(search);
  const running = now?.state === "running";
  return html`
    <${Card} title="Ended" class="space-above">
      <p>
        The receipt of an erasure that ended is shown with its customer: look the customer up above. All of them are
        found in the checkpoints, which name every customer whose erasure was ever proposed. One that was recorded after
        the newest checkpoint is not among them yet.
      </p>
      <div class="actions space-above">
        ${running
          ? html`<button type="button" onClick=${() => going?.abort()}>Stop</button>`
          : html`<button type="button" onClick=${begin}>${now ? "Find them again" : "Find past erasures"}</button>`}
      </div>
      ${now && html`
        <p class="sentence space-above" role="status">${sentence(now)}</p>
        <${Trouble} problem=${now.problem} retry=${begin} />
      `}
    </${Card}>
    ${now && (now.receipts.length > 0 || now.state === "done") && html`<div class="space-above">
      <${Table}
        label="Erasures that ended"
        columns=${COLUMNS}
        rows=${now.receipts}
        id=${(/** @type {any} */ r) => `${r.customer} ${r.erased_at}`}
        empty=${html`<${Empty}>No erasure has ended.</${Empty}>`}
      />
    </div>`}
  `;
}

/** @param {Search} now */
function sentence({ state, read, size, made, customers, receipts }) {
  const count = (/** @type {number} */ n, /** @type {string} */ what) =>
    `${n.toLocaleString()} ${what}${n === 1 ? "" : "s"}`;
  const found = `${count(receipts.length, "erasure")} ended, of ${count(customers, "customer")} with a proposal`;
  if (state === "running")
    return size
      ? `${Math.floor((100 * read) / size)} % of ${count(size, "head")} read, ${found} so far`
      : "Reading the checkpoints";
  if (state === "done")
    return html`
      ${made
        ? html`${found}, up to the checkpoint of <${Time} at=${made} />`
        : "There is no checkpoint yet: look customers up by their id."}
    `;
  return `${state === "stopped" ? "Stopped" : "Failed"} after ${count(read, "head")}, ${found} until then`;
}

const COLUMNS = [
  {
    label: "Customer",
    cell: (/** @type {any} */ r) => html`<a href=${`audit/erasures?customer=${quoted(r.customer)}`} data-row>
      <${Said}>${r.customer}</${Said}>
    </a>`,
  },
  { label: "Erased", cell: (/** @type {any} */ r) => html`<${Time} at=${r.erased_at} />` },
  {
    label: "Proposed by",
    late: true,
    cell: (/** @type {any} */ r) => html`<${Said}>${actorWords(r.proposed_by)}</${Said}>`,
  },
  {
    label: "Approved by",
    late: true,
    cell: (/** @type {any} */ r) => html`<${Said}>${actorWords(r.approved_by)}</${Said}>`,
  },
  { label: "Reason", wide: true, cell: (/** @type {any} */ r) => html`<${Said}>${r.reason}</${Said}>` },
];
