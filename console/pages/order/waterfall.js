/**
 * Where the time went: each wait of each saga, with long stretches compressed so that seconds stay visible beside
 * hours.
 */

import { SAGAS, compressed, spansOf } from "../../core/sagas.js";
import { between, duration } from "../../core/time.js";
import { Card } from "../../kit/parts.js";
import { useNow } from "../../kit/now.js";
import { classes, html, memo, useMemo } from "../../kit/view.js";

const ROW = 24;
const GAP = 10;
const LEFT = 92;
const WIDTH = 760;

/** @param {any} props */
export function Waterfall({ timeline, order, event, began }) {
  const ended = ["completed", "cancelled", "abandoned"].includes(order.status);
  return ended
    ? html`<${Ended} events=${timeline.events} began=${began} event=${event} />`
    : html`<${Ticking} events=${timeline.events} began=${began} event=${event} />`;
}

/** @param {any} props */
function Ended({ events, began, event }) {
  const spans = useMemo(() => spansOf(events), [events]);
  return html`<${Chart} spans=${spans} began=${began} event=${event} />`;
}

/** @param {any} props */
function Ticking({ events, began, event }) {
  const now = useNow();
  const spans = useMemo(() => spansOf(events, now), [events, now]);
  return html`<${Chart} spans=${spans} began=${began} event=${event} />`;
}

/** @param {{spans: import("../../core/sagas.js").Span[], began: string, event: any}} props */
function Chart({ spans, began, event }) {
  const x = useMemo(() => {
    const scale = compressed(spans.flatMap(({ start, end }) => [start, end]));
    return (/** @type {number} */ ms) => LEFT + (WIDTH - LEFT - 12) * scale(ms);
  }, [spans]);
  const here = x(between(began, event.recorded_at));
  const lanes = useMemo(() => lanesOf(spans), [spans]);
  const height = lanes[SAGAS.length] + 26;
  const words = useMemo(
    () => spans.map((span) => `${span.saga}: ${span.label} ${duration(span.end - span.start)}`).join(", "),
    [spans],
  );
  return html`<${Card} title="Where the time went" note="long stretches are compressed">
    <div class="chart-box" role="group" aria-label="Chart" tabindex="0">
      <svg class="waterfall" viewBox=${`0 0 ${WIDTH} ${height}`} role="img" aria-label=${words}>
        <line class="here" x1=${here} x2=${here} y1="0" y2=${height - 20} />
        <${Picture}
          spans=${spans}
          x=${x}
          lanes=${lanes}
          height=${height}
          passed=${spans.findLast((span) => span.from <= event.version)?.from ?? 0}
        />
        <circle class="here" cx=${here} cy="3" r="3" />
      </svg>
    </div>
  </${Card}>`;
}

/**
 * Return where the lane of each saga begins, and where the last one ends: a lane has a row for each span that lasts
 * beside another.
 * @param {import("../../core/sagas.js").Span[]} spans
 */
function lanesOf(spans) {
  const begins = [0];
  for (const saga of SAGAS)
    begins.push(
      begins[begins.length - 1] +
        GAP +
        ROW * (1 + Math.max(0, ...spans.filter((span) => span.saga === saga).map(({ row }) => row))),
    );
  return begins;
}

/**
 * All but the moment. Drawn again where the slider passes the beginning of a span: `passed` is the last one that had
 * begun.
 */
const Picture = memo(({ spans, x, lanes, height, passed }) => {
  const marks = ticks(spans, x);
  return html`
    ${marks.map(({ at, label }) => html`<g class="tick">
      <line x1=${at} x2=${at} y1="4" y2=${height - 22} />
      <text x=${at} y=${height - 6} text-anchor=${at > WIDTH - 30 ? "end" : "middle"}>${label}</text>
    </g>`)}
    ${SAGAS.map((saga, lane) => html`<g data-saga=${saga}>
      <text class="lane" x="0" y=${lanes[lane] + 19}>${saga[0].toUpperCase() + saga.slice(1)}</text>
      ${spans
        .filter((/** @type {import("../../core/sagas.js").Span} */ span) => span.saga === saga)
        .map((/** @type {any} */ span, /** @type {number} */ i, /** @type {any[]} */ all) => {
          const from = x(span.start);
          const wide = Math.max(5, x(span.end) - from);
          const next = all.slice(i + 1).find(({ row }) => row === span.row);
          const free = (next ? x(next.start) : WIDTH) - from - wide;
          return html`<${Bar}
            key=${span.from}
            span=${span}
            x=${from}
            y=${lanes[lane] + 4 + span.row * ROW}
            wide=${wide}
            free=${free}
            later=${span.from > passed}
          />`;
        })}
    </g>`)}
  `;
});

/** A span of time; its label stands in it, or in the free space behind it. */
const Bar = memo(({ span, x, y, wide, free, later }) => html`<g class=${classes("span", span.how, later && "later")}>
  <title>${span.label}: ${duration(span.end - span.start)}, events ${span.from} to ${span.to ?? "now"}</title>
  <rect x=${x} y=${y} width=${wide} height="20" rx="5" />
  <${Label}
    text=${`${span.label} ${duration(span.end - span.start)}`}
    short=${span.label}
    x=${x}
    y=${y + 14}
    wide=${wide}
    free=${free}
  />
</g>`);

/** @param {{text: string, short: string, x: number, y: number, wide: number, free: number}} props */
function Label({ text, short, x, y, wide, free }) {
  const number = short.match(/#\d+$/)?.[0] ?? short;
  const inside = [text, short, number].find((each) => widthOf(each) < wide - 12);
  if (inside) return html`<text x=${x + 7} y=${y}>${inside}</text>`;
  const behind = [text, short].find((each) => widthOf(each) < free - 8);
  return behind ? html`<text class="behind" x=${x + wide + 5} y=${y}>${behind}</text>` : null;
}

/** @param {string} text in the chart's font */
const widthOf = (text) => text.length * 6.8;

/**
 * Return a few moments to name on the axis, not too near each other.
 * @param {any[]} spans
 * @param {(ms: number) => number} x
 */
function ticks(spans, x) {
  const moments = [...new Set(spans.flatMap(({ start, end }) => [start, end]))].sort((a, b) => a - b);
  /** @type {{at: number, label: string}[]} */
  const marks = [];
  for (const ms of moments)
    if (!marks.length || x(ms) - marks[marks.length - 1].at > 84)
      marks.push({ at: x(ms), label: ms ? duration(ms) : "0" });
  return marks;
}
