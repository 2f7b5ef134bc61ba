// Counts and durations as the server writes them.
export function groups(count) {
  return new Intl.NumberFormat("en-US").format(count);
}

export function duration(seconds) {
  const whole = Math.floor(seconds);
  const two = (number) => String(number).padStart(2, "0");
  if (seconds < 60) return `${seconds.toFixed(1)}\u202fs`;
  if (seconds < 3600) return `${Math.floor(whole / 60)}\u202fmin ${two(whole % 60)}\u202fs`;
  return `${Math.floor(whole / 3600)}\u202fh ${two(Math.floor((whole % 3600) / 60))}\u202fmin`;
}
