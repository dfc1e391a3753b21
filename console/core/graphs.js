/**
 * The graph of an order's sagas, from the definitions of the machines and what their executions did.
 *
 * The machine `order` is the frame: where it starts another machine that waits (preparation, delivery), that machine's
 * states stand in its place, in a box. Exceptions are drawn only where they were taken, so that the picture stays the
 * way that an order goes; the way back is a row of its own below.
 */

/** @typedef {{id: string, type: string, comment: string, path: string, end: boolean, action: string | null, waits_for_token: boolean, starts: string | null, undoes: string[], group: string | null}} LayoutNode */
/** @typedef {{start: string, nodes: LayoutNode[], edges: {from: string, to: string, kind: string, label: string}[], groups: {id: string, of: string, start: string, nodes: string[]}[]}} Layout */
/** @typedef {{state: string, entered_at: string, exited_at: string | null, attempts: number, failures: number, error: string}} Visit */
/** @typedef {{machine: string, status: string, states: Visit[]}} Execution */
/** @typedef {"done" | "running" | "failed" | "ahead"} Progress */
/**
 * @typedef {object} GraphNode
 * @property {string} id `machine/State`
 * @property {string} label
 * @property {string} machine
 * @property {string} type
 * @property {string} comment
 * @property {boolean} waits whether it waits for an answer from outside
 * @property {boolean} back whether it is on the way back
 * @property {boolean} exception
 * @property {Progress} progress
 * @property {number} visits
 * @property {number} failures attempts that failed and were repeated
 * @property {string} error
 * @property {string | null} since when it was entered, while it lasts
 */
/** @typedef {{from: string, to: string, taken: boolean, back: boolean}} GraphEdge */

const INLINED = ["preparation", "delivery"];

/** Errors by which a wait is ended on purpose: nothing failed there. */
const INTERRUPTED = ["CancellationAsked", "RunSuperseded", "OfferLapsed", "DeliveryLost", "States.Timeout"];

/** Write the name of a state in words: `AwaitReadiness` becomes `Await readiness`. @param {string} state */
export const stateWords = (state) => state.replace(/([a-z])([A-Z])/g, "$1 $2").replace(/ ([A-Z])/g, (_, letter) => ` ${letter.toLowerCase()}`);

/**
 * @param {Record<string, Layout>} layouts by machine
 * @param {Execution[]} executions of one run
 * @param {string} at the moment to show: later visits are not drawn as taken
 * @returns {{nodes: GraphNode[], edges: GraphEdge[], boxes: {machine: string, title: string, nodes: string[]}[]}}
 */
export function graphOf(layouts, executions, at) {
  const until = Date.parse(at);
  const visits = executions.filter(({ machine }) => machine !== "payment").map(({ machine, states }) => ({ machine, states: states.filter((visit) => Date.parse(visit.entered_at) <= until) }));
  const visited = (/** @type {string} */ machine, /** @type {string} */ state) => visits.filter((each) => each.machine === machine).flatMap((each) => each.states.filter((visit) => visit.state === state));
  const inlined = INLINED.filter((machine) => layouts[machine] && layouts.order.nodes.some((node) => node.starts === machine));
  /** @type {GraphNode[]} */
  const nodes = [];
  for (const machine of ["order", ...inlined])
    for (const node of layouts[machine].nodes) {
      const seen = visited(machine, node.id);
      if (node.type === "Parallel" || inlined.includes(node.starts ?? "")) continue;
      if (!seen.length && (node.path === "exception" || node.type === "Succeed" || node.action?.startsWith("await_circuit"))) continue;
      nodes.push(graphNode(machine, node, seen, until));
    }
  const known = new Set(nodes.map(({ id }) => id));
  const branches = new Map(layouts.order.nodes.flatMap(({ id, group }) => (group ? [[`order/${id}`, group]] : [])));
  const taken = steps(visits, known, /** @type {Map<string, string>} */ (branches));
  const edges = [...new Map([...planned(layouts, inlined, known), ...taken].map((edge) => [`${edge.from} ${edge.to}`, edge])).values()];
  const boxes = inlined.map((machine) => ({ machine, title: machine, nodes: nodes.filter((node) => node.machine === machine).map(({ id }) => id) }));
  for (const parallel of new Set(layouts.order.groups.map(({ of }) => of))) {
    const within = layouts.order.groups.filter(({ of }) => of === parallel).flatMap((group) => group.nodes.map((id) => `order/${id}`)).filter((id) => known.has(id));
    if (within.length) boxes.push({ machine: "order", title: `${stateWords(parallel)}, in parallel`, nodes: within });
  }
  return { nodes, edges, boxes };
}

