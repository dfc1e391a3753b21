/** The runs of the order and their executions: each state with its duration, its attempts and its last error. */

import { awsPage } from "../../core/addresses.js";
import { isDesigned, stateWords } from "../../core/graphs.js";
import { between, duration, exact, offset } from "../../core/time.js";
import { ENDED } from "../../core/values.js";
import { get, useLoaded } from "../../kit/api.js";
import { useCatchUp } from "../../kit/catch_up.js";
import { Dialog } from "../../kit/dialog.js";
import { usePaged } from "../../kit/paged.js";
import { Badge, Card, Said, Time, Trouble, actorWords } from "../../kit/parts.js";
import { useNow } from "../../kit/now.js";
import { may } from "../../kit/session.js";
import { classes, html, memo, useState } from "../../kit/view.js";

const TONES = /** @type {Record<string, string>} */ ({
  RUNNING: "running", SUCCEEDED: "closed", FAILED: "parked", TIMED_OUT: "parked", ABORTED: "stopped",
});

/**
 * Read the runs of an order. A machine ends a moment after the last event: until then they are read again.
 * @param {string} id
 * @param {any} order
 */
export function useRuns(id, order) {
  const runs = useLoaded(
    async (signal) => (may("read_runs") && order ? get(`orders/${id}/runs`, { signal }) : null),
    [id, order?.version],
  );
  const rests = order && (order.parked || ENDED.includes(order.status));
  const isEnding = (/** @type {any} */ read) =>
    rests && read?.runs.at(-1)?.executions?.some((/** @type {any} */ each) => each.status === "RUNNING");
  useCatchUp(runs.data, null, runs.reload, isEnding);
  return runs.data;
}

/** @param {any} props */
export function Executions({ runs, event, began }) {
  const [raw, show] = useState("");
  if (!runs) return null;
  const newest = runs.runs.filter((/** @type {any} */ run) => run.version <= event.version).at(-1)?.run;
  return html`<${Card}
    title="Runs and executions"
    note=${`${runs.runs.length} ${runs.runs.length === 1 ? "run" : "runs"}`}
    class="executions"
  >
    ${[...runs.runs].reverse().map((/** @type {any} */ run) => html`<details
      key=${run.run}
      class=${classes("run-box", run.version > event.version && "later")}
      open=${run.run === newest}
    >
      <summary>
        <strong>Run ${run.run}</strong>${" "}
        <span class="dim">
          event ${run.version}, by <${Said}>${actorWords(run.by)}</${Said}>, <${Time} at=${run.started_at} />
        </span>
      </summary>
      ${!run.executions?.length && html`<p class="dim">
        The engine does not keep the executions of this run any more.
      </p>`}
      ${(run.executions ?? []).map((/** @type {any} */ execution) => html`<${Execution}
        key=${execution.arn}
        execution=${execution}
        began=${began}
        later=${execution.started_at > event.recorded_at}
        entered=${execution.states.filter((/** @type {any} */ state) => state.entered_at <= event.recorded_at).length}
        raw=${show}
      />`)}
    </details>`)}
    ${raw && html`<${EngineEvents} id=${raw} close=${() => show("")} />`}
  </${Card}>`;
}

/**
 * One execution; `entered` of its states are not later than the chosen moment. Its states are drawn once it is opened.
 */
const Execution = memo(({ execution, began, later, entered, raw }) => {
  const [open, toggle] = useState(false);
  const failures = execution.states.reduce(
    (/** @type {number} */ n, /** @type {any} */ state) =>
      n + state.failures - (isDesigned(state.error) && ["SUCCEEDED", "RUNNING"].includes(execution.status) ? 1 : 0),
    0,
  );
  return html`<details
    class=${classes("execution", later && "later")}
    onToggle=${(/** @type {any} */ e) => toggle(e.currentTarget.open)}
  >
    <summary>
      <span data-saga=${execution.machine}><span class="saga-dot"></span> ${execution.machine}</span>${" "}
      <${Badge}
        of=${TONES[execution.status] ?? ""}
        label=${execution.status.toLowerCase().replaceAll("_", " ")}
      />${" "}
      <span class="dim">
        <${Took} from=${execution.started_at} to=${execution.stopped_at} />
        ${failures > 0 ? `, ${failures} failed ${failures === 1 ? "attempt" : "attempts"}` : ""}
      </span>
    </summary>
    ${execution.error && html`<p class="attention">${execution.error}</p>`}
    ${open && execution.states.length > 0 && html`<div
      class="table-box"
      tabindex="0"
      role="region"
      aria-label=${`States of ${execution.machine}`}
    >
      <table class="states">
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col">Entered</th>
            <th scope="col" class="end">Took</th>
            <th scope="col" class="end">Attempts</th>
            <th scope="col">Last error</th>
          </tr>
        </thead>
        <tbody>
          ${execution.states.map((/** @type {any} */ state, /** @type {number} */ i) => html`<tr
            class=${classes(i >= entered && "later")}
          >
            <td>${stateWords(state.state)}</td>
            <td>
              <time class="mono" dateTime=${state.entered_at} title=${exact(state.entered_at)}>
                ${offset(between(began, state.entered_at))}
              </time>
            </td>
            <td class="end"><${Took} from=${state.entered_at} to=${state.exited_at} /></td>
            <td class="end">${state.attempts || ""}</td>
            <td class=${classes(state.error && !isDesigned(state.error) && "attention")} title=${state.message}>
              ${state.error}
            </td>
          </tr>`)}
        </tbody>
      </table>
    </div>`}
    ${!execution.whole && html`<p class="dim">It has more states than are read here.</p>`}
    ${execution.id
      ? html`<p>
          <button type="button" onClick=${() => raw(execution.id)}>Events of the engine</button>
          ${awsPage(execution.arn) && html` <a href=${awsPage(execution.arn)} target="_blank" rel="noopener noreferrer">
            In AWS
          </a>`}
        </p>`
      : html`<p class="dim">An Express execution keeps no events.</p>`}
  </details>`;
});

/** How long something took, or takes until now. @param {{from: string, to: string | null}} props */
const Took = ({ from, to }) => (to ? html`${duration(between(from, to))}` : html`<${Ticking} from=${from} />`);

/** @param {{from: string}} props */
function Ticking({ from }) {
  const now = useNow();
  return html`for ${duration(Math.max(0, now - Date.parse(from)))}`;
}

/**
 * The events of one execution, as GetExecutionHistory of Step Functions returns them.
 * @param {{id: string, close: () => void}} props
 */
function EngineEvents({ id, close }) {
  const list = usePaged(`executions/${id}/history`, "events", { limit: 100 });
  return html`<${Dialog} title="Events of the engine" close=${close} wide>
    <div class="dialog-body engine-events">
      <p class="dim"><code>${id}</code></p>
      <${Trouble} problem=${list.problem} retry=${list.reload} />
      ${list.rows.map((/** @type {any} */ each) => {
        const { id: number, type, timestamp, previousEventId: _, ...rest } = each;
        const details = /** @type {any} */ (Object.values(rest)[0]);
        return html`<details key=${number}>
          <summary>
            <span class="dim">${number}</span> <code>${type}</code> ${details?.name ?? details?.error ?? ""}${" "}
            <span class="dim"><${Time} at=${timestamp} /></span>
          </summary>
          ${details && html`<pre tabindex="0">${JSON.stringify(details, null, 2)}</pre>`}
        </details>`;
      })}
      ${list.more && html`<p><button type="button" onClick=${list.more}>More</button></p>`}
    </div>
  </${Dialog}>`;
}
