/**
 * One order: what happened, what it is now or was, why it waits, and what can be done. Every panel follows the slider.
 */

import { withAmounts } from "../core/money.js";
import { isFault } from "../core/problems.js";
import { statesOf } from "../core/sagas.js";
import { between, clock, offset, withClocks, withTimes, zoneName } from "../core/time.js";
import { withoutId } from "../core/values.js";
import { ActionDialog } from "../kit/action.js";
import { get, loadModule, useLoaded } from "../kit/api.js";
import { Download, download } from "../kit/download.js";
import { Icon } from "../kit/icons.js";
import { useKeys } from "../kit/keys.js";
import { Amount, Copy, Said, Status, Time, Trouble } from "../kit/parts.js";
import { useRestaurant } from "../kit/restaurant.js";
import { setQuery } from "../kit/router.js";
import { may } from "../kit/session.js";
import { settings } from "../kit/settings.js";
import { useStore } from "../kit/store.js";
import { html, memo, useCallback, useEffect, useMemo, useRef, useState } from "../kit/view.js";
import { Actions, AddNote } from "./order/actions.js";
import { Changes } from "./order/changes.js";
import { Contact } from "./order/contact.js";
import { Evidence } from "./order/evidence.js";
import { Executions, useRuns } from "./order/executions.js";
import { Graph } from "./order/graph.js";
import { Money } from "./order/money.js";
import { Receipt } from "./order/receipt.js";
import { Slider } from "./order/slider.js";
import { State } from "./order/state.js";
import { Timeline } from "./order/timeline.js";
import { Waterfall } from "./order/waterfall.js";
import { Webhooks, useDeliveries } from "./order/webhooks.js";
import { Why } from "./order/why.js";
import { followOrder } from "./order/following.js";

