// Forms that the API answers:
//   <form data-api="METHOD /path" data-done="…">
// data-done is what is said afterwards; "reload" shows the page anew, an address leads there.
// data-match sends If-Match, data-confirm asks first, data-reset empties the form.
// Fields: data-list makes a list of those ticked, data-integer a number; an empty one is left out,
// or null if it is data-nullable.
import { ask, sentence } from "./asking.js";
import { notify } from "./notices.js";

export function watchForms() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.dataset.api) return;
    event.preventDefault();
    if (form.dataset.confirm && !window.confirm(form.dataset.confirm)) return;
    send(form);
  });
  watchTotp();
}

async function send(form) {
  const [method, path] = form.dataset.api.split(" ");
  const button = form.querySelector("button[type=submit]");
  const body = method === "DELETE" ? undefined : bodyOf(form);
  const headers = form.dataset.match === undefined ? {} : { "if-match": form.dataset.match || "*" };
  showError(form, null);
  if (button) button.disabled = true;
  try {
    const found = await ask(method, path, body, headers);
    finish(form, found);
  } catch (error) {
    showError(form, error);
  } finally {
    if (button) button.disabled = false;
  }
}

export function bodyOf(form) {
  const body = {};
  for (const field of form.elements) {
    if (!field.name || field.disabled) continue;
    if ("list" in field.dataset) {
      const isMeant = field.type !== "checkbox" || field.checked;
      (body[field.name] ??= []).push(...(isMeant ? [field.value] : []));
    } else if (field.type === "checkbox") {
      body[field.name] = field.checked;
    } else if (field.value === "" && "nullable" in field.dataset) {
      body[field.name] = null;
    } else if (field.value !== "") {
      body[field.name] = "integer" in field.dataset ? Number.parseInt(field.value, 10) : field.value;
    }
  }
  return body;
}

function finish(form, found) {
  form.dispatchEvent(new CustomEvent("done", { bubbles: true, detail: found }));
  const done = form.dataset.done;
  if (form.dataset.token !== undefined) showToken(form, found);
  if (form.dataset.reset !== undefined) form.reset();
  if (done === "reload") window.location.reload();
  else if (done?.startsWith("/")) window.location.assign(done);
  else if (done) notify(done);
}

// The error stands in the form, where somebody who typed something wrong looks.
function showError(form, error) {
  let place = form.querySelector(":scope > .note.bad");
  if (!error) {
    place?.remove();
    return;
  }
  if (!form.querySelector("input:not([type=hidden]), select, textarea")) {
    notify(sentence(error.message), { isBad: true });
    return;
  }
  if (!place) {
    place = document.createElement("div");
    place.className = "note bad";
    place.setAttribute("role", "alert");
    form.prepend(place);
  }
  const lines = (error.problem?.errors ?? []).map((one) =>
    one.problem ? `${one.where}: ${one.problem}` : `${one.column ?? ""} ${one.value ?? ""}: ${one.expected}`);
  place.replaceChildren(...[error.message, ...lines].map((text) => {
    const line = document.createElement("p");
    line.textContent = sentence(text.trim());
    return line;
  }));
}

function showToken(form, found) {
  const place = form.parentElement.querySelector("[data-token-shown]");
  place.querySelector("code").textContent = found.token;
  place.hidden = false;
}

function watchTotp() {
  const button = document.querySelector("[data-totp]");
  button?.addEventListener("click", async () => {
    try {
      const offered = await ask("POST", "/api/v1/me/totp");
      const form = document.querySelector("[data-totp-form]");
      form.elements.secret.value = offered.secret;
      form.querySelector("[data-totp-secret]").textContent = offered.secret;
      form.querySelector("[data-totp-uri]").href = offered.uri;
      form.hidden = false;
      button.hidden = true;
      form.elements.password.focus();
    } catch (error) {
      notify(sentence(error.message), { isBad: true });
    }
  });
}
