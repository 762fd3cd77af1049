// The catalogue's page: a search that lives in the address, an endless list by cursor, and stock figures to change.

import { ask, Trouble } from "./requests.js";

/** Pages that "ask again" repeats, the last ones. */
const PAGES_MAX = 10;
/** How long typing may pause before it counts as a question. */
const PAUSE_MS = 250;
/** How far below the window's edge the next page is asked for. */
const AHEAD_PX = 600;

const $ = (id) => document.getElementById(id);
const form = $("search");
const fields = form.elements;
const whole = new Intl.NumberFormat();
const money = new Intl.NumberFormat(undefined, { style: "currency", currency: "EUR", currencyDisplay: "narrowSymbol" });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });
const categoryNames = new Map();

/** Asks for the next page when the end of the list comes near. */
const sight = new IntersectionObserver((entries) => entries.at(-1).isIntersecting && list.state === "idle" && more(), {
  rootMargin: `${AHEAD_PX}px`,
});

/** What is shown now. A new search makes a new one, and answers to an old one are dropped. */
let list;

/** The search as the form has it, without what is at its default: it goes into the address. */
function search() {
  const written = [...new FormData(form)].filter(([name, value]) => value && value !== fields[name].options?.[0]?.value);
  return new URLSearchParams(written);
}

/** The search as the API reads it. */
function query() {
  const parts = new URLSearchParams();
  if (fields.category.value) parts.set("category", fields.category.value);
  if (fields.from.value) parts.append("price", `gte.${fields.from.value}`);
  if (fields.to.value) parts.append("price", `lte.${fields.to.value}`);
  parts.set("order", fields.order.value);
  return parts;
}

function fillFormFromAddress() {
  for (const [name, value] of new URLSearchParams(location.search)) {
    const field = fields.namedItem(name);
    if (!field || (field.type === "number" && !Number.isFinite(Number(value)))) continue;
    // The names of the categories come later; until then the one that is asked for stands for itself.
    if (name === "category") field.add(new Option(value, value));
    field.value = value;
  }
  if (!fields.order.value) fields.order.selectedIndex = 0;
}

/** Starts the list anew for what the form says. */
function restart() {
  const address = search();
  history.replaceState(null, "", address.size ? `?${address}` : location.pathname);
  $("reset").hidden = address.size === 0;
  $("json").href = `/v1/items?${query()}`;
  list = { query: query(), cursor: undefined, state: "idle", pages: [] };
  $("items").replaceChildren();
  $("total").textContent = "Counting …";
  say("");
  more();
  count(list);
}

/** How many there are is asked apart, so that the first page does not wait for it. */
async function count(current) {
  const parts = new URLSearchParams(current.query);
  parts.set("limit", "1");
  let text;
  try {
    const { headers } = await ask(`/v1/items?${parts}`, { headers: { prefer: "count=capped" } });
    text = told(headers.get("total-count"));
  } catch {
    // The list itself says what is wrong.
    text = "";
  }
  if (current === list) $("total").textContent = text;
}

/** A total in words: exact `37`, capped `>10000`, or estimated `~100000`. */
function told(total) {
  const number = Number(total?.replace(/^[>~]/, "") ?? NaN);
  if (Number.isNaN(number)) return "";
  const before = { ">": "More than ", "~": "About " }[total[0]] ?? "";
  return `${before}${whole.format(number)} ${number === 1 ? "item" : "items"}`;
}

/** Asks for the next page, and for the one after it while the end is in sight. */
async function more() {
  const current = list;
  if (current.state === "loading" || current.state === "done") return;
  current.state = "loading";
  $("items").ariaBusy = "true";
  say("Loading …");
  const parts = new URLSearchParams(current.query);
  if (current.cursor) parts.set("cursor", current.cursor);
  const path = `/v1/items?${parts}`;
  try {
    const { content } = await ask(path);
    if (current !== list) return;
    const page = { path, rows: new Map() };
    current.pages.push(page);
    $("items").append(...content.items.map((item) => row(item, page)));
    current.cursor = content.next_cursor;
    current.state = current.cursor ? "idle" : "done";
    say(current.cursor ? "" : ending(), current.cursor ? "More" : undefined);
  } catch (error) {
    if (current !== list) return;
    current.state = "failed";
    say(reason(error), "Try again");
  }
  $("items").ariaBusy = "false";
  // Watched anew, the end tells again whether it is in sight.
  sight.unobserve($("end"));
  sight.observe($("end"));
}

function ending() {
  if ($("items").children.length) return "That is all.";
  if (fields.from.value && fields.to.value && Number(fields.from.value) > Number(fields.to.value)) {
    return "No items: the price range ends below its beginning.";
  }
  return "No items match this search.";
}

