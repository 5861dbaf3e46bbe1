// The report put on the page. Every text goes in as text, never as markup.

import { $, MARKS, element, plot, put, sources } from "./table.js";
import { about, count, moment, ranges, span, sum } from "./words.js";

// Replaces what is inside only if it is new: a text that someone is selecting stays.
const drawn = new WeakMap();
function renew(node, content, build) {
  const key = JSON.stringify(content);
  if (drawn.get(node) === key) return;
  drawn.set(node, key);
  node.replaceChildren(...content.map(build));
}

export function show(report, now) {
  verdict(report);
  facts(report);
  hour(report.sources);
  sources(report, now);
  gaps(report.sources, now);
}

function judge(report) {
  const worst = Math.max(0, ...report.sources.map((s) => s.trouble));
  const owned = report.sources.filter((s) => s.owned).length;
  const troubled = report.sources.filter((s) => s.trouble > 1).length;
  if (report.stuck.length) return [3, "Stuck: the service does not turn"];
  if (report.unready.length) return [3, "Not ready"];
  if (troubled) return [worst, `${count(troubled)} of ${count(owned)} sources in trouble`];
  if (!owned) return [0, "Standby: another instance polls, this one is ready to take over"];
  if (worst) return [1, "Starting"];
  return [0, owned === 1 ? "All is well" : `All is well with ${count(owned)} sources`];
}

function verdict(report) {
  const [level, text] = judge(report);
  const reasons = [...report.stuck, ...report.unready];
  $("verdict").className = `verdict trouble-${level}`;
  put($("verdict"), `${MARKS[level]} ${text}`);
  $("reasons").hidden = !reasons.length;
  renew($("reasons"), reasons, (reason) => element("li", "", reason));
  const title = `${level > 1 ? "⚠ " : ""}wolkvox-hits ${report.instance}`;
  if (document.title !== title) document.title = title;
  icon(level);
}

function icon(level) {
  const colour = ["%231a7f37", "%230b57d0", "%23b26a00", "%23c5221f"][level];
  const href = `data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'><circle cx='4' cy='4' r='4' fill='${colour}'/></svg>`;
  if ($("icon").href !== href) $("icon").href = href;
}

function facts(report) {
  const owned = report.sources.filter((s) => s.owned).length;
  const shards = report.shards.length ? `${ranges(report.shards)} (${report.shards.length})` : "none";
  const told = [
    ["Instance", report.instance],
    ["Kafka", report.kafka, `trouble-${{ ok: 0, connecting: 1 }[report.kafka] ?? 3}`],
    ["Shards", shards],
    ["Sources", `${count(owned)} polled here, ${count(report.sources.length - owned)} elsewhere`],
    ["Pending", count(sum(report.sources.map((s) => s.pending)))],
    ["Version", report.version],
  ];
  if (report.started) told.push(["Running for", about((Date.parse(report.now) - Date.parse(report.started)) / 1000)]);
  renew($("facts"), told, ([name, value, className]) => {
    const pair = element("div");
    pair.append(element("dt", "", name), element("dd", className, value));
    return pair;
  });
}

function hour(all) {
  $("hour-section").hidden = !all.some((source) => source.hits_per_minute.length);
  const minutes = Array(60).fill(0);
  for (const source of all) source.hits_per_minute.forEach((n, i, own) => (minutes[60 - own.length + i] += n));
  plot($("hour"), minutes);
  put($("hour-total"), `${count(sum(minutes))} hits, at most ${count(Math.max(...minutes))} a minute`);
}

function gaps(all, now) {
  const told = all.flatMap((source) => source.gaps.map((gap) => ({ ...gap, server: source.server })));
  told.sort((a, b) => (a.to < b.to ? 1 : -1));
  const lines = told.slice(0, 20).map((gap) => {
    const [from, to] = [new Date(gap.from), new Date(gap.to)];
    const text = ` ${moment(from, now)} – ${moment(to, now)}, ${span((to - from) / 1000)} ${gap.kind}`;
    return [gap.server, text, gap.certain ? " · certain" : " · not certain: the API may reach further back"];
  });
  for (const { server, gaps_waiting: waiting, unhealed } of all.filter((source) => source.gaps_waiting).reverse()) {
    lines.unshift([server, ` ${count(waiting)} to heal`, unhealed ? ` · not yet: ${unhealed}` : ""]);
  }
  renew($("gaps"), lines.length ? lines : [["", "", "None since this process began."]], ([server, text, note]) => {
    const item = element("li");
    item.append(element("strong", "", server), text, element("span", "muted", note));
    return item;
  });
}
