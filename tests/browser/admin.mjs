// The admin page in a real browser: what an operator sees, purges and switches.
//
// `cargo xtask browser` runs it, with KASOKU (the binary), CHROMIUM (the browser), APP (the catalogue's folder),
// PICTURES (where a failure leaves its picture) and NODE_PATH (where playwright-core is).

import assert from "node:assert/strict";
import { begin, run } from "./page.mjs";

const stage = await begin();
const { product, page, complaints } = stage;

/** What the page asks before it does something, and whether it may. */
const questions = [];
let may = true;
page.on("dialog", async (dialog) => {
  questions.push(dialog.message());
  await (may ? dialog.accept() : dialog.dismiss());
});

const LIST = "/v1/items?limit=3";
const verdict = async (target) => (await fetch(product.url + target)).headers.get("x-cache");
const warm = async (target) => {
  await verdict(target);
  assert.equal(await verdict(target), "HIT");
};
const said = (text) => page.locator("#purge output").getByText(text).waitFor();
const purge = async (kind, what, host = "") => {
  await page.selectOption("#purge [name=kind]", kind);
  if (what) await page.fill("#purge [name=what]", what);
  if (host) await page.fill("#purge [name=host]", host);
  await page.getByRole("button", { name: "Purge", exact: true }).click();
};
const lever = (name) => page.getByRole("button", { name: `${name} the cache of /v1/items`, exact: true });

const cases = {
  async "the page says how the server is"() {
    await page.goto(product.admin, { waitUntil: "load" });
    await page.locator("#status.well").getByText("ready").waitFor();
    await page.getByRole("cell", { name: "/v1/items", exact: true }).first().waitFor();
  },

  async "each kind of purge asks first, and says what it removed"() {
    for (const [kind, what, question] of [
      ["url", LIST, `Purge the URL ${LIST}?`],
      ["prefix", "/v1/", "Purge paths that begin with /v1/?"],
      ["tag", "items", "Purge what depends on the table, or is named items?"],
      ["all", "", "Purge everything?"],
    ]) {
      await warm(LIST);
      await purge(kind, what);
      await said(/^[1-9]\d* answers removed$/);
      assert.equal(questions.at(-1), question);
      assert.equal(await verdict(LIST), "MISS", kind);
      await page.locator("#purge output").evaluate((output) => { output.textContent = ""; });
    }
  },

  async "what is not confirmed is not done"() {
    await warm(LIST);
    may = false;
    await purge("all", "");
    await lever("Switch off").click();
    assert.equal(questions.length, 6);
    may = true;
    assert.equal(await verdict(LIST), "HIT");
  },

  async "what is wrong is explained"() {
    const before = complaints.length;
    await purge("url", "items");
    await said(/neither a path that begins with/);
    await purge("group", "news");
    await said(/belongs to a host/);
    await purge("url", "/v1/items", "a b");
    await said(/is not a host/);
    await page.fill("#purge [name=host]", "");
    // The browser itself tells of answers that refuse.
    assert.equal(complaints.splice(before).filter((text) => !/400/.test(text)).length, 0);
  },

  async "a soft purge leaves answers that are stale"() {
    await warm(LIST);
    await page.check("#purge [name=soft]");
    await purge("prefix", "/v1/items");
    await said(/marked as stale/);
    assert.notEqual(await verdict(LIST), "HIT");
    await page.uncheck("#purge [name=soft]");
  },

  async "a route's cache is switched off and on again"() {
    await warm(LIST);
    await lever("Switch off").click();
    await page.locator("#switched").getByText(/The cache of \/v1\/items is off; [1-9]\d* answers removed/).waitFor();
    await page.getByRole("cell", { name: "off until the next reload", exact: true }).waitFor();
    assert.match(questions.at(-1), /until the next reload/);
    for (let turn = 0; turn < 2; turn += 1) {
      const answer = await fetch(product.url + LIST);
      assert.equal(answer.headers.get("cache-status"), "kasoku; fwd=bypass; detail=switched-off");
    }
    await lever("Switch on").click();
    await lever("Switch off").waitFor();
    await warm(LIST);
  },

  async "narrow windows need no sideways scrolling"() {
    for (const width of [320, 390, 800]) {
      await page.setViewportSize({ width, height: 844 });
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
    }
    await page.setViewportSize({ width: 1280, height: 900 });
  },

  async "the console has nothing to complain about"() {
    assert.deepEqual(complaints, []);
  },
};

await run("admin", cases, stage);
