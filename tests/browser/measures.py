"""What is asked of a page in the browser, as bodies of JavaScript functions, and by axe-core."""

from support import ROOT

AXE = ROOT / "playground" / "node_modules" / "axe-core" / "axe.min.js"

OVERFLOW = """
const room = document.documentElement.clientWidth;
const inside = (e) => e.closest('.scroll, .hidden') !== null;
const wide = [...document.querySelectorAll('body *')].filter(
  (e) => !inside(e) && !(e instanceof SVGElement && !(e instanceof SVGSVGElement))
    && e.getBoundingClientRect().right > room + 0.5);
return [document.documentElement.scrollWidth - room, wide.map((e) => e.outerHTML.slice(0, 120))];
"""

# By WCAG 2.2: (L1 + 0.05) / (L2 + 0.05). Behind a text lies the nearest ancestor that is painted;
# behind one of a drawing, the last shape before it that its middle stands on.
CONTRAST = """
const canvas = document.createElement('canvas');
canvas.width = canvas.height = 1;
const pen = canvas.getContext('2d', {willReadFrequently: true});
const known = {};
const rgba = (color) => {
  if (!(color in known)) {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = color;
    pen.fillRect(0, 0, 1, 1);
    known[color] = [...pen.getImageData(0, 0, 1, 1).data];
  }
  return known[color];
};
const over = (top, below) => top.slice(0, 3).map(
  (c, i) => c * top[3] / 255 + below[i] * (1 - top[3] / 255)).concat(255);
const light = (c) => c.slice(0, 3).map((v) => v / 255).map(
  (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4
).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const ratio = (a, b) => {
  const [x, y] = [light(a), light(b)].sort((m, n) => n - m);
  return (x + 0.05) / (y + 0.05);
};
const paper = (e) => {
  const stack = [];
  for (let at = e; at; at = at.parentElement) {
    const color = rgba(getComputedStyle(at).backgroundColor);
    stack.push(color);
    if (color[3] === 255) break;
  }
  return stack.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 255]);
};
const shapes = (text) => {
  const svg = text.ownerSVGElement;
  const box = text.getBoundingClientRect();
  const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
  let ground = paper(svg.parentElement);
  for (const shape of svg.querySelectorAll('rect, circle, polygon, text')) {
    if (shape === text) break;
    if (shape.tagName === 'text' || shape.closest('defs, clipPath, pattern, marker')) continue;
    const at = shape.getBoundingClientRect();
    if (x < at.left || x > at.right || y < at.top || y > at.bottom) continue;
    const style = getComputedStyle(shape);
    if (style.fill === 'none' || style.fill.startsWith('url')) continue;
    const color = rgba(style.fill);
    const alpha = color[3] * style.fillOpacity * style.opacity;
    ground = over([color[0], color[1], color[2], alpha], ground);
  }
  return ground;
};
const poor = [];
let seen = 0;
for (const e of document.querySelectorAll('body *')) {
  const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
  if (!own || e.closest('title, style, .hidden')) continue;
  const box = e.getBoundingClientRect();
  const style = getComputedStyle(e);
  if (!box.width || !box.height || parseFloat(style.fontSize) === 0) continue;
  const drawn = e instanceof SVGElement;
  const ground = drawn ? shapes(e.closest('text')) : paper(e);
  const ink = over(rgba(drawn ? style.fill : style.color), ground);
  seen += 1;
  const found = ratio(ink, ground);
  if (found < 4.5) poor.push(`${found.toFixed(2)} ${e.outerHTML.slice(0, 140)}`);
}
return [seen, poor];
"""


def axe_violations(window):
    """The rules of axe-core that the page in a window breaks, each with the elements that do."""
    window.ask(AXE.read_text("utf-8") + "; window.axe = axe")
    return window.ask(
        "return axe.run().then((found) => found.violations.map("
        "(one) => [one.id, ...one.nodes.map((node) => node.html)]))"
    )
