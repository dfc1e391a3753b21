/**
 * The graph of an order's sagas, from the definitions of the machines and what their executions did.
 *
 * The machine `order` is the frame: where it starts another machine that waits (preparation, delivery), that machine's
 * states stand in its place, in a box. Exceptions are drawn only where they were taken, so that the picture stays the
 * way that an order goes; the way back is a row of its own below.
 */

/**
 * @typedef {{id: string, type: string, comment: string, path: string, end: boolean, action: string | null,
 *   waits_for_token: boolean, starts: string | null, undoes: string[], group: string | null}} LayoutNode
 */
/**
 * @typedef {{start: string, nodes: LayoutNode[], edges: {from: string, to: string, kind: string, label: string}[],
 *   groups: {id: string, of: string, start: string, nodes: string[]}[]}} Layout
 */
/**
 * @typedef {{state: string, entered_at: string, exited_at: string | null, attempts: number, failures: number, error:
 *   string, message?: string}} Visit
 */
/** @typedef {{machine: string, status: string, stopped_at?: string | null, states: Visit[]}} Execution */
/**
 * @typedef {"done" | "running" | "stopped" | "refused" | "failed" | "ahead"} Progress `stopped`: ended on purpose;
 *   `refused`: the other side declined or did not answer
 */
/** @typedef {{progress: Progress, tag: string, words: string}} End how a state ended, in a word and in a sentence */
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
 * @property {string} tag a word for an end without a result; empty for other states
 * @property {string} words the same in a sentence
 * @property {number} visits
 * @property {number} failures attempts that failed and were repeated
 * @property {string} error
 * @property {string | null} since when it was entered, while it lasts
 */
/** @typedef {{from: string, to: string, taken: boolean, back: boolean}} GraphEdge */
/**
 * @typedef {{from: string, to: string, type: string}} GraphUndo what a state did, by the type of event that says so,
 *   and the state that takes it back
 */

const INLINED = ["preparation", "delivery"];

const CANCELLED = /** @type {End} */ ({
  progress: "stopped",
  tag: "stopped",
  words: "stopped, because the order was cancelled",
});
const DECLINED = /** @type {End} */ ({
  progress: "refused",
  tag: "declined",
  words: "declined by the payment provider",
});
const FAILED = /** @type {Omit<End, "words">} */ ({ progress: "failed", tag: "failed" });
const CUT_OFF = /** @type {End} */ ({ progress: "stopped", tag: "stopped", words: "stopped, because the run ended" });
const NO_ANSWER = /** @type {End} */ ({ progress: "refused", tag: "no answer", words: "no answer in time" });

/** Ends without a result that are no failures, by the error that the machines catch. @type {Record<string, End>} */
const ENDS = {
  CancellationAsked: CANCELLED,
  RunSuperseded: { progress: "stopped", tag: "stopped", words: "stopped, because a newer run took over" },
  CircuitOpen: {
    progress: "stopped",
    tag: "circuit open",
    words: "not called, because the provider's circuit was open",
  },
  OfferLapsed: {
    progress: "refused",
    tag: "no courier",
    words: "the courier declined, did not answer or gave the delivery back",
  },
  DeliveryLost: { progress: "refused", tag: "no report", words: "no report of the delivery in time" },
};

/** Errors of steps that found nothing to do: by design in an order that is cancelled, a failure in any other. */
const WITHOUT_RESULT = ["OrderNotSettled", "PaymentNotAuthorized"];

/** Write the name of a state in words: `AwaitReadiness` becomes `Await readiness`. @param {string} state */
export const stateWords = (state) =>
  state.replace(/([a-z])([A-Z])/g, "$1 $2").replace(/ ([A-Z])/g, (_, letter) => ` ${letter.toLowerCase()}`);