/** @param {{id: string, query: Record<string, string>}} props */
export default function Order({ id, query }) {
  const { zone } = useStore(settings);
  const [personal, uncover] = useState(/** @type {{reason: string} | null} */ (null));
  const [paused, pause] = useState(false);
  const [acting, act] = useState(/** @type {import("./order/offers.js").Offered | null} */ (null));
  const { order, timeline: read, problem, fresh, show, retry } = useOrder(id, personal, paused);
  const timeline = useInZone(read);
  const version = timeline?.events.at(-1)?.version ?? 0;
  const why = useLoaded(
    async (signal) => (may("read_why") && order ? get(`orders/${id}/why`, { signal }) : null),
    [id, order?.version],
  );
  const ledger = useLoaded(
    async (signal) => (may("read_ledger") && order ? get(`orders/${id}/ledger`, { signal }) : null),
    [id, order?.version],
  );
  const runs = useRuns(id, order);
  const sent = useDeliveries(id, order?.version);
  const states = useMemo(() => (timeline ? statesOf(timeline.initial, timeline.events) : []), [timeline]);
  const index = timeline ? indexAt(timeline.events, query.at) : 0;
  const last = (timeline?.events.length ?? 0) - 1;
  const past = timeline !== null && index < last;
  const shown = useFollowing(index, timeline);
  const missed = useMissed(version, past);
  const [headed, draw] = useState(false);
  // after what stands first was painted, and what the panels show was asked for
  useEffect(() => void (order && draw(true)), [order !== null]);
  const choose = useCallback(
    (/** @type {number} */ to) =>
      timeline && setQuery({ at: to >= timeline.events.length - 1 ? "" : timeline.events[Math.max(0, to)].version }),
    [timeline],
  );
  useKeys({
    "[": () => choose(index - 1),
    "]": () => choose(index + 1),
    ArrowLeft: () => choose(index - 1),
    ArrowRight: () => choose(index + 1),
    k: () => choose(index - 1),
    j: () => choose(index + 1),
    ArrowUp: () => choose(index - 1),
    ArrowDown: () => choose(index + 1),
    l: () => setQuery({ at: "" }),
    p: () => pause(!paused),
  });

  if (!timeline || !order)
    return isFault(problem)
      ? html`<${WhenUnreadable} id=${id} problem=${problem} retry=${retry} />`
      : problem
        ? html`<${Trouble} problem=${problem} retry=${retry} />`
        : html`<p class="boot" aria-busy="true">Reading the order.</p>`;
  const began = timeline.events[0].recorded_at;
  const event = timeline.events[index];
  const panels = {
    id,
    order,
    timeline,
    states,
    index: shown,
    past: shown < last,
    event: timeline.events[shown],
    state: states[shown + 1],
    began,
    choose,
    why: why.data,
    ledger: ledger.data,
    runs,
    deliveries: sent.data,
    deliveriesProblem: sent.error,
    readDeliveries: sent.reload,
    act,
    personal,
    uncover,
  };
  const state = panels.state ?? order;
  return html`
    <${Head}
      id=${id}
      order=${order}
      status=${state.status}
      parked=${state.parked}
      total=${state.totals?.total}
      past=${past}
      timeline=${read}
      act=${act}
    />
    ${problem?.status > 0 && html`<div class="stale-order">
      <${Trouble} problem=${problem} retry=${retry} />
      <p>
        What you look at is the order as it was read
        before${isFault(problem) ? html`. <a href="audit">Verify the log</a>` : ""}.
      </p>
    </div>`}
    ${fresh > 0 && html`<p class="banner notice-line" role="status">
      The order changed while you looked: ${fresh} new ${fresh === 1 ? "event" : "events"}.${" "}
      <button type="button" onClick=${show}>Show</button>
    </p>`}
    ${missed > 0 && html`<p class="banner notice-line" role="status">
      The order changed while you look at the past: ${missed} new ${missed === 1 ? "event" : "events"}.${" "}
      <button type="button" onClick=${() => setQuery({ at: "" })}>Back to live</button>
    </p>`}
    ${!past && why.data && (order.parked || why.data.waits.length > 0) && html`<p
      class=${order.parked ? "why-line parked" : "why-line"}
    >
      <${Said}>
        <span title=${why.data.sentence}>${withTimes(withAmounts(withoutId(why.data.sentence, id)), zone)}</span>
      </${Said}>${" "}
      <button type="button" class="link" onClick=${showWhy}>${may("retry") ? "What can be done" : "More"}</button>
    </p>`}
    ${!past && order.status === "completed" && may("pass_on") && html`<p class="why-line">
      <button type="button" class="link" onClick=${showActions}>What can be done</button>
    </p>`}
    <section class=${past ? "slider-box past" : "slider-box"} aria-label="Moment">
      <div class="slider-head">
        <button type="button" aria-label="One event back" disabled=${index === 0} onClick=${() => choose(index - 1)}>
          <${Icon} name="back" />
        </button>
        <button type="button" aria-label="One event forward" disabled=${!past} onClick=${() => choose(index + 1)}>
          <${Icon} name="forward" />
        </button>
        <p>
          <strong>Event ${event.version} of ${version}</strong>${" "}
          <span class="dim">
            ${event.type}, <${Time} at=${event.recorded_at} />${" "}
            ${zone === "UTC" ? "UTC" : `(${clock(event.recorded_at, "UTC")} UTC)`},${" "}
            ${offset(between(began, event.recorded_at))}
          </span>
        </p>
        ${past
          ? html`
              <p class="past-note" role="status">
                You look at the past: the order as it was at <${Time} at=${event.recorded_at} />
              </p>
              <button type="button" class="back-to-live" onClick=${() => setQuery({ at: "" })}>Back to live</button>
            `
          : html`<${LiveNote} event=${event} paused=${paused} />`}
        <button type="button" aria-pressed=${paused} onClick=${() => pause(!paused)}>
          <${Icon} name=${paused ? "play" : "pause"} />
          ${paused ? "Resume" : "Pause"}
        </button>
      </div>
      <${Slider} events=${timeline.events} index=${index} choose=${choose} />
    </section>
    ${headed ? html`<${Panels} ...${panels} />` : html`<div aria-busy="true"></div>`}
    ${acting && html`<${ActionDialog}
      key=${acting.name}
      kind=${acting}
      close=${() => act(null)}
      done=${() => (why.reload(), sent.reload())}
    />`}
  `;
}

/**
 * The page of an order that the engine fails to read; its module is read when it is needed.
 * @param {{id: string, problem: any, retry: () => void}} props
 */
function WhenUnreadable(props) {
  const { data } = useLoaded(() => loadModule(import.meta.resolve("./order/unreadable.js")), []);
  return data
    ? html`<${data.Unreadable} ...${props} />`
    : html`<p class="boot" aria-busy="true">Reading the order.</p>`;
}

/** On a phone the card of the reason is below what stands first: the line above leads to it. */
const showWhy = () => document.querySelector(".card.why")?.scrollIntoView();

