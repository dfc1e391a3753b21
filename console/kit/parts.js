/** The small parts of every page: card, badge, time, money, copy, message, fields. */

import { ago, between, clock, countdown, dateTime, day, exact, seconds, utcBeside } from "../core/time.js";
import { money } from "../core/money.js";
import { words } from "../core/values.js";
import { Icon } from "./icons.js";
import { useNow } from "./now.js";
import { settings } from "./settings.js";
import { useStore } from "./store.js";
import { classes, html, useId, useState } from "./view.js";

/**
 * A panel with a title.
 * @param {{title: any, note?: any, children?: any, class?: string, flush?: boolean, tag?: string}} props
 */
export function Card({ title, note, children, flush, ...rest }) {
  const id = useId();
  return html`<section class=${classes("card", flush && "flush", rest.class)} aria-labelledby=${id}>
    <header><h2 id=${id}>${title}</h2>${note && html`<span class="note">${note}</span>`}</header>
    <div class="body">${children}</div>
  </section>`;
}

const TONES = /** @type {Record<string, string>} */ ({
  placed: "calm", authorized: "calm", preparing: "warm", ready: "warm", picked_up: "cool", delivered: "good",
  completed: "good", cancelling: "bad", cancelled: "mute", abandoned: "bad", parked: "bad", open: "bad",
  held_open: "bad", half_open: "warm", closed: "good", running: "cool", stopped: "warm", done: "good",
});

/** @param {{of: string, label?: string}} props */
export const Badge = ({ of, label }) => html`<span
  class="badge"
  data-tone=${TONES[of] ?? "calm"}
  title=${label ? undefined : MEANINGS[of]}
>
  ${label ?? words(of)}
</span>`;

/** States that are not understood at the first reading. @type {Record<string, string>} */
const MEANINGS = {
  parked: "Stopped: nothing happens by itself, a person has to decide.",
  abandoned: "Ended by a person; nothing was undone.",
  cancelling: "Being cancelled: what was done is undone.",
};

/**
 * What the state of a circuit means for calls, in place of open and closed, which a shop is too.
 * @type {Record<string, string>}
 */
const CALLS = {
  closed: "calls are made",
  open: "calls are stopped",
  half_open: "one call is tried",
  held_open: "stopped by a person",
};

/** @param {{state: string}} props the state of a circuit */
export const CircuitState = ({ state }) => html`<${Badge} of=${state} label=${CALLS[state]} />`;

/** An order's status; parked stands above all others. @param {{order: {status: string, parked?: boolean}}} props */
export const Status = ({ order }) =>
  html`<${Badge} of=${order.status} />${order.parked && html` <${Badge} of="parked" />`}`;

/**
 * An instant in the chosen zone, with UTC for a pointer, and beside it if that is chosen.
 * @param {{at: string | null | undefined, date?: boolean}} props
 */
export function Time({ at }) {
  const { zone, utc } = useStore(settings);
  if (!at) return null;
  const beside = utc && utcBeside(at, zone);
  return html`<time dateTime=${at} title=${`${exact(at)}${zone === "UTC" ? "" : `, ${dateTime(at, zone)} ${zone}`}`}>
    <span class="date">${day(at, zone)}</span> ${clock(at, zone)}
    ${beside && html` <span class="dim utc">${beside}</span>`}
  </time>`;
}

/** @param {{at: string | null | undefined}} props */
export function Ago({ at }) {
  const now = useNow();
  return at ? html`<time dateTime=${at} title=${exact(at)}>${ago(at, now)}</time>` : null;
}

/** For how long something lasts already. @param {{from: string}} props */
export function Lasting({ from }) {
  const now = useNow();
  return html`<time dateTime=${from} title=${`since ${exact(from)}`}>
    for ${seconds(between(from, new Date(now).toISOString()))}
  </time>`;
}

/** How old a list is: an engine on which nothing happens is not behind. @param {{of: any}} props */
export function AsOf({ of }) {
  const newest = html`<${Ago} at=${of.recorded_at} />`;
  if (of.lag_commits === 0) return of.recorded_at ? html`up to date, last change ${newest}` : html`up to date`;
  return html`
    as of ${newest}
    ${of.lag_commits
      ? `, ${of.lag_commits} newer ${of.lag_commits === 1 ? "change is" : "changes are"} not in it yet`
      : ""}
  `;
}

