// The catalogue's page in a real browser: what a visitor sees, does and reads.
//
// `cargo xtask browser` runs it, with KASOKU (the binary), CHROMIUM (the browser), APP (the catalogue's folder),
// PICTURES (where a failure leaves its picture) and NODE_PATH (where playwright-core is).

import assert from "node:assert/strict";
import { begin, run } from "./page.mjs";

const stage = await begin();
const { product, page, complaints } = stage;

const rows = page.locator("#items li");
const texts = (selector) => page.locator(selector).allTextContents();
const open = (search = "") => page.goto(`${product.url}/${search}`, { waitUntil: "networkidle" });
const api = async (target) => (await fetch(product.url + target)).json();
const total = (text) => page.getByText(text, { exact: true }).waitFor();
/** The newest lines of the request log, newest first: method and verdict. */
const verdicts = async (count) =>
  page.locator("#log tr").evaluateAll(
    (lines, most) => lines.slice(0, most).map((line) => `${line.cells[0].title.split(" ")[0]} ${line.cells[1].textContent}`),
    count,
  );
const requests = () => page.locator("#sent").textContent().then(Number);
/** Waits until the page has made this many requests since `before`, and none is under way. */
const settled = async (before, count) => {
  await page.waitForFunction((least) => Number(document.getElementById("sent").textContent) >= least, before + count);
  await page.waitForFunction(() => !document.querySelector(".sending"));
};

const cases = {
  async "the page shows the newest items, their number and the categories"() {
    await open();
    await total("5,000 items");
    assert.equal(await rows.first().locator("a").textContent(), "#5000");
    const categories = await texts("[name=category] option");
    assert.equal(categories.length, 17);
    assert.match(categories[6], /^Ceramics 陶器 \(\d+\)$/);
  },

  async "each sort asks for its own order"() {
    const shown = async (sort) => {
      const answer = page.waitForResponse((response) => response.url().endsWith(`/v1/items?order=${sort}`));
      await page.selectOption("[name=order]", sort);
      const first = (await (await answer).json()).items[0];
      await rows.first().getByText(`#${first.id}`, { exact: true }).waitFor();
      return first;
    };
    const [cheapest, dearest] = [await shown("price.asc"), await shown("price.desc")];
    assert.ok(cheapest.price < dearest.price);
    const [latest, earliest] = [await shown("released.desc"), await shown("released.asc")];
    assert.ok(earliest.released < latest.released);
  },

  async "a narrow search scrolls to its end, every item once, and survives a reload"() {
    await open();
    await page.selectOption("[name=category]", "books");
    await page.fill("[name=from]", "10");
    await page.fill("[name=to]", "60");
    await page.waitForURL("**/?category=books&from=10&to=60");
    await page.waitForFunction(() => /^\d+ items$/.test(document.getElementById("total").textContent));
    const expected = parseInt(await page.textContent("#total"), 10);
    assert.ok(expected > 60, `${expected} items are several pages`);
    const ended = page.getByText("That is all.");
    while (!(await ended.isVisible())) {
      const before = await rows.count();
      await rows.last().scrollIntoViewIfNeeded();
      await page.waitForFunction(
        (count) => document.querySelectorAll("#items li").length > count || /all/.test(document.getElementById("note").textContent),
        before,
      );
    }
    assert.equal(new Set(await texts("#items a")).size, expected);
    assert.equal(await rows.count(), expected);
    assert.deepEqual([...new Set((await texts(".facts")).map((text) => text.split(" · ")[0]))], ["Books"]);

    await page.reload({ waitUntil: "networkidle" });
    assert.equal(await page.inputValue("[name=from]"), "10");
    assert.equal(await page.inputValue("[name=category]"), "books");
    await total(`${expected} items`);
  },

  async "a stock figure is written, and the answers it made wrong are asked for again"() {
    await open("?category=toys");
    const before = await requests();
    const id = (await rows.first().locator("a").textContent()).slice(1);
    const { stock } = await api(`/v1/items/${id}`);
    await rows.first().getByRole("button", { name: "One more" }).click();
    await settled(before, 2);
    assert.deepEqual(await verdicts(2), ["GET MISS", "PATCH BYPASS"]);
    assert.equal(await rows.first().locator("output").textContent(), String(stock + 1));
    assert.equal((await api(`/v1/items/${id}`)).stock, stock + 1);
    const pages = Math.ceil((await rows.count()) / 20);
    const again = page.getByRole("button", { name: "Ask for these pages again" });
    for (const round of [1, 2]) {
      await again.click();
      await settled(before, 2 + round * pages);
    }
    assert.deepEqual(new Set(await verdicts(pages)), new Set(["GET HIT"]), "nothing was written between the rounds");
  },

  async "presses in quick succession all count"() {
    const before = await requests();
    const id = (await rows.nth(1).locator("a").textContent()).slice(1);
    const { stock } = await api(`/v1/items/${id}`);
    await rows.nth(1).getByRole("button", { name: "One more" }).evaluate((button) => {
      for (let press = 0; press < 7; press += 1) button.click();
    });
    await settled(before, 3);
    assert.equal((await api(`/v1/items/${id}`)).stock, stock + 7);
  },

  async "a search without results says so, and can be cleared"() {
    await open("?from=90000");
    await page.getByText("No items match this search.").waitFor();
    await total("0 items");
    await page.getByRole("button", { name: "Clear" }).click();
    await total("5,000 items");
    assert.equal(new URL(page.url()).search, "");
    await open("?from=20&to=10");
    await page.getByText("No items: the price range ends below its beginning.").waitFor();
  },

  async "the keyboard alone suffices"() {
    await open("?category=lamps");
    const id = (await rows.first().locator("a").textContent()).slice(1);
    const { stock } = await api(`/v1/items/${id}`);
    const before = await requests();
    const focused = () => page.evaluate(() => document.activeElement.ariaLabel);
    for (let press = 0; press < 20 && (await focused()) !== "One more"; press += 1) await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await settled(before, 2);
    assert.equal((await api(`/v1/items/${id}`)).stock, stock + 1);
    assert.equal(await focused(), "One more", "the focus stays where it was");
  },

  async "narrow windows need no sideways scrolling"() {
    for (const width of [320, 390, 800]) {
      await page.setViewportSize({ width, height: 844 });
      await open();
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
    }
    await page.setViewportSize({ width: 1280, height: 900 });
  },

  async "until here, the console had nothing to complain about"() {
    assert.deepEqual(complaints, []);
  },

  async "a server that is gone is named, and trying again goes on once it is back"() {
    await open();
    await product.stop();
    await page.selectOption("[name=order]", "price.asc");
    await page.getByText("The server does not answer. Is it still running?").waitFor();
    await product.start();
    await page.getByRole("button", { name: "Try again" }).click();
    await total("5,000 items");
    await rows.first().waitFor();
  },
};

await run("catalog", cases, stage);
