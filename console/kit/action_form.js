/**
 * The form of an action: preview, reason, done, and then the outcome as the log has it.
 *
 * The request is the same in both steps, `dry_run` apart. It is sent only while the preview of the input as it is now
 * is shown, one at a time, and the dialog stays until the answer is there. The key is made once a dialog, so that a
 * repeat after a lost answer is the same request.
 */

import { isNegative, isZero, minus, money, negative } from "../core/money.js";
import { get, newKey, post } from "./api.js";
import { Dialog } from "./dialog.js";
import { Amount, Amounts, Said, Status, Time, Trouble, actorWords, words } from "./parts.js";
import { focused, html, useEffect, useId, useMemo, useRef, useState } from "./view.js";

/** A number is typed digit by digit; it is asked about once. */
const TYPING_MS = 300;

/** @typedef {import("./action.js").ActionKind} ActionKind */
/** @typedef {import("./action.js").Field} Field */
/** @typedef {{of: string, answer: any}} Foreseen the answer to a dry run, and the input that it is for */

/** @param {import("./action.js").ActionProps} props */
export function ActionForm({ kind, close, done }) {
  const key = useMemo(newKey, []);
  const since = useMemo(() => kind.since ?? 0, []);
  const [values, setValues] = useState(() =>
    Object.fromEntries((kind.fields ?? []).map((field) => [field.name, field.value ?? field.options?.[0]?.[0] ?? ""])),
  );
  const [foreseen, foresee] = useState(/** @type {Foreseen | null} */ (null));
  const [unforeseen, fail] = useState(/** @type {any} */ (null));
  const [answer, showAnswer] = useState(/** @type {any} */ (null));
  const [problem, showProblem] = useState(/** @type {any} */ (null));
  const [busy, setBusy] = useState(false);
  const underway = useRef(false);
  const inert = Object.fromEntries(
    ["reason", ...(kind.fields ?? []).filter((field) => field.inert).map(({ name }) => name)].map((name) => [
      name,
      "preview",
    ]),
  );
  const [round, again] = useState(0);
  const chosen = JSON.stringify([round, { ...values, ...inert }]);
  const open = missing(kind, { ...values, ...inert });

  useEffect(() => {
    fail(null);
    if (!kind.dry || open.length) return foresee(null);
    const abort = new AbortController();
    const ask = () =>
      post(kind.path, { ...kind.body({ ...values, ...inert }, null), dry_run: true }, { signal: abort.signal }).then(
        (found) => abort.signal.aborted || foresee({ of: chosen, answer: found ?? {} }),
        (error) => abort.signal.aborted || (foresee(null), fail(error)),
      );
    const timer = setTimeout(ask, kind.fields?.some((field) => !field.options && !field.inert) ? TYPING_MS : 0);
    return () => (clearTimeout(timer), abort.abort());
  }, [kind.path, chosen]);

  const preview = foreseen?.answer;
  const current = !kind.dry || foreseen?.of === chosen; // what is shown is for the input as it is now
  const plan = preview?.plan;
  const refused = plan?.orders ? !plan.orders.length : plan?.refused;
  const ready =
    current &&
    !busy &&
    !refused &&
    !missing(kind, values).length &&
    (kind.reason === null || Boolean(values.reason?.trim()));
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!ready || underway.current) return;
    underway.current = true;
    setBusy(true);
    showProblem(null);
    try {
      const found = (await (kind.send ? kind.send() : post(kind.path, kind.body(values, plan), { key }))) ?? {};
      showAnswer(found);
      done?.(found);
    } catch (/** @type {any} */ error) {
      showProblem(error);
      // what was shown may no longer hold; without an answer the same request is sent again
      if (kind.dry && error.status) again(round + 1);
    }
    underway.current = false;
    setBusy(false);
  };
  const set = (/** @type {string} */ name, /** @type {string} */ value) => (
    setValues({ ...values, [name]: value }),
    showProblem(null)
  );

  if (answer)
    return html`<${Dialog} title=${`Done: ${kind.title}`} close=${close} wide>
      <div class="dialog-body" role="status">
        ${kind.order ? html`<${Outcome} order=${kind.order} answer=${answer} since=${since} />` : kind.show?.(answer)}
      </div>
      <footer><button type="button" class="primary" onClick=${close} ref=${focused}>Close</button></footer>
    </${Dialog}>`;

  return html`<${Dialog} title=${kind.title} close=${close} held=${busy} wide>
    <form onSubmit=${send}>
      <div class="dialog-body">
        ${(kind.fields ?? []).map((field, index) => html`<${Input}
          field=${field}
          first=${!index}
          value=${values[field.name]}
          still=${busy}
          set=${(/** @type {string} */ value) => set(field.name, value)}
        />`)}
        ${kind.effect && html`<div>${kind.effect}</div>`}
        ${kind.dry && !unforeseen && html`<div
          class=${current || busy ? "" : "stale"}
          aria-busy=${!current && !open.length && !busy}
        >
          <${Preview} answer=${preview} open=${open} show=${kind.preview} />
        </div>`}
        <${Trouble} problem=${unforeseen} retry=${() => again(round + 1)} />
        ${kind.reason !== null && html`<${Input}
          field=${{
            name: "reason",
            label: kind.reason ?? "Reason",
            type: "area",
            hint: kind.hint ?? "Recorded with your name and read by auditors. Do not name the customer.",
          }}
          first=${!kind.fields?.length}
          value=${values.reason ?? ""}
          still=${busy}
          set=${(/** @type {string} */ reason) => set("reason", reason)}
        />`}
        <${Trouble} problem=${problem} />
      </div>
      <footer>
        <button type="button" disabled=${busy} onClick=${close}>Cancel</button>
        <button type="submit" class="primary" disabled=${!ready}>
          ${busy ? "Sending" : plan?.second_person_for ? "Request approval" : kind.title}
        </button>
      </footer>
    </form>
  </${Dialog}>`;
}