/**
 * What is left until a deadline.
 * @param {{until: string | null | undefined, write?: (until: string, now: number) => string}} props
 */
export function Countdown({ until, write = countdown }) {
  const now = useNow();
  if (!until) return null;
  const over = Date.parse(until) < now;
  return html`<time class=${classes("countdown", over && "over")} dateTime=${until} title=${exact(until)}>
    ${write(until, now)}
  </time>`;
}

/** @param {{of: import("../core/money.js").Money | null | undefined}} props */
export const Amount = ({ of }) => html`<span class="amount">${money(of)}</span>`;

/** Amounts of several currencies. @param {{of: import("../core/money.js").Money[]}} props */
export const Amounts = ({ of }) =>
  of.length
    ? html`<span class="amounts">${of.map((each) => html`<span class="amount">${money(each)}</span>`)}</span>`
    : html`<span class="dim">none</span>`;

/**
 * A text of a person: its direction is its own, so that right-to-left names do not disturb the line.
 * @param {{children?: any}} props
 */
export const Said = ({ children }) => html`<bdi>${children}</bdi>`;

/** An id that can be copied. @param {{text: string, label?: string, short?: number}} props */
export function Copy({ text, label = "Copy", short }) {
  const [copied, show] = useState(false);
  const copy = async () => {
    await navigator.clipboard?.writeText(text).catch(() => {});
    show(true);
    setTimeout(() => show(false), 1500);
  };
  return html`<span class="copy">
    <code title=${text}>${short && text.length > short ? `${text.slice(0, short)}…` : text}</code>
    <button type="button" class="quiet" aria-label=${copied ? "Copied" : `${label}: ${text}`} onClick=${copy}>
      <${Icon} name=${copied ? "check" : "copy"} />
    </button>
  </span>`;
}

/** A problem in words, and what to do next. @param {{problem: any, retry?: () => void}} props */
export function Trouble({ problem, retry }) {
  if (!problem) return null;
  return html`<div class="trouble" role="alert">
    <${Icon} name="warning" />
    <div>
      <p><strong>${problem.message}</strong></p>
      ${problem.errors?.length > 0 && html`<ul>
        ${problem.errors.map((/** @type {any} */ e) => html`<li><code>${e.field}</code> ${e.problem}</li>`)}
      </ul>`}
      ${problem.next && html`<p>${problem.next}</p>`}
    </div>
    ${retry && html`<button type="button" onClick=${retry}>Try again</button>`}
  </div>`;
}

/** What a page shows where there is nothing. @param {{children?: any}} props */
export const Empty = ({ children }) => html`<p class="empty">${children}</p>`;

/** Names and values, as a list of definitions. @param {{rows: [any, any][]}} props */
export const Facts = ({ rows }) => html`<dl class="facts">
  ${rows.filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== false).map(
    ([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`,
  )}
</dl>`;

/**
 * A choice among a few.
 * @param {{label: string, value: string, options: [string, string][], choose: (value: string) => void}} props
 */
export function Choice({ label, value, options, choose }) {
  return html`<label class="field">
    <span>${label}</span>
    <select value=${value} onChange=${(/** @type {any} */ e) => choose(e.target.value)}>
      ${options.map(([each, text]) => html`<option value=${each} selected=${each === value}>${text}</option>`)}
    </select>
  </label>`;
}

/** Roles as a filter of events. @type {[string, string][]} */
export const RECORDERS = [
  ["", "anybody"],
  ...["customer", "restaurant", "courier", "support", "auditor", "service"].map(
    (role) => /** @type {[string, string]} */ ([role, role]),
  ),
  ["system", "the engine"],
];

/** Write the actor of an event: `support anna`, `the engine`. @param {{role: string, id: string}} actor */
export const actorWords = (actor) => (actor.role === "system" ? "the engine" : `${actor.role} ${actor.id}`);

export { words };