/** What can be done with a completed order is below its graph. */
const showActions = () => document.querySelector(".card.can-do")?.scrollIntoView();

/**
 * Everything below the slider. It follows the slider, and is not drawn again for a step that it has not to show yet.
 */
const Panels = memo((page) => {
  const { id, order, timeline, past, event, why, deliveries, act, personal, uncover } = page;
  // the order for which a person may have had to do something: the reason and the actions then stay above the graph
  const first = useRef("");
  if (order.parked || why?.waits.length > 0) first.current = id;
  const above = first.current === id;
  const reason = html`<${Why}
    id=${id}
    why=${why}
    events=${timeline.events}
    past=${past}
    headed=${!past && (order.parked || why?.waits.length > 0)}
  />`;
  const actions = html`<${Actions}
    id=${id}
    order=${order}
    why=${why}
    events=${timeline.events}
    sent=${deliveries}
    past=${past}
    act=${act}
  />`;
  return html`
    ${above && html`<div class="order-now">${reason}${actions}</div>`}
    <${Graph} ...${page} />
    <div class="order-columns">
      <div class="stack"><${Timeline} ...${page} /></div>
      <div class="stack">
        ${!above && !past && reason}
        <${Changes} ...${page} />
        <${State} ...${page} />
        <${Waterfall} ...${page} />
        <${Receipt} ...${page} />
        <${Executions} ...${page} />
        <${Webhooks}
          data=${deliveries}
          error=${page.deliveriesProblem}
          reload=${page.readDeliveries}
          version=${event.version}
          act=${act}
        />
      </div>
      <div class="stack">
        <${Evidence} ...${page} />
        <${Money} ...${page} />
        ${!above && actions}
        <${Contact} order=${order} personal=${personal} uncover=${uncover} />
      </div>
    </div>
  `;
});

/**
 * Times that drawing the panels took, until they are drawn again while the slider moves: the slider has the other
 * frames.
 */
const PAUSE = 4;
/** Frames without a step, after which the slider rests. */
const RESTS = 4;

/**
 * Return the event that the panels show: the chosen one at once where the slider rested, and every now and then while
 * it moves.
 * @param {number} index
 * @param {any} timeline a new one is shown at once
 */
function useFollowing(index, timeline) {
  const [, draw] = useState(0);
  const { current: now } = useRef({ index, timeline, shown: index, frame: 0, due: 0, before: index, still: 0 });
  now.index = index;
  if (now.timeline !== timeline) [now.timeline, now.shown] = [timeline, index];
  useEffect(() => {
    const next = (/** @type {(at: number) => void} */ what) => void (now.frame = requestAnimationFrame(what));
    const follow = (/** @type {number} */ at) => {
      now.frame = 0;
      now.still = now.index === now.before ? now.still + 1 : 0;
      now.before = now.index;
      if (now.shown === now.index) return;
      if (at < now.due && now.still < RESTS) return next(follow);
      now.shown = now.index;
      draw((n) => n + 1);
      next((drawn) => ((now.due = drawn + PAUSE * (drawn - at)), next(follow)));
    };
    if (!now.frame) follow(performance.now());
  }, [index]);
  useEffect(() => () => cancelAnimationFrame(now.frame), []);
  return now.shown;
}

/** Return the timeline with the times in the words of its events in the chosen zone. @param {any} timeline */
function useInZone(timeline) {
  const { zone } = useStore(settings);
  return useMemo(
    () =>
      timeline && {
        ...timeline,
        events: timeline.events.map((/** @type {any} */ event) => ({
          ...event,
          words: withClocks(event.words, zone, event.recorded_at),
        })),
      },
    [timeline, zone],
  );
}

/**
 * Return how many events were recorded since the past is looked at, or since it was opened there.
 * @param {number} version of the newest event
 * @param {boolean} past
 */
function useMissed(version, past) {
  const seen = useRef(0);
  if (!past || !seen.current) seen.current = version;
  return version - seen.current;
}

/** How long the newest event is named as new. */
const NEWS_MS = 8000;

/**
 * Whether the page follows the order, and for a while what has just changed.
 * @param {{event: any, paused: boolean}} props
 */
