// Keeps the page live: server-sent events while it is looked at, plain requests where a stream is refused.

import { choose } from "./table.js";
import { show } from "./view.js";
import { ago } from "./words.js";

const STALE = 15_000; // milliseconds without news: several of the server's ticks
const ASK = 10_000;

let stream = null;
let asking = null;
let report = null;
let received = 0; // performance.now() of the last report

const link = document.getElementById("link");

function take(text) {
  report = JSON.parse(text);
  received = performance.now();
  draw();
}

// Between two reports time goes on: by the server's clock, for the reader's may be wrong.
function draw() {
  if (!report) return;
  const passed = (performance.now() - received) / 1000;
  const now = new Date(Date.parse(report.now) + passed * 1000);
  const sources = report.sources.map((source) => ({
    ...source,
    seconds_until_data_loss: source.seconds_until_data_loss === null ? null : source.seconds_until_data_loss - passed,
  }));
  show({ ...report, now: now.toISOString(), sources }, now);
  status(passed * 1000 > STALE ? `no answer: this is from ${ago(passed)}` : "live");
}

function status(text) {
  if (link.textContent !== text) link.textContent = text;
  document.body.classList.toggle("stale", text !== "live");
}

async function ask() {
  try {
    const answer = await fetch("live.json", { signal: AbortSignal.timeout(ASK) });
    if (answer.ok) take(await answer.text());
  } catch {
    draw();
  }
}

// A browser allows six connections to a host: a page that nobody looks at must not hold one.
function connect() {
  disconnect();
  if (document.hidden) return;
  stream = new EventSource("live");
  stream.onmessage = (message) => take(message.data);
  stream.onerror = () => {
    if (stream.readyState === EventSource.CLOSED && !asking) {
      ask();
      asking = setInterval(ask, ASK);
    }
  };
}

function disconnect() {
  stream?.close();
  clearInterval(asking);
  stream = asking = null;
}

const on = (id, event, change) => document.getElementById(id).addEventListener(event, ({ target }) => (choose(change(target)), draw()));
on("find", "input", (field) => ({ find: field.value }));
on("order", "change", (field) => ({ order: field.value }));
on("only", "change", (field) => ({ only: field.checked }));
document.getElementById("controls").addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("visibilitychange", connect);
setInterval(draw, 1000);
connect();
