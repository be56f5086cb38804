// The page: controls and editors to a request, answers of playground.py to the page.
import { createEditor, goTo, MAX_CHARACTERS, setText, showProblems } from "./editor.js";
import { Interpreter } from "./interpreter.js";
import { fragmentOf, stateOf } from "./link.js";

const at = (id) => document.getElementById(id);
const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};
const status = (text, { bad = false } = {}) => {
  at("status").textContent = text;
  at("status").classList.toggle("bad", bad);
};

/** A word of a command to copy, quoted for a shell. */
const quoted = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`);

const interpreter = new Interpreter((reason) => status(`Python did not start: ${reason}`, { bad: true }));
const keys = (above, own) => interpreter.call("keys", JSON.stringify([above, own])).catch(() => []);
const refuse = () => status(`The page reads specs of up to ${MAX_CHARACTERS.toLocaleString("en")} characters.`, { bad: true });
const editors = [
  createEditor(at("left"), "Spec", keys, update, refuse),
  createEditor(at("right"), "Second spec", keys, update, refuse),
];
const settings = { set: {}, size: undefined, batch: 1, count: [], view: "" };

function request() {
  const shown = at("second").hidden ? editors.slice(0, 1) : editors;
  return { specs: shown.map((editor) => editor.state.doc.toString()), ...settings };
}

// Answers. While one is computed, further changes only ask for one more.

let running = null;
let again = false;

/** Resolves when the page shows the newest texts. */
function update() {
  again = true;
  running ??= compute().finally(() => { running = null; });
  return running;
}

async function compute() {
  at("costs").ariaBusy = "true";
  while (again) {
    again = false;
    const asked = JSON.stringify(request());
    try {
      const checked = await interpreter.call("check", asked);
      showCheck(checked);
      if (!again && checked.networks.length) showReport(await interpreter.call("page", asked));
    } catch (error) {
      status(error.message, { bad: true });
    }
  }
  at("costs").ariaBusy = "false";
  keepLink();
}

// Browsers limit how often a page changes its address.
let linkTimer = 0;

function keepLink() {
  clearTimeout(linkTimer);
  linkTimer = setTimeout(async () => history.replaceState(null, "", await fragmentOf(request())), 300);
}

function showCheck({ problems, error, networks, views, variables }) {
  editors.forEach((editor, number) => {
    const found = problems[number] ?? [];
    showProblems(editor, found);
    at(["left-problems", "right-problems"][number]).replaceChildren(...found.map((problem) => {
      const onclick = () => goTo(editor, problem);
      const button = make("button", { type: "button", textContent: `line ${problem.span[0]}`, onclick });
      const help = problem.help ? [make("small", { textContent: `help: ${problem.help}` })] : [];
      return make("li", {}, button, ` ${problem.code}: ${problem.message}`, ...help);
    }));
  });
  at("costs").classList.toggle("old", error !== "");
  if (error) {
    const shown = at("report").childElementCount ? "; the costs are those before the change" : "";
    status(error + shown, { bad: true });
    return;
  }
  status(networks.map(({ name, params, macs }) => `${name}: ${params} params, ${macs} macs`).join("; "));
  showViews(views);
  showVariables(variables);
}

function showReport(html) {
  const found = new DOMParser().parseFromString(html, "text/html");
  const open = new Set([...at("report").querySelectorAll("details[open] summary")].map((e) => e.textContent));
  at("report").replaceChildren(
    ...found.querySelector("header").children, ...found.querySelectorAll("nav"), ...found.querySelector("main").children);
  for (const summary of at("report").querySelectorAll("summary")) {
    summary.parentElement.open = open.has(summary.textContent);
  }
}

// Controls

function showViews(names) {
  const all = names.length > 1 ? [["", "comparison"]] : [];
  const options = [...all, ...names.map((name) => [name, name.slice(0, 80)])];
  if (!names.includes(settings.view)) settings.view = "";
  at("view").replaceChildren(...options.map(([value, textContent]) => make("option", { value, textContent })));
  at("view").value = settings.view || options[0][0];
}

function showVariables(variables) {
  const rows = new Map([...at("variables").querySelectorAll("[data-name]")].map((row) => [row.dataset.name, row]));
  const wanted = [...variables, { name: "batch size", value: String(settings.batch), min: "1", max: "64", step: "1", of: "batch" }];
  at("variables").replaceChildren(at("variables").firstElementChild, ...wanted.map((variable) => {
    const row = rows.get(variable.name) ?? variableRow(variable);
    for (const input of row.querySelectorAll("input")) {
      if (input.type === "checkbox") input.checked = variable.value;
      else if (input !== input.getRootNode().activeElement) input.value = variable.value;
    }
    return row;
  }));
  at("reset").hidden = !Object.keys(settings.set).length && settings.size === undefined && settings.batch === 1;
}

function variableRow({ name, value, min, max, step, of }) {
  const change = (value) => {
    if (of === "input") settings.size = Number(value);
    else if (of === "batch") settings.batch = Number(value);
    else settings.set[name] = value;
    update();
  };
  const row = make("div", { className: "variable" });
  row.dataset.name = name;
  if (typeof value === "boolean") {
    const box = make("input", { type: "checkbox", onchange: () => change(box.checked) });
    row.append(make("label", {}, box, ` ${name}`));
    return row;
  }
  const slider = make("input", { type: "range", min, max, step, value });
  const number = make("input", { type: "number", step: "any", min: "0", value, ariaLabel: `${name}, exact value` });
  slider.oninput = () => change((number.value = slider.value));
  number.onchange = () => change((slider.value = number.value) && number.value);
  row.append(make("label", {}, make("span", { textContent: name }), slider), number);
  return row;
}

function show({ specs, ...given }) {
  Object.assign(settings, { set: {}, size: undefined, batch: 1, count: chosenConventions(), view: "" }, given);
  for (const box of at("conventions").querySelectorAll("input")) box.checked = settings.count.includes(box.value);
  at("variables").replaceChildren(at("variables").firstElementChild);
  setTwo(specs.length > 1);
  specs.forEach((spec, number) => setText(editors[number], spec));
  return update();
}

function chosenConventions() {
  return [...at("conventions").querySelectorAll(":checked")].map((box) => box.value);
}

function setTwo(two) {
  at("second").hidden = !two;
  at("both").ariaPressed = String(two);
}

at("both").onclick = () => {
  setTwo(at("second").hidden);
  if (!editors[1].state.doc.length) setText(editors[1], editors[0].state.doc.toString());
  update();
};
at("reset").onclick = () => {
  Object.assign(settings, { set: {}, size: undefined, batch: 1 });
  update();
};
at("shipped").onchange = async () => show({ specs: await interpreter.call("shipped", at("shipped").value) });
at("view").onchange = () => {
  settings.view = at("view").value;
  update();
};
at("conventions").onchange = () => {
  settings.count = chosenConventions();
  update();
};
at("export").onclick = async () => {
  try {
    const { name, text } = await interpreter.call("export", JSON.stringify(request()), at("format").value);
    const url = URL.createObjectURL(new Blob([text]));
    make("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
    status(`Wrote ${name}`);
  } catch (error) {
    status(error.message, { bad: true });
  }
};
at("link").onclick = async () => {
  history.replaceState(null, "", await fragmentOf(request()));
  try {
    await navigator.clipboard.writeText(location.href);
    status("Copied a link that holds the whole spec");
  } catch {
    status("The address of this page is the link; the browser did not allow to copy it");
  }
};
at("print").onclick = () => print();

// A file that is dropped anywhere. The importer reads models with packages that are not in the page.
ondragover = (event) => event.preventDefault();
addEventListener("drop", async (event) => {
  const [file] = event.dataTransfer.files;
  if (!file) return;
  event.preventDefault();
  event.stopPropagation();
  if (/\.ya?ml$/i.test(file.name)) return show({ specs: [await file.text()] });
  status(`This page reads specs, and ${file.name} is not a .yaml file. The packages that read models are not in the page. ` +
    `To make a spec from a model, run: convcost import ${quoted(file.name)} -o model.yaml`, { bad: true });
}, { capture: true });

/** Shows the state in the address. Without one, or with a damaged one, it shows what `other` returns. */
async function openLink(other) {
  let state = null;
  let damage = "";
  try {
    state = await stateOf(location.hash);
  } catch (error) {
    damage = `This link cannot be read: ${error.message}`;
  }
  state ??= await other?.();
  if (state) await show(state);
  if (damage) status(damage, { bad: true });
}

addEventListener("hashchange", () => openLink());
addEventListener("keydown", (event) => {
  const menu = document.querySelector(".menu[open]");
  if (event.key !== "Escape" || !menu) return;
  menu.open = false;
  menu.firstElementChild.focus();
});

async function begin() {
  const { specs, first } = await interpreter.call("start");
  at("shipped").append(...specs.map((value) => make("option", { value, textContent: value })));
  at("shipped").value = first;
  await openLink(async () => ({ specs: await interpreter.call("shipped", first) }));
  const { formats, conventions } = await interpreter.call("menus");
  at("format").append(
    ...formats.map(({ name, meaning }) => make("option", { value: name, textContent: name, title: meaning })),
    make("option", { value: "svg", textContent: "svg", title: "the first chart" }));
  at("conventions").append(...conventions.map(({ name, meaning }) =>
    make("label", {}, make("input", { type: "checkbox", value: name, checked: settings.count.includes(name) }), ` ${name} `, make("small", { textContent: meaning }))));
}

begin();
