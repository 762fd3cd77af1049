// The registry's page: somebody's statistics, their prompts by cursor, and one prompt with all that belongs to it.

import { ask, askAs, Trouble } from "./requests.js";
import { TOKENS } from "./tokens.js";

const PAGE = 20;

const $ = (id) => document.getElementById(id);
const form = $("search");
const fields = form.elements;
const whole = new Intl.NumberFormat();
const percent = new Intl.NumberFormat(undefined, { style: "percent" });
const money = new Intl.NumberFormat(undefined, { style: "currency", currency: "USD", maximumFractionDigits: 2 });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });
const names = new Map();

/** What is shown now; answers to what was asked before a new search are dropped. */
let list = {};
let chosen;

/** Makes an element with text or children. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key in made) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** Does something that asks, and says what went wrong; a mistake of this script goes to the console. */
async function attempt(work) {
  try {
    await work();
    $("trouble").hidden = true;
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    $("trouble").textContent = error.message;
    $("trouble").hidden = false;
  }
}

function query() {
  const parts = new URLSearchParams({ select: "id,title,version,category,status,tags,score,shared" });
  for (const name of ["category", "status"]) if (fields[name].value) parts.set(name, `eq.${fields[name].value}`);
  parts.set("order", fields.order.value);
  parts.set("limit", PAGE);
  return parts;
}

function restart() {
  const address = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
  history.replaceState(null, "", `?${address}`);
  askAs(TOKENS[fields.user.value]);
  list = { query: query(), cursor: undefined };
  chosen = undefined;
  $("list").replaceChildren();
  $("prompt").replaceChildren();
  more();
  figures();
}

async function more() {
  const current = list;
  $("more").hidden = true;
  $("note").textContent = "Loading …";
  await attempt(async () => {
    const parts = new URLSearchParams(current.query);
    if (current.cursor) parts.set("cursor", current.cursor);
    const page = await ask(`/v1/prompts?${parts}`);
    if (current !== list) return;
    $("list").append(...page.prompts.map(row));
    current.cursor = page.next_cursor;
    $("note").textContent = $("list").children.length ? "" : "No prompts match.";
    $("more").hidden = !page.next_cursor;
    if (!chosen && page.prompts.length) show(page.prompts[0].id);
  });
  if (current === list && $("note").textContent === "Loading …") $("note").textContent = "";
}

function row(prompt) {
  const button = element("button", { type: "button", onclick: () => show(prompt.id) },
    element("span", { className: "title" }, prompt.title, element("small", {}, `v${prompt.version}`)),
    element("span", { className: "facts" }, `#${prompt.id} · ${names.get(prompt.category) ?? prompt.category} · ${prompt.tags.join(", ")}`),
    element("span", { className: `status ${prompt.status}` }, prompt.shared ? `${prompt.status}, shared` : prompt.status),
    score(prompt.score));
  button.dataset.id = prompt.id;
  return element("li", {}, button);
}

function score(value) {
  const meter = element("meter", { min: 0, max: 100, low: 55, high: 75, optimum: 100, value });
  meter.ariaLabel = "Score";
  return element("span", { className: "score" }, meter, String(value));
}

/** One request for the prompt with everything that belongs to it. */
async function show(id) {
  chosen = id;
  for (const button of $("list").querySelectorAll("button")) button.ariaCurrent = String(Number(button.dataset.id) === id);
  const select = "id,title,version,category,status,body,score,updated_at,parent(id,version),versions(id,version,status),"
    + "evaluations(id,evaluator,score,comment,created_at),results(id,model,passed,latency_ms,cost_micros,output,ran_on)";
  await attempt(async () => {
    const prompt = await ask(`/v1/prompts/${id}?select=${encodeURIComponent(select)}&evaluations.limit=20&results.limit=20`);
    if (chosen === id) $("prompt").replaceChildren(...parts(prompt));
  });
}

