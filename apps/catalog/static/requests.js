// Asks the API, and keeps the log of what each request cost. It knows nothing of items.

const ROWS_MAX = 40;
const TIMES_MAX = 200;

const $ = (id) => document.getElementById(id);
const whole = new Intl.NumberFormat();
const tenths = new Intl.NumberFormat(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat(undefined, { style: "percent" });

const reads = { HIT: 0, all: 0 };
const times = { HIT: [], MISS: [] };
let sent = 0;

/** A refusal by the server, or silence; its message is written for the person at the page. */
export class Trouble extends Error {}

/** Asks, notes time and verdict, and answers the parsed body with the response's headers. */
export async function ask(path, { method = "GET", headers = {}, body } = {}) {
  const began = performance.now();
  let response;
  let text;
  try {
    response = await fetch(path, {
      method,
      headers: body ? { "content-type": "application/json", ...headers } : headers,
      body: body && JSON.stringify(body),
    });
    text = await response.text();
  } catch {
    note(method, path, null, performance.now() - began);
    throw new Trouble("The server does not answer. Is it still running?");
  }
  note(method, path, response, took(path, began));
  let content;
  try {
    content = text ? JSON.parse(text) : null;
  } catch {
    throw new Trouble(`The server answered ${response.status} with something other than JSON.`);
  }
  if (!response.ok) throw new Trouble(content?.detail ?? content?.title ?? `The server answered ${response.status}.`);
  return { content, headers: response.headers };
}

/**
 * From sending to the last byte, in ms, of what was asked at `began`: the script's own clock sees the page's work as
 * well, and stands in where the browser has no record.
 */
function took(path, began) {
  const records = performance.getEntriesByName(new URL(path, location).href, "resource");
  const record = records.findLast(({ startTime, requestStart }) => startTime >= began && requestStart > 0);
  const own = performance.now() - began;
  // The browser stops recording at 250.
  if (performance.getEntriesByType("resource").length >= TIMES_MAX) performance.clearResourceTimings();
  return record ? record.responseEnd - record.requestStart : own;
}

function note(method, path, response, ms) {
  const verdict = response ? (response.headers.get("x-cache") ?? "NONE") : "FAILED";
  sent += 1;
  if (response && method === "GET") {
    reads.all += 1;
    if (verdict === "HIT") reads.HIT += 1;
    if (verdict in times) {
      times[verdict].push(ms);
      if (times[verdict].length > TIMES_MAX) times[verdict].shift();
    }
  }
  show(method, path, response, verdict, ms);
}

function show(method, path, response, verdict, ms) {
  $("sent").textContent = whole.format(sent);
  $("hits").textContent = reads.all ? percent.format(reads.HIT / reads.all) : "–";
  $("median-hit").textContent = median(times.HIT);
  $("median-miss").textContent = median(times.MISS);

  const row = $("log").insertRow(0);
  const target = decodeURIComponent(path).replace("/v1/", "").replace(/cursor=[^&]+/, "cursor=…");
  const cells = [method === "GET" ? target : `${method} ${target}`, verdict, milliseconds(ms)];
  for (const text of cells) row.insertCell().textContent = text;
  row.cells[0].title = `${method} ${path}`;
  row.cells[1].className = response?.ok ? verdict : "FAILED";
  row.cells[1].title = response ? `${response.status}; ${response.headers.get("cache-status") ?? "no Cache-Status"}` : "no answer";
  row.cells[2].className = "number";
  while ($("log").rows.length > ROWS_MAX) $("log").deleteRow(-1);
}

function median(values) {
  if (!values.length) return "–";
  return milliseconds([...values].sort((a, b) => a - b)[values.length >> 1]);
}

function milliseconds(value) {
  return `${value < 100 ? tenths.format(value) : whole.format(Math.round(value))} ms`;
}
