// Explanations and menus: opened by their button, placed beside it, and within the window.
const GAP = 6;
const EDGE = 12;

export function watchPopovers() {
  document.addEventListener("beforetoggle", (event) => {
    const button = buttonOf(event.target);
    button?.setAttribute("aria-expanded", String(event.newState === "open"));
  }, true);
  document.addEventListener("toggle", (event) => {
    if (event.newState === "open") place(event.target);
  }, true);
  for (const name of ["scroll", "resize"]) {
    window.addEventListener(name, () => {
      for (const open of document.querySelectorAll("[popover]:popover-open")) place(open);
    }, { passive: true, capture: true });
  }
}

function buttonOf(popover) {
  return popover.id ? document.querySelector(`[popovertarget="${CSS.escape(popover.id)}"]`) : null;
}

export function place(popover, beside = buttonOf(popover)) {
  if (!beside) return;
  const at = beside.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = popover;
  const left = Math.min(Math.max(EDGE, at.left), window.innerWidth - width - EDGE);
  const below = at.bottom + GAP;
  const above = at.top - GAP - height;
  const top = below + height > window.innerHeight - EDGE && above > EDGE ? above : below;
  popover.style.left = `${Math.max(EDGE, left)}px`;
  popover.style.top = `${top}px`;
}
