// An editor of one spec: colours, completion and hover from the schema, problems underlined.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, HighlightStyle, syntaxHighlighting, syntaxTree } from "@codemirror/language";
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { EditorView, highlightActiveLine, hoverTooltip, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

export const MAX_CHARACTERS = 200_000; // characters of a spec

const LOOK = EditorView.theme({
  "&": { backgroundColor: "var(--paper)", color: "var(--ink)", fontSize: ".875rem" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "-2px" },
  ".cm-content, .cm-gutter": { minHeight: "8rem" },
  ".cm-content": { caretColor: "var(--ink)", fontFamily: "ui-monospace, monospace" },
  ".cm-scroller": { overflow: "auto" },
  ".cm-gutters": { backgroundColor: "var(--paper)", color: "var(--muted)", borderColor: "var(--line)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--track)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground, ::selection":
    { background: "color-mix(in srgb, var(--accent) 28%, transparent) !important" },
  ".cm-tooltip": {
    backgroundColor: "var(--paper)", color: "var(--ink)", border: "1px solid var(--muted)",
    maxWidth: "min(30rem, 90vw)", fontFamily: "system-ui, sans-serif", fontSize: ".875rem",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]":
    { backgroundColor: "var(--accent)", color: "var(--paper)" },
  ".cm-info": { padding: ".4rem .6rem" },
  ".cm-diagnosticText": { whiteSpace: "pre-wrap" },
  "@media print": { ".cm-content": { flexShrink: 1, minWidth: 0 }, ".cm-line": { whiteSpace: "pre-wrap" } },
});
const COLOURS = HighlightStyle.define([
  { tag: [tags.definition(tags.propertyName), tags.propertyName], color: "var(--accent)" },
  { tag: tags.comment, color: "var(--muted)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--accent-3)" },
  { tag: [tags.labelName, tags.typeName, tags.meta], color: "var(--accent-4)" },
]);

/** The keys above a position, 0 for an item of a list, and the keys of the mapping that it is in. */
export function pathAt(state, position) {
  const above = [];
  let own = null;
  for (let node = syntaxTree(state).resolveInner(position, -1); node; node = node.parent) {
    if (/Mapping$/.test(node.name)) {
      own ??= node.getChildren("Pair").map((pair) => keyOf(state, pair)).filter(Boolean);
    }
    if (node.name === "Item") {
      own ??= [];
      above.unshift(0);
    }
    if (node.name === "Pair" && own !== null) above.unshift(keyOf(state, node));
  }
  return [above, own ?? []];
}

function keyOf(state, pair) {
  const key = pair.getChild("Key");
  return key && state.sliceDoc(key.from, key.to);
}

function completions(keys) {
  return async (context) => {
    const word = context.matchBefore(/[\w-]+/);
    const before = context.state.sliceDoc(0, word ? word.from : context.pos).trimEnd().slice(-1);
    if (!(word || context.explicit) || before === ":") return null;
    const [above, own] = pathAt(context.state, context.pos);
    const typed = word ? word.text : "";
    const options = await keys(above, own.filter((key) => key !== typed));
    const after = context.state.sliceDoc(context.pos, context.pos + 1);
    const end = after === ":" ? "" : ": ";
    return {
      from: word ? word.from : context.pos,
      options: options.map((option) => ({
        ...option, type: "property", info: option.info || undefined, apply: option.label + end,
      })),
      validFor: /^[\w-]*$/,
    };
  };
}

function hover(keys) {
  return hoverTooltip(async (view, position) => {
    const node = syntaxTree(view.state).resolveInner(position, 1);
    if (node.name !== "Literal") return null;
    const text = view.state.sliceDoc(node.from, node.to);
    const [above, own] = pathAt(view.state, node.to);
    const found = (await keys(above, own.filter((key) => key !== text))).concat(await keys(above, own))
      .find((key) => key.label === text && key.info);
    return found && {
      pos: node.from, end: node.to, above: true,
      create: () => {
        const dom = document.createElement("div");
        dom.className = "cm-info";
        dom.textContent = found.info;
        return { dom };
      },
    };
  });
}

/** An editor in a shadow root: there its styles are style sheets that no policy has to allow. */
export function createEditor(host, label, keys, onChange, onTooLong) {
  const root = host.attachShadow({ mode: "open" });
  return new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      extensions: [
        lineNumbers(), history(), highlightActiveLine(), bracketMatching(), closeBrackets(), lintGutter(),
        autocompletion({ override: [completions(keys)] }), hover(keys),
        yaml(), syntaxHighlighting(COLOURS), LOOK,
        keymap.of([...closeBracketsKeymap, ...completionKeymap, ...defaultKeymap, ...historyKeymap, ...lintKeymap]),
        EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }),
        EditorState.changeFilter.of((change) => {
          const fits = change.newDoc.length <= MAX_CHARACTERS;
          if (!fits) setTimeout(onTooLong);
          return fits;
        }),
        EditorView.updateListener.of((update) => update.docChanged && onChange()),
      ],
    }),
  });
}

export function setText(view, text) {
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
}

/** The offset of a place; lines and columns begin at 1, and a column counts code points. */
function offset(view, line, column) {
  const found = view.state.doc.line(Math.min(line, view.state.doc.lines));
  return found.from + [...found.text].slice(0, column - 1).join("").length;
}

export function showProblems(view, problems) {
  const diagnostics = problems.map(({ code, message, help, span: [line, column, endLine, endColumn] }) => ({
    from: offset(view, line, column),
    to: Math.max(offset(view, line, column), offset(view, endLine, endColumn)),
    severity: "error",
    message: `${code}: ${message}${help ? `\nhelp: ${help}` : ""}`,
  }));
  view.dispatch(setDiagnostics(view.state, diagnostics));
}

export function goTo(view, { span: [line, column] }) {
  view.dispatch({ selection: { anchor: offset(view, line, column) }, scrollIntoView: true });
  view.focus();
}
