/**
 * The slider over an order's events: one dot an event, in the colour of its saga. Arrow keys, dragging and clicks move
 * it.
 */

import { isByStaff, isTrouble } from "../../core/sagas.js";
import { actorWords } from "../../kit/parts.js";
import { classes, html, inParts, memo, useMemo, useRef } from "../../kit/view.js";

/** @param {{events: any[], index: number, choose: (index: number) => void}} props */
export function Slider({ events, index, choose }) {
  const track = useRef(/** @type {HTMLElement | null} */ (null));
  const last = Math.max(1, events.length - 1);
  const at = (/** @type {number} */ i) => `${1.2 + (97.6 * i) / last}%`;
  const move = (/** @type {PointerEvent} */ event) => {
    const box = /** @type {HTMLElement} */ (track.current).getBoundingClientRect();
    choose(
      Math.min(
        events.length - 1,
        Math.max(0, Math.round((((event.clientX - box.left) / box.width - 0.012) / 0.976) * last)),
      ),
    );
  };
  const keys = (/** @type {KeyboardEvent} */ event) => {
    const steps = /** @type {Record<string, number>} */ ({
      ArrowLeft: index - 1,
      ArrowDown: index - 1,
      ArrowRight: index + 1,
      ArrowUp: index + 1,
      PageDown: index - 5,
      PageUp: index + 5,
      Home: 0,
      End: events.length - 1,
    });
    if (!(event.key in steps)) return;
    event.preventDefault();
    event.stopPropagation();
    choose(Math.min(events.length - 1, Math.max(0, steps[event.key])));
  };
  const event = events[index];
  const parts = useMemo(() => {
    const step = events.length > 120 ? 20 : events.length > 40 ? 5 : 1;
    return inParts(events.map((each, i) => ({ event: each, i, x: at(i), named: i % step === step - 1 })));
  }, [events]);
  return html`<div
    class="slider"
    ref=${track}
    role="slider"
    tabindex="0"
    aria-label="Event"
    aria-valuemin=${events[0].version}
    aria-valuemax=${events.at(-1).version}
    aria-valuenow=${event.version}
    aria-valuetext=${`Event ${event.version}: ${event.words}`}
    onKeyDown=${keys}
    onPointerDown=${(/** @type {any} */ e) => (e.currentTarget.setPointerCapture(e.pointerId), move(e))}
    onPointerMove=${(/** @type {any} */ e) => e.buttons && move(e)}
  >
    <svg aria-hidden="true" width="100%" height="44">
      <line class="rail" x1="1.2%" x2="98.8%" y1="16" y2="16" />
      <line class="run" x1="1.2%" x2=${at(index)} y1="16" y2="16" />
      ${parts.map((part) => html`<${Stops}
        key=${part[0].i}
        part=${part}
        small=${events.length > 80}
        index=${Math.min(Math.max(index, part[0].i - 1), part[part.length - 1].i + 1)}
      />`)}
    </svg>
  </div>`;
}

/** A part of the events; `index` is the chosen one, or the one beside the part. */
const Stops = memo(({ part, index, small }) =>
  part.map((/** @type {any} */ { event, i, x, named }) => html`<${Stop}
    key=${i}
    event=${event}
    x=${x}
    later=${i > index}
    here=${i === index}
    small=${small}
    named=${named}
  />`),
);

const Stop = memo(({ event, x, later, here, small, named }) => html`<g
  class=${classes("stop", later && "later", here && "here")}
  data-saga=${event.saga}
>
  ${here && html`<circle class="halo" cx=${x} cy="16" r="10" />`}
  ${isTrouble(event)
    ? html`<circle class="trouble-mark" cx=${x} cy="16" r="7" />`
    : html`<circle cx=${x} cy="16" r=${small ? 4 : 6} />`}
  ${!small && html`<circle class="core" cx=${x} cy="16" r="3" />`}
  ${isByStaff(event) && html`<circle class="staff-mark" cx=${x} cy="4" r="3" />`}
  ${(named || here) && html`<text x=${x} y="40" text-anchor="middle">${event.version}</text>`}
  <title>${event.words}${isByStaff(event) ? `, by ${actorWords(event.actor)}` : ""}</title>
</g>`);
