// The usage matrix: partitions by nodes, on a canvas, from the API's own answers.

const CELL = 15, GAP = 2, HEAD = 92, TITLE = 18;
const FULL_MEMORY = 0.95;

/** How full a node is, from 0 (empty) by quarters to 5 (full), by CPUs or memory, of which 95 % count as all. */
export function levelOf(cpus, allCpus, memory, allMemory) {
  const share = (part, whole) => (whole ? part / whole : 0);
  const full = share(memory, allMemory) > FULL_MEMORY ? 1 : share(memory, allMemory);
  const value = Math.max(share(cpus, allCpus), full);
  if (value <= 0) return 0;
  return value >= 1 ? 5 : Math.ceil(value * 4 - 1e-9);
}

const WORDS = ["empty", "up to 25 %", "up to 50 %", "up to 75 %", "below 100 %", "full"];
const OUT = /DOWN|DRAIN|FAIL|NOT_RESPONDING|MAINT|POWERED_DOWN|UNKNOWN/;
// The original's palette, of colours that differ for nearly everybody; and one by lightness alone.
const PALETTES = {
  plain: ["#ffffff", "#ffff6d", "#24ff24", "#db9500", "#924900", "#920000"],
  safe: ["#ffffff", "#d0e1f2", "#94c4df", "#4a98c9", "#1764ab", "#08306b"],
};

const box = document.getElementById("matrix");
const canvas = box.querySelector("canvas");
const tip = document.getElementById("cell");
const pen = canvas.getContext("2d");
let rows = [], nodes = [], bands = [], index = new Map(), at = null;
let palette = localStorage.getItem("palette") === "safe" ? "safe" : "plain";

async function read() {
  const [usage, known] = await Promise.all([box.dataset.usage, box.dataset.nodes].map(
    async (address) => {
      const answer = await fetch(address);
      if (!answer.ok) throw new Error((await answer.json()).detail);
      return answer.json();
    },
  ));
  nodes = known.nodes.sort((one, other) => one.name.localeCompare(other.name, "en", { numeric: true }));
  index = new Map(nodes.map((node, number) => [node.name, number]));
  rows = usage.partitions.map((row) => {
    const cells = new Array(nodes.length).fill(null);
    for (const own of row.nodes) if (index.has(own.node)) cells[index.get(own.node)] = cellOf(own);
    return { name: row.partition, load: row.load, cells };
  });
}

function cellOf(own) {
  const node = nodes[index.get(own.node)];
  const level = levelOf(node.cpus_allocated, node.cpus, node.mem_mb_allocated, node.mem_mb);
  const state = [node.state, ...node.flags].join("+");
  return { own, node, level, state, isOthers: level > 0 && !own.jobs, isOut: OUT.test(state) };
}

