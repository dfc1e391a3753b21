/**
 * The sagas as a graph: the way that the order went on the states of its machines, what waits now, and the way back.
 */

import { endsOf, graphOf } from "../../core/graphs.js";
import { isUndo, undosOf } from "../../core/sagas.js";
import { countdown, seconds } from "../../core/time.js";
import { get, loadModule, useLoaded } from "../../kit/api.js";
import { Card, Said } from "../../kit/parts.js";
import { useNow } from "../../kit/now.js";
import { may } from "../../kit/session.js";
import { classes, html, memo, useEffect, useMemo, useRef, useState } from "../../kit/view.js";

const MACHINES = ["order", "preparation", "delivery"];
const WIDE = 124;
const HIGH = 46;
const BACK_GAP = 54;

/**
 * Definitions do not change while the console is open; they are read once.
 * @type {Promise<Record<string, any>> | null}
 */
let layouts = null;

function readLayouts() {
  layouts ??= Promise.all(
    MACHINES.map((name) => get(`machines/${name}/definition`).then((read) => [name, read.layout])),
  ).then(Object.fromEntries);
  layouts.catch(() => (layouts = null));
  return layouts;
}

/** @param {any} props */
export function Graph({ runs, event, past, timeline, why, choose }) {
  const [run, chooseRun] = useState(0);
  const loaded = useLoaded(async () => {
    if (!may("read_runs")) return null;
    const [machines, dagre] = await Promise.all([readLayouts(), loadModule(import.meta.resolve("@dagrejs/dagre"))]);
    return { machines, dagre };
  }, []);
  const read = loaded.data;
  const at = past ? event.recorded_at : "9999-12-31T00:00:00Z";
  const begun = (runs?.runs ?? []).filter((/** @type {any} */ each) => each.version <= event.version);
  const current = begun.find((/** @type {any} */ each) => each.run === run) ?? begun.at(-1);
  const drawings = useMemo(() => new Map(), [read, current]);
  const layouts = useMemo(() => new Map(), [read]);
  const declined = timeline.events.some((/** @type {any} */ each) => each.type === "PaymentDeclined");
  const moment = past ? momentsUntil(current?.executions, at) : -1;
  if (read && current?.executions && !drawings.has(moment))
    drawings.set(
      moment,
      draw(graphOf(read.machines, current.executions, at, declined), (graph) => laidOut(graph, read.dagre, layouts)),
    );
  const drawing = drawings.get(moment);
  const deadlines = useMemo(
    () =>
      Object.fromEntries(
        (why?.waits ?? []).map((/** @type {any} */ wait) => [`order/${wait.tried?.state}`, wait.until]),
      ),
    [why],
  );
  if (!read || !runs || !current) return null;
  const requests = new Set(timeline.events.filter(isUndo).map((/** @type {any} */ each) => each.version));
  const lastUndo =
    timeline.events.findLast(
      (/** @type {any} */ each) => (isUndo(each) || requests.has(each.data.answers)) && each.version <= event.version,
    )?.version ?? 0;
  const undone = undosOf(timeline.events, lastUndo)
    .filter(({ how }) => how !== "refused")
    .map((each) => each.undone.type)
    .join(" ");
  const definition = current.executions?.find((/** @type {any} */ each) => each.machine === "order")?.definition;
  const differences = runs.differences;
  return html`<${Card}
    title=${html`<span
      title=${"The steps of the order and what undoes each. " +
      "One run performs them; a new run goes on from what is recorded."}
    >
      Saga
    </span>`}
    class="graph"
    note=${html`
      ${begun.length > 1 && html`
        <label class="run">
          Run${" "}
          <select value=${String(current.run)} onChange=${(/** @type {any} */ e) => chooseRun(Number(e.target.value))}>
            ${begun.map((/** @type {any} */ each) => html`<option
              value=${each.run}
              selected=${each.run === current.run}
            >
              ${each.run}
            </option>`)}
          </select>
        </label>${" "}
        <${Said}>${current.why}</${Said}>,${" "}
      `}
      ${definition && html`<code title=${definition}>definition ${definition.slice(0, 8)}</code>, `}as of
      event ${event.version}
    `}
  >
    <${Legend} nodes=${drawing?.nodes ?? []} />
    ${drawing
      ? html`<${Drawing} drawing=${drawing} deadlines=${deadlines} undone=${undone} />`
      : html`<p class="dim">The engine does not keep the executions of this run any more.</p>`}
    ${drawing && html`<ul class="graph-ends">
      <${Ends} nodes=${drawing.nodes} />
      <${Undos} until=${lastUndo} events=${timeline.events} choose=${choose} />
    </ul>`}
    ${differences.length > 0 && html`<ul class="attention">
      ${differences.map((/** @type {any} */ d) => html`<li>${d.words}</li>`)}
    </ul>`}
  </${Card}>`;
}

