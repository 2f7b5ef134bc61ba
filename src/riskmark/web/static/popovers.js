// Explanations and menus: opened by their button, placed beside it, and within the window.
const GAP = 6;
const EDGE = 12;
const POINT_MS = 450;
const LEAVE_MS = 150;

export function watchPopovers() {
  document.addEventListener("beforetoggle", (event) => {
    const button = buttonOf(event.target);
    button?.setAttribute("aria-expanded", String(event.newState === "open"));
  }, true);
  document.addEventListener("toggle", (event) => {
    if (event.newState === "open") place(event.target);
  }, true);
  watchPointing();
  for (const name of ["scroll", "resize"]) {
    window.addEventListener(name, () => {
      for (const open of document.querySelectorAll("[popover]:popover-open")) place(open);
    }, { passive: true, capture: true });
  }
}

// What is pointed at for a moment explains itself, until the pointer leaves; a click keeps it.
function watchPointing() {
  let timer = null;
  let shown = null;
  document.addEventListener("pointerover", (event) => {
    if (event.pointerType !== "mouse") return;
    const button = event.target.closest?.(".why");
    const target = button && document.getElementById(button.getAttribute("popovertarget"));
    if (target && target === shown) return;
    if (shown && !shown.contains(event.target)) {
      const gone = shown;
      shown = null;
      setTimeout(() => gone.matches(":hover") ? (shown = gone) : gone.hidePopover(), LEAVE_MS);
    }
    clearTimeout(timer);
    if (!target || document.querySelector("[popover]:popover-open")) return;
    timer = setTimeout(() => {
      shown = target;
      target.showPopover();
    }, POINT_MS);
  });
  document.addEventListener("pointerdown", () => {
    clearTimeout(timer);
    shown = null;
  }, true);
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