function colours() {
  const style = getComputedStyle(document.documentElement);
  const probe = document.createElement("span");
  document.body.append(probe);
  const of = (name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const found = { text: of("--text"), line: of("--strong-line"), dim: of("--dim"), accent: of("--accent"), font: style.fontFamily };
  probe.remove();
  return found;
}

/** Rows of all nodes, cut into bands as wide as the window: nobody scrolls sideways through a thousand. */
function layOut() {
  const wide = Math.max(box.querySelector("[data-scroll]").clientWidth - HEAD - 4, 8 * (CELL + GAP));
  const per = Math.max(Math.floor(wide / (CELL + GAP)), 8);
  bands = [];
  let top = 3;
  for (let first = 0; first < nodes.length; first += per) {
    const last = Math.min(first + per, nodes.length);
    const own = rows.map((row, y) => y).filter((y) => rows[y].cells.slice(first, last).some(Boolean));
    if (!own.length) continue;
    bands.push({ first, last, top, own });
    top += TITLE + own.length * (CELL + GAP) + 10;
  }
  return { width: HEAD + Math.min(per, nodes.length) * (CELL + GAP) + 4, height: top };
}

function placeOf(x, y) {
  const band = bands.find((each) => x >= each.first && x < each.last);
  const line = band?.own.indexOf(y) ?? -1;
  if (line < 0) return null;
  return [HEAD + (x - band.first) * (CELL + GAP), band.top + TITLE + line * (CELL + GAP)];
}

function draw() {
  const ink = colours(), { width, height } = layOut();
  const scale = devicePixelRatio || 1;
  canvas.width = width * scale;
  canvas.height = height * scale;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.font = `12px ${ink.font}`;
  pen.textBaseline = "middle";
  for (const band of bands) {
    pen.fillStyle = ink.dim;
    const names = [nodes[band.first].name, nodes[band.last - 1].name];
    pen.fillText(names[0] === names[1] ? names[0] : names.join(" – "), HEAD, band.top + TITLE / 2 - 2);
    for (const y of band.own) {
      pen.fillStyle = ink.text;
      const name = rows[y].name.length > 12 ? `${rows[y].name.slice(0, 11)}…` : rows[y].name;
      pen.fillText(name, 0, band.top + TITLE + band.own.indexOf(y) * (CELL + GAP) + CELL / 2 + 1);
      for (let x = band.first; x < band.last; x += 1) {
        const cell = rows[y].cells[x];
        if (cell) drawCell(cell, ...placeOf(x, y), ink);
      }
    }
  }
  const place = at && placeOf(at.x, at.y);
  if (place) {
    pen.strokeStyle = ink.accent;
    pen.lineWidth = 3;
    pen.strokeRect(place[0] - 1, place[1] - 1, CELL + 2, CELL + 2);
  }
}

export function drawCell(cell, x, y, ink, on = pen) {
  on.fillStyle = PALETTES[palette][cell.level];
  on.fillRect(x, y, CELL, CELL);
  on.save();
  on.beginPath();
  on.rect(x, y, CELL, CELL);
  on.clip();
  on.lineWidth = 1.5;
  if (cell.isOthers) {
    on.strokeStyle = cell.level > 3 ? "#fff" : "#0008";
    on.beginPath();
    for (let shift = -CELL; shift < CELL; shift += 5) {
      on.moveTo(x + shift, y + CELL);
      on.lineTo(x + shift + CELL, y);
    }
    on.stroke();
  }
  if (cell.isOut) {
    on.strokeStyle = cell.level > 3 ? "#fff" : "#333";
    on.beginPath();
    on.moveTo(x + 3, y + 3);
    on.lineTo(x + CELL - 3, y + CELL - 3);
    on.moveTo(x + CELL - 3, y + 3);
    on.lineTo(x + 3, y + CELL - 3);
    on.stroke();
  }
  on.restore();
  on.strokeStyle = ink.line;
  on.lineWidth = 1;
  on.strokeRect(x + 0.5, y + 0.5, CELL - 1, CELL - 1);
}

function tell() {
  const row = at && rows[at.y], cell = row?.cells[at.x];
  if (!cell) {
    tip.textContent = "";
    return;
  }
  const { own, node } = cell;
  const size = (mebibytes) => `${(mebibytes / 1024).toFixed(1)} GiB`;
  const mine = `${row.name}: ${own.jobs} ${own.jobs === 1 ? "job" : "jobs"} with ${own.cpus} CPUs and ${size(own.mem_mb)}`;
  const all = `all jobs: ${node.cpus_allocated} of ${node.cpus} CPUs, ${size(node.mem_mb_allocated)} of ${size(node.mem_mb)}`;
  const others = cell.isOthers ? "; other partitions' jobs fill it" : "";
  tip.textContent = `${node.name} (${cell.state.toLowerCase()}), ${WORDS[cell.level]}. ${mine}; ${all}${others}.`;
}

function choose(x, y) {
  at = rows[y] && nodes[x] ? { x, y } : at;
  draw();
  tell();
}

function legend() {
  const list = document.getElementById("legend");
  const ink = colours();
  list.querySelectorAll("span").forEach((each) => each.remove());
  const kinds = [
    ...WORDS.map((words, level) => [words, { level }]),
    ["other partitions' jobs", { level: 2, isOthers: true }],
    ["out of service", { level: 0, isOut: true }],
  ];
  for (const [words, cell] of kinds) {
    const item = document.createElement("span"), sample = document.createElement("canvas");
    sample.width = sample.height = CELL;
    drawCell(cell, 0, 0, ink, sample.getContext("2d"));
    item.append(sample, words);
    list.insertBefore(item, list.querySelector("button"));
  }
  list.querySelector("[data-palette]").setAttribute("aria-pressed", String(palette === "safe"));
}

function step(x, y) {
  const start = at ?? { x: -x, y: 0 };
  let next = { x: start.x + x, y: start.y + y };
  while (rows[next.y] && nodes[next.x] && !rows[next.y].cells[next.x]) next = { x: next.x + x, y: next.y + y };
  if (rows[next.y]?.cells[next.x]) choose(next.x, next.y);
  const place = at && placeOf(at.x, at.y);
  const top = place && canvas.getBoundingClientRect().top + place[1];
  if (place && (top < 0 || top > innerHeight - 40)) scrollBy(0, top - innerHeight / 2);
}

const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

canvas.addEventListener("keydown", (event) => {
  if (KEYS[event.key]) {
    event.preventDefault();
    step(...KEYS[event.key]);
  } else if (event.key === "Enter" && at) open();
});
function cellAt(event) {
  const area = canvas.getBoundingClientRect();
  const left = event.clientX - area.left - HEAD, top = event.clientY - area.top;
  const band = bands.findLast((each) => each.top <= top);
  if (!band || left < 0) return [-1, -1];
  const line = Math.floor((top - band.top - TITLE) / (CELL + GAP));
  return [band.first + Math.floor(left / (CELL + GAP)), band.own[line] ?? -1];
}
canvas.addEventListener("mousemove", (event) => {
  const [x, y] = cellAt(event);
  if (rows[y]?.cells[x]) choose(x, y);
});
canvas.addEventListener("click", (event) => {
  const [x, y] = cellAt(event);
  if (rows[y]?.cells[x]) open(nodes[x]);
});
function open(node = nodes[at.x]) {
  location.assign(`${box.dataset.ui}/nodes/${encodeURIComponent(node.name)}`);
}
box.querySelector("[data-palette]").addEventListener("click", () => {
  palette = palette === "safe" ? "plain" : "safe";
  localStorage.setItem("palette", palette);
  legend();
  draw();
});
addEventListener("themechange", () => { legend(); draw(); });
addEventListener("resize", () => draw());

async function renew() {
  try {
    await read();
  } catch (error) {
    tip.textContent = String(error.message ?? error);
    return;
  }
  box.hidden = false;
  legend();
  draw();
  tell();
}
renew();
setInterval(() => {
  if (!document.hidden && localStorage.getItem("live") !== "off") renew();
}, 15_000);
