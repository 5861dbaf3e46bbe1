// Numbers and moments as a person reads them. Pure: nothing here touches the page.

const whole = new Intl.NumberFormat();
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

export const count = (number) => whole.format(number);

// 95 -> "1 min 35 s"; two units at most, no sign.
export function span(seconds) {
  const s = Math.round(Math.abs(seconds));
  if (s < 60) return `${s} s`;
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const first = units.findIndex(([size]) => s >= size);
  const [size, name] = units[first];
  const [smaller, itsName] = units[first + 1];
  const rest = Math.floor((s % size) / smaller);
  return `${Math.floor(s / size)} ${name}` + (rest ? ` ${rest} ${itsName}` : "");
}

// What changes while one looks: from two minutes on, seconds only flicker.
export function about(seconds) {
  const s = Math.abs(seconds);
  return span(s < 120 ? s : s - (s % 60));
}

export const ago = (seconds) => (seconds < 1.5 ? "now" : `${about(seconds)} ago`);
export const ahead = (seconds) => (seconds < 0.5 ? "now" : `in ${about(seconds)}`);

// A moment of today as its time, of another day with its date.
export function moment(when, now) {
  const time = clock.format(when);
  return when.toDateString() === now.toDateString() ? time : `${day.format(when)} ${time}`;
}

// [0, 1, 2, 5] -> "0–2, 5"
export function ranges(numbers) {
  const parts = [];
  for (const n of [...numbers].sort((a, b) => a - b)) {
    const last = parts.at(-1);
    if (last && n === last[1] + 1) last[1] = n;
    else parts.push([n, n]);
  }
  return parts.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(", ");
}

// Bars for a 60 x 20 box as one path; what is not nought stays visible.
export function bars(counts) {
  const top = Math.max(1, ...counts);
  const left = 60 - counts.length;
  return counts
    .map((n, i) => (n ? `M${left + i + 0.1} 20v${-Math.max(1, (19 * n) / top).toFixed(2)}h.8V20z` : ""))
    .join("");
}

export const sum = (numbers) => numbers.reduce((total, n) => total + n, 0);
