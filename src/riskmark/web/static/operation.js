// What pages of operation do after the API has answered; the forms themselves are forms.js's.
import { notify } from "./notices.js";

document.addEventListener("done", (event) => {
  const form = event.target;
  const found = event.detail;
  if ("start" in form.dataset) window.location.assign(`/operation/runs/${found.run}`);
  if ("handOver" in form.dataset) showLink(found);
  if ("release" in form.dataset) showRelease(form, found);
});

document.addEventListener("change", (event) => {
  if (event.target.closest("[data-submit]")) event.target.form.requestSubmit();
});

document.querySelector("[data-copy]")?.addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(document.querySelector("[data-link]").textContent);
    notify("The link is copied.");
  } catch {
    notify("It cannot be copied here; select it and copy it yourself.", { isBad: true });
  }
});

// The tab of the page stands in sight also where the row of tabs is wider than the window.
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

function showLink(found) {
  const place = document.querySelector("[data-link-shown]");
  place.querySelector("[data-link-name]").textContent = found.name;
  place.querySelector("[data-link]").textContent = `${window.location.origin}/set-up#${encodeURIComponent(found.link)}`;
  place.hidden = false;
  place.querySelector("h2").focus();
}

function showRelease(form, found) {
  const [next] = found.raised;
  if (!next) {
    form.closest("tr").remove();
    notify(`The closes of ${found.symbol} count again, from the next run on.`);
    return;
  }
  window.location.reload();
}
