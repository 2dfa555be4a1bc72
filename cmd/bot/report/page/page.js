
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const at = (id) => document.getElementById(id);
  const plots = new Map(); // by id: what draws it, for another theme or width

  const short = (v) => {
    if (v == null) return "";
    const a = Math.abs(v);
    if (a >= 1e6) return +(v / 1e6).toPrecision(3) + "M";
    if (a >= 1e4) return +(v / 1e3).toPrecision(3) + "k";
    return String(+v.toPrecision(3));
  };
  const ms = (v) => (v == null ? "" : v >= 1e4 ? short(v / 1e3) + " s" : v < 0.1 ? short(v * 1e3) + " µs" : short(v) + " ms");

  // The seconds that are not measured (ramp, settling, draining) are shaded.
  const shade = (u) => {
    const end = u.bbox.left + u.bbox.width;
    const pos = (at) => Math.max(u.bbox.left, Math.min(end, u.valToPos(at, "x", true)));
    const fill = (a, b) => u.ctx.fillRect(a, u.bbox.top, b - a, u.bbox.height);
    u.ctx.fillStyle = css("--shade");
    fill(u.bbox.left, data.from == null ? end : pos(data.from));
    if (data.until != null) fill(pos(data.until), end);
  };

  const axis = (more) => ({
    stroke: css("--soft"), font: "12px system-ui, sans-serif",
    grid: { stroke: css("--line"), width: 1 }, ticks: { stroke: css("--line"), width: 1 }, ...more,
  });
  const series = (label, i, value, more) => ({
    label, stroke: css("--c" + (i % 8)), width: 1.75, points: { show: false }, value: (u, v) => (v == null ? "–" : value(v)), ...more,
  });

  const draw = (id, make) => {
    const box = at(id);
    const again = () => {
      const old = plots.get(id);
      if (old && old.plot) old.plot.destroy();
      box.replaceChildren();
      const opts = make();
      let plot = null;
      if (opts) {
        plot = new uPlot({ width: Math.max(280, box.clientWidth), height: 260, ...opts.options }, opts.data, box);
      } else {
        const none = document.createElement("div");
        none.className = "none";
        none.textContent = "None.";
        box.append(none);
      }
      plots.set(id, { again, plot });
    };
    again();
  };

  const overTime = (list, values, unit, log) => ({
    options: {
      cursor: { sync: { key: "time" }, y: false },
      scales: { x: { time: false }, y: log ? { distr: 3 } : { range: (u, lo, hi) => [0, hi > 0 ? hi * 1.08 : 1] } },
      hooks: { drawClear: [shade] },
      axes: [axis({ values: (u, ticks) => ticks.map((t) => t + " s") }), axis({ size: 64, values: (u, ticks) => ticks.map((t) => (t == null ? "" : unit(t))) })],
      series: [{ label: "at", value: (u, v) => (v == null ? "–" : v.toFixed(0) + " s") }, ...list],
    },
    data: [data.at, ...values],
  });

  const select = at("metric");
  for (const name of Object.keys(data.latency)) select.add(new Option(name, name, false, name === data.main));
  const latency = () => {
    const m = data.latency[select.value];
    if (!m) return null;
    const names = ["p50", "p90", "p99", "max"];
    return overTime(names.map((n, i) => series(n, i, ms)), names.map((n) => m[n]), ms, true);
  };
  select.addEventListener("change", () => draw("latency", latency));
  if (!select.options.length) select.hidden = true;

  const lines = (list, unit) => () =>
    list && list.length ? overTime(list.map((l, i) => series(l.name, i, unit)), list.map((l) => l.values), unit, false) : null;

  // Percentiles: x counts the nines, so that the tail has as much room as the bulk.
  const marks = [[0, "min"], [Math.log10(2), "p50"], [1, "p90"], [2, "p99"], [3, "p99.9"], [4, "p99.99"], [5, "p99.999"], [6, "p99.9999"]];
  const curve = () => {
    if (!data.curves || !data.curves.length) return null;
    const joined = uPlot.join(data.curves.map((c) => [c.x, c.y]));
    return {
      options: {
        scales: { x: { time: false }, y: { distr: 3 } },
        cursor: { y: false },
        axes: [
          axis({
            splits: (u) => marks.map((m) => m[0]).filter((x) => x >= u.scales.x.min && x <= u.scales.x.max),
            values: (u, ticks) => ticks.map((t) => (marks.find((m) => m[0] === t) || [0, ""])[1]),
          }),
          axis({ size: 64, values: (u, ticks) => ticks.map((t) => (t == null ? "" : ms(t))) }),
        ],
        series: [
          { label: "percentile", value: (u, v) => (v == null ? "–" : "p" + +(100 * (1 - 10 ** -v)).toPrecision(6)) },
          ...data.curves.map((c, i) => series(c.name, i, ms, { spanGaps: true, width: i ? 1.5 : 2.5 })),
        ],
      },
      data: joined,
    };
  };

  draw("latency", latency);
  draw("curve", curve);
  draw("throughput", lines(data.throughput, short));
  draw("schedule", lines(data.schedule, short));
  draw("errors", lines(data.errors, short));
  draw("cores", lines(data.cores, short));

  const all = () => plots.forEach((p) => p.again());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth !== width) requestAnimationFrame(all);
    width = innerWidth;
  });
})();