/** What the colours mean; those of unusual ends only where a state has them. @param {{nodes: Placed[]}} props */
const Legend = memo(({ nodes }) => html`<p class="graph-legend">
  ${LEGEND.filter(
    ([progress, , always]) => always || nodes.some((/** @type {Placed} */ node) => node.progress === progress),
  ).map(
    ([progress, name]) => html`<span data-progress=${progress}>${name}</span>`,
  )}
</p>`);

const LEGEND = /** @type {[string, string, boolean][]} */ ([
  ["done", "done", true],
  ["running", "running", true],
  ["stopped", "stopped on purpose", false],
  ["refused", "declined or no answer", false],
  ["failed", "failed", false],
  ["ahead", "not reached", true],
  ["back", "way back: undoes what was done", true],
  ["undo", "what it takes back", true],
]);

/** Say of states that ended without a result why they did. @param {{nodes: Placed[]}} props */
const Ends = memo(({ nodes }) => html`
  ${endsOf(nodes).map(({ words, progress, labels }) => html`<li data-progress=${progress}>
    <strong>${labels.join(", ")}</strong>: ${words}.
  </li>`)}
`);

/**
 * What was taken back, or was to be, and the last event about it. Drawn again only where the slider passes an event:
 * `until` is the last one that matters.
 */
const Undos = memo(({ until, events, choose }) => html`
  ${undosOf(events, until).map(({ undone, by, how }) => html`<li
    data-progress=${how === "refused" ? "failed" : "back"}
  >
    <strong><${Said}>${undone.words}</${Said}></strong> <span class="dim">#${undone.version}</span>${" "}
    ${UNDONE[how]}:${" "}
    <button type="button" class="link" onClick=${() => choose(events.indexOf(by))}>
      <${Said}>${by.words}</${Said}> #${by.version}
    </button>
  </li>`)}
`);

const UNDONE = /** @type {Record<string, string>} */ ({
  done: "was taken back",
  part: "was taken back in part",
  asked: "is being taken back",
  refused: "was not taken back",
});

/** @typedef {import("../../core/graphs.js").GraphNode & {x: number, y: number}} Placed */

/**
 * Return how many states had been entered or left by a moment: the picture changes with that number alone.
 * @param {any[] | null | undefined} executions
 * @param {string} at
 */
const momentsUntil = (executions, at) =>
  (executions ?? [])
    .flatMap(({ states }) => states.flatMap((/** @type {any} */ each) => [each.entered_at, each.exited_at]))
    .filter((moment) => moment && moment <= at).length;

/**
 * Lay a graph out, once for all moments with the same states and ways.
 * @param {ReturnType<typeof graphOf>} graph
 * @param {any} dagre
 * @param {Map<string, any>} known layouts by states and ways
 */
