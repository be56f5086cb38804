// The state of the page as the fragment of a link: JSON, compressed, in base64url.
const MAX_BYTES = 2 ** 20; // bytes of the JSON; a short link can unpack to much more
const NAME = "#z=";

async function through(bytes, stream, most = Infinity) {
  const parts = [];
  let size = 0;
  for await (const part of new Blob([bytes]).stream().pipeThrough(stream)) {
    size += part.length;
    if (size > most) throw new Error(`the link holds more than ${most / 2 ** 20} MiB`);
    parts.push(part);
  }
  return new Blob(parts);
}

export async function fragmentOf(state) {
  const packed = await through(JSON.stringify(state), new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await packed.arrayBuffer());
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return NAME + btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The state in a fragment; null if it has none. Throws for a damaged one. */
export async function stateOf(fragment) {
  if (!fragment.startsWith(NAME)) return null;
  const binary = atob(fragment.slice(NAME.length).replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
  const text = await (await through(bytes, new DecompressionStream("deflate-raw"), MAX_BYTES)).text();
  const { specs, set, size, batch, count, view } = JSON.parse(text);
  if (!Array.isArray(specs) || !specs.length || !specs.every((spec) => typeof spec === "string")) {
    throw new Error("the link holds no spec");
  }
  return {
    specs: specs.slice(0, 2), set: { ...set }, size, batch: Number(batch) || 1,
    count: [].concat(count ?? []).map(String), view: String(view ?? ""),
  };
}