/**
 * @param {Record<string, Layout>} layouts by machine
 * @param {Execution[]} executions of one run
 * @param {string} at the moment to show. The picture is that of the whole run at every moment, so that it stays still
 *   under the slider; states that were entered later are not reached yet
 * @param {boolean} [declined] whether the payment provider declined the order's payment
 * @returns {{nodes: GraphNode[], edges: GraphEdge[], undos: GraphUndo[], boxes: {machine: string, title: string, nodes:
 *   string[]}[]}}
 */
export function graphOf(layouts, executions, at, declined = false) {
  const until = Date.parse(at);
  const compensated = executions.some(({ machine, states }) =>
    states.some(({ state }) => layouts[machine]?.nodes.some((node) => node.id === state && node.undoes.length > 0)),
  );
  const over = (/** @type {string} */ machine) =>
    executions.some((each) => each.machine === machine) &&
    executions
      .filter((each) => each.machine === machine)
      .every((each) => each.stopped_at && Date.parse(each.stopped_at) <= until);
  const whole = executions.filter(({ machine }) => machine !== "payment");
  const visits = whole.map(({ machine, states }) => ({
    machine,
    states: states.filter((visit) => Date.parse(visit.entered_at) <= until),
  }));
  const everEntered = new Set(whole.flatMap(({ machine, states }) => states.map(({ state }) => `${machine}/${state}`)));
  const visited = (/** @type {string} */ machine, /** @type {string} */ state) =>
    visits
      .filter((each) => each.machine === machine)
      .flatMap((each) => each.states.filter((visit) => visit.state === state));
  const inlined = INLINED.filter(
    (machine) => layouts[machine] && layouts.order.nodes.some((node) => node.starts === machine),
  );
  /** @type {GraphNode[]} */
  const nodes = [];
  for (const machine of ["order", ...inlined])
    for (const node of layouts[machine].nodes) {
      const seen = visited(machine, node.id);
      if (node.type === "Parallel" || inlined.includes(node.starts ?? "")) continue;
      if (
        !everEntered.has(`${machine}/${node.id}`) &&
        (node.path === "exception" || node.type === "Succeed" || node.action?.startsWith("await_circuit"))
      )
        continue;
      nodes.push(graphNode(machine, node, seen, { until, compensated, declined, over: over(machine) }));
    }
  const known = new Set(nodes.map(({ id }) => id));
  const branches = new Map(layouts.order.nodes.flatMap(({ id, group }) => (group ? [[`order/${id}`, group]] : [])));
  const [later, taken] = [whole, visits].map((each) =>
    steps(each, known, /** @type {Map<string, string>} */ (branches)),
  );
  const edges = [
    ...new Map(
      [...planned(layouts, inlined, known), ...later.map((edge) => ({ ...edge, taken: false })), ...taken].map(
        (edge) => [`${edge.from} ${edge.to}`, edge],
      ),
    ).values(),
  ];
  const boxes = inlined.map((machine) => ({
    machine,
    title: machine,
    nodes: nodes.filter((node) => node.machine === machine).map(({ id }) => id),
  }));
  for (const parallel of new Set(layouts.order.groups.map(({ of }) => of))) {
    const within = layouts.order.groups
      .filter(({ of }) => of === parallel)
      .flatMap((group) => group.nodes.map((id) => `order/${id}`))
      .filter((id) => known.has(id));
    if (within.length) boxes.push({ machine: "order", title: `${stateWords(parallel)}, in parallel`, nodes: within });
  }
  return { nodes, edges, undos: undoneBy(layouts, inlined, nodes), boxes };
}

/**
 * @typedef {{until: number, compensated: boolean, declined: boolean, over: boolean}} Run `over`: the execution had
 *   ended; `compensated`: the machine read in the log that the order is cancelled
 */

