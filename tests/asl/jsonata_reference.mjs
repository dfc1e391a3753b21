// Evaluates expressions with the reference implementation of JSONata: one line of JSON in, one line out.
// A line in: {source, variables, input}; without input, there is none.
// A line out: {value}, {undefined: true}, {function: true} or {code, message}.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const jsonata = createRequire(import.meta.url)(process.argv[2]);

function named(value, inList) {
  if (value === undefined) return inList ? null : undefined;
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (typeof value === "function" || value?._jsonata_lambda || value?._jsonata_function) throw new Error("a function");
  if (Array.isArray(value)) return Array.from(value, (item) => named(item, true));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, named(item, false)]));
}

async function answer({ source, variables, input }) {
  let value;
  try {
    value = await jsonata(source).evaluate(input, variables);
  } catch (error) {
    return { code: error.code ?? null, message: String(error.message) };
  }
  try {
    return value === undefined ? { undefined: true } : { value: named(value) };
  } catch {
    return { function: true };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(JSON.stringify(await answer(JSON.parse(line))) + "\n");
}
