// Messages in the corner: they say what happened, and go by themselves unless something failed.
const SHOWN_MS = 6000;

export function notify(text, { isBad = false, action = null, lasts = SHOWN_MS } = {}) {
  const notice = document.createElement("div");
  notice.className = isBad ? "notice bad" : "notice";
  const words = document.createElement("span");
  words.textContent = text;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = action?.label ?? "Close";
  button.addEventListener("click", () => {
    notice.remove();
    action?.run();
  });
  notice.append(words, button);
  document.getElementById("notices").append(notice);
  if (!isBad && lasts) setTimeout(() => notice.remove(), lasts);
  return notice;
}