function laidOut({ nodes, edges, boxes }, dagre, known) {
  const key = [...nodes.map(({ id }) => id), ...edges.map(({ from, to }) => `${from} ${to}`).sort()].join();
  if (known.has(key)) return known.get(key);
  const plan = new dagre.graphlib.Graph({ compound: true });
  plan.setGraph({ rankdir: "LR", nodesep: 24, ranksep: 34, marginx: 6, marginy: 18 });
  plan.setDefaultEdgeLabel(() => ({}));
  const forward = nodes.filter((node) => !node.back);
  const isForward = new Set(forward.map(({ id }) => id));
  for (const node of forward) plan.setNode(node.id, { width: WIDE, height: HIGH });
  for (const box of boxes) {
    plan.setNode(box.title, {});
    for (const id of box.nodes) if (isForward.has(id)) plan.setParent(id, box.title);
  }
  for (const { from, to } of edges) if (isForward.has(from) && isForward.has(to)) plan.setEdge(from, to);
  dagre.layout(plan);
  known.set(key, plan);
  return plan;
}

/**
 * Give every node its place.
 * @param {ReturnType<typeof graphOf>} graph
 * @param {(graph: ReturnType<typeof graphOf>) => any} layout
 */
function draw(graph, layout) {
  const { nodes, edges, boxes } = graph;
  const plan = layout(graph);
  const forward = nodes.filter((node) => !node.back);
  const isForward = new Set(forward.map(({ id }) => id));
  const { width: main, height } = plan.graph();
  /** @type {Record<string, Placed>} */
  const placed = {};
  for (const node of forward) placed[node.id] = { ...node, ...plan.node(node.id) };
  const back = nodes.filter((node) => node.back);
  const width = Math.max(main, back.length * (WIDE + 34) + 20);
  const step = Math.min(WIDE + 90, width / Math.max(1, back.length));
  back.forEach(
    (node, i) =>
      (placed[node.id] = { ...node, x: width / 2 + (i - (back.length - 1) / 2) * step, y: height + BACK_GAP }),
  );
  const undos = graph.undos
    .filter(({ from, to }) => placed[from] && placed[to])
    .map((undo) => ({ ...undo, path: between(placed[undo.from], placed[undo.to], height + 20) }));
  const lines = edges
    .filter(({ from, to }) => placed[from] && placed[to])
    .map((edge) => {
      const points = isForward.has(edge.from) && isForward.has(edge.to) ? plan.edge(edge.from, edge.to)?.points : null;
      return {
        ...edge,
        back: edge.back || placed[edge.to].back,
        path: points ? through(points) : between(placed[edge.from], placed[edge.to], height + 8),
      };
    });
  const frames = boxes
    .map(({ machine, title }) => ({ machine, title, ...plan.node(title) }))
    .filter(({ width: w }) => w > 0);
  return {
    nodes: Object.values(placed),
    undos,
    lines: lines.sort((a, b) => Number(a.taken) - Number(b.taken)),
    frames,
    width,
    height: height + (back.length ? BACK_GAP + HIGH / 2 + 12 : 0),
  };
}

/** @param {{x: number, y: number}[]} points */
const through = (points) =>
  points.slice(1).reduce((path, { x, y }, i) => {
    const middle = (points[i].x + x) / 2;
    return `${path} C${middle} ${points[i].y} ${middle} ${y} ${x} ${y}`;
  }, `M${points[0].x} ${points[0].y}`);

/**
 * Draw the way between two states of which one is on the way back.
 * @param {Placed} a
 * @param {Placed} b
 * @param {number} level between the way forward and the way back
 */
function between(a, b, level) {
  if (a.back && b.back && a.y === b.y) {
    const side = b.x > a.x ? 1 : -1;
    const lift = Math.abs(b.x - a.x) > WIDE * 2.2 ? 34 : 0;
    const bend = `C${a.x + side * WIDE} ${a.y + lift} ${b.x - side * WIDE} ${b.y + lift}`;
    return `M${a.x + (side * WIDE) / 2} ${a.y} ${bend} ${b.x - (side * WIDE) / 2} ${b.y}`;
  }
  const turn = Math.min(12, Math.abs(b.x - a.x) / 2) * Math.sign(b.x - a.x);
  const down = `M${a.x} ${a.y + HIGH / 2} V${level - 12} Q${a.x} ${level} ${a.x + turn} ${level}`;
  return `${down} H${b.x - turn} Q${b.x} ${level} ${b.x} ${level + 12} V${b.y - HIGH / 2}`;
}

