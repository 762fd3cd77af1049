// A page of the product in a real browser, and the cases that are tried on it.

import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Product } from "./product.mjs";

const { chromium } = createRequire(import.meta.url)("playwright-core");
const { KASOKU, CHROMIUM, APP, PICTURES } = process.env;
const WAIT_MS = 15_000;
const ARGUMENTS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];

/** Starts the product and a browser: the product, an empty page, and what the page's console complains about. */
export async function begin() {
  const product = await Product.serve(KASOKU, APP);
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS, timeout: 4 * WAIT_MS });
  const context = await browser.newContext({ locale: "en-GB", viewport: { width: 1280, height: 900 } });
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  return { product, browser, page, complaints };
}

/** Tries each case in turn, keeps a picture of each that fails, and ends everything. */
export async function run(name, cases, { product, browser, page }) {
  let failed = 0;
  try {
    for (const [title, attempt] of Object.entries(cases)) {
      try {
        await attempt();
        console.log(`  ok      ${title}`);
      } catch (error) {
        failed += 1;
        await mkdir(PICTURES, { recursive: true });
        const picture = join(PICTURES, `${name}-${failed}.png`);
        await page.screenshot({ path: picture, fullPage: true });
        console.log(`  FAILED  ${title}\n${error.stack}\n          as seen: ${picture}`);
      }
    }
  } finally {
    await browser.close();
    await product.remove();
  }
  console.log(`${Object.keys(cases).length - failed} passed, ${failed} failed`);
  process.exitCode = failed ? 1 : 0;
}
