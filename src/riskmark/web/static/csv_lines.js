// Lines of a positions file, and the fields of one line, so that a field can be mended in its
// place. What a file means is the server's business: here only quotes and commas are known.
export function splitLines(text) {
  const ending = text.includes("\r\n") ? "\r\n" : "\n";
  return { lines: text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/), ending };
}

export function fieldsOf(line) {
  const fields = [];
  let field = "";
  let isQuoted = false;
  for (let place = 0; place < line.length; place += 1) {
    const letter = line[place];
    if (isQuoted && letter === '"' && line[place + 1] === '"') {
      field += '"';
      place += 1;
    } else if (letter === '"' && (isQuoted || field === "")) isQuoted = !isQuoted;
    else if (letter === "," && !isQuoted) {
      fields.push(field);
      field = "";
    } else field += letter;
  }
  return isQuoted ? null : [...fields, field];
}

export function lineOf(fields) {
  return fields.map((one) => (/[",\r\n]/.test(one) ? `"${one.replaceAll('"', '""')}"` : one)).join(",");
}