function LiveNote({ event, paused }) {
  const seen = useRef(event.version);
  const [news, show] = useState("");
  useEffect(() => {
    if (event.version <= seen.current) return;
    seen.current = event.version;
    show(event.words);
    const timer = setTimeout(() => show(""), NEWS_MS);
    return () => clearTimeout(timer);
  }, [event.version]);
  return html`<p class="live-note" role="status">
    <span class=${paused ? "dot off" : "dot"}></span>
    ${paused ? "paused" : "live"}
    ${news && html`<span class="news">new: <${Said}>${news}</${Said}></span>`}
  </p>`;
}

/** What stands above the slider; it changes with the status and the total alone. */
const Head = memo(({ id, order, status, parked, total, past, timeline, act }) => {
  const { zone } = useStore(settings);
  const restaurant = useRestaurant(order.restaurant);
  const [copied, show] = useState(false);
  const copy = () => (
    navigator.clipboard?.writeText(location.href).catch(() => {}),
    show(true),
    setTimeout(() => show(false), 1500)
  );
  const keep = () => download(`${id}.json`, [JSON.stringify(timeline, null, 2)]);
  return html`<div class="page-head order-head">
    <h1>Order <span class="mono">${id.slice(4, 12)}</span> <${Status} order=${{ status, parked }} /></h1>
    <p class="order-facts">
      <${Copy} text=${id} label="Copy the id" />
      <span>
        Customer${" "}
        <a href=${`orders?customer=${encodeURIComponent(order.customer)}`}><${Said}>${order.customer}</${Said}></a>
      </span>
      <span>
        Restaurant${" "}
        <a href=${`orders?restaurant=${encodeURIComponent(order.restaurant)}`}>
          <span title=${order.restaurant}><${Said}>${restaurant.name}</${Said}></span>
        </a>
      </span>
      <span>Total <strong><${Amount} of=${total} /></strong></span>
      <span>Placed <strong><${Time} at=${order.placed_at} /></strong> ${zoneName(order.placed_at, zone)}</span>
      ${order.run > 1 && html`<span
        title="How often the steps of the order were begun: each run goes on from what is recorded."
      >
        Run <strong>${order.run}</strong>
      </span>`}
    </p>
    <div class="actions">
      <${AddNote} id=${id} order=${order} act=${act} />
      <button type="button" onClick=${copy}>
        <${Icon} name=${copied ? "check" : "copy"} />
        ${copied ? "Copied" : past ? "Link to this moment" : "Link"}
      </button>
      <button type="button" onClick=${() => print()}><${Icon} name="print" />Print</button>
      <button type="button" onClick=${keep}>Download history</button>
      ${may("read_checkpoints") && html`<${Download}
        label="Export signed history"
        path=${`orders/${id}/proof`}
        type="application/json"
        name=${`${id}.proof.json`}
        primary=${!may("note")}
      />`}
    </div>
  </div>`;
});

/**
 * Return the index of the event that a moment means: a version or a time.
 * @param {any[]} events
 * @param {string | undefined} at
 */
function indexAt(events, at) {
  if (!at) return events.length - 1;
  const fits = /^\d+$/.test(at)
    ? (/** @type {any} */ e) => e.version <= Number(at)
    : (/** @type {any} */ e) => Date.parse(e.recorded_at) <= Date.parse(at);
  return Math.max(0, events.filter(fits).length - 1);
}

/**
 * Read the order and its timeline, and keep them current.
 * @param {string} id
 * @param {{reason: string} | null} personal
 * @param {boolean} paused
 */
function useOrder(id, personal, paused) {
  const [shown, set] = useState(/** @type {{order: any, timeline: any}} */ ({ order: null, timeline: null }));
  const [problem, fail] = useState(/** @type {any} */ (null));
  const [waiting, hold] = useState(/** @type {{order: any, timeline: any} | null} */ (null));
  const [round, again] = useState(0);
  const held = useRef(paused);
  held.current = paused;
  useEffect(() => {
    const abort = new AbortController();
    followOrder(id, personal, abort.signal, {
      take: (next) => (fail(null), held.current ? hold(next) : (set(next), hold(null))),
      // each has another id of a request
      fail: (error) =>
        fail((/** @type {any} */ before) =>
          before?.status === error.status && before.name === error.name ? before : error,
        ),
    });
    return () => abort.abort();
  }, [id, personal, round]);
  const show = () => waiting && (set(waiting), hold(null));
  useEffect(() => void (!paused && show()), [paused]);
  const fresh = waiting && shown.order ? waiting.order.version - shown.order.version : 0;
  return { ...shown, problem, fresh, show, retry: () => again((n) => n + 1) };
}
