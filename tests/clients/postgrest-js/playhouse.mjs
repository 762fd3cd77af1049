// Starts the product on a copy of the app here, on the engine that ENGINE names, and gives clients of it.
//
// `cargo xtask clients` sets KASOKU (the binary), NODE_PATH (where the package is), ENGINE (`sqlite` or `postgresql`)
// and POSTGRES (a program that starts a private PostgreSQL, says where it is, and ends it with its own input).

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

export const { PostgrestClient } = createRequire(import.meta.url)("@supabase/postgrest-js");
export const { KASOKU, POSTGRES, ENGINE = "sqlite" } = process.env;

const APP = fileURLToPath(new URL("app", import.meta.url));
const PATIENCE_MS = 120_000;

/** One file's server: begun before its cases, ended after them, and asked whether any answer of its cache was wrong. */
export class Playhouse {
  #prepare;
  #folder;
  #child;
  #database;
  #said = [];
  /** Where the API is. */
  url;
  admin;

  /** Of the file that calls it; `prepare` fills the app's folder, with the app here if nothing else. */
  static open(prepare = copyOfTheApp) {
    const house = new Playhouse();
    house.#prepare = prepare;
    before(() => house.start());
    after(() => house.end());
    return house;
  }

  async start() {
    this.#folder = await mkdtemp(join(tmpdir(), "kasoku-client-"));
    await this.#prepare(this.#folder);
    const env = { ...process.env };
    delete env.DATABASE_URL;
    if (ENGINE === "postgresql") env.DATABASE_URL = await this.#startDatabase();
    const words = ["serve", this.#folder, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
    this.#child = spawn(KASOKU, words, { env, stdio: ["ignore", "pipe", "pipe"] });
    const lines = (line, done) => {
      this.#said.push(line);
      this.admin = line.match(/^Admin: (http:\S+)/)?.[1] ?? this.admin;
      const origin = line.match(/ serves .* at (http:\S+)/)?.[1];
      if (origin) this.url = `${origin.replace(/\/$/, "")}/rest/v1`;
      if (line.includes("Stop with Ctrl-C")) done();
    };
    await this.#until(this.#child, ["stdout", "stderr"], lines);
  }

  async #startDatabase() {
    this.#database = spawn(POSTGRES, [], { stdio: ["pipe", "pipe", "inherit"] });
    let url;
    await this.#until(this.#database, ["stdout"], (line, done) => {
      url = line;
      done();
    });
    return url;
  }

  #until(child, streams, listen) {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => fail(`not ready after ${PATIENCE_MS} ms`), PATIENCE_MS);
      const fail = (why) => {
        clearTimeout(late);
        reject(new Error(`${why}:\n${this.#said.join("\n")}`));
      };
      child.once("error", (error) => fail(error.message));
      child.once("exit", (code) => fail(`ended with ${code}`));
      const done = () => {
        clearTimeout(late);
        resolve();
      };
      for (const stream of streams) createInterface({ input: child[stream] }).on("line", (line) => listen(line, done));
    });
  }

  async end() {
    const ended = async (child, stop) => {
      if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return;
      const end = new Promise((resolve) => child.once("exit", resolve));
      stop(child);
      await end;
    };
    try {
      if (this.admin) await this.#wasNeverWrong();
    } finally {
      await ended(this.#child, (child) => child.kill("SIGTERM"));
      await ended(this.#database, (child) => child.stdin.end());
      if (this.#folder) await rm(this.#folder, { recursive: true, force: true });
    }
  }

  /** Every hit of the cache was compared with the database (`cache.audit`); none may have differed. */
  async #wasNeverWrong() {
    const metrics = await (await fetch(`${this.admin.replace(/\/$/, "")}/metrics`)).text();
    const wrong = metrics.split("\n").filter((line) => /^kasoku_cache_audited_total\{.*consistent="false"/.test(line));
    for (const line of wrong) assert.match(line, / 0$/, line);
  }

  /** A client, as an application makes it. */
  client(options = {}) {
    return new PostgrestClient(this.url, options);
  }
}

async function copyOfTheApp(folder) {
  await cp(join(APP, "kasoku.toml"), join(folder, "kasoku.toml"));
  await cp(join(APP, "schema"), join(folder, "schema"), { recursive: true });
  await cp(join(APP, ENGINE), join(folder, "schema"), { recursive: true });
}

/** A case: what a query of the client comes to. Of the result only what `expected` names is compared. */
export function check(house, name, query, expected) {
  test(name, async () => {
    const result = await query(house.client({ schema: "public" }));
    compare(result, expected);
  });
}

/** Compares what `expected` names; a data that is expected must come without an error. */
export function compare(result, expected) {
  const { error, ...rest } = expected;
  if (error) {
    assert.ok(result.error, `it succeeded: ${JSON.stringify(result.data)}`);
    assert.equal(result.data, null);
    for (const [name, value] of Object.entries(error)) like(result.error[name], value, `error.${name}`);
  } else {
    assert.equal(result.error, null, JSON.stringify(result.error));
  }
  for (const [name, value] of Object.entries(rest)) like(result[name], value, name);
}

function like(found, expected, name) {
  if (expected instanceof RegExp) assert.match(String(found), expected, name);
  else assert.deepEqual(found, expected, name);
}

/** Some members of each row. */
export const pick = (rows, ...names) => rows.map((row) => Object.fromEntries(names.map((name) => [name, row[name]])));

/** Rows in another order. Ties are broken by `id`. */
export const sorted = (rows, by, direction = 1) =>
  [...rows].sort((a, b) => (a[by] < b[by] ? -direction : a[by] > b[by] ? direction : a.id - b.id));

export { assert, test };
