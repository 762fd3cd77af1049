// Asks the API, and keeps the log of what each request cost. It knows nothing of prompts.

const ROWS_MAX = 30;

const $ = (id) => document.getElementById(id);
const milliseconds = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1, minimumFractionDigits: 1 });
const reads = { hits: 0, all: 0 };

let authorization = {};

/** From now on asks with this token. */
export function askAs(token) {
  authorization = { authorization: `Bearer ${token}` };
}

/** A refusal by the server, or silence; its message is written for the person at the page. */
export class Trouble extends Error {}

/** Asks, notes time and verdict, and answers the parsed body. */
export async function ask(path, { method = "GET", headers = {}, body } = {}) {
  const began = performance.now();
  let response;
  let text;
  try {
    response = await fetch(path, {
      method,
      headers: { ...authorization, ...(body && { "content-type": "application/json" }), ...headers },
      body: body && JSON.stringify(body),
    });
    text = await response.text();
  } catch {
    note(method, path, null, performance.now() - began);
    throw new Trouble("The server does not answer. Is it still running?");
  }
  note(method, path, response, performance.now() - began);
  let content;
  try {
    content = text ? JSON.parse(text) : null;
  } catch {
    throw new Trouble(`The server answered ${response.status} with something other than JSON.`);
  }
  if (!response.ok) throw new Trouble(content?.detail ?? content?.title ?? `The server answered ${response.status}.`);
  return content;
}

function note(method, path, response, ms) {
  const verdict = response ? (response.headers.get("x-cache") ?? "NONE") : "FAILED";
  if (response && method === "GET") {
    reads.all += 1;
    reads.hits += verdict === "HIT" ? 1 : 0;
    $("hits").textContent = `${reads.hits} of ${reads.all} reads were hits`;
  }
  const row = $("log").insertRow(0);
  const target = decodeURIComponent(path).replace(/cursor=[^&]+/, "cursor=…");
  for (const text of [`${method} ${target}`, verdict, `${milliseconds.format(ms)} ms`]) row.insertCell().textContent = text;
  row.cells[1].className = response?.ok ? verdict : "FAILED";
  row.cells[1].title = response ? `${response.status}; ${response.headers.get("cache-status") ?? "no Cache-Status"}` : "no answer";
  row.cells[2].className = "number";
  while ($("log").rows.length > ROWS_MAX) $("log").deleteRow(-1);
}
