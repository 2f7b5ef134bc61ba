// Asking the API: JSON there and back; what is refused is an Error with the problem's words.
export class Refused extends Error {
  constructor(problem) {
    super(problem.detail ?? problem.title ?? "that did not work");
    this.code = problem.code;
    this.problem = problem;
  }
}

export async function ask(method, path, body, headers = {}) {
  const how = { method, headers: { accept: "application/json", ...headers } };
  if (body instanceof FormData) how.body = body;
  else if (body !== undefined) {
    how.body = JSON.stringify(body);
    how.headers["content-type"] = "application/json";
  }
  let answer;
  try {
    answer = await fetch(path, how);
  } catch {
    throw new Refused({ code: "unreachable", detail: "the server cannot be reached" });
  }
  if (answer.status === 401 && path !== "/api/v1/session") {
    window.location.assign(`/sign-in?next=${encodeURIComponent(window.location.pathname)}`);
  }
  const text = await answer.text();
  const isJson = answer.headers.get("content-type")?.includes("json");
  const found = isJson && text ? JSON.parse(text) : null;
  if (!answer.ok) throw new Refused(found ?? { detail: answer.statusText });
  return found;
}

export function sentence(text) {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`;
}
