// Small multiples of one station: one factor a chart, gaps as gaps, limits only on the windows they judge.
"use strict";
(() => {
  const words = JSON.parse(document.getElementById("words").textContent);
  const charts = new Map();

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const two = (n) => String(n).padStart(2, "0");
  const stamp = (ms) => { const d = new Date(ms); return `${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())}`; };

  function axisLabel(step) {
    return (ms) => {
      const d = new Date(ms);
      if (step >= 28 * 86400000) return `${d.getUTCFullYear()}-${two(d.getUTCMonth() + 1)}`;
      return step < 86400000 && d.getUTCHours() ? `${two(d.getUTCHours())}:00` : stamp(ms);
    };
  }

  const letters = (point) => (point.marks || []).filter((m) => !["UNFLAGGED", "COMPUTED", "SUSPECT"].includes(m))
    .map((m) => words.marks_short[m] || m).join("");

  // letters stand where a run of equal marks begins
  function begins(points, text) {
    return points.filter((p, i) => text(p) && (i === 0 || text(points[i - 1]) !== text(p)));
  }

  function line(text, kind) {
    const element = document.createElement("div");
    element.className = kind || "";
    element.textContent = text;
    return element;
  }

  // built of elements and plain text: nothing from the data is read as markup
  function tip(panel, point) {
    const box = document.createElement("div");
    box.append(line(`${point.label} ${panel.step === 3600000 ? words.hour_ending : ""}`, "tip-when"));
    const value = point.value === null
      ? words.reasons[point.reason] || point.reason : `${point.value} ${panel.unit}`;
    box.append(line(`${panel.factor}  ${value}`, point.over ? "tip-value is-over" : "tip-value"));
    if (point.value !== null && point.reason) box.append(line(words.reasons[point.reason] || point.reason));
    if (point.detail) box.append(line(point.detail));
    if (point.final !== undefined) box.append(line(point.final ? words.final : words.provisional, "tip-note"));
    if (point.marks?.length) box.append(line(point.marks.map((m) => words.marks[m] || m).join(" · ")));
    if (point.edition !== undefined) {
      box.append(line(`${words.valid.replace("{valid}", point.valid).replace("{expected}", point.expected)} · ` +
        `${point.edition} · ${words.revision.replace("{n}", point.revision)}`, "tip-note"));
    }
    return box;
  }

  function options(panel, step) {
    panel.step = step;
    const ink = colour("--ink"), soft = colour("--soft"), faint = colour("--line"), red = colour("--red");
    const main = colour("--series");
    const numbers = panel.points.map((p) => (p.value === null ? null : Number(p.value)));
    const top = Math.max(0, ...numbers.filter((n) => n !== null));
    const lines = panel.limits.filter((l) => Number(l.value) <= Math.max(top, 1) * 2.6);
    const high = Math.max(top * 1.12, ...lines.map((l) => Number(l.value) * 1.12), panel.decimals ? 0.5 : 5);
    const place = new Map(panel.points.map((p, i) => [p.t, i]));
    const shown = (keep) => panel.points.filter((p) => p.value !== null && keep(p)).map((p) => [p.t, Number(p.value)]);
    const lost = panel.points.filter((p) => p.value === null && p.reason && p.reason !== "silent" && p.reason !== "not_in_plan");
    const first = new Set(begins(panel.points, (p) => (lost.includes(p) ? letters(p) : "")));
    return {
      useUTC: true, animation: false,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      grid: { left: 40, right: 12, top: 14, bottom: 24 },
      xAxis: {
        type: "time", min: panel.points[0].t, max: panel.points[panel.points.length - 1].t,
        axisLine: { lineStyle: { color: faint } }, axisTick: { lineStyle: { color: faint } },
        axisLabel: { color: soft, fontSize: 12, hideOverlap: true, formatter: axisLabel(step) }, splitNumber: 4,
      },
      yAxis: {
        type: "value", min: Math.min(0, ...numbers.filter((n) => n !== null)), max: nice(high), splitNumber: 3,
        axisLabel: { color: soft, fontSize: 12, showMaxLabel: false }, splitLine: { lineStyle: { color: faint } },
      },
      tooltip: {
        trigger: "axis", confine: true, renderMode: "html", className: "tip", borderWidth: 1, padding: [6, 10],
        backgroundColor: colour("--card"), borderColor: faint, textStyle: { color: ink, fontSize: 12 },
        extraCssText: "", transitionDuration: 0,
        axisPointer: { type: "line", lineStyle: { color: soft, type: "solid", width: 1 } },
        formatter: (hits) => {
          const at = hits[0]?.axisValue;
          const found = panel.points[place.get(at)];
          return found ? tip(panel, found) : "";
        },
      },
      series: [
        {
          type: "line", data: panel.points.map((p, i) => [p.t, numbers[i]]), showSymbol: false, connectNulls: false,
          lineStyle: { color: panel.window === "8h_platform" ? soft : main, width: 1.6, type: panel.window === "8h_platform" ? "dotted" : "solid" },
          itemStyle: { color: main }, areaStyle: { color: main, opacity: 0.07 }, z: 3,
          markArea: {
            silent: true, animation: false, itemStyle: { color: red, opacity: 0.1 },
            data: (panel.spans || []).map((s) => [{ xAxis: s.from - step / 2 }, { xAxis: s.to + step / 2 }]),
          },
          markLine: {
            silent: true, symbol: "none", animation: false,
            data: lines.map((l) => [
              { coord: [l.from, Number(l.value)], lineStyle: { color: red, type: "dashed", width: 1 },
                label: { show: true, position: "insideStartTop", color: red, fontSize: 12,
                         formatter: [l.title, l.bare ? "" : words.limit, l.value, l.standard && `· ${l.standard}`].filter(Boolean).join(" ") } },
              { coord: [Math.max(l.to, l.from + 1), Number(l.value)] },
            ]),
          },
        },
        // a value alone between gaps has no line: it is a point
        { type: "scatter", data: alone(panel.points), symbolSize: 4, itemStyle: { color: main }, silent: true, z: 3 },
        { type: "scatter", data: shown((p) => p.over), symbolSize: 6, itemStyle: { color: red }, silent: true, z: 4 },
        { type: "scatter", data: shown((p) => (p.marks || []).includes("SUSPECT")), symbol: "circle", symbolSize: 9, silent: true, z: 5,
          itemStyle: { color: "transparent", borderColor: ink, borderWidth: 1.2, borderType: "dotted" } },
        { type: "scatter", data: begins(panel.points, (p) => (p.value === null ? "" : letters(p))).map((p) => ({ value: [p.t, Number(p.value)], text: letters(p) })),
          symbolSize: 1, silent: true, itemStyle: { color: "transparent" }, z: 6,
          label: { show: true, position: "top", color: soft, fontSize: 12, formatter: (hit) => hit.data.text } },
        { type: "scatter", data: lost.map((p) => ({ value: [p.t, 0], text: first.has(p) ? letters(p) : "" })),
          symbol: "rect", symbolSize: [3, 7], symbolOffset: [0, -3], silent: true, itemStyle: { color: soft }, z: 2,
          label: { show: true, position: "top", color: soft, fontSize: 12, formatter: (hit) => hit.data.text } },
      ],
    };
  }

  function alone(points) {
    const empty = (p) => !p || p.value === null;
    return points.filter((p, i) => p.value !== null && empty(points[i - 1]) && empty(points[i + 1])).map((p) => [p.t, Number(p.value)]);
  }

  function nice(high) {
    const step = 10 ** Math.floor(Math.log10(high));
    for (const part of [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10]) if (part * step >= high) return Number((part * step).toPrecision(3));
    return high;
  }

  function far(panel) {
    const top = Math.max(0, ...panel.points.map((p) => (p.value === null ? 0 : Number(p.value))));
    return panel.limits.filter((l) => Number(l.value) > Math.max(top, 1) * 2.6);
  }

  function draw() {
    const holder = document.getElementById("station-data");
    const data = holder ? JSON.parse(holder.textContent) : null;
    if (!data) return;
    for (const element of document.querySelectorAll(".chart")) {
      const panel = data.panels[Number(element.dataset.panel)];
      if (!panel || !panel.points.length) continue;
      let chart = charts.get(element);
      if (!chart) {
        chart = echarts.init(element, null, { renderer: "canvas" });
        chart.group = "station";
        charts.set(element, chart);
      }
      chart.setOption(options(panel, data.step), true);
      const caption = element.previousElementSibling;
      caption.querySelector(".far")?.remove();
      const above = far(panel);
      if (above.length) {
        const note = document.createElement("span");
        note.className = "far";
        note.textContent = `${words.limit} ${above[above.length - 1].value} ↑ ${above[above.length - 1].standard}`;
        caption.insertBefore(note, caption.querySelector(".unit"));
      }
    }
    echarts.connect("station");
  }

  draw();
  document.addEventListener("htmx:after:swap", draw);
  window.addEventListener("resize", () => charts.forEach((chart) => chart.resize()));
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
})();
