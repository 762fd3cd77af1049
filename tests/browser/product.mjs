// Starts the product on a copy of an app, and stops it. It knows nothing of browsers.

import { spawn } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const READY_MS = 60_000;

/** An app served from a folder of its own, with few rows. */
export class Product {
  #binary;
  #folder;
  #child;
  #listen = "127.0.0.1:0";
  /** Where it listens; the same after a restart. */
  url;
  /** Where its admin listener listens now. */
  admin;

  static async serve(binary, app) {
    const product = new Product();
    product.#binary = binary;
    product.#folder = await mkdtemp(join(tmpdir(), "kasoku-browser-"));
    await cp(app, product.#folder, { recursive: true, filter: (path) => !/\.db(-|$)/.test(path) });
    await product.start();
    return product;
  }

  /** Resolves once it says where it listens and that it does. */
  start() {
    const words = ["serve", this.#folder, "--listen", this.#listen, "--admin", "127.0.0.1:0"];
    const env = { ...process.env, KASOKU_DATABASE_SEED_ROWS: "5000" };
    this.#child = spawn(this.#binary, words, { env, stdio: ["ignore", "pipe", "pipe"] });
    const child = this.#child;
    const said = [];
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`not ready after ${READY_MS} ms:\n${said.join("\n")}`)), READY_MS);
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(`ended with ${code}:\n${said.join("\n")}`)));
      for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream }).on("line", (line) => {
          said.push(line);
          this.admin = line.match(/^Admin: (http:\S+)/)?.[1] ?? this.admin;
          this.url ??= line.match(/ serves .* at (http:\S+)/)?.[1];
          if (!line.includes("Stop with Ctrl-C")) return;
          clearTimeout(late);
          this.#listen = new URL(this.url).host;
          resolve();
        });
      }
    });
  }

  async stop() {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
  }

  async remove() {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