/** @param {ActionKind} kind @param {Record<string, string>} values */
const missing = (kind, values) => (kind.fields ?? []).filter((field) => !field.optional && !values[field.name]);

/** The first field has the focus, unless a keyboard on the screen would then cover what happens. */
const takesFocus = () => matchMedia("(pointer: fine)").matches;

/**
 * @param {{field: Field, value: string, set: (value: string) => void, first?: boolean, still: boolean}} props `still`:
 *   it cannot be changed now
 */
function Input({ field, value, set, first, still }) {
  const id = useId();
  const focus = first && takesFocus();
  const input = (/** @type {any} */ event) => set(event.target.value);
  return html`<div class="field">
    <label for=${id}>${field.label}</label>
    ${field.options
      ? html`<select id=${id} disabled=${still} autofocus=${focus} value=${value} onChange=${input}>
          ${field.options.map(([each, text]) => html`<option value=${each} selected=${each === value}>
            ${text}
          </option>`)}
        </select>`
      : field.type === "area"
        ? html`<textarea
            id=${id}
            readonly=${still}
            autofocus=${focus}
            rows="2"
            maxlength="500"
            value=${value}
            onInput=${input}
            dir="auto"
          ></textarea>`
        : html`<input
            id=${id}
            readonly=${still}
            autofocus=${focus}
            type=${field.type ?? "text"}
            step=${field.step}
            value=${value}
            onInput=${input}
            dir="auto"
          />`}
    ${field.hint && html`<small>${field.hint}</small>`}
  </div>`;
}

const MOVES = /** @type {Record<string, string>} */ ({
  authorize: "is asked for again, because the outcome of the authorization is unknown", capture: "is captured",
  release: "is released", refund: "is refunded", leave_held: "stays held until it expires", give_up: "is given up",
  credit: "is taken off the price",
});

/**
 * What would happen, as the API computed it.
 * @param {{answer: any, open?: Field[], show?: (answer: any) => any}} props `open` are fields that it waits for
 */
function Preview({ answer, open = [], show }) {
  if (!answer && open.length)
    return html`<p class="dim">
      What would happen is shown once this is filled in: ${open.map(({ label }) => label).join(", ")}.
    </p>`;
  if (!answer) return html`<p class="dim">Computing what would happen.</p>`;
  if (show) return show(answer);
  const plan = answer.plan;
  if (!plan) return null;
  if (plan.orders) return html`<${BulkPreview} plan=${plan} />`;
  if (plan.refused)
    return html`<div class="preview refused"><h3>Not possible now</h3><p>${plan.refused.detail}</p></div>`;
  if (plan.second_person_for)
    return html`<div class="preview">
      <h3>What happens now</h3>
      <p class="attention">
        ${money(plan.second_person_for)} needs the approval of a second person. Until then nothing
        moves${plan.events.length
          ? html`; recorded: ${plan.events.map((/** @type {string} */ type) => html`<code>${type}</code>`)}`
          : ": the same request waits already"}.
      </p>
      ${plan.once_approved && html`<h3>Once approved</h3><${Effects} plan=${plan.once_approved} />`}
    </div>`;
  return html`<div class="preview"><h3>What happens</h3><${Effects} plan=${plan} /></div>`;
}