const PROGRESS = /** @type {Record<string, string>} */ ({ done: "done", running: "running", ahead: "not reached" });

const Drawing = memo(({ drawing: { nodes, undos, lines, frames, width, height }, deadlines, undone }) => {
  const reached = new Set(
    nodes.filter((/** @type {Placed} */ node) => node.progress !== "ahead").map((/** @type {Placed} */ { id }) => id),
  );
  const takesBack = (/** @type {Placed} */ node) =>
    undos
      .filter((/** @type {any} */ undo) => undo.to === node.id)
      .map((/** @type {any} */ undo) => nodes.find((/** @type {Placed} */ each) => each.id === undo.from)?.label)
      .join(", ");
  const [ready, show] = useState(false);
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => show(true), []);
  useEffect(() => {
    const at =
      nodes.findLast((/** @type {Placed} */ node) => node.progress === "running") ??
      nodes.findLast((/** @type {Placed} */ node) => node.progress === "failed");
    const svg = box.current?.firstElementChild;
    if (at && svg && matchMedia("(max-width: 900px)").matches)
      /** @type {HTMLElement} */ (box.current).scrollLeft =
        (at.x / width) * svg.clientWidth - /** @type {HTMLElement} */ (box.current).clientWidth / 2;
  }, [nodes]);
  return html`
    <div class="graph-box" ref=${box} tabindex="0" role="region" aria-label="Graph of the sagas">
      <svg
        class=${classes("saga", ready && "ready")}
        viewBox=${`0 0 ${width} ${height}`}
        style=${{ minWidth: `${Math.min(width, 900)}px`, maxWidth: `${width * 1.25}px` }}
        role="img"
        aria-label="The states of the sagas; the list after this picture says the same"
      >
        <defs>
          <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="5" markerHeight="5" orient="auto">
            <path d="M0 0 8 4 0 8z" />
          </marker>
        </defs>
        ${frames.map((/** @type {any} */ f) => html`<g class="frame" data-saga=${f.machine}>
          <rect x=${f.x - f.width / 2} y=${f.y - f.height / 2} width=${f.width} height=${f.height} rx="10" />
          <rect
            class="chip-back"
            x=${f.x - f.title.length * 3.7 - 12}
            y=${f.y - f.height / 2 - 16}
            width=${f.title.length * 7.4 + 24}
            height="20"
            rx="10"
          />
          <text x=${f.x} y=${f.y - f.height / 2 - 2} text-anchor="middle">${f.title}</text>
        </g>`)}
        ${undos.map((/** @type {any} */ undo) => html`<path
          class=${classes("takes-back", reached.has(undo.to) && undone.split(" ").includes(undo.type) && "taken")}
          d=${undo.path}
        />`)}
        ${lines.map((/** @type {any} */ line) => html`<path
          class=${classes("edge", line.taken && "taken", line.back && "back")}
          d=${line.path}
          marker-end="url(#arrow)"
        />`)}
        ${nodes.map((/** @type {Placed} */ node) => html`<${Node}
          key=${node.id}
          ...${node}
          until=${deadlines[node.id]}
          undoes=${takesBack(node)}
        />`)}
      </svg>
    </div>
    <ol class="visually-hidden">
      ${nodes.map((/** @type {Placed} */ node) => html`<li>
        ${node.machine}: ${node.label}, ${node.words || PROGRESS[node.progress]}
        ${node.failures ? `, ${node.failures} failed ${node.failures === 1 ? "attempt" : "attempts"}` : ""}
        ${takesBack(node) && `, takes back: ${takesBack(node)}`}
      </li>`)}
    </ol>
  `;
});

