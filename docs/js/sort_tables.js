// Sorts a long table of the site by a column: each head is a button. The largest number comes first.
const LONG = 12; // rows

for (const table of document.querySelectorAll("article table")) {
  if (table.tBodies[0]?.rows.length >= LONG) table.querySelectorAll("thead th").forEach(addButton);
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
