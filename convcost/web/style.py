"""How a page looks: by light, in the dark, on a narrow screen and on paper."""

CSS = """\
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #16191d; --muted: #59626d; --line: #dfe3e8; --track: #eef1f4;
  --accent: #1f5da8; --accent-2: #c06f00; --accent-3: #0f7f5f; --accent-4: #a3478b;
  --accent-5: #b3261e; --accent-6: #6b7580;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b; --ink: #e7eaee; --muted: #a0a9b4; --line: #2f363e; --track: #21272e;
    --accent: #7db2ee; --accent-2: #f0a35e; --accent-3: #5fd0ae; --accent-4: #d99cc9;
    --accent-5: #f28b82; --accent-6: #a7b0ba;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 3.5rem 1.5rem 3rem; max-width: 74rem;
  background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
h1, h2, h3, p, dl, ol, figure { margin: 0; }
h1 { font-size: clamp(1.7rem, 1.2rem + 2vw, 2.6rem); line-height: 1.15; font-weight: 650;
  letter-spacing: -.015em; }
h2 { font-size: 1.3rem; line-height: 1.3; font-weight: 650; }
h3 { font-size: 1.05rem; font-weight: 650; }
a { color: var(--accent); text-underline-offset: .2em; text-decoration-thickness: .06em; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 2px; }
.of { color: var(--muted); margin-bottom: .5rem; }
.of b { color: var(--accent); font-weight: 650; }
.source { color: var(--muted); margin-top: .5rem; max-width: 46rem; }
.note { color: var(--muted); font-size: .875rem; margin-top: .35rem; max-width: 52rem; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
nav { margin-top: 2rem; }
nav ol { padding-left: 1.4rem; columns: 18rem auto; column-gap: 2.5rem; }
article { margin-top: 3.5rem; padding-top: 2.5rem; border-top: 1px solid var(--line); }
section { margin-top: 3.25rem; }
section > h2, section > h3 { margin-bottom: 1rem; }

/* Figures that stand for themselves. */
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr));
  gap: 1.75rem 2rem; margin: 2.5rem 0 1.75rem; }
@media (min-width: 56rem) { .thirds { grid-template-columns: repeat(3, minmax(0, 18rem)); } }
dt { color: var(--muted); font-size: .875rem; }
dd { margin: 0; font-size: 1.5rem; line-height: 1.25; font-weight: 550; letter-spacing: -.01em; }
dd small { display: block; margin-top: .25rem; color: var(--muted); font-size: .8125rem;
  line-height: 1.4; font-weight: 400; letter-spacing: 0; }

/* Pictures. */
figure + figure, .plots + figure, figure + .plots { margin-top: 2.25rem; }
.plots { display: grid; gap: 2.25rem 2rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); }
.plots figure { margin: 0; min-width: 0; }
figcaption { color: var(--muted); font-size: .875rem; margin-bottom: .75rem; }
figure svg { display: block; width: 100%; height: auto; min-width: 42rem; }
.plots svg { min-width: 26rem; max-width: 40rem; }
.graph .scroll { max-height: 44rem; overflow-y: auto; padding: .75rem;
  border: 1px solid var(--line); border-radius: 4px; }

/* Tables. What is wider than the page scrolls in its own box, below the name of the row. */
.scroll { overflow-x: auto; position: relative; }
table { border-collapse: collapse; font-size: .875rem; line-height: 1.4; }
th, td { padding: .3em .6em; text-align: right; vertical-align: baseline; font-weight: 400;
  white-space: nowrap; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
thead th, thead td { color: var(--muted); font-size: .93em; vertical-align: bottom;
  white-space: normal; overflow-wrap: normal; }
.l, .w, th[scope=row] { text-align: left; }
.w, th[scope=row] { white-space: normal; }
th[scope=row] { min-width: 6.5rem; overflow-wrap: break-word; }
thead [style] { min-width: min(var(--w) + 1.2em, 38vw); }
.w { max-width: 28rem; }
th[scope=row], thead :first-child, .heads > :first-child { position: sticky; left: 0;
  background: var(--paper); }
.sub { padding-left: 1.25em !important; color: var(--muted); }
th span, summary b span { color: var(--muted); }
tr:has(+ tr > .sub) > * { border-bottom: 0; }
tfoot th, tfoot td, .total th, .total td { font-weight: 650; border-bottom: 0; }
tfoot tr:first-child > * { border-top: 1px solid var(--ink); }
data { text-decoration: underline dotted var(--muted) .06em; text-underline-offset: .25em; }
i { float: left; width: 5.2ch; height: .6em; margin-top: .42em; border-radius: 1px;
  background: linear-gradient(var(--accent) 0 0) 0 / var(--p) 100% no-repeat var(--track);
  print-color-adjust: exact; -webkit-print-color-adjust: exact; }

/* Tables in stages: summaries and rows stand in one grid. */
.staged { min-width: var(--least); font-size: .875rem; line-height: 1.4; }
.staged table { width: 100%; table-layout: fixed; font-size: 1em; }
.staged th, .staged td { min-width: 0; max-width: none; overflow-wrap: normal; padding: .3em .6em; }
.staged th[scope=row], .staged .heads > :first-child, .staged thead :first-child {
  padding-left: 1.3em; }
.staged .l, .staged .w, .staged th[scope=row], summary b { white-space: normal;
  overflow-wrap: anywhere; }
.open thead th, .open thead td { font-size: 0; line-height: 0; padding-block: 0; border: 0;
  color: transparent; }
.heads, summary { display: grid; grid-template-columns: var(--grid); }
.heads > *, summary > * { padding: .3em .6em; text-align: right; }
.heads > .l, summary > .l { text-align: left; }
.heads { color: var(--muted); font-size: 1em; align-items: end;
  border-bottom: 1px solid var(--ink); }
.heads > * { font-size: .93em; }
.heads > :first-child, summary b { text-align: left; }
summary { cursor: pointer; list-style: none; border-bottom: 1px solid var(--line);
  align-items: baseline; }
summary::-webkit-details-marker { display: none; }
summary b { font-weight: 650; position: sticky; left: 0; background: var(--paper);
  padding: .3em .6em .3em 1.3em; }
summary b::before { content: ""; position: absolute; left: .15em; top: .72em; width: .42em;
  height: .42em; border: solid var(--muted); border-width: 0 .12em .12em 0;
  transform: rotate(-45deg); }
details[open] > summary b::before { transform: translate(.05em, -.1em) rotate(45deg); }
summary:hover b { color: var(--accent); }
.staged details > table { margin-bottom: 1.25rem; }
.staged details th[scope=row] { padding-left: 2.2em; }
.total tr > * { border-top: 1px solid var(--ink); }
.fold > summary { display: block; border: 0; }
.fold > summary > * { display: inline; text-align: left; padding: 0; }
.fold > summary::before { content: "+ "; color: var(--accent); font-weight: 650; }
.fold[open] > summary::before { content: "\\2212  "; }
.fold[open] > summary { margin-bottom: 1rem; }
footer { margin-top: 4rem; color: var(--muted); font-size: .8125rem; }

@media (max-width: 40rem) {
  body { padding: 2rem 1rem; }
  .facts { grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: 1.25rem; }
  dd { font-size: 1.2rem; }
  .staged th[scope=row], .staged b { overflow-wrap: anywhere; }
}
@page { size: A4; margin: 16mm 14mm; }
@media print {
  :root { --paper: #fff; --ink: #000; --muted: #444b54; --line: #ccd1d7; --track: #eef1f4;
    --accent: #1f5da8; --accent-2: #c06f00; --accent-3: #0f7f5f; --accent-4: #a3478b;
    --accent-5: #b3261e; --accent-6: #6b7580; }
  html { font-size: 10pt; }
  body { padding: 0; max-width: none; }
  h1 { font-size: 20pt; }
  h2, h3, figcaption, .heads, summary { break-after: avoid; }
  figure, tr, .facts > div { break-inside: avoid; }
  section { margin-top: 1.6rem; }
  .facts { grid-template-columns: repeat(4, 1fr); gap: .9rem 1.2rem; margin: 1.2rem 0 .9rem; }
  .thirds { grid-template-columns: repeat(3, 1fr); }
  dd { font-size: 1.05rem; }
  .scroll { overflow: visible; }
  .staged, .set { font-size: 6.8pt; min-width: 0; max-width: 100%; }
  .plots { grid-template-columns: 1fr 1fr; gap: 1rem; }
  figure .scroll svg { min-width: 0; max-width: 100%; max-height: 235mm; }
  .graph .scroll { max-height: none; border: 0; padding: 0; }
  /* Paper cannot be unfolded. */
  details::details-content { content-visibility: visible; display: block; block-size: auto; }
  details > table { margin-bottom: .8rem; }
  thead { display: table-header-group; }
  tfoot { display: table-row-group; }
  th[scope=row], thead :first-child, summary b { position: static; background: none; }
  summary b::before, .fold > summary::before { display: none; }
  article { break-before: page; border: 0; margin: 0; padding: 0; }
}
"""
