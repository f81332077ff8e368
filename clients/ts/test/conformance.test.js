import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { answers } from "./answers.js";

function vectors(subject) {
  return JSON.parse(readFileSync(new URL(`../../conformance/${subject}.json`, import.meta.url), "utf8"));
}

/** Equal but for the last digits of numbers. */
function close(got, want, where) {
  if (typeof want === "number") {
    assert.ok(Math.abs(got - want) < 1e-6, `${where}: ${got} is not ${want}`);
  } else if (want === null || typeof want !== "object") {
    assert.equal(got, want, where);
  } else {
    assert.deepEqual(Object.keys(got).sort(), Object.keys(want).sort(), where);
    for (const key of Object.keys(want)) close(got[key], want[key], `${where}.${key}`);
  }
}

for (const subject of ["clock", "closing", "playback"]) {
  const said = vectors(subject);
  const got = answers(subject, said);
  for (const [part, results] of Object.entries(got)) {
    said[part].forEach(({ name, expect }, place) => test(`${subject}: ${name}`, () => close(results[place], expect, part)));
  }
}

for (const subject of ["reducer", "playlists"]) {
  const said = vectors(subject);
  const begun = (welcome) => answers(subject, { ...said, cases: [{ given: { welcome, frames: [] } }] }).cases[0];
  answers(subject, said).cases.forEach((got, place) => {
    const { name, given, expect } = said.cases[place];
    test(`${subject}: ${name}`, () => close(got, expect.gap ? expect : { ...begun(given.welcome), ...expect }, "state"));
  });
}
