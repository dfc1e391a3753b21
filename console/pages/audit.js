/** For auditors and support: is the log what was written, who read what, who was erased, and questions to the log. */

import { Empty } from "../kit/parts.js";
import { may } from "../kit/session.js";
import { html, showCurrent, useEffect } from "../kit/view.js";
import { Checkpoints } from "./audit/checkpoints.js";
import { Erasures } from "./audit/erasures.js";
import { Exports } from "./audit/exports.js";
import { ProofOfOrder } from "./audit/proof.js";
import { Query } from "./audit/query.js";
import { Reads } from "./audit/reads.js";
import { Verify } from "./audit/verify.js";

/** @type {[string, string, string, (props: any) => any][]} address, title, what it needs, and the part */
const PARTS = [
  ["", "Verify", "verify", Verify],
  ["checkpoints", "Checkpoints", "read_checkpoints", Checkpoints],
  ["proof", "Proof of an order", "read_checkpoints", ProofOfOrder],
  ["reads", "Reads", "read_access_log", Reads],
  ["erasures", "Erasures", "read_erasures", Erasures],
  ["query", "SQL", "query", Query],
  ["exports", "Exports", "export", Exports],
];

/** @param {{part?: string, query: Record<string, string>}} props */
export default function Audit({ part = "", query }) {
  const offered = PARTS.filter(([, , needs]) => may(needs));
  const [, title, , Part] = offered.find(([path]) => path === part) ?? [];
  useEffect(() => showCurrent(".tabs"), [part]);
  return html`
    <div class="page-head"><h1>${title ? `Audit: ${title}` : "Audit"}</h1></div>
    <nav class="tabs" aria-label="Parts of the audit">
      ${offered.map(([path, label]) => html`<a
        href=${path ? `audit/${path}` : "audit"}
        aria-current=${path === part ? "page" : undefined}
      >
        ${label}
      </a>`)}
    </nav>
    ${Part
      ? html`<${Part} key=${part} query=${query} />`
      : html`<${Empty}>There is no such part for your role.</${Empty}>`}
  `;
}
