import type { PageData, PageSpan, PageTrace } from './page-data.ts';

/**
 * The script of the HTML report, which shows a list of traces and a waterfall. The source texts of the exported functions are put into the
 * page, so these functions can use nothing but each other. Only the visible rows are in the document.
 */
export function runPage(): void {
  const data: PageData = JSON.parse(findElement('data', HTMLScriptElement).text);
  const { traces } = data;
  const search = findElement('search', HTMLInputElement);
  const onlyBroken = findElement('only-broken', HTMLInputElement);
  const count = findElement('trace-count', HTMLElement);
  const heading = findElement('trace-heading', HTMLElement);
  const details = findElement('span-details', HTMLElement);
  let shown: PageTrace | undefined;

  const waterfall = makeList<PageSpan>(
    findElement('waterfall', HTMLElement),
    (span, option) => option.append(...drawSpan(data, span, shown?.durationMs ?? 0)),
    (span) => details.replaceChildren(...describeSpan(data, span)),
  );
  const openTrace = (trace: PageTrace): void => {
    if (shown === trace) return;
    shown = trace;
    heading.textContent = `Trace ${trace.id}, ${writeCount(trace.spans)}, ${writeMs(trace.durationMs)}`;
    const first = trace.spans.findIndex((span) => span[8] !== '');
    waterfall.show(trace.spans, Math.max(0, first));
  };
  const list = makeList<PageTrace>(
    findElement('trace-list', HTMLElement),
    (trace, option) => {
      option.title = trace.id;
      option.append(...drawTrace(data, trace));
    },
    openTrace,
  );

  const filter = (): void => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = traces.filter(
      (trace) => (!onlyBroken.checked || trace.isBroken) && hasWords(data, trace, words),
    );
    count.textContent = `${found.length} of ${traces.length} ${traces.length === 1 ? 'trace' : 'traces'}`;
    list.show(found, 0);
  };
  search.addEventListener('input', filter);
  onlyBroken.addEventListener('change', filter);

  /** A link to a span, `#TRACE-SPAN`, opens its trace. */
  const follow = (): void => {
    const [, traceId, spanId] = /^#([0-9a-f]{16,32})-([0-9a-f]{16})$/.exec(location.hash) ?? [];
    const trace = traces.find(({ id }) => id === traceId);
    if (trace === undefined) return;
    search.value = '';
    onlyBroken.checked = false;
    filter();
    list.select(traces.indexOf(trace));
    waterfall.select(trace.spans.findIndex(([id]) => id === spanId));
    findElement('waterfall', HTMLElement).focus();
  };
  addEventListener('hashchange', follow);
  onlyBroken.checked = traces.some((trace) => trace.isBroken);
  filter();
  follow();
}

interface List<Row> {
  show(rows: readonly Row[], selected: number): void;
  select(index: number): void;
}

/** Makes a list box of any length. Arrow keys, Page Up and Down, Home and End move the selection. */
export function makeList<Row>(
  box: HTMLElement,
  write: (row: Row, option: HTMLElement) => void,
  open: (row: Row) => void,
): List<Row> {
  const rowHeight = 26;
  /** A higher box scrolls. */
  const mostRows = 16;
  /** Rows above and below the visible ones that are drawn before they are scrolled into view. */
  const spareRows = 8;

  const space = makeElement('div', 'space');
  box.replaceChildren(space);
  let rows: readonly Row[] = [];
  let selected = 0;

  const draw = (): void => {
    const first = Math.max(0, Math.floor(box.scrollTop / rowHeight) - spareRows);
    const last = Math.ceil((box.scrollTop + box.clientHeight) / rowHeight) + spareRows;
    const options = rows.slice(first, last).map((row, offset) => {
      const index = first + offset;
      const option = makeOption(`${box.id}-${index}`, index, rows.length, index === selected);
      option.style.top = `${index * rowHeight}px`;
      write(row, option);
      return option;
    });
    space.replaceChildren(...options);
    if (rows.length === 0) box.removeAttribute('aria-activedescendant');
    else box.setAttribute('aria-activedescendant', `${box.id}-${selected}`);
  };
  const select = (index: number): void => {
    selected = Math.min(Math.max(index, 0), rows.length - 1);
    const row = rows[selected];
    const top = selected * rowHeight;
    if (top < box.scrollTop) box.scrollTop = top;
    if (top + rowHeight > box.scrollTop + box.clientHeight)
      box.scrollTop = top + rowHeight - box.clientHeight;
    draw();
    if (row !== undefined) open(row);
  };
  box.addEventListener('scroll', draw, { passive: true });
  moveBy(box, select, () => ({
    selected,
    page: Math.floor(box.clientHeight / rowHeight),
    last: rows.length - 1,
  }));
  new ResizeObserver(draw).observe(box);
  return {
    show: (next, index) => {
      rows = next;
      space.style.height = `${rows.length * rowHeight}px`;
      box.style.height = `${Math.min(rows.length, mostRows) * rowHeight + 4}px`;
      box.scrollTop = 0;
      select(index);
    },
    select,
  };
}

