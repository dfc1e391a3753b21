// Times evaluations with the reference implementation of JSONata. In: {library, expressions, states, rounds, calls} on
// stdin; out: the median microseconds of one evaluation, for each expression, null where it fails.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const { library, expressions, states, rounds, calls } = JSON.parse(readFileSync(0, "utf8"));
const jsonata = createRequire(import.meta.url)(library);

async function timed(source) {
  const expression = jsonata(source);
  expression.registerFunction("parse", (text) => (text === undefined ? undefined : JSON.parse(text)), "<s-:x>");
  const times = [];
  for (let round = -1; round < rounds; round++) {
    const before = process.hrtime.bigint();
    for (let call = 0; call < calls; call++) await expression.evaluate(undefined, { states });
    if (round >= 0) times.push(Number(process.hrtime.bigint() - before) / 1000 / calls);
  }
  return times.sort((first, second) => first - second)[Math.floor(times.length / 2)];
}

const medians = [];
for (const source of expressions) medians.push(await timed(source).catch(() => null));
process.stdout.write(JSON.stringify(medians));