/** @param {string} machine @param {LayoutNode} node @param {Visit[]} seen @param {Run} run @returns {GraphNode} */
function graphNode(machine, node, seen, run) {
  const last = seen[seen.length - 1];
  const lasts = last && (!last.exited_at || Date.parse(last.exited_at) > run.until);
  const withoutResult = last && !lasts && endsWithoutResult(last);
  const end = withoutResult
    ? endOf(last, node, run)
    : lasts && run.over
      ? CUT_OFF
      : {
          tag: "",
          words: "",
          progress: /** @type {Progress} */ (
            !last
              ? "ahead"
              : lasts
                ? "running"
                : node.type === "Succeed" && node.path === "exception"
                  ? "stopped"
                  : "done"
          ),
        };
  return {
    id: `${machine}/${node.id}`,
    label: stateWords(node.id),
    machine,
    type: node.type,
    comment: node.comment,
    waits: node.waits_for_token,
    back: node.path === "compensation",
    exception: node.path === "exception",
    ...end,
    visits: seen.length,
    failures: seen.reduce(
      (n, visit) =>
        n + visit.failures - (endsWithoutResult(visit) && (visit === last || isDesigned(visit.error)) ? 1 : 0),
      0,
    ),
    error: last?.error ?? "",
    since: end.progress === "running" && !(run.until < Date.now()) ? last.entered_at : null,
  };
}

/**
 * Whether the last attempt of a visit failed: the state was left by that error, which is no retry.
 * @param {Visit} visit
 */
const endsWithoutResult = (visit) => Boolean(visit.exited_at && visit.error && visit.failures >= visit.attempts);

/**
 * Say how a state ended that has no result.
 * @param {Visit} visit
 * @param {LayoutNode} node
 * @param {Run} run
 * @returns {End}
 */
function endOf({ error, message }, node, { compensated, declined }) {
  if (error === "PaymentNotAuthorized" && declined) return DECLINED;
  if (WITHOUT_RESULT.includes(error) && compensated) return CANCELLED;
  if (error === "States.Timeout" && node.waits_for_token) return NO_ANSWER;
  return (
    ENDS[error] ?? {
      ...FAILED,
      words: message ? `failed: ${message.replace(/\border ord_[a-z0-9]+/g, "the order")}` : `failed with ${error}`,
    }
  );
}

/**
 * Whether an error ended a state on purpose, or because the other side did not answer: no attempt failed.
 * @param {string} error
 */
export const isDesigned = (error) => error in ENDS || WITHOUT_RESULT.includes(error);

/** Return what ended without a result, one line for each way to end. @param {GraphNode[]} nodes */
export function endsOf(nodes) {
  const ended = nodes.filter(({ words }) => words);
  return [...new Set(ended.map(({ words }) => words))].map((words) => ({
    words,
    progress: ended.find((node) => node.words === words)?.progress,
    labels: ended.filter((node) => node.words === words).map(({ label }) => label),
  }));
}

/**
 * What is undone, by the action of the state that did it, and by the type of event that is named as undone.
 * @type {Record<string, [string, string]>}
 */
const DID = {
  authorize: ["PaymentAuthorizationRequested", "PaymentAuthorized"],
  request_preparation: ["PreparationRequested", "PreparationRequested"],
  request_courier: ["CourierRequested", "CourierRequested"],
  settle: ["PaymentCaptureRequested", "PaymentCaptured"],
};

/**
 * @param {Record<string, Layout>} layouts
 * @param {string[]} inlined
 * @param {GraphNode[]} nodes
 * @returns {GraphUndo[]}
 */
function undoneBy(layouts, inlined, nodes) {
  const known = new Set(nodes.map(({ id }) => id));
  const all = ["order", ...inlined]
    .flatMap((machine) => layouts[machine].nodes.map((node) => ({ ...node, at: `${machine}/${node.id}` })))
    .filter(({ at }) => known.has(at));
  return all.flatMap((back) => all.flatMap(({ action, at }) => {
    const [request, type] = DID[action ?? ""] ?? [];
    return request && back.undoes.includes(request) ? [{ from: at, to: back.at, type }] : [];
  }));
}