const Node = memo((/** @type {Placed & {until?: string | null, undoes: string}} */ node) => {
  const x = node.x - WIDE / 2;
  const y = node.y - HIGH / 2;
  const [first, second] = twoLines(node.label, node.waits ? 12 : 15);
  return html`<g
    class="node"
    data-progress=${node.progress}
    data-back=${node.back ? "" : undefined}
    data-exception=${node.exception ? "" : undefined}
  >
    <title>
      ${node.comment}
      ${node.undoes && ` Takes back: ${node.undoes}.`}
      ${node.words && ` Here: ${node.words}.`}
      ${node.error && ` Last error: ${node.error}.`}
    </title>
    ${node.type === "Choice"
      ? html`<path
          class="shape"
          d=${`M${x + 12} ${y}H${x + WIDE - 12}L${x + WIDE} ${node.y}` +
          `L${x + WIDE - 12} ${y + HIGH}H${x + 12}L${x} ${node.y}Z`}
        />`
      : html`<rect class="shape" x=${x} y=${y} width=${WIDE} height=${HIGH} rx="9" />`}
    ${node.waits && html`<path class="waits" d=${`M${x + 10} ${node.y - 5}v10M${x + 14} ${node.y - 5}v10`} />`}
    <${Line}
      text=${first}
      x=${node.x + (node.waits ? 8 : 0)}
      y=${second ? node.y - 3 : node.y + 4}
      wide=${node.waits ? 88 : 108}
    />
    ${second && html`<${Line}
      text=${second}
      x=${node.x + (node.waits ? 8 : 0)}
      y=${node.y + 12}
      wide=${node.waits ? 88 : 108}
    />`}
    ${node.progress === "done" && html`
      <circle class="tick-mark" cx=${x + WIDE - 4} cy=${y + 3} r="7" />
      <path class="tick-line" d=${`M${x + WIDE - 7} ${y + 3}l2.4 2.6 4-5`} />
    `}
    ${node.progress === "stopped" && html`
      <circle class="tick-mark" cx=${x + WIDE - 4} cy=${y + 3} r="7" />
      <path class="tick-line" d=${`M${x + WIDE - 7} ${y + 3}h6`} />
    `}
    ${node.failures > 0 && html`<${Tag}
      kind="retries"
      x=${x + 8}
      y=${y - 9}
      text=${`${node.failures} ${node.failures === 1 ? "retry" : "retries"}`}
    />`}
    ${node.tag && html`<${Tag}
      kind=${node.progress}
      x=${x + 8}
      y=${node.failures ? y + HIGH - 6 : y - 9}
      text=${node.tag}
    />`}
    ${node.since && html`<${Since} since=${node.since} until=${node.until} x=${node.x} y=${y + HIGH + 14} />`}
  </g>`;
});

/** A line of a label; a long one is set closer. @param {{text: string, x: number, y: number, wide: number}} props */
const Line = ({ text, x, y, wide }) => html`<text
  x=${x}
  y=${y}
  text-anchor="middle"
  textLength=${text.length * CHARACTER > wide ? wide : undefined}
  lengthAdjust="spacingAndGlyphs"
>
  ${text}
</text>`;

/** The width of a character of a label, a little more than on average. */
const CHARACTER = 7.2;

/** A word on the edge of a state. @param {{kind: string, x: number, y: number, text: string}} props */
const Tag = ({ kind, x, y, text }) => html`<g class="tag" data-kind=${kind}>
  <rect x=${x} y=${y} width=${text.length * 5.6 + 14} height="15" rx="7.5" />
  <text x=${x + text.length * 2.8 + 7} y=${y + 11} text-anchor="middle">${text}</text>
</g>`;

/**
 * What is left of a wait, or how long a step takes that has no deadline.
 * @param {{since: string, until?: string | null, x: number, y: number}} props
 */
function Since({ since, until, x, y }) {
  const now = useNow();
  const left = until && countdown(until, now);
  return html`<text class="since" x=${x} y=${y} text-anchor="middle">
    ${left ? left.replace(/^in /, "ends in ") : `for ${seconds(now - Date.parse(since))}`}
  </text>`;
}

/** @param {string} label @param {number} most characters of one line @returns {[string, string]} */
function twoLines(label, most) {
  if (label.length < most) return [label, ""];
  const words = label.split(" ");
  const half = Math.ceil(words.length / 2);
  return [words.slice(0, half).join(" "), words.slice(half).join(" ")];
}
