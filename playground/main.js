// The page: controls and editors to a request, answers of playground.py to the page.
import { createEditor, goTo, LONGEST, setText, showProblems } from "./editor.js";
import { Interpreter, Stopped } from "./interpreter.js";
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

const interpreter = new Interpreter((state, reason) => {
  if (state === "failed") status(`Python did not start: ${reason}`, { bad: true });
});
const keys = (above, own) => interpreter.call("keys", JSON.stringify([above, own])).catch(() => []);
const refuse = () => status(`The page reads specs of up to ${LONGEST.toLocaleString("en")} characters.`, { bad: true });
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

let busy = false;
let again = false;

async function update() {
  again = true;
  if (busy) return;
  busy = true;
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
      if (error instanceof Stopped) break;
    }
  }
  busy = false;
  at("costs").ariaBusy = "false";
  history.replaceState(null, "", await fragmentOf(request()));
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
    status(`${error}; the costs are those before the change`, { bad: true });
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
  const wanted = [...variables, { name: "batch", value: String(settings.batch), min: "1", max: "64", step: "1" }];
  at("variables").replaceChildren(at("variables").firstElementChild, ...wanted.map((variable) => {
    const row = rows.get(variable.name) ?? variableRow(variable);
    for (const input of row.querySelectorAll("input")) {
      if (input.type === "checkbox") input.checked = variable.value;
      else if (input !== input.getRootNode().activeElement) input.value = variable.value;
    }
    return row;
  }));
}

function variableRow({ name, value, min, max, step, of }) {
  const change = (value) => {
    if (of === "input") settings.size = Number(value);
    else if (name === "batch") settings.batch = Number(value);
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
  Object.assign(settings, { set: {}, size: undefined, batch: 1, count: settings.count, view: "" }, given);
  for (const box of at("conventions").querySelectorAll("input")) box.checked = settings.count.includes(box.value);
  at("variables").replaceChildren(at("variables").firstElementChild);
  setTwo(specs.length > 1);
  specs.forEach((spec, number) => setText(editors[number], spec));
  return update();
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
at("shipped").onchange = async () => show({ specs: await interpreter.call("shipped", at("shipped").value) });
at("view").onchange = () => {
  settings.view = at("view").value;
  update();
};
at("conventions").onchange = () => {
  settings.count = [...at("conventions").querySelectorAll(":checked")].map((box) => box.value);
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
  status(`This page reads specs, and ${file.name} is not a .yaml file. To make a spec from a model, ` +
    `run: convcost import ${file.name} -o model.yaml`, { bad: true });
}, { capture: true });

async function begin() {
  const { specs, first } = await interpreter.call("start");
  at("shipped").append(...specs.map((value) => make("option", { value, textContent: value })));
  let state = null;
  let damage = "";
  try {
    state = await stateOf(location.hash);
  } catch (error) {
    damage = `This link cannot be read: ${error.message}`;
  }
  at("shipped").value = first;
  await show(state ?? { specs: await interpreter.call("shipped", first) });
  if (damage) status(damage, { bad: true });
  const { formats, conventions } = await interpreter.call("menus");
  at("format").append(
    ...formats.map(({ name, meaning }) => make("option", { value: name, textContent: name, title: meaning })),
    make("option", { value: "svg", textContent: "svg", title: "the first chart" }));
  at("conventions").append(...conventions.map(({ name, meaning }) =>
    make("label", {}, make("input", { type: "checkbox", value: name, checked: settings.count.includes(name) }), ` ${name} `, make("small", { textContent: meaning }))));
}

begin();
