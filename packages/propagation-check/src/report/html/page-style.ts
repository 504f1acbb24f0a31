/** The style sheet of the page. All text has a contrast of at least 4.5 to 1 in both colour schemes (WCAG 2.2, 1.4.3). */
export const pageStyle = `
:root { color-scheme: light dark; --text: light-dark(#1c2430, #e6e9ee); --soft: light-dark(#4f5b6b, #a7b1c0); --page: light-dark(#fff, #11161d);
  --card: light-dark(#f6f8fa, #1a212b); --line: light-dark(#c9d1db, #3a4553); --link: light-dark(#0b57a4, #7cb7ff);
  --error: light-dark(#b3191f, #ff8a85); --warning: light-dark(#7a5000, #f0c05a); --fine: light-dark(#14692f, #6fd48b); }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 1rem; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; } h3 { font-size: 1.05rem; margin: 0; overflow-wrap: anywhere; } h4 { margin: .5rem 0 0; }
p { margin: .4rem 0; } p, li { overflow-wrap: anywhere; } pre { margin: .2rem 0; white-space: pre-wrap; overflow-wrap: anywhere; } a { color: var(--link); }
code { font: 13px/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
.error, .flag, .failed { color: var(--error); } .warning { color: var(--warning); } .fine, .whole { color: var(--fine); }
.meta, .note, .accepted { color: var(--soft); }
.card { color: var(--text); background: var(--card); border: 1px solid var(--line); border-left: 5px solid var(--error); border-radius: 6px; padding: .75rem 1rem; margin: .75rem 0; break-inside: avoid; }
.card.warning { border-left-color: var(--warning); } .card h3 { color: var(--error); } .card.warning h3 { color: var(--warning); }
.scroll { overflow-x: auto; } :focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .25rem .6rem .25rem 0; vertical-align: top; } thead th { border-bottom: 1px solid var(--line); }
.edges td:nth-child(-n+2) { overflow-wrap: anywhere; } .number.number { text-align: right; font-variant-numeric: tabular-nums; }
.call { margin: .5rem 0; min-width: 34rem; } .call caption { text-align: left; color: var(--soft); font: 13px ui-monospace, monospace; overflow-wrap: anywhere; }
.call th { font-weight: normal; overflow-wrap: anywhere; width: 58%; } .call th code { display: block; color: var(--soft); } .call td:last-child { white-space: nowrap; text-align: right; color: var(--soft); }
.call svg { width: 100%; height: 12px; margin-top: 5px; } .call rect { fill: var(--soft); } .call .side rect { fill: var(--error); }
.cut th { color: var(--error); border-top: 2px dashed var(--error); border-bottom: 2px dashed var(--error); width: auto; font-weight: bold; }
.graph rect { fill: var(--card); stroke: var(--line); } .graph text { fill: var(--text); text-anchor: middle; font: 13px ui-monospace, monospace; }
.graph path { fill: none; stroke: currentColor; stroke-width: 2; } .graph marker path { fill: currentColor; stroke: none; } .graph g.error text { fill: var(--error); }
.tools { display: flex; flex-wrap: wrap; gap: .75rem; align-items: center; }
input[type=search] { flex: 1 1 14rem; min-height: 2rem; padding: .2rem .5rem; font: inherit; color: inherit; background: var(--page); border: 1px solid var(--soft); border-radius: 4px; }
input[type=checkbox] { width: 1.25rem; height: 1.25rem; vertical-align: middle; }
.list { position: relative; overflow-y: auto; border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; contain: paint; }
#trace-list { max-height: 12rem; } .space { position: relative; }
.row { position: absolute; left: 0; right: 0; height: 26px; line-height: 26px; display: flex; gap: .6rem; padding: 0 .5rem; cursor: pointer; white-space: nowrap; }
.row[aria-selected=true] { background: light-dark(#dbe9f8, #24374d); } .row:hover { background: var(--card); } .row[aria-selected=true]:hover { background: light-dark(#dbe9f8, #24374d); }
.label { flex: 1 1 50%; overflow: hidden; text-overflow: ellipsis; } .track { flex: 1 1 40%; position: relative; } .time { flex: 0 0 8.5rem; text-align: right; color: var(--text); font-variant-numeric: tabular-nums; }
#waterfall .time { flex-basis: 5rem; } .bar { position: absolute; top: 7px; height: 12px; min-width: 2px; border-radius: 2px; }
.dot { display: inline-block; width: .6rem; height: .6rem; border-radius: 50%; margin-right: .4rem; } .flag { margin-left: .5rem; font-weight: bold; } .failed { margin-left: .5rem; } #trace-list .flag { margin: 0; }
.service-0 { background: #4c8bd0; } .service-1 { background: #d08a2e; } .service-2 { background: #4f9d69; } .service-3 { background: #a86fc2; }
.service-4 { background: #c95f7a; } .service-5 { background: #3fa3a8; } .service-6 { background: #8f8440; } .service-7 { background: #7a86b8; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem .8rem; } dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; font-family: ui-monospace, monospace; font-size: 13px; }
@media (max-width: 40rem) { .edges { font-size: 13px; } .edges th, .edges td { padding-right: .4rem; } .edges th:last-child, .edges td:last-child { padding-right: 0; } .call { min-width: 0; } .call tr { display: grid; grid-template-columns: minmax(0, 1fr) max-content; } .call th { width: auto; grid-column: 1 / -1; } .track { display: none; } #trace-list .time { flex-basis: auto; } dl { grid-template-columns: 1fr; } dt:empty { display: none; } }
@media print { .viewer, details:not([open]) { display: none; } body { max-width: none; } .scroll { overflow: visible; } }
`;