function parts(prompt) {
  const to = ({ id, version }, arrow) => element("button", { type: "button", className: "link", onclick: () => show(id) }, `${arrow} v${version}`);
  return [
    element("h2", {}, prompt.title),
    element("p", { className: "note" }, `#${prompt.id} · version ${prompt.version} · ${prompt.status} · ${day.format(new Date(prompt.updated_at))} `,
      prompt.parent && to(prompt.parent, "←"), ...prompt.versions.map((version) => to(version, "→"))),
    element("pre", {}, prompt.body),
    element("h3", {}, "Evaluations ", score(prompt.score)),
    judge(prompt),
    element("ul", {}, ...prompt.evaluations.map(({ score: points, evaluator, comment, created_at: when }) =>
      element("li", {}, element("b", {}, String(points)), ` ${comment ?? "No comment."} `, element("small", {}, `${evaluator}, ${day.format(new Date(when))}`)))),
    element("h3", {}, "Test results"),
    element("table", {}, element("tbody", {}, ...prompt.results.map((result) => element("tr", {},
      element("td", { className: result.passed ? "passed" : "failed" }, result.passed ? "passed" : "failed"),
      element("td", {}, result.model), element("td", {}, result.output ?? ""),
      element("td", { className: "number" }, `${whole.format(result.latency_ms)} ms`),
      element("td", { className: "number" }, `${whole.format(result.cost_micros)} µ$`))))),
  ];
}

/** The form for one more evaluation. */
function judge(prompt) {
  const own = $("judge").content.firstElementChild.cloneNode(true);
  const { score: points, comment } = own.elements;
  const told = own.querySelector("output");
  points.value = told.textContent = prompt.score;
  points.oninput = () => (told.textContent = points.value);
  own.onsubmit = (event) => {
    event.preventDefault();
    attempt(async () => {
      const body = { prompt_id: prompt.id, score: Number(points.value), comment: comment.value || null };
      await ask("/v1/evaluations", { method: "POST", body });
      await Promise.all([show(prompt.id), refresh(), figures()]);
    });
  };
  return own;
}

/** The first page of the list again: most of it is a hit, unless the write changed it. */
async function refresh() {
  const page = await ask(`/v1/prompts?${list.query}`);
  const rows = [...$("list").children].slice(page.prompts.length);
  $("list").replaceChildren(...page.prompts.map(row), ...rows);
}

async function figures() {
  const user = fields.user.value;
  await attempt(async () => {
    const [statistics, usage] = await Promise.all([ask("/v1/statistics"), ask("/v1/usage")]);
    if (user !== fields.user.value) return;
    const told = {
      Prompts: whole.format(statistics.prompts), Active: whole.format(statistics.active), "Mean score": statistics.mean_score,
      "Best score": statistics.best_score, Evaluations: whole.format(statistics.evaluations), Runs: whole.format(statistics.runs),
      Passed: statistics.runs ? percent.format(statistics.passed / statistics.runs) : "–", Spent: money.format(statistics.cost_micros / 1e6),
    };
    $("statistics").replaceChildren(...Object.entries(told).map(([name, value]) =>
      element("div", {}, element("dt", {}, name), element("dd", {}, String(value)))));
    const most = Math.max(1, ...usage.map(({ runs }) => runs));
    $("usage").replaceChildren(...usage.map(({ category, runs, latency_ms: mean }) => {
      const bar = element("span", { className: "bar" });
      bar.style.setProperty("--share", runs / most);
      return element("li", { title: `${whole.format(runs)} runs, ${whole.format(mean)} ms each` },
        element("span", {}, names.get(category) ?? category), bar, element("span", { className: "number" }, whole.format(runs)));
    }));
  });
}

async function begin() {
  fields.user.append(...Object.keys(TOKENS).map((name) => new Option(name, name)));
  await attempt(async () => {
    const categories = await ask("/v1/categories?limit=100");
    for (const { slug, name } of categories) names.set(slug, name);
    fields.category.append(...categories.map(({ slug, name }) => new Option(name, slug)));
  });
  for (const [name, value] of new URLSearchParams(location.search)) {
    const field = fields.namedItem(name);
    if (field && [...field.options].some((option) => option.value === value)) field.value = value;
  }
  restart();
}

form.addEventListener("change", restart);
form.addEventListener("submit", (event) => event.preventDefault());
$("more").addEventListener("click", more);
begin();
