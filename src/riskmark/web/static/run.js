// A run as it goes on: the stream of its events fills the page. Whoever comes back to the tab, or
// to the network, is told everything again, and lines that are there already are left out.
import { duration, groups } from "./run_words.js";

const AGAIN_MS = 3000;
const MOST_LINES = 2000;
const LEAVE_MS = 1200;
const TITLES = {
  prices: "Prices", profiles: "Profiles", symbol_factors: "Symbol factors",
  symbol_metrics: "Symbol metrics", valuation: "Valuation", analytics: "Analytics", verify: "Verification",
};
const BADGES = { queued: "plain", running: "busy", succeeded: "good", partial: "warn", failed: "bad", cancelled: "plain" };
const ENDS = {
  succeeded: "Everything is complete.",
  partial: "Finished, but some sessions are partial or failed.",
  failed: "Nothing could be computed, or its process ended.",
  cancelled: "Stopped on request.",
};

const page = document.querySelector("[data-run-id]");
const at = (name) => document.querySelector(`[data-at="${name}"]`);
let source = null;
let again = null;
let shown = Math.max(0, ...[...page.querySelectorAll("[data-number]")].map((one) => Number(one.dataset.number)));

showWarnings();
scrollLog();
if (page.dataset.live === "yes") {
  follow();
  document.addEventListener("visibilitychange", () => (document.hidden ? leave() : follow()));
}

function follow() {
  if (source || document.hidden || page.dataset.live !== "yes") return;
  clearTimeout(again);
  source = new EventSource(`/api/v1/runs/${page.dataset.runId}/events`);
  source.addEventListener("open", () => { at("lost").hidden = true; });
  source.addEventListener("log", (event) => addLine(JSON.parse(event.data)));
  source.addEventListener("progress", (event) => show(JSON.parse(event.data)));
  source.addEventListener("end", (event) => end(JSON.parse(event.data)));
  source.addEventListener("error", () => {
    at("lost").hidden = false;
    // The browser comes back by itself unless it was refused.
    if (source?.readyState === EventSource.CLOSED) {
      leave();
      again = setTimeout(follow, AGAIN_MS);
    }
  });
}

function leave() {
  source?.close();
  source = null;
}

function addLine(line) {
  if (line.number <= shown) return;
  shown = line.number;
  const log = at("log");
  const box = log.parentElement;
  const isAtEnd = box.scrollTop + box.clientHeight >= box.scrollHeight - 24;
  const row = document.createElement("li");
  row.className = line.level;
  row.dataset.number = line.number;
  const time = document.createElement("time");
  time.dateTime = line.at;
  time.className = "num";
  time.textContent = new Date(line.at).toISOString().slice(11, 19);
  const words = document.createElement("span");
  words.textContent = line.message;
  row.append(time, words);
  log.append(row);
  if (log.children.length > MOST_LINES) log.firstElementChild.remove();
  at("quiet").hidden = true;
  if (isAtEnd) scrollLog();
}

function scrollLog() {
  const box = at("log").parentElement;
  box.scrollTop = box.scrollHeight;
}

function show(run) {
  const isStalled = run.stalled;
  const badge = document.createElement("span");
  badge.className = `badge ${isStalled ? "warn" : BADGES[run.status] ?? "plain"}`;
  badge.textContent = isStalled ? "stalled" : run.status;
  if (at("badge").textContent.trim() !== badge.textContent) at("badge").replaceChildren(badge);
  say(sentenceOf(run));
  for (const [key, count] of [...Object.entries(run.cells), ...Object.entries(run.symbols)]) {
    const place = page.querySelector(`[data-count="${key}"]`);
    if (place) {
      place.value = count;
      place.textContent = groups(count);
    }
  }
  run.phases.forEach(showPhase);
  if (run.unavailable.length) showUnavailable(run.unavailable);
  if (run.error) {
    at("error").textContent = run.error;
    at("error").hidden = false;
  }
}

function say(text) {
  if (at("now").textContent !== text) at("now").textContent = text;
}

function sentenceOf(run) {
  if (run.stalled) return "Its worker has not been heard from for a while.";
  if (run.status === "queued") return run.place ? `Place ${run.place} in the queue.` : "Waiting for a worker.";
  if (run.status !== "running") return ENDS[run.status] ?? run.status;
  return run.phase ? `${TITLES[run.phase] ?? run.phase.replaceAll("_", " ")}…` : "At work.";
}

function showPhase(phase) {
  const list = at("phases");
  let row = list.querySelector(`[data-phase="${CSS.escape(phase.phase)}"]`);
  if (!row) {
    row = document.createElement("li");
    row.dataset.phase = phase.phase;
    const [name, count, time] = ["phase-name", "phase-count num", "phase-time num"].map((kind) => {
      const part = document.createElement("span");
      part.className = kind;
      return part;
    });
    name.id = `phase-${phase.phase}`;
    name.textContent = TITLES[phase.phase] ?? phase.phase.replaceAll("_", " ");
    const bar = document.createElement("progress");
    bar.setAttribute("aria-labelledby", name.id);
    row.append(name, bar, count, time);
    list.append(row);
  }
  row.dataset.state = phase.status;
  const bar = row.querySelector("progress");
  bar.max = phase.total || 1;
  bar.value = phase.total ? phase.done : Number(phase.status === "done");
  const nothing = phase.status === "done" ? "nothing to do" : "";
  row.querySelector(".phase-count").textContent = phase.total ? `${groups(phase.done)} of ${groups(phase.total)}` : nothing;
  row.querySelector(".phase-time").textContent = phase.seconds ? duration(phase.seconds) : "";
}

function showUnavailable(found) {
  at("without").hidden = false;
  const rows = found.flatMap((one) => one.reasons.map((said) => {
    const row = document.createElement("tr");
    const head = document.createElement("th");
    head.scope = "row";
    head.textContent = one.symbol;
    const cells = [said.provider, said.reason.replaceAll("_", " "), said.detail || "–"].map((text) => {
      const cell = document.createElement("td");
      cell.textContent = text;
      return cell;
    });
    cells[2].className = "wrap reason";
    row.append(head, ...cells);
    return row;
  }));
  at("unavailable").replaceChildren(...rows);
}

function end(last) {
  leave();
  page.dataset.live = "no";
  at("lost").hidden = true;
  const cancel = at("cancel");
  if (cancel) cancel.hidden = true;
  const isDone = last.status === "succeeded" || last.status === "partial";
  const lead = at("lead");
  if (lead) lead.textContent = isDone ? "Done." : "This run has ended.";
  if (page.dataset.next && isDone && at("warnings")?.hidden !== false) {
    say("Done. Opening the portfolio…");
    setTimeout(() => window.location.assign(page.dataset.next), LEAVE_MS);
    return;
  }
  // Failures of sessions, and when it ended, are written by the server.
  if (!page.dataset.next) setTimeout(() => window.location.reload(), LEAVE_MS);
  else at("open")?.classList.add("primary");
}

// What was odd in the file, and no error: handed over by the page that sent it.
function showWarnings() {
  const key = `riskmark-warnings-${page.dataset.runId}`;
  const place = at("warnings");
  const kept = sessionStorage.getItem(key);
  if (!place || !kept) return;
  sessionStorage.removeItem(key);
  place.replaceChildren(...JSON.parse(kept).map((text) => {
    const line = document.createElement("p");
    line.textContent = text;
    return line;
  }));
  place.hidden = false;
}
