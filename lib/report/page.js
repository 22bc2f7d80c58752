'use strict';
// Draws the charts over time from the data block, keeps their zoom together, and sorts tables.
// Words reach the page as textContent only.
(function () {
  const data = JSON.parse(document.getElementById('data').textContent);
  const kAxisWidth = 56;
  const kDashes = [null, [7, 3], [2, 3], [9, 3, 2, 3]];
  let range = [0, data.span || 1];
  let charts = [];

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();
  }

  // From 10 minutes on as 12:05 or 1:12:05.
  function seconds(x) {
    const span = range[1] - range[0];
    if (span < 600) {
      return Number(x.toFixed(span < 1 ? 3 : span < 10 ? 2 : span < 100 ? 1 : 0)) + ' s';
    }
    const two = function (n) { return String(Math.floor(n) % 60).padStart(2, '0'); };
    const whole = Math.round(x);
    return (whole < 3600 ? Math.floor(whole / 60) : Math.floor(whole / 3600) + ':' +
      two(whole / 60)) + ':' + two(whole);
  }

  // The library's own steps are decimal: right for seconds, odd for minutes and hours.
  function timeTicks(from, to, pixels, options, graph) {
    if (to - from < 600) return Dygraph.numericTicks(from, to, pixels, options, graph);
    const fits = function (step) { return (to - from) / step <= pixels / 70; };
    const step = [60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200].find(fits) ||
      86400 * Math.ceil((to - from) / 86400 / (pixels / 70));
    const ticks = [];
    for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
      ticks.push({v: at, label: seconds(at)});
    }
    return ticks;
  }

  function largest(chart) {
    return chart.y.reduce(function (most, line) {
      return line.reduce(function (a, b) { return Math.max(a, b || 0); }, most);
    }, 5);
  }

  function rowsOf(chart) {
    return chart.x.map(function (x, at) {
      return [x].concat(chart.y.map(function (line) {
        return line[at] === false ? NaN : line[at];
      }));
    });
  }

  // Bands of concurrency levels, and lines where the server preempted requests.
  function underlay(id) {
    return function (canvas, area, graph) {
      canvas.save();
      canvas.beginPath();
      canvas.rect(area.x, area.y, area.w, area.h);
      canvas.clip();
      canvas.font = '11px sans-serif';
      data.bands.forEach(function (band, at) {
        const left = graph.toDomXCoord(band[1]);
        const width = Math.max(1, graph.toDomXCoord(band[2]) - left);
        if (at % 2 === 0 || data.bands.length === 1) {
          canvas.fillStyle = colour('band');
          canvas.fillRect(left, area.y, width, area.h);
        }
        canvas.strokeStyle = colour('line');
        canvas.strokeRect(left, area.y - 1, width, area.h + 2);
        const label = String(band[0]);
        if (id === 'kv' && canvas.measureText(label).width < width) {
          canvas.fillStyle = colour('soft');
          canvas.fillText(label, left + 3, area.y + 12);
        }
      });
      if (id === 'kv') {
        canvas.strokeStyle = colour('bad');
        data.marks.forEach(function (mark) {
          const x = graph.toDomXCoord(mark[0]);
          canvas.beginPath();
          canvas.moveTo(x, area.y);
          canvas.lineTo(x, area.y + area.h);
          canvas.stroke();
        });
      }
      canvas.restore();
    };
  }

  function zoomAll(to, from) {
    if (to[0] === range[0] && to[1] === range[1]) return;
    range = to;
    charts.forEach(function (graph) {
      if (graph !== from) graph.updateOptions({dateWindow: range.slice()});
    });
    drawLanes();
  }

  function readout(chart, x, points) {
    const parts = [seconds(x)].concat(points.map(function (point) {
      return point.name + ': ' + point.yval + (chart.unit ? ' ' + chart.unit : '');
    }));
    if (chart.id === 'kv') {
      data.marks.forEach(function (mark) {
        if (Math.abs(mark[0] - x) < (range[1] - range[0]) / 400) {
          parts.push('preemptions: ' + mark[1]);
        }
      });
    }
    document.getElementById(chart.id + '-readout').textContent = parts.join('   ');
  }

  function legend(chart) {
    const keys = document.getElementById(chart.id + '-readout');
    keys.textContent = '';
    const list = document.createElement('ul');
    list.className = 'legend';
    chart.labels.forEach(function (label, at) {
      const item = document.createElement('li');
      const key = document.createElement('i');
      key.className = 'key c' + at % 8;
      item.append(key, label);
      list.append(item);
    });
    keys.append(list);
  }

  function draw(chart) {
    const series = {};
    chart.labels.forEach(function (label, at) {
      series[label] = {strokePattern: kDashes[at % 4]};
    });
    legend(chart);
    return new Dygraph(document.getElementById(chart.id), rowsOf(chart), {
      labels: ['second'].concat(chart.labels),
      colors: chart.labels.map(function (label, at) { return colour('c' + at % 8); }),
      series: series,
      connectSeparatedPoints: true,
      drawPoints: chart.x.length < 50,
      pointSize: 2,
      strokeWidth: 1.6,
      includeZero: true,
      valueRange: [0, chart.id === 'kv' ? 105 : 1.08 * largest(chart)],
      dateWindow: range.slice(),
      rightGap: 0,
      gridLineColor: colour('line'),
      axisLineColor: colour('line'),
      axes: {
        x: {axisLabelFormatter: function (x) { return seconds(x); }, pixelsPerLabel: 70,
          ticker: timeTicks},
        y: {axisLabelWidth: kAxisWidth - 6, pixelsPerLabel: 28,
          axisLabelFormatter: function (y) { return y + (chart.unit === '%' ? ' %' : ''); }},
      },
      underlayCallback: underlay(chart.id),
      highlightCallback: function (event, x, points) { readout(chart, x, points); },
      unhighlightCallback: function () { legend(chart); },
      zoomCallback: function (from, to) { zoomAll([from, to], this); },
      drawCallback: function (graph, first) { if (!first) zoomAll(graph.xAxisRange(), graph); },
    });
  }

  // One lane per request in flight; a request keeps its lane.
  function laneArea(canvas) {
    const left = charts.length > 0 ? charts[0].getArea().x : kAxisWidth;
    return {left: left, width: canvas.clientWidth - left, lane: canvas.clientHeight /
      Math.max(1, data.lanes.count)};
  }

  function drawLanes() {
    const canvas = document.getElementById('lanes');
    if (!canvas) return;
    canvas.style.height = Math.min(420, Math.max(24, data.lanes.count * 9)) + 'px';
    const ratio = window.devicePixelRatio || 1;
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = canvas.clientHeight * ratio;
    const pen = canvas.getContext('2d');
    pen.scale(ratio, ratio);
    const area = laneArea(canvas);
    const colours = {wait: colour('c3'), decode: colour('c2'), whole: colour('c7'),
      failed: colour('bad')};
    const x = function (time) {
      return area.left + (time - range[0]) / (range[1] - range[0]) * area.width;
    };
    const thick = Math.max(1, area.lane - (area.lane > 3 ? 1 : 0));
    const bar = function (row, from, to, fill) {
      const left = Math.max(area.left, x(from));
      const width = Math.max(0.5, x(to) - left);
      if (x(to) < area.left || left > area.left + area.width) return;
      pen.fillStyle = fill;
      pen.fillRect(left, row[0] * area.lane, width, thick);
    };
    data.bands.forEach(function (band, at) {
      if (at % 2 === 1) return;
      pen.fillStyle = colour('band');
      const left = Math.max(area.left, x(band[1]));
      pen.fillRect(left, 0, Math.max(0, x(band[2]) - left), canvas.clientHeight);
    });
    data.lanes.rows.forEach(function (row) {
      if (!row[4]) return bar(row, row[1], row[3], colours.failed);
      if (row[2] === null) return bar(row, row[1], row[3], colours.whole);
      bar(row, row[1], row[2], colours.wait);
      bar(row, row[2], row[3], colours.decode);
    });
  }

  function listenToLanes() {
    const canvas = document.getElementById('lanes');
    if (!canvas) return;
    canvas.addEventListener('mousemove', function (event) {
      const area = laneArea(canvas);
      const time = range[0] + (event.offsetX - area.left) / area.width * (range[1] - range[0]);
      const lane = Math.floor(event.offsetY / area.lane);
      const found = data.lanes.rows.find(function (row) {
        return row[0] === lane && row[1] <= time && time <= row[3];
      });
      document.getElementById('lanes-readout').textContent = found
        ? (found[5] || 'request') + (found[6] ? ', concurrency ' + found[6] : '') +
          (found[4] ? '' : ', failed') + ': ' + seconds(found[1]) + ' to ' + seconds(found[3])
        : '';
    });
  }

  function drawAll() {
    charts.forEach(function (graph) { graph.destroy(); });
    charts = [];
    charts = data.charts.map(draw);
    drawLanes();
  }

  // Numbers by value, words by letters, what is not measured last.
  function sortBy(table, column, header) {
    const down = header.getAttribute('aria-sort') === 'ascending';
    table.querySelectorAll('th').forEach(function (each) { each.removeAttribute('aria-sort'); });
    header.setAttribute('aria-sort', down ? 'descending' : 'ascending');
    const keyed = Array.from(table.tBodies[0].rows, function (row) {
      const text = row.cells[column].textContent;
      const number = header.classList.contains('n') ? parseFloat(text) : NaN;
      return {row: row, text: text, number: number, absent: text === '–'};
    });
    keyed.sort(function (a, b) {
      if (a.absent !== b.absent) return a.absent ? 1 : -1;
      const order = isNaN(a.number) || isNaN(b.number)
        ? a.text.localeCompare(b.text) : a.number - b.number;
      return down ? -order : order;
    });
    table.tBodies[0].append(...keyed.map(function (each) { return each.row; }));
  }

  document.querySelectorAll('table.sortable').forEach(function (table) {
    Array.from(table.tHead.rows[0].cells).forEach(function (header, column) {
      header.firstElementChild.addEventListener('click', function () {
        sortBy(table, column, header);
      });
    });
  });

  // The library's own legend sets style attributes, which the page's policy forbids.
  Dygraph.PLUGINS = Dygraph.PLUGINS.filter(function (plugin) {
    return plugin !== Dygraph.Plugins.Legend;
  });
  drawAll();
  listenToLanes();
  window.addEventListener('resize', drawLanes);
  ['(prefers-color-scheme: dark)', 'print'].forEach(function (media) {
    window.matchMedia(media).addEventListener('change', drawAll);
  });
})();
