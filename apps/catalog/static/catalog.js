// The catalogue's page: a search form, an endless list by cursor, and a log of what each request cost.

const $ = (id) => document.getElementById(id);
const form = $("search");
const money = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const whole = new Intl.NumberFormat();
const log = { times: [], hits: 0, reads: 0 };
let list = { cursor: undefined, loading: false, run: 0 };

/** Asks the API, notes time and cache verdict, and answers the parsed body. */
async function ask(path, options = {}) {
  const began = performance.now();
  let response;
  try {
    response = await fetch(path, options);
    const body = response.status === 204 ? null : await response.json();
    note(path, options.method ?? "GET", response, performance.now() - began);
    if (!response.ok) throw new Error(body?.detail ?? body?.title ?? response.statusText);
    return { body, response };
  } catch (error) {
    if (!response) note(path, options.method ?? "GET", null, performance.now() - began);
    throw error;
  }
}

function note(path, method, response, took) {
  const verdict = response?.headers.get("x-cache") ?? "FAILED";
  if (method === "GET") {
    log.reads += 1;
    if (verdict === "HIT") log.hits += 1;
  }
  log.times.push(took);
  if (log.times.length > 200) log.times.shift();
  const sorted = log.times.toSorted((a, b) => a - b);
  $("hits").textContent = log.reads ? `${Math.round((100 * log.hits) / log.reads)} %` : "–";
  $("median").textContent = `${sorted[sorted.length >> 1].toFixed(1)} ms`;
  $("sent").textContent = whole.format(Number($("sent").dataset.count = Number($("sent").dataset.count ?? 0) + 1));
  const row = $("log").insertRow(0);
  const cells = [`${method === "GET" ? "" : `${method} `}${decodeURIComponent(path)}`, verdict, `${took.toFixed(1)} ms`];
  for (const text of cells) row.insertCell().textContent = text;
  row.title = response ? `${response.status} · ${response.headers.get("cache-status") ?? "no Cache-Status"}` : "no answer";
  row.cells[1].className = response?.ok ? verdict : "failed";
  row.cells[2].className = "number";
  while ($("log").rows.length > 40) $("log").deleteRow(-1);
}

function query() {
  const fields = new FormData(form);
  const parts = new URLSearchParams();
  if (fields.get("category")) parts.set("category", fields.get("category"));
  if (fields.get("from")) parts.append("price", `gte.${fields.get("from")}`);
  if (fields.get("to")) parts.append("price", `lte.${fields.get("to")}`);
  parts.set("order", fields.get("order"));
  return parts;
}

/** Starts the list anew for what the form says. */
function restart() {
  list = { cursor: undefined, loading: false, run: list.run + 1 };
  $("items").replaceChildren();
  $("end").textContent = "";
  history.replaceState(null, "", `?${new URLSearchParams(new FormData(form))}`);
  more();
  count(list.run);
}

async function count(run) {
  const parts = query();
  parts.set("limit", "1");
  try {
    const { response } = await ask(`/v1/items?${parts}`, { headers: { prefer: "count=capped" } });
    const total = response.headers.get("content-range")?.split("/")[1];
    if (run === list.run && total) $("summary").textContent = `${total.startsWith(">") ? "more than " : ""}${whole.format(Number(total.replace(/\D/g, "")))} items`;
  } catch (error) {
    if (run === list.run) $("summary").textContent = error.message;
  }
}

async function more() {
  const current = list;
  if (current.loading || current.cursor === null) return;
  current.loading = true;
  const parts = query();
  if (current.cursor) parts.set("cursor", current.cursor);
  try {
    const { body } = await ask(`/v1/items?${parts}`);
    if (current !== list) return;
    $("items").append(...body.items.map(show));
    current.cursor = body.next_cursor;
    $("end").textContent = current.cursor === null ? (body.items.length || $("items").children.length ? "That is all." : "Nothing like that.") : "";
  } catch (error) {
    if (current === list) $("end").textContent = error.message;
    current.cursor = null;
  } finally {
    current.loading = false;
  }
  if (current === list && current.cursor && $("end").getBoundingClientRect().top < innerHeight + 400) more();
}

function show(item) {
  const element = $("item").content.firstElementChild.cloneNode(true);
  element.querySelector(".title").textContent = item.title;
  element.querySelector(".facts").textContent = [item.category, item.maker, item.released, `#${item.id}`].filter(Boolean).join(" · ");
  element.querySelector(".price").textContent = money.format(item.price);
  element.querySelector("output").textContent = item.stock;
  element.addEventListener("click", (event) => {
    const step = Number(event.target.dataset?.step);
    if (step) restock(item, element, step);
  });
  return element;
}

async function restock(item, element, step) {
  const stock = Math.max(0, item.stock + step);
  try {
    await ask(`/v1/items/${item.id}`, {
      method: "PATCH",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ stock }),
    });
    const { body } = await ask(`/v1/items/${item.id}`);
    Object.assign(item, body);
    element.querySelector("output").textContent = item.stock;
  } catch (error) {
    $("summary").textContent = error.message;
  }
}

async function begin() {
  const { body } = await ask("/v1/stats/categories");
  $("category").append(...body.map((row) => new Option(`${row.name} (${whole.format(row.items)})`, row.category)));
  for (const [name, value] of new URLSearchParams(location.search)) {
    if (form.elements[name]) form.elements[name].value = value;
  }
  restart();
}

let pending;
form.addEventListener("input", () => {
  clearTimeout(pending);
  pending = setTimeout(restart, 250);
});
form.addEventListener("submit", (event) => event.preventDefault());
new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && more(), { rootMargin: "400px" }).observe($("end"));
begin().catch((error) => ($("end").textContent = error.message));
