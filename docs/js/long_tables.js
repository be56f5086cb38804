// Sorts a long table of the site by a column, and filters a very long one by words.
const LONG = 12; // rows
const VERY_LONG = 100;

for (const table of document.querySelectorAll("article table")) {
  const rows = table.tBodies[0]?.rows ?? [];
  const numeric = [...(rows[0]?.cells ?? [])].some((cell) => /^\d/.test(cell.textContent));
  if (rows.length >= LONG && numeric) table.querySelectorAll("thead th").forEach(addButton);
  if (rows.length >= VERY_LONG && numeric) addFilter(table);
}

function addButton(head) {
  if (!head.textContent) return;
  const button = document.createElement("button");
  button.append(...head.childNodes);
  button.style = "font: inherit; color: inherit; cursor: pointer; text-decoration: underline dotted";
  button.onclick = () => sort(head);
  head.append(button);
}

function sort(head) {
  const body = head.closest("table").tBodies[0];
  const text = (row) => row.cells[head.cellIndex].textContent.trim();
  const number = (row) => parseFloat(text(row).replaceAll(",", ""));
  const first = isNaN(number(body.rows[0])) ? "ascending" : "descending";
  const down = (head.ariaSort === first) === (first === "ascending");
  for (const other of head.parentElement.cells) other.ariaSort = null;
  head.ariaSort = down ? "descending" : "ascending";
  const rows = [...body.rows].sort((a, b) =>
    (number(a) - number(b) || text(a).localeCompare(text(b), "en", { numeric: true })) * (down ? -1 : 1));
  body.append(...rows);
}

/** A field above the table. A result of the search opens with its words in it, if a row has them all. */
function addFilter(table) {
  const rows = [...table.tBodies[0].rows];
  const wordsOf = (text) => text.toLowerCase().split(/[^\p{L}\p{N}.]+/u).filter(Boolean);
  const words = new Map(rows.map((row) => [row, wordsOf(row.textContent)]));
  const found = (typed) => rows.filter((row) =>
    wordsOf(typed).every((word) => words.get(row).some((one) => one.startsWith(word))));

  const field = Object.assign(document.createElement("input"), { type: "search", placeholder: "resnet 50" });
  const count = Object.assign(document.createElement("output"), { ariaLive: "polite" });
  const label = document.createElement("label");
  label.className = "filter";
  label.append("Filter ", field, " ", count);
  table.before(label);

  const show = () => {
    const shown = new Set(found(field.value));
    for (const row of rows) row.hidden = !shown.has(row);
    count.textContent = `${shown.size} of ${rows.length} rows`;
  };
  field.oninput = show;
  const searched = new URLSearchParams(location.search).get("h") ?? "";
  if (found(searched).length) field.value = searched;
  show();
}
