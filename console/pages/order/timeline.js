/** What happened, in words: one timeline over the four sagas, with people, failures and compensations. */

import { SAGAS, isByStaff, isTrouble, isUndo } from "../../core/sagas.js";
import { between, exact, offset } from "../../core/time.js";
import { Card, Said, actorWords } from "../../kit/parts.js";
import { classes, html, inParts, memo, useLayoutEffect, useMemo, useRef, useState } from "../../kit/view.js";

/** @param {any} props */
export function Timeline({ timeline, index, began, choose }) {
  const [saga, only] = useState("");
  const { ok, events: checked, checked_at: checkedAt, findings } = timeline.verified;
  const parts = useMemo(
    () =>
      inParts(
        timeline.events
          .map((/** @type {any} */ event, /** @type {number} */ i) => ({ event, i }))
          .filter((/** @type {any} */ each) => fits(each.event, saga)),
      ),
    [timeline, saga],
  );
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  // before the frame is painted: afterwards would be a second layout
  useLayoutEffect(() => keepVisible(list.current), [index]);
  const differing = findings.map((/** @type {any} */ f) => `; event ${f.version}: ${f.what}`);
  const note = html`<span
    class=${ok ? "verified" : "attention"}
    title=${`computed ${exact(checkedAt)} from the stored commits${differing.join("")}`}
  >
    ${checked} events, ${ok ? "hash chain verified ✓" : "hash chain broken"}
  </span>`;
  return html`<${Card} title="Timeline" note=${note} flush class="timeline">
    <${Chips} saga=${saga} only=${only} />
    <ol ref=${list}>
      ${parts.map((part) => html`<${Rows}
        key=${part[0].i}
        part=${part}
        index=${Math.min(Math.max(index, part[0].i - 1), part[part.length - 1].i + 1)}
        began=${began}
        choose=${choose}
      />`)}
    </ol>
    ${parts.length === 0 && html`<p class="empty">No such event in this order.</p>`}
  </${Card}>`;
}

const CHIPS = [["", "all"], ...SAGAS.map((each) => [each, each]), ["people", "people"], ["trouble", "trouble"]];

const Chips = memo(({ saga, only }) => html`<div class="chips" role="group" aria-label="Which events">
  ${CHIPS.map(([value, label]) => html`<button
    type="button"
    class="chip-button"
    data-saga=${value}
    aria-pressed=${saga === value}
    onClick=${() => only(value)}
  >
    ${label}
  </button>`)}
</div>`);

/** A part of the events; `index` is the chosen one, or one before or after the part. */
const Rows = memo(({ part, index, began, choose }) =>
  part.map((/** @type {any} */ { event, i }) => html`<${Row}
    key=${i}
    event=${event}
    i=${i}
    later=${i > index}
    here=${i === index}
    began=${began}
    choose=${choose}
  />`),
);

const Row = memo(({ event, i, later, here, began, choose }) => html`<li
  class=${classes("event", later && "later", isTrouble(event) && "bad", isUndo(event) && "undo")}
  data-saga=${event.saga}
  aria-current=${here ? "step" : undefined}
>
  <button type="button" onClick=${() => choose(i)}>
    <span class="offset">${offset(between(began, event.recorded_at))}</span>
    <span class="mark" aria-hidden="true"></span>
    <span class="words"><${Said}>${event.words}</${Said}></span>
    <span class="detail">
      <span>#${event.version}</span> <code>${event.type}</code> <${Said}>${actorWords(event.actor)}</${Said}>
      ${isTrouble(event) && html` <em class="attention-tag">attention</em>`}
      ${isUndo(event) && html` <em class="undo-tag">undoes #${event.undoes}</em>`}
      ${isByStaff(event) && html` <em class="staff-tag">person</em>`}
    </span>
    ${isCovered(event) && html`<span class="detail">its text is covered until the contact is shown</span>`}
    ${typeof event.data.text === "string" && !event.data.text.startsWith("(") && html`<q class="said">
      <${Said}>${event.data.text}</${Said}>
    </q>`}
  </button>
</li>`);

/** Whether an event has a text that is not shown: it may be about a person. @param {any} event */
export const isCovered = (event) => typeof event.data.text === "string" && event.data.text.startsWith("(");

/** @param {any} event @param {string} saga */
function fits(event, saga) {
  if (saga === "people") return event.actor.role !== "system";
  if (saga === "trouble") return isTrouble(event);
  return !saga || event.saga === saga;
}

/** Scroll the list, and not the page, until the chosen event is visible. @param {HTMLElement | null} list */
function keepVisible(list) {
  const item = /** @type {HTMLElement | null | undefined} */ (list?.querySelector("[aria-current]"));
  if (!list || !item) return;
  if (item.offsetTop < list.scrollTop) list.scrollTop = item.offsetTop;
  else if (item.offsetTop + item.offsetHeight > list.scrollTop + list.clientHeight)
    list.scrollTop = item.offsetTop + item.offsetHeight - list.clientHeight;
}