/** What a plan does to the money of all parties, and how the order ends. @param {{plan: any}} props */
function Effects({ plan }) {
  if (plan.refused) return html`<p>Not possible now: ${plan.refused.detail}</p>`;
  const still = !plan.money.length && !plan.runs.length && !plan.pay.length;
  return html`<ul>
    ${plan.money.map((/** @type {any} */ move) => html`<li>
      <${Amount} of=${move.amount} /> ${MOVES[move.what] ?? words(move.what)}
    </li>`)}
    ${plan.runs.map((/** @type {any} */ run) => html`<li>
      The next run performs <code>${run.intent}</code>
      ${run.version ? ` (event ${run.version})` : ""}
    </li>`)}
    ${plan.pay.map((/** @type {any} */ pay) => html`<li>
      <${Amount} of=${isNegative(pay.amount) ? negative(pay.amount) : pay.amount} />${" "}
      ${isNegative(pay.amount) ? "is taken back from" : "is earned by"} the ${pay.party}
      ${pay.id && html` <${Said}>${pay.id}</${Said}>`}
    </li>`)}
    ${still && html`<li>No money moves and no provider is called.</li>`}
    <li>Recorded: ${plan.events.map((/** @type {string} */ type) => html`<code>${type}</code> `)}</li>
    <li>
      The order is then <${Status} order=${{ status: plan.status }} />
      ${plan.status === "cancelling" ? " and ends as cancelled" : ""}
      ${plan.runs.length > 0 && " until these calls are answered; it goes on by itself"}
    </li>
  </ul>`;
}

/** What would happen to several orders. @param {{plan: any}} props */
function BulkPreview({ plan }) {
  const count = (/** @type {number} */ n) => `${n} ${n === 1 ? "order" : "orders"}`;
  return html`<div class="preview">
    <h3>What happens</h3>
    <ul>
      <li>
        ${count(plan.orders.length)}, <${Amounts} of=${plan.at_stake} /> at stake, ${plan.calls} calls to providers
      </li>
      ${plan.money.map((/** @type {any} */ move) => html`<li>
        <${Amount} of=${move.amount} /> ${MOVES[move.what] ?? words(move.what)}
      </li>`)}
      ${plan.more > 0 && html`<li>${plan.more} more are left for another job.</li>`}
    </ul>
    ${plan.refused.length > 0 && html`
      <h3>Not possible for ${count(plan.refused.length)}</h3>
      <ul>
        ${plan.refused.slice(0, 20).map((/** @type {any} */ each) => html`<li>
          <code>${each.order_id.slice(4, 14)}</code> ${each.detail}
        </li>`)}
      </ul>
    `}
  </div>`;
}

/**
 * The events that followed, read from the log until the order rests.
 * @param {{order: string, answer: any, since: number}} props
 */
function Outcome({ order, answer, since }) {
  const written = answer.order ?? (answer.version ? answer : null);
  const [events, show] = useState(/** @type {any[] | null} */ (null));
  const [now, showNow] = useState(/** @type {any} */ (written));
  const [problem, showProblem] = useState(/** @type {any} */ (null));
  useEffect(() => {
    const abort = new AbortController();
    let version = written?.version ?? 1;
    const look = async () => {
      for (let round = 0; round < 8 && !abort.signal.aborted; round += 1) {
        const found = await get(`orders/${order}/timeline`, {
          query: { from: since + 1, limit: 100, personal: false },
          signal: abort.signal,
        });
        show(found.events);
        const changed = await get(`orders/${order}`, {
          query: { wait_s: 5, personal: false },
          ifNoneMatch: version,
          signal: abort.signal,
        });
        if (!changed) break;
        showNow(changed);
        version = changed.version;
      }
    };
    look().catch((error) => abort.signal.aborted || showProblem(error));
    return () => abort.abort();
  }, [order]);
  if (problem)
    return html`<p>The change is recorded as version ${written?.version}.</p><${Trouble} problem=${problem} />`;
  if (!events) return html`<p class="dim" aria-busy="true">Recorded. Reading what followed.</p>`;
  return html`
    <h3>Recorded in the log</h3>
    <ol class="outcome">
      ${events.map((event) => html`<li>
        <span class="dim">${event.version}</span> <code>${event.type}</code>${" "}
        <span class="dim">by ${actorWords(event.actor)}, <${Time} at=${event.recorded_at} /></span>
      </li>`)}
    </ol>
    ${now?.status && html`<p class="space-above">
      The order is now <${Status} order=${now} />
      ${now.payment && `, ${moneyEnd(now.payment)}`}
    </p>`}
  `;
}

/**
 * Say where the money of an order stands.
 * @param {{authorized: any, captured: any, released: any, refunded: any}} payment
 */
function moneyEnd({ authorized, captured, released, refunded }) {
  const held = minus(minus(authorized, captured), released);
  const parts = [
    isZero(captured) ? "nothing charged" : `${money(captured)} charged`,
    !isZero(refunded) && `${money(refunded)} refunded`,
    isZero(held) ? "nothing reserved" : `${money(held)} reserved`,
  ];
  return parts.filter(Boolean).join(", ");
}
