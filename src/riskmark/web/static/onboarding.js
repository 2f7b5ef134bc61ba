// A new portfolio: the file is read here, sent to the API, and what it refuses is shown row by
// row with a field for each error. What is mended changes the file's text, which is sent again.
import { ask, sentence } from "./asking.js";
import { fieldsOf, lineOf, splitLines } from "./csv_lines.js";

const MOST_SHOWN = 100;
const MOST_EDITED = 2 << 20;
const form = document.querySelector("[data-onboarding]");
const file = form.elements.csv;
const text = form.querySelector("[data-text]");
const issues = form.querySelector("[data-issues]");
const drop = form.querySelector("[data-drop]");
// What is sent: the file itself where it cannot be edited, else its text.
let original = null;
let lines = [];
let ending = "\n";
const gone = new Set();

document.documentElement.classList.add("scripted");
form.querySelector("[data-text-details]").hidden = false;
form.noValidate = true;
watchDrop();
file.addEventListener("change", () => file.files.length && take(file.files[0]));
text.addEventListener("input", () => {
  original = null;
  setText(text.value, { isTyped: true });
  drop.classList.toggle("chosen", Boolean(text.value.trim()));
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
if (file.files.length) take(file.files[0]);

function watchDrop() {
  for (const name of ["dragenter", "dragover"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    const [one] = event.dataTransfer.files;
    if (one) take(one);
  });
  // A file that misses the place is not opened instead of this page.
  for (const name of ["dragover", "drop"]) window.addEventListener(name, (event) => event.preventDefault());
}

async function take(one) {
  hideIssues();
  original = one;
  const name = one.name.replace(/\.(csv|txt)(\.gz)?$|\.gz$/i, "");
  const called = form.elements.name;
  if (!called.value || called.dataset.guessed === called.value) {
    called.value = name.replaceAll(/[_-]+/g, " ").trim().slice(0, 200);
    called.dataset.guessed = called.value;
  }
  let size = `${new Intl.NumberFormat("en-US").format(Math.ceil(one.size / 1024))} kB`;
  if (one.size <= MOST_EDITED && !/\.gz$/i.test(one.name)) {
    try {
      setText(new TextDecoder("utf-8", { fatal: true }).decode(await one.arrayBuffer()));
      original = null;
      const rows = lines.filter((line) => line.trim() && !line.startsWith("#")).length - 1;
      size = `${new Intl.NumberFormat("en-US").format(Math.max(rows, 0))} ${rows === 1 ? "row" : "rows"}, ${size}`;
    } catch {
      setText("");
    }
  } else setText("");
  drop.classList.add("chosen");
  drop.querySelector("[data-drop-title]").textContent = one.name;
  drop.querySelector("[data-drop-detail]").textContent = `${size}. Drop or choose another one to replace it.`;
}

function setText(found, { isTyped = false } = {}) {
  ({ lines, ending } = splitLines(found));
  gone.clear();
  if (!isTyped) text.value = lines.join("\n");
}

function content() {
  if (original) return original;
  const kept = lines.filter((_, place) => !gone.has(place));
  return new Blob([kept.join(ending)], { type: "text/csv" });
}

async function send() {
  const button = form.querySelector("button[type=submit]");
  const lacking = missing();
  showSendError(lacking);
  if (lacking) return;
  const body = new FormData();
  for (const name of ["name", "account_name", "account_type", "opening_equity"]) {
    const value = form.elements[name].value.trim();
    if (value) body.append(name, value);
  }
  body.append("csv", content(), original?.name ?? "positions.csv");
  button.disabled = true;
  button.textContent = "Reading the file…";
  try {
    const made = await ask("POST", "/api/v1/portfolios", body);
    keepWarnings(made);
    window.location.assign(`/runs/${made.run}`);
  } catch (error) {
    if (error.problem?.code === "invalid_positions") showIssues(error.problem);
    else {
      hideIssues();
      showSendError(error.message);
    }
    button.disabled = false;
    button.textContent = issues.hidden ? "Create the portfolio" : "Send the corrected file";
  }
}

function missing() {
  if (!original && !text.value.trim()) {
    file.focus();
    return "choose a file with positions, or type it";
  }
  if (!form.elements.name.value.trim()) {
    form.elements.name.focus();
    return "give the portfolio a name";
  }
  return null;
}

function showSendError(words) {
  const place = form.querySelector("[data-send-error]");
  place.hidden = !words;
  place.textContent = words ? sentence(words) : "";
}

function keepWarnings(made) {
  if (!made.warnings.length) return;
  const words = made.warnings.map((one) => `Row ${one.row}: ${[one.column, one.value].filter(Boolean).join(" ")}: ${one.expected}`);
  sessionStorage.setItem(`riskmark-warnings-${made.run}`, JSON.stringify(words.slice(0, MOST_SHOWN)));
}

function hideIssues() {
  issues.hidden = true;
}

function showIssues(problem) {
  dropGone();
  const count = problem.total_errors;
  issues.querySelector("h2").textContent = count === 1 ? "One thing is wrong in the file" : `${new Intl.NumberFormat("en-US").format(count)} things are wrong in the file`;
  issues.querySelector("[data-issues-lead]").textContent = original
    ? "Nothing was stored. Correct the file, choose it again, and send it."
    : "Nothing was stored. Correct it here, or in the file, and send it again.";
  const byRow = Map.groupBy ? Map.groupBy(problem.errors, (one) => one.row) : grouped(problem.errors);
  const rows = [...byRow].slice(0, MOST_SHOWN).map(([row, found]) => rowOf(row, found));
  if (byRow.size > MOST_SHOWN || count > problem.errors.length) {
    const more = document.createElement("li");
    more.className = "issue-more";
    more.textContent = "There are more; they are shown when these are corrected.";
    rows.push(more);
  }
  issues.querySelector("[data-issue-rows]").replaceChildren(...rows);
  issues.hidden = false;
  issues.focus({ preventScroll: true });
  issues.scrollIntoView({ block: "start" });
}

// Rows that were left out are no part of the text any more: the server's numbers are without them.
function dropGone() {
  if (!gone.size) return;
  lines = lines.filter((_, place) => !gone.has(place));
  gone.clear();
  text.value = lines.join("\n");
}

function grouped(errors) {
  const found = new Map();
  for (const one of errors) found.set(one.row, [...(found.get(one.row) ?? []), one]);
  return found;
}

function rowOf(row, found) {
  const item = document.createElement("li");
  item.className = "issue-row";
  const place = row === null || original ? -1 : row - 1;
  const head = document.createElement("div");
  head.className = "issue-head";
  const title = document.createElement("strong");
  title.textContent = row === null ? "The file" : `Row ${row}`;
  head.append(title);
  const raw = document.createElement("code");
  if (lines[place] !== undefined) {
    raw.textContent = lines[place];
    head.append(raw);
    if (place !== headerPlace()) head.append(leaveOut(item, place));
  }
  const fields = document.createElement("div");
  fields.className = "issue-fields";
  fields.append(...found.map((one) => fieldOf(one, place, raw)));
  item.append(head, fields);
  return item;
}

function leaveOut(item, place) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button small";
  button.textContent = "Leave it out";
  button.setAttribute("aria-label", `Leave row ${place + 1} out`);
  button.addEventListener("click", () => {
    const isOut = !gone.has(place);
    if (isOut) gone.add(place);
    else gone.delete(place);
    item.classList.toggle("gone", isOut);
    for (const field of item.querySelectorAll("input")) field.disabled = isOut;
    button.textContent = isOut ? "Take it back in" : "Leave it out";
  });
  return button;
}

function headerPlace() {
  return lines.findIndex((line) => line.trim() && !line.startsWith("#"));
}

// One error: a field of its own where its column is in the row, else the whole line.
function fieldOf(one, place, raw) {
  if (lines[place] === undefined) return plain(one);
  const header = fieldsOf(lines[headerPlace()] ?? "") ?? [];
  const column = header.findIndex((name) => name.trim() === one.column?.trim());
  const parts = place === headerPlace() ? null : fieldsOf(lines[place]);
  const isField = column >= 0 && parts !== null && column < parts.length;
  const label = document.createElement("label");
  label.className = isField ? "field" : "field whole";
  const name = document.createElement("span");
  name.textContent = isField ? one.column : `The row${one.column ? `, ${one.column}` : ""}`;
  const input = document.createElement("input");
  input.type = "text";
  input.spellcheck = false;
  input.value = isField ? parts[column] : lines[place];
  input.setAttribute("aria-invalid", "true");
  const expected = document.createElement("span");
  expected.className = "issue-expected";
  expected.id = `issue-${place}-${column}-${one.code}`;
  expected.textContent = `Should be ${one.expected}`;
  input.setAttribute("aria-describedby", expected.id);
  input.addEventListener("input", () => {
    if (isField) {
      const now = fieldsOf(lines[place]);
      now[column] = input.value;
      lines[place] = lineOf(now);
    } else lines[place] = input.value;
    raw.textContent = lines[place];
    text.value = lines.join("\n");
    label.classList.add("mended");
    input.removeAttribute("aria-invalid");
  });
  label.append(name, input, expected);
  return label;
}

function plain(one) {
  const line = document.createElement("p");
  line.textContent = sentence(`${[one.column, one.value && `“${one.value}”`].filter(Boolean).join(" ") || "it"} should be ${one.expected}`);
  return line;
}