/** Moves the selection by keys and clicks. */
export function moveBy(
  box: HTMLElement,
  select: (index: number) => void,
  look: () => { readonly selected: number; readonly page: number; readonly last: number },
): void {
  box.addEventListener('keydown', (event) => {
    const { selected, page, last } = look();
    const targets: Readonly<Record<string, number>> = {
      ArrowDown: selected + 1,
      ArrowUp: selected - 1,
      PageDown: selected + page,
      PageUp: selected - page,
      Home: 0,
      End: last,
    };
    const target = targets[event.key];
    if (target === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    select(target);
  });
  box.addEventListener('click', (event) => {
    const option = event.target instanceof Element ? event.target.closest('[role=option]') : null;
    if (option !== null) select(Number(option.getAttribute('aria-posinset')) - 1);
  });
}

export function makeOption(id: string, index: number, count: number, isSelected: boolean): HTMLElement {
  const option = makeElement('div', 'row');
  option.id = id;
  option.setAttribute('role', 'option');
  option.setAttribute('aria-posinset', String(index + 1));
  option.setAttribute('aria-setsize', String(count));
  option.setAttribute('aria-selected', String(isSelected));
  return option;
}

export function drawSpan(
  { services, kinds }: PageData,
  [, depth, service, kind, name, startMs, durationMs, , finding, isError]: PageSpan,
  traceMs: number,
): readonly HTMLElement[] {
  const label = makeElement('span', 'label');
  label.style.paddingInlineStart = `${Math.min(depth, 24) * 12}px`;
  label.append(
    makeElement('span', `dot service-${service % 8}`),
    makeElement('b', '', services[service]),
    ` ${kinds[kind] ?? ''} ${name}`,
  );
  if (finding !== '') label.append(makeElement('span', 'flag', `✗ ${finding}`));
  else if (isError === 1) label.append(makeElement('span', 'failed', 'error'));
  const track = makeElement('span', 'track');
  const bar = makeElement('span', `bar service-${service % 8}`);
  const whole = traceMs || 1;
  bar.style.left = `${(startMs / whole) * 100}%`;
  bar.style.width = `${(durationMs / whole) * 100}%`;
  track.append(bar);
  return [label, track, makeElement('span', 'time', writeMs(durationMs))];
}

export function describeSpan(
  { services, kinds }: PageData,
  [spanId, , service, kind, name, startMs, durationMs, parentId, finding, , notes]: PageSpan,
): readonly HTMLElement[] {
  const rows = [
    ['span', spanId],
    ['parent', parentId === '' ? 'none: it is a root' : parentId],
    ['service', services[service]],
    ['kind, name', `${kinds[kind] ?? ''} ${name}`],
    ['start, duration', `+${writeMs(startMs)}, ${writeMs(durationMs)}`],
    ...(finding === '' ? [] : [['finding', finding]]),
    ...notes.map((note) => ['', note]),
  ];
  return rows.flatMap(([term, text]) => [makeElement('dt', '', term), makeElement('dd', '', text)]);
}

export function drawTrace(
  { services }: PageData,
  { isBroken, spans, durationMs }: PageTrace,
): readonly HTMLElement[] {
  const [root] = spans;
  const name = root === undefined ? '' : `${services[root[2]] ?? ''} ${root[4]}`;
  return [
    makeElement('span', isBroken ? 'flag' : 'whole', isBroken ? '✗' : '✓'),
    makeElement('span', 'label', name),
    makeElement('span', 'time', `${writeCount(spans)}, ${writeMs(durationMs)}`),
  ];
}

export function hasWords({ services }: PageData, trace: PageTrace, words: readonly string[]): boolean {
  return words.every(
    (word) =>
      trace.id.includes(word) ||
      trace.spans.some(
        ([spanId, , service, , name]) =>
          spanId === word ||
          name.toLowerCase().includes(word) ||
          (services[service] ?? '').toLowerCase().includes(word),
      ),
  );
}

export function writeCount({ length }: readonly PageSpan[]): string {
  return `${length} span${length === 1 ? '' : 's'}`;
}

export function writeMs(ms: number): string {
  return ms >= 1_000 ? `${(ms / 1_000).toFixed(2)} s` : `${ms.toFixed(ms < 10 ? 2 : 1)} ms`;
}

export function findElement<E extends HTMLElement>(id: string, kind: new () => E): E {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`#${id} is not in the page`);
  return element;
}

export function makeElement(tag: string, className: string, text = ''): HTMLElement {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}
