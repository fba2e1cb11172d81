// The load over time, drawn by uPlot from the API's own answer.
/* global uPlot */

const box = document.getElementById("chart");
const said = box.querySelector("[data-chart-said]");
const STROKES = ["--run", "--good", "--wait", "--pause", "--bad", "--accent", "--dim"];

function colour(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function chart(into, times, series) {
  into.replaceChildren();
  const two = (number) => String(number).padStart(2, "0");
  const clock = (at) => `${two(at.getHours())}:${two(at.getMinutes())}`;
  const day = (at) => `${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const span = times.at(-1) - times[0];
  const tick = (seconds) => {
    const at = new Date(seconds * 1000), isMidnight = clock(at) === "00:00";
    return span > 3 * 86_400 || isMidnight ? day(at) : clock(at);
  };
  const axis = { stroke: colour("--dim"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } };
  const options = {
    width: Math.max(into.clientWidth, 280),
    height: 260,
    scales: { y: { range: [0, 100] } },
    axes: [{ ...axis, values: (_, ticks) => ticks.map(tick) }, { ...axis, values: (_, ticks) => ticks.map((tick) => `${tick} %`) }],
    series: [
      {
        label: "at",
        value: (_, seconds) => (seconds == null ? "–" : `${day(new Date(seconds * 1000))} ${clock(new Date(seconds * 1000))}`),
      },
      ...series.map((each, number) => ({
        label: each.name,
        stroke: colour(STROKES[number % STROKES.length]),
        width: 2,
        dash: number < STROKES.length ? undefined : [6, 4],
        value: (_, value) => (value == null ? "–" : `${value.toFixed(0)} %`),
      })),
    ],
  };
  return new uPlot(options, [times, ...series.map((each) => each.values)], into);
}

const percent = (part, whole) => (whole ? (100 * part) / whole : null);
let points = [], drawn = [];

function draw() {
  for (const each of drawn) each.destroy();
  drawn = [];
  const times = points.map((point) => Date.parse(point.at) / 1000);
  drawn.push(chart(box.querySelector("[data-total]"), times, [
    { name: "load", values: points.map((point) => 100 * point.load) },
    { name: "CPUs", values: points.map((point) => percent(point.cpus_allocated, point.cpus)) },
    { name: "memory", values: points.map((point) => percent(point.mem_mb_allocated, point.mem_mb)) },
  ]));
  const names = [...new Set(points.flatMap((point) => Object.keys(point.partitions)))].sort();
  drawn.push(chart(box.querySelector("[data-partitions]"), times, names.map((name) => ({
    name,
    values: points.map((point) => (name in point.partitions ? 100 * point.partitions[name].load : null)),
  }))));
}

async function begin() {
  try {
    const answer = await fetch(box.dataset.load);
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.detail);
    points = told.points;
  } catch (error) {
    said.textContent = String(error.message ?? error);
    box.hidden = false;
    return;
  }
  if (!points.length) return;
  box.hidden = false;
  draw();
  let width = box.clientWidth;
  new ResizeObserver(() => {
    if (Math.abs(box.clientWidth - width) < 8) return;
    width = box.clientWidth;
    draw();
  }).observe(box);
}

addEventListener("themechange", () => { if (points.length) draw(); });
begin();
