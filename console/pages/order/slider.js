/** The slider over an order's events: one dot an event, in the colour of its saga. Arrow keys, dragging and clicks move it. */

import { isTrouble } from "../../core/sagas.js";
import { classes, html, useRef } from "../../kit/view.js";

/** @param {{events: any[], index: number, choose: (index: number) => void}} props */
export function Slider({ events, index, choose }) {
  const track = useRef(/** @type {HTMLElement | null} */ (null));
  const last = Math.max(1, events.length - 1);
  const at = (/** @type {number} */ i) => `${1.2 + (97.6 * i) / last}%`;
  const move = (/** @type {PointerEvent} */ event) => {
    const box = /** @type {HTMLElement} */ (track.current).getBoundingClientRect();
    choose(Math.min(events.length - 1, Math.max(0, Math.round(((event.clientX - box.left) / box.width - 0.012) / 0.976 * last))));
  };
  const keys = (/** @type {KeyboardEvent} */ event) => {
    const steps = /** @type {Record<string, number>} */ ({ ArrowLeft: index - 1, ArrowDown: index - 1, ArrowRight: index + 1, ArrowUp: index + 1, PageDown: index - 5, PageUp: index + 5, Home: 0, End: events.length - 1 });
    if (!(event.key in steps)) return;
    event.preventDefault();
    event.stopPropagation();
    choose(Math.min(events.length - 1, Math.max(0, steps[event.key])));
  };
  const event = events[index];
  return html`<div class="slider" ref=${track} role="slider" tabindex="0" aria-label="Event" aria-valuemin=${events[0].version} aria-valuemax=${events.at(-1).version} aria-valuenow=${event.version}
      aria-valuetext=${`Event ${event.version}: ${event.words}`} onKeyDown=${keys}
      onPointerDown=${(/** @type {any} */ e) => (e.currentTarget.setPointerCapture(e.pointerId), move(e))} onPointerMove=${(/** @type {any} */ e) => e.buttons && move(e)}>
    <svg aria-hidden="true" width="100%" height="44">
      <line class="rail" x1="1.2%" x2="98.8%" y1="16" y2="16" /><line class="run" x1="1.2%" x2=${at(index)} y1="16" y2="16" />
      ${events.map((each, i) => html`<g class=${classes("stop", i > index && "later", i === index && "here")} data-saga=${each.saga}>
        ${i === index && html`<circle class="halo" cx=${at(i)} cy="16" r="10" />`}
        ${isTrouble(each) ? html`<circle class="trouble-mark" cx=${at(i)} cy="16" r="7" />` : html`<circle cx=${at(i)} cy="16" r="6" />`}<circle class="core" cx=${at(i)} cy="16" r="3" />
        ${(events.length <= 40 || i % 5 === 4 || i === index) && html`<text x=${at(i)} y="40" text-anchor="middle">${each.version}</text>`}<title>${each.words}</title></g>`)}
    </svg></div>`;
}
