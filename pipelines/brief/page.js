// Draws the charts when they are scrolled near the viewport, in screen or print colours, and copies queries.
"use strict";

const plots = [...document.querySelectorAll(".plot")];
const dark = JSON.parse(document.getElementById("dark-colours").textContent);
const screenIsDark = matchMedia("(prefers-color-scheme: dark)");
const moves = matchMedia("(prefers-reduced-motion: no-preference)");
let library = null;
let onPaper = false;

// The page contains Plotly gzipped; it is decompressed for the first chart.
function loadLibrary() {
  library ??= (async () => {
    const packed = Uint8Array.from(atob(document.getElementById("plotly").textContent), (c) => c.charCodeAt(0));
    const text = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
    const script = document.createElement("script");
    script.textContent = text;
    document.head.append(script);
    if (!window.Plotly) throw new Error("the chart library did not load");
  })();
  return library;
}

function figureOf(plot) {
  let text = document.getElementById("data-" + plot.dataset.chart).textContent;
  if (screenIsDark.matches && !onPaper) {
    text = text.replace(/#[0-9a-f]{6}/g, (colour) => dark[colour] ?? colour);
  }
  return JSON.parse(text);
}

async function draw(plot) {
  await loadLibrary();
  const figure = figureOf(plot);
  const narrow = plot.clientWidth < 480;
  figure.layout.font.size = narrow ? 12 : 13;
  figure.layout.height = plot.clientHeight;
  figure.layout.width = onPaper ? 650 : plot.clientWidth;
  await window.Plotly.react(plot, figure.data, figure.layout, { displayModeBar: false, scrollZoom: false });
  plot.dataset.drawn = "true";
}

function report(error) {
  for (const plot of plots.filter((p) => !p.dataset.drawn)) {
    plot.textContent = "This chart could not be drawn; its data stand below.";
    plot.closest("figure").querySelector("details").open = true;
  }
  console.error(error);
}

function drawAgain() {
  for (const plot of plots.filter((p) => p.dataset.drawn)) draw(plot).catch(report);
}

const watcher = new IntersectionObserver((seen) => {
  for (const entry of seen.filter((e) => e.isIntersecting)) {
    watcher.unobserve(entry.target);
    draw(entry.target).catch(report);
  }
}, { rootMargin: "600px" });
plots.forEach((plot) => watcher.observe(plot));

// The others are drawn when the browser is idle, so that a printed page has all of them.
const idle = window.requestIdleCallback ?? ((work) => setTimeout(work, 300));
function drawNext() {
  const next = plots.find((plot) => !plot.dataset.drawn);
  if (next) draw(next).then(() => idle(drawNext), report);
}
addEventListener("load", () => idle(drawNext));

screenIsDark.addEventListener("change", drawAgain);
let width = innerWidth;
addEventListener("resize", () => {
  if (innerWidth !== width && !onPaper) {
    width = innerWidth;
    drawAgain();
  }
});
function paper(value) {
  if (onPaper !== value) {
    onPaper = value;
    drawAgain();
  }
}
matchMedia("print").addEventListener("change", (event) => paper(event.matches));
addEventListener("beforeprint", () => paper(true));
addEventListener("afterprint", () => paper(false));

// A figure links to its query: open and highlight it.
function reveal() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  let closed = target?.closest("details:not([open])");
  const wasClosed = closed;
  for (; closed; closed = target.closest("details:not([open])")) closed.open = true;
  if (wasClosed) target.scrollIntoView({ behavior: moves.matches ? "smooth" : "auto" });
}
addEventListener("hashchange", reveal);
reveal();

for (const button of document.querySelectorAll(".copy")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
    document.getElementById("copied").textContent = "The query is copied.";
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
}