/** @param {string} machine @param {LayoutNode} node @param {Visit[]} seen @param {number} until @returns {GraphNode} */
function graphNode(machine, node, seen, until) {
  const last = seen[seen.length - 1];
  const lasts = last && (!last.exited_at || Date.parse(last.exited_at) > until);
  const ended = last && !lasts && Boolean(last.error) && last.failures >= last.attempts;
  const failed = ended && !INTERRUPTED.includes(last.error);
  return {
    id: `${machine}/${node.id}`, label: stateWords(node.id), machine, type: node.type, comment: node.comment, waits: node.waits_for_token,
    back: node.path === "compensation", exception: node.path === "exception",
    progress: !last ? "ahead" : lasts ? "running" : failed ? "failed" : "done",
    visits: seen.length, failures: seen.reduce((n, visit) => n + visit.failures, 0) - (ended ? 1 : 0), error: last?.error ?? "", since: last && !last.exited_at && !(until < Date.now()) ? last.entered_at : null,
  };
}

/** The ways that the definitions allow, between the nodes that are drawn. @param {Record<string, Layout>} layouts @param {string[]} inlined @param {Set<string>} known @returns {GraphEdge[]} */
function planned(layouts, inlined, known) {
  /** @type {GraphEdge[]} */
  const edges = [];
  const { nodes, edges: ways, groups } = layouts.order;
  const find = (/** @type {string} */ id) => nodes.find((node) => node.id === id);
  const back = (/** @type {string} */ id) => find(id)?.path === "compensation";
  const last = (/** @type {string} */ machine) => layouts[machine].nodes.filter((node) => node.end && node.path === "forward").map((node) => `${machine}/${node.id}`);
  /** Where a state begins and ends in the picture: a Parallel in all of its branches, a machine that is drawn inside in its first and last states. @param {string} id @returns {string[]} */
  const startsOf = (id) => (groups.some(({ of }) => of === id) ? groups.filter(({ of }) => of === id).flatMap(({ start }) => startsOf(start)) : inlined.includes(find(id)?.starts ?? "") ? [`${find(id)?.starts}/${layouts[find(id)?.starts ?? ""].start}`] : [`order/${id}`]);
  /** @param {string} id @returns {string[]} */
  const endsOf = (id) => (groups.some(({ of }) => of === id) ? nodes.filter((node) => groups.some((group) => group.of === id && group.id === node.group) && node.end && node.path === "forward").flatMap((node) => endsOf(node.id)) : inlined.includes(find(id)?.starts ?? "") ? last(find(id)?.starts ?? "") : [`order/${id}`]);
  for (const { from, to, kind } of ways) {
    if (kind === "branch" || (kind === "catch" && !back(from))) continue;
    for (const a of endsOf(from)) for (const b of startsOf(to)) edges.push({ from: a, to: b, taken: false, back: back(to) });
  }
  for (const machine of inlined)
    for (const { from, to, kind } of layouts[machine].edges) if (kind !== "catch") edges.push({ from: `${machine}/${from}`, to: `${machine}/${to}`, taken: false, back: false });
  return edges.filter(({ from, to }) => from !== to && known.has(from) && known.has(to));
}

/**
 * The ways that the executions went. Each branch of a Parallel goes on from the state before it, and the state after it follows
 * the last one of each branch. A machine inside follows the state that started it.
 * @param {{machine: string, states: Visit[]}[]} visits
 * @param {Set<string>} known
 * @param {Map<string, string>} branches the branch of a state, by the id of its node
 * @returns {GraphEdge[]}
 */
function steps(visits, known, branches) {
  /** @type {GraphEdge[]} */
  const edges = [];
  const add = (/** @type {string} */ from, /** @type {string} */ to) => from !== to && known.has(from) && known.has(to) && edges.push({ from, to, taken: true, back: false });
  const inner = visits.filter(({ machine }) => machine !== "order");
  for (const { machine, states } of visits) {
    let before = "";
    let inside = false;
    /** @type {Map<string, string>} */
    const open = new Map();
    for (const { state } of states) {
      const id = `${machine}/${state}`;
      if (!known.has(id)) {
        if (!inside && before) for (const each of inner) if (each.states.length) add(before, `${each.machine}/${each.states[0].state}`);
        inside = true;
        continue;
      }
      const branch = branches.get(id);
      if (branch) {
        add(open.get(branch) ?? before, id);
        open.set(branch, id);
        continue;
      }
      if (inside) for (const each of inner) if (each.states.length) add(`${each.machine}/${each.states[each.states.length - 1].state}`, id);
      for (const end of open.size ? open.values() : inside ? [] : [before]) add(end, id);
      open.clear();
      before = id;
      inside = false;
    }
  }
  return edges;
}
