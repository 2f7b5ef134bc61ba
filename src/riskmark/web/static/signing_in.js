// Signing in without typing the password twice where a code is needed, and the secret of a link
// taken from its address, which the server never sees.
import { ask, sentence } from "./asking.js";

export function watchSigningIn() {
  const form = document.querySelector("[data-sign-in]");
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    signIn(form);
  });
  const setUp = document.querySelector("[data-set-up]");
  if (setUp && window.location.hash.length > 1) {
    setUp.elements.link.value = decodeURIComponent(window.location.hash.slice(1));
    history.replaceState(null, "", window.location.pathname);
    setUp.elements.password.focus();
  }
}

async function signIn(form) {
  const { email, password, code, next } = form.elements;
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const body = { email: email.value, password: password.value };
    if (code.value) body.code = code.value.replaceAll(/\s/g, "");
    await ask("POST", "/api/v1/session", body);
    window.location.assign(next.value);
  } catch (error) {
    const place = form.querySelector("[data-code]");
    if (error.code === "code_needed") {
      place.hidden = false;
      code.required = true;
      code.focus();
    } else {
      showError(form, error);
      (place.hidden ? password : code).select();
    }
  } finally {
    button.disabled = false;
  }
}

function showError(form, error) {
  let place = form.parentElement.querySelector(".note.bad");
  if (!place) {
    place = document.createElement("p");
    place.className = "note bad";
    place.setAttribute("role", "alert");
    form.before(place);
  }
  place.textContent = sentence(error.message);
}