/** What is said below the list, and what its button offers. */
function say(text, offer) {
  $("note").textContent = text;
  $("more").hidden = !offer;
  if (offer) $("more").textContent = offer;
}

/** What went wrong, in words for the person at the page; a mistake of this script goes to the console. */
function reason(error) {
  if (error instanceof Trouble) return error.message;
  throw error;
}

function row(item, page) {
  const element = $("item").content.firstElementChild.cloneNode(true);
  const entry = { item, element, page, wanted: item.stock, sending: false };
  page.rows.set(item.id, entry);
  const link = element.querySelector("a");
  link.href = `/v1/items/${item.id}`;
  link.textContent = `#${item.id}`;
  element.querySelector(".stock").addEventListener("click", (event) => {
    const step = Number(event.target.dataset.step);
    if (step) restock(entry, Math.max(0, entry.wanted + step));
  });
  fill(entry);
  return element;
}

function fill({ item, element, wanted }) {
  const released = day.format(new Date(`${item.released}T00:00:00Z`));
  const facts = [categoryNames.get(item.category) ?? item.category, item.maker, released];
  element.querySelector(".title").textContent = item.title;
  element.querySelector(".facts span").textContent = facts.filter(Boolean).join(" · ");
  element.querySelector(".price").textContent = money.format(item.price);
  element.querySelector(".stock").ariaLabel = `Stock of ${item.title}`;
  element.querySelector("output").textContent = whole.format(wanted);
  element.classList.toggle("gone", wanted === 0);
  // `disabled` would take the focus away from those who came by keyboard.
  element.querySelector("[data-step='-1']").ariaDisabled = String(wanted === 0);
}

/** Sends the wanted figure; presses that come meanwhile are sent together, afterwards. */
async function restock(entry, wanted) {
  if (wanted === entry.wanted) return;
  entry.wanted = wanted;
  fill(entry);
  if (entry.sending) return;
  entry.sending = true;
  entry.element.classList.add("sending");
  try {
    while (entry.wanted !== entry.item.stock) {
      const { content } = await ask(`/v1/items/${entry.item.id}`, { method: "PATCH", body: { stock: entry.wanted } });
      entry.item = content;
    }
    await reread(entry.page);
    $("trouble").hidden = true;
    $("said").textContent = `${whole.format(entry.wanted)} in stock: ${entry.item.title}`;
  } catch (error) {
    // The write itself may have come through, and reading the page again not.
    const before = entry.wanted === entry.item.stock ? "" : `The change of “${entry.item.title}” was not confirmed. `;
    entry.wanted = entry.item.stock;
    fill(entry);
    $("trouble").textContent = before + reason(error);
    $("trouble").hidden = false;
  } finally {
    entry.sending = false;
    entry.element.classList.remove("sending");
  }
}

/** Asks for a page of the list again and shows what changed in it. */
async function reread(page) {
  const { content } = await ask(page.path);
  for (const item of content.items) {
    const entry = page.rows.get(item.id);
    if (!entry) continue;
    if (entry.wanted === entry.item.stock) entry.wanted = item.stock;
    entry.item = item;
    fill(entry);
  }
}

async function askAgain() {
  try {
    for (const page of list.pages.slice(-PAGES_MAX)) await reread(page);
    $("trouble").hidden = true;
  } catch (error) {
    $("trouble").textContent = reason(error);
    $("trouble").hidden = false;
  }
}

/** Names and counts of the categories; without them the page works with what it has. */
async function nameCategories() {
  let content;
  try {
    ({ content } = await ask("/v1/stats/categories"));
  } catch (error) {
    return reason(error);
  }
  const chosen = fields.category.value;
  const options = content.map(({ name, items, category }) => new Option(`${name} (${whole.format(items)})`, category));
  fields.category.replaceChildren(fields.category.options[0], ...options);
  for (const { category, name } of content) categoryNames.set(category, name);
  if (chosen && !categoryNames.has(chosen)) fields.category.add(new Option(chosen, chosen));
  fields.category.value = chosen;
  for (const page of list.pages) page.rows.forEach(fill);
}

let pause;
form.addEventListener("input", () => {
  clearTimeout(pause);
  pause = setTimeout(restart, PAUSE_MS);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(pause);
  restart();
});
form.addEventListener("reset", () => {
  fields.category.focus();
  setTimeout(restart);
});
$("more").addEventListener("click", () => {
  if (list.state === "failed") {
    count(list);
    nameCategories();
  }
  more();
});
$("again").addEventListener("click", askAgain);
$("log-box").open = matchMedia("(min-width: 56rem)").matches;
fillFormFromAddress();
restart();
nameCategories();