/**
 * The ways that the definitions allow, between the nodes that are drawn.
 * @param {Record<string, Layout>} layouts
 * @param {string[]} inlined
 * @param {Set<string>} known
 * @returns {GraphEdge[]}
 */
function planned(layouts, inlined, known) {
  /** @type {GraphEdge[]} */
  const edges = [];
  const { nodes, edges: ways, groups } = layouts.order;
  const find = (/** @type {string} */ id) => nodes.find((node) => node.id === id);
  const back = (/** @type {string} */ id) => find(id)?.path === "compensation";
  const last = (/** @type {string} */ machine) =>
    layouts[machine].nodes.filter((node) => node.end && node.path === "forward").map((node) => `${machine}/${node.id}`);
  /**
   * Where a state begins and ends in the picture: a Parallel in all of its branches, a machine that is drawn inside in
   * its first and last states.
   * @param {string} id
   * @returns {string[]}
   */
  const startsOf = (id) =>
    groups.some(({ of }) => of === id)
      ? groups.filter(({ of }) => of === id).flatMap(({ start }) => startsOf(start))
      : inlined.includes(find(id)?.starts ?? "")
        ? [`${find(id)?.starts}/${layouts[find(id)?.starts ?? ""].start}`]
        : [`order/${id}`];
  /** @param {string} id @returns {string[]} */
  const endsOf = (id) =>
    groups.some(({ of }) => of === id)
      ? nodes
          .filter(
            (node) =>
              groups.some((group) => group.of === id && group.id === node.group) && node.end && node.path === "forward",
          )
          .flatMap((node) => endsOf(node.id))
      : inlined.includes(find(id)?.starts ?? "")
        ? last(find(id)?.starts ?? "")
        : [`order/${id}`];
  for (const { from, to, kind } of ways) {
    if (kind === "branch" || (kind === "catch" && !back(from))) continue;
    for (const a of endsOf(from))
      for (const b of startsOf(to)) edges.push({ from: a, to: b, taken: false, back: back(to) });
  }
  for (const machine of inlined)
    for (const { from, to, kind } of layouts[machine].edges)
      if (kind !== "catch")
        edges.push({ from: `${machine}/${from}`, to: `${machine}/${to}`, taken: false, back: false });
  return edges.filter(({ from, to }) => from !== to && known.has(from) && known.has(to));
}

/**
 * The ways that the executions went. Each branch of a Parallel goes on from the state before it, and the state after it
 * follows
 * the last one of each branch. A machine inside follows the state that started it.
 * @param {{machine: string, states: Visit[]}[]} visits
 * @param {Set<string>} known
 * @param {Map<string, string>} branches the branch of a state, by the id of its node
 * @returns {GraphEdge[]}
 */
function steps(visits, known, branches) {
  /** @type {GraphEdge[]} */
  const edges = [];
  const add = (/** @type {string} */ from, /** @type {string} */ to) =>
    from !== to && known.has(from) && known.has(to) && edges.push({ from, to, taken: true, back: false });
  const inner = visits.filter(({ machine }) => machine !== "order");
  for (const { machine, states } of visits) {
    let before = "";
    let inside = false;
    /** @type {Map<string, string>} */
    const open = new Map();
    for (const { state } of states) {
      const id = `${machine}/${state}`;
      if (!known.has(id)) {
        if (!inside && before)
          for (const each of inner) if (each.states.length) add(before, `${each.machine}/${each.states[0].state}`);
        inside = true;
        continue;
      }
      const branch = branches.get(id);
      if (branch) {
        add(open.get(branch) ?? before, id);
        open.set(branch, id);
        continue;
      }
      if (inside)
        for (const each of inner)
          if (each.states.length) add(`${each.machine}/${each.states[each.states.length - 1].state}`, id);
      for (const end of open.size ? open.values() : inside ? [] : [before]) add(end, id);
      open.clear();
      before = id;
      inside = false;
    }
  }
  return edges;
}
