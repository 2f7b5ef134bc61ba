// Numbers as pages write them: a true minus, thousands apart, percent for fractions.
const grouped = (digits) => new Intl.NumberFormat("en-US", {
  minimumFractionDigits: digits, maximumFractionDigits: digits,
});
const WHOLE = grouped(0);
const ONE = grouped(1);
const TWO = grouped(2);

export function written(value, kind) {
  if (value === null || value === undefined) return "–";
  if (kind === "text" || kind === "day") return value;
  if (kind === "yes") return value ? "yes" : "no";
  if (kind === "money") return signed(Math.abs(value) < 1000 ? TWO : WHOLE, value);
  if (kind === "share") return `${signed(TWO, 100 * value)}\u202f%`;
  if (kind === "share1") return `${signed(ONE, 100 * value)}\u202f%`;
  if (kind === "count") return signed(WHOLE, value);
  return signed(TWO, value);
}

export function plus(value, kind) {
  const text = written(value, kind);
  return value > 0 && /[1-9]/.test(text) ? `+${text}` : text;
}

function signed(format, value) {
  const text = format.format(Math.abs(value));
  return value < 0 && /[1-9]/.test(text) ? `−${text}` : text;
}
